"""``streamguard scenarios``: what there is and can be set, launching, stopping, runs and several side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from core.eventlog import EventLog
from core.eventlog.act import command, perform
from core.eventlog.connect import opened
from core.output import note, print_json, print_rows
from core.scenarios import registry
from core.scenarios.knobs import given
from core.scenarios.runs import ENDED, Row, Run, by_rule, compare, named, newest, request, stream_of
from schema.events import ScenarioRequested, ScenarioStopped
from schema.transaction import reais

DONE, NO = 0, 1
_SERVED = """
select exists (
    select from ops.worker_status where task = 'scenario' and updated_at > clock_timestamp() - interval '5 seconds'
)
"""
_RUNS = (
    "run_id",
    "scenario",
    "seed",
    "status",
    "requested_at",
    "expected",
    "caught",
    "missed",
    "false_alerts",
    "time_to_detect_ms",
    "detected_wall_ms",
    "money_lost",
    "caught_by",
)


def list_scenarios(*, as_json: bool) -> int:
    """Every scenario with what should catch it."""
    rows = [(s.id, s.title, ", ".join(s.caught_by), s.hard, s.story) for s in registry.SCENARIOS.values()]
    print_rows(("scenario", "title", "caught_by", "hard", "story"), rows, as_json)
    return DONE


def show_parameters(name: str, *, as_json: bool) -> int:
    """What can be set of a scenario."""
    rows = [(p.name, p.default, p.lowest, p.highest, p.about) for p in registry.parameters(name)]
    print_rows(("parameter", "default", "lowest", "highest", "about"), rows, as_json)
    return DONE


async def list_runs(dsn: str, limit: int, *, as_json: bool) -> int:
    """Runs with their verdicts, the newest first."""
    async with opened(dsn) as (pool, _):
        runs = await newest(pool, limit)
    print_rows(_RUNS, [_line(run) for run in runs], as_json)
    return DONE


async def compare_runs(dsn: str, run_ids: Sequence[str], *, as_json: bool) -> int:
    """Runs side by side; without names the two newest with a verdict."""
    async with opened(dsn) as (pool, _):
        if run_ids:
            runs = await named(pool, run_ids)
        else:
            runs = [run for run in await newest(pool, 100) if run.status == "scored"][1::-1]
    if len(runs) < max(2, len(run_ids)):
        found = {run.run_id for run in runs}
        missing = [run_id for run_id in run_ids if run_id not in found]
        note(f"there is no run {missing[0]!r}" if missing else "two runs are needed; `streamguard scenarios runs`")
        return NO
    rows = compare(runs)
    if as_json:
        print_json({"runs": [run.run_id for run in runs], **{row.what: list(row.values) for row in rows}})
    else:
        print_rows(("", *(run.run_id for run in runs)), [(row.what.replace("_", " "), *_cells(row)) for row in rows])
    return DONE


async def launch(
    dsn: str, names: Sequence[str], seed: int | None, settings: Sequence[str], operator: str, *, wait: bool
) -> int:
    """Ask for runs, all at once; scenario workers serve them. ``settings`` are NAME=VALUE, for every scenario named.

    With ``wait``: exit 0 when everything expected was caught. Raises ``UnknownScenario`` before anything is asked for.
    """
    chosen = given(settings)
    events = [request(name, seed, chosen) for name in names]
    async with opened(dsn) as (pool, log):
        for event in events:
            await perform(log, command(stream_of(event.run_id), [event], operator, expected_version=0))
            note(f"{event.run_id}: requested with seed {event.seed}")
        if not await pool.fetchval(_SERVED):
            note("no worker takes runs at the moment: `streamguard workers` or the control center starts one")
        if not wait:
            return DONE
        runs = await _ended(pool, [event.run_id for event in events])
    print_rows(_RUNS, [_line(run) for run in runs])
    for run in runs:
        if run.status != "scored":
            note(f"{run.run_id}: {run.status}" + (f": {run.reason}" if run.reason else ""))
    return DONE if all(run.status == "scored" and not run.missed for run in runs) else NO


async def stop(dsn: str, run_ids: Sequence[str], operator: str) -> int:
    """End runs that are under way; without names all of them."""
    async with opened(dsn) as (pool, log):
        if not run_ids:
            run_ids = [run.run_id for run in await newest(pool, 1_000) if run.status not in ENDED]
            if not run_ids:
                note("no run is under way")
        said = [await _stop(log, run_id, operator) for run_id in run_ids]
    return DONE if all(said) else NO


async def _stop(log: EventLog, run_id: str, operator: str) -> bool:
    history = await log.read_stream(stream_of(run_id))
    if not history or not isinstance(history[0].event, ScenarioRequested):
        note(f"there is no run {run_id!r}; `streamguard scenarios runs` shows those there are")
        return False
    last = history[-1].type.removeprefix("Scenario").lower()
    if last in ENDED:
        note(f"{run_id} is over already: {last}")
        return False
    event = ScenarioStopped(run_id=run_id, operator=operator)
    await perform(log, command(stream_of(run_id), [event], operator, story=history[0].meta.correlation_id))
    note(f"{run_id}: stopped by {operator}")
    return True


async def _ended(pool: Any, run_ids: Sequence[str]) -> list[Run]:
    while True:
        runs = await named(pool, run_ids)
        if len(runs) == len(run_ids) and all(run.status in ENDED for run in runs):
            return runs
        await asyncio.sleep(0.2)


def _line(run: Run) -> tuple[object, ...]:
    return tuple(by_rule(run.caught_by) if name == "caught_by" else getattr(run, name) for name in _RUNS)


def _cells(row: Row) -> list[str]:
    """Values as people read them; the best of several has a star."""
    return [f"{_text(row, value)}{' *' if at in row.best else ''}" for at, value in enumerate(row.values)]


def _text(row: Row, value: object) -> str:
    match row.unit, value:
        case _, None:
            return "-"
        case "ms", int():
            return f"{value / 1000:,.1f} s"
        case "centavos", int():
            return f"R$ {reais(value):,}"
        case "share", float():
            return f"{value:.2f}"
    return str(value)
