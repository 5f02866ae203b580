"""Runs of scenarios: how one is asked for, what the log knows of it, and several side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from random import SystemRandom
from typing import Any, Literal, Protocol
from uuid import uuid4

import msgspec

from core.scenarios import registry
from schema.events import ScenarioRequested

Unit = Literal["", "count", "ms", "centavos", "share", "rules"]
ENDED = ("scored", "failed", "stopped")
# All columns: the table may be one that an earlier version made, until the projector has rebuilt it.
_NEWEST = "select * from read.scenario_run order by requested_at desc, run_id limit $1"
_NAMED = "select * from read.scenario_run where run_id = any($1)"


class Connection(Protocol):
    """A connection, a pool, or whatever else answers queries with rows."""

    async def fetch(self, query: str, *arguments: object) -> list[Any]: ...


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as ``read.scenario_run`` has it: what is not known yet is None.

    ``time_to_detect_ms``: from the first fraudulent payment to the first alert, event time; ``detected_wall_ms`` the
    same by the clock. ``money_lost`` centavos. ``caught_by``: alerts on the run's frauds by rule.
    """

    run_id: str
    scenario: str
    seed: int
    parameters: dict[str, int | float | str | bool]
    status: str
    requested_at: datetime
    transactions: int | None = None
    expected: int | None = None
    caught: int | None = None
    missed: int | None = None
    false_alerts: int | None = None
    time_to_detect_ms: int | None = None
    detected_wall_ms: int | None = None
    money_lost: int | None = None
    caught_by: dict[str, int] = {}
    reason: str | None = None


class Row(msgspec.Struct, frozen=True):
    """One figure of several runs, in their order. ``best``: which of them have the best value; empty where no value
    is better than another, or all are alike."""

    what: str
    unit: Unit
    values: tuple[int | float | str | bool | None, ...]
    best: tuple[int, ...] = ()


def request(name: str, seed: int | None = None, given: Mapping[str, object] | None = None) -> ScenarioRequested:
    """The event that asks for a run, to be appended to ``stream_of(run_id)`` as its first.

    ``given`` holds parameters, numbers or their texts; the event holds all of them, so that the run can be repeated
    when a default has changed. Without a seed one is drawn. Raises ``UnknownScenario`` for a wrong name or value.
    """
    parameters: dict[str, float | int | str | bool] = {**registry.settled(name, given)}
    return ScenarioRequested(
        run_id=f"{name.replace('_', '-')}-{uuid4().hex[:8]}",
        scenario=name,
        seed=SystemRandom().randrange(1 << 31) if seed is None else seed,
        parameters=parameters,
    )


def stream_of(run_id: str) -> str:
    """The stream of a run's events."""
    return f"scenario-{run_id}"


async def newest(conn: Connection, limit: int) -> list[Run]:
    """The newest runs first."""
    return [_run(row) for row in await conn.fetch(_NEWEST, limit)]


async def named(conn: Connection, run_ids: Sequence[str]) -> list[Run]:
    """The runs of these names, in their order; those that do not exist are left out."""
    found = {row["run_id"]: _run(row) for row in await conn.fetch(_NAMED, list(run_ids))}
    return [found[run_id] for run_id in run_ids if run_id in found]


def compare(runs: Sequence[Run]) -> list[Row]:
    """The runs' verdicts and parameters side by side. Pure; a parameter is a row where some run has it."""
    recall = [r.caught / r.expected if r.expected and r.caught is not None else None for r in runs]
    return [
        Row("scenario", "", tuple(r.scenario for r in runs)),
        Row("seed", "", tuple(r.seed for r in runs)),
        *(
            Row(name, "", tuple(r.parameters.get(name) for r in runs))
            for name in dict.fromkeys(name for r in runs for name in r.parameters)
        ),
        Row("status", "", tuple(r.status for r in runs)),
        Row("payments", "count", tuple(r.transactions for r in runs)),
        Row("expected", "count", tuple(r.expected for r in runs)),
        Row("caught", "count", tuple(r.caught for r in runs)),
        _judged("missed", "count", [r.missed for r in runs]),
        _judged("recall", "share", recall, highest=True),
        _judged("false_alerts", "count", [r.false_alerts for r in runs]),
        _judged("time_to_detect", "ms", [r.time_to_detect_ms for r in runs]),
        _judged("detected_wall", "ms", [r.detected_wall_ms for r in runs]),
        _judged("money_lost", "centavos", [r.money_lost for r in runs]),
        Row("caught_by", "rules", tuple(by_rule(r.caught_by) if r.caught_by else None for r in runs)),
    ]


def by_rule(caught_by: Mapping[str, int]) -> str:
    """The rules that caught something, the busiest first."""
    return ", ".join(
        f"{rule} {count}" for rule, count in sorted(caught_by.items(), key=lambda item: (-item[1], item[0]))
    )


def _judged(what: str, unit: Unit, values: Sequence[int | float | None], *, highest: bool = False) -> Row:
    known = [value for value in values if value is not None]
    best: Iterable[int] = ()
    if len(set(known)) > 1:
        wanted = max(known) if highest else min(known)
        best = (at for at, value in enumerate(values) if value == wanted)
    return Row(what, unit, tuple(values), tuple(best))


def _run(row: Mapping[str, Any]) -> Run:
    held = {name: row[name] for name in Run.__struct_fields__ if name in row}
    held["parameters"] = msgspec.json.decode(held["parameters"])
    held["caught_by"] = msgspec.json.decode(held.get("caught_by") or "{}")
    return Run(**held)
