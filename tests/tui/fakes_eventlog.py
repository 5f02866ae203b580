"""A fake of the port behind the Log screen: a log in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tui.ports import Done, Refused, Unavailable, Verdict
from tui.screens.eventlog.port import Entry, OnNote, Seals, Selection, Standing, Tail

AT_MS = 1_784_556_134_000


def entry(position: int, **changes: object) -> Entry:
    """A plausible event; ``changes`` replaces fields."""
    kind = ("alert", "case", "scenario", "account")[position % 4]
    types = {
        "alert": "AlertRaised",
        "case": "CaseClaimed",
        "scenario": "ScenarioScored",
        "account": "AccountBlocked",
    }
    made = Entry(
        position=position,
        stream=f"{kind}-{position // 4:06}",
        version=1,
        type=types[kind],
        schema_version=1,
        at=AT_MS - 60_000 + position * 1_000,
        actor="ana" if kind == "case" else "consumer",
        data=f'{{"account_id": "acc-{position:06}", "amount": {position * 100}, "reasons": ["new device"]}}',
        meta='{"actor": "ana"}',
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def standing(name: str, **changes: object) -> Standing:
    made = Standing(name, 1, live=True, status="running", position=40, lag_events=0, lag_ms=0)
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class FakeEventLog:
    entries: list[Entry] = field(default_factory=lambda: [entry(number) for number in range(1, 41)])
    rows: list[Standing] = field(
        default_factory=lambda: [
            standing("account_risk"),
            standing("alert", position=36, lag_events=4, lag_ms=1_800),
            standing("verdict", status="parked", failed_position=12, failed_reason="KeyError: 'amount'"),
        ]
    )
    seal: Seals = field(default_factory=lambda: Seals(3, 38, AT_MS - 20_000, 40, 3))
    failure: str = ""
    findings: str = ""
    gate: asyncio.Event | None = None
    """When set, long work notes its progress and then waits here."""
    done: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def head(self) -> int:
        return self.entries[-1].position if self.entries else 0

    def _selected(self, selection: Selection, after: int) -> list[Entry]:
        if self.failure:
            raise Unavailable(self.failure)
        return [
            one
            for one in self.entries
            if one.position > after
            and one.stream.startswith(selection.prefix)
            and (not selection.types or one.type in selection.types)
        ]

    async def newest(self, selection: Selection, limit: int) -> Tail:
        return Tail(tuple(self._selected(selection, 0)[-limit:]), self.head, self.head)

    async def after(self, position: int, selection: Selection, limit: int) -> Tail:
        found = self._selected(selection, position)[:limit]
        return Tail(tuple(found), found[-1].position if len(found) == limit else self.head, self.head)

    async def entry(self, position: int) -> Entry | None:
        return next((one for one in self.entries if one.position == position), None)

    async def related(self, entry: Entry) -> Sequence[Entry]:
        subject = entry.stream.partition("-")[2]
        return [one for one in self.entries if one.stream.partition("-")[2] == subject]

    async def standings(self) -> Sequence[Standing]:
        return self.rows

    async def seals(self) -> Seals:
        return self.seal

    async def _work(self, on_note: OnNote, text: str, *words: str) -> Verdict:
        on_note("20 of 40 events")
        if self.gate is not None:
            await self.gate.wait()
        self.done.append(words)
        return Refused(self.findings) if self.findings else Done(text)

    async def rebuild(self, projection: str, on_note: OnNote) -> Verdict:
        return await self._work(on_note, f"{projection}: generation 2 is live", "rebuild", projection)

    async def prove(self, projection: str, on_note: OnNote) -> Verdict:
        return await self._work(on_note, f"{projection}: equal (40 rows at position 40)", "prove", projection)

    async def retry(self, projection: str) -> Verdict:
        return await self._work(lambda note: None, f"{projection}: trying again", "retry", projection)

    async def skip(self, projection: str, reason: str) -> Verdict:
        return await self._work(lambda note: None, f"{projection}: passed over", "skip", projection, reason)

    async def verify(self, on_note: OnNote) -> Verdict:
        return await self._work(on_note, "positions 1 to 40: as sealed", "verify")
