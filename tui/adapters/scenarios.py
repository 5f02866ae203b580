"""The scenario catalogue, its runs, and how much normal traffic was asked for."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from tui.adapters.database import Database, epoch_ms
from tui.ports import Knob, ScenarioInfo, ScenarioRun

_SO_FAR = """
select s.run_id, count(*)::int as expected, count(*) filter (where exists (
    select from read.alert a cross join lateral unnest(a.transactions) as t (id)
    where a.account_id = s.account and starts_with(t.id, 'tx-' || s.run_id || '-')
))::int as caught
from (
    select data ->> 'run_id' as run_id, jsonb_array_elements_text(data -> 'expected') as account
    from log.event where stream = any($1::text[]) and type = 'ScenarioSent'
) s
group by s.run_id
"""
TAKEN = "tq"
"""Letters of the launch menu that mean something else: traffic, and leaving."""


def letters(names: Iterable[str]) -> dict[str, str]:
    """A letter per name: the first of its own letters that is free, else any that is."""
    given: dict[str, str] = {}
    used = set(TAKEN)
    for name in names:
        initials = "".join(part[:1] for part in name.split("_"))
        wanted = [*initials, *name, *string.ascii_lowercase, *string.digits]
        letter = next((c for c in wanted if c.isalnum() and c not in used), "")
        if letter:
            used.add(letter)
            given[name] = letter
    return given


class LogScenarios:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._catalogue: tuple[ScenarioInfo, ...] = ()

    def catalogue(self) -> Sequence[ScenarioInfo]:
        if not self._catalogue:
            from core.scenarios.registry import SCENARIOS, parameters

            keys = letters(SCENARIOS)
            self._catalogue = tuple(
                ScenarioInfo(
                    name,
                    scenario.title,
                    _expects(scenario.caught_by, scenario.hard),
                    keys.get(name, ""),
                    scenario.story,
                    tuple(
                        Knob(p.name, p.kind is int, p.default, p.lowest, p.highest, p.about) for p in parameters(name)
                    ),
                )
                for name, scenario in SCENARIOS.items()
            )
        return self._catalogue

    async def runs(self, limit: int) -> Sequence[ScenarioRun]:
        rows = await self._database.fetch(
            "select * from read.scenario_run order by requested_at desc, run_id limit $1", limit
        )
        under_way = await self._so_far([row["run_id"] for row in rows if row["status"] == "sent"])
        return [_run(row, *under_way.get(row["run_id"], (row["expected"], row["caught"]))) for row in rows]

    async def _so_far(self, run_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Accounts on which an alert is due, and on which one names a payment of the run already, by run."""
        if not run_ids:
            return {}
        rows = await self._database.fetch(_SO_FAR, [f"scenario-{run_id}" for run_id in run_ids])
        return {row["run_id"]: (row["expected"], row["caught"]) for row in rows}

    async def traffic_rate(self) -> int:
        row = await self._database.fetch_row(
            "select (data ->> 'rate')::int as rate from log.event where stream = 'scenario-traffic'"
            " order by version desc limit 1"
        )
        return 0 if row is None else int(row["rate"])


def _run(row: Any, expected: int | None, caught: int | None) -> ScenarioRun:
    held = dict(row)
    return ScenarioRun(
        run_id=row["run_id"],
        scenario=row["scenario"],
        seed=row["seed"],
        status=row["status"],
        worker=row["worker"] or "",
        requested_at=epoch_ms(row["requested_at"]),
        expected=expected,
        caught=caught,
        missed=row["missed"],
        false_alerts=row["false_alerts"],
        time_to_detect_ms=row["time_to_detect_ms"],
        detected_wall_ms=row["detected_wall_ms"],
        money_lost=row["money_lost"],
        last_pos=row["last_pos"],
        parameters=msgspec.json.decode(held.get("parameters") or "{}"),
        transactions=held.get("transactions"),
        caught_by=msgspec.json.decode(held.get("caught_by") or "{}"),
        reason=held.get("reason") or "",
    )


def _expects(caught_by: Sequence[str], hard: bool) -> str:
    return ", ".join(caught_by) + (" (hard: recall is reported as it is)" if hard else "")
