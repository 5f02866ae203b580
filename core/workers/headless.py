"""``streamguard run --headless``: normal traffic and scenarios through the whole pipeline, and a summary at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import time

import msgspec

from core.eventlog.act import command, perform
from core.output import note, print_rows
from core.replay.report import Report, ScenarioLine, overview
from core.replay.results import Since, collect, count_rows, json_line
from core.scenarios import registry
from core.scenarios.runs import ENDED, Run, named, request, stream_of
from core.settings import Settings
from core.stack.commands import tell
from core.workers.producer import STREAM
from core.workers.scenario import PATIENCE_S
from core.workers.session import Session, session
from schema import transaction
from schema.events import TrafficRateSet

DEFAULT_SCENARIOS = ("high_amount", "velocity_burst")
_OPERATOR = "headless"
_READY = ("producer", "consumer", "scenario", "projector", "rules")


async def run(
    settings: Settings, seconds: float, rate: int, scenarios: Sequence[str], *, as_json: bool, seed: int | None = None
) -> int:
    """Exit code 0 when nothing was lost and every scenario has its verdict, else 1."""
    for name in scenarios:
        registry.find(name)
    async with session(settings, tell) as work:
        await work.ready(_READY, note)
        since = await work.since()
        began = time()
        await _set_rate(work, rate)
        runs = [await _launch(work, name, seed) for name in scenarios]
        await _watch(work, since, seconds)
        await _set_rate(work, 0)
        lines = await _verdicts(work, runs)
        settled = await work.settle(30.0)
        report = await _report(work, since, time() - began, lines)
        await work.supervisor.stop()
    if as_json:
        print(json_line(report.flat()))
    else:
        _print(report)
    if not settled:
        note("the pipeline did not come to rest within 30 s: some records are still on their way")
    unscored = [run_id for run_id, line in zip(runs, lines, strict=True) if line is None]
    if unscored:
        note(f"no verdict on: {', '.join(unscored)}")
    return 0 if settled and report.lost == 0 and not unscored else 1


async def _set_rate(work: Session, rate: int) -> None:
    event = TrafficRateSet(rate=rate, operator=_OPERATOR)
    await perform(work.log, command(STREAM, [event], _OPERATOR))


async def _launch(work: Session, name: str, seed: int | None) -> str:
    event = request(name, seed)
    await perform(work.log, command(stream_of(event.run_id), [event], _OPERATOR, expected_version=0))
    note(f"launched {name} (seed {event.seed})")
    return event.run_id


async def _watch(work: Session, since: Since, seconds: float) -> None:
    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    while (left := end - clock()) > 0:
        await asyncio.sleep(min(2.0, left))
        rows = await count_rows(work.pool, since)
        alerts = await work.pool.fetchval("select count(*) from read.alert where first_pos > $1", since.position)
        note(f"{max(0, end - clock()):5.0f} s left  {rows:,} payments decided  {alerts} alerts")


async def _verdicts(work: Session, runs: Sequence[str]) -> list[ScenarioLine | None]:
    """Each run's verdict as the projection has it; None for one that got none in time."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + PATIENCE_S + 30.0
    while True:
        found = {run.run_id: run for run in await named(work.pool, runs)}
        over = [run for run in found.values() if run.status in ENDED]
        if len(over) == len(runs) or clock() > deadline:
            return [_line(found.get(run_id)) for run_id in runs]
        await asyncio.sleep(0.1)


def _line(run: Run | None) -> ScenarioLine | None:
    if run is None or run.status != "scored":
        return None
    return ScenarioLine(
        name=run.scenario,
        expected=run.expected or 0,
        caught=run.caught or 0,
        missed=run.missed or 0,
        time_to_detect_s=None if run.time_to_detect_ms is None else run.time_to_detect_ms / 1000,
        money_lost_centavos=run.money_lost,
        false_alerts=run.false_alerts,
    )


async def _report(work: Session, since: Since, elapsed: float, lines: Sequence[ScenarioLine | None]) -> Report:
    ends = await work.ends(transaction.TOPIC)
    sent = sum(end - since.offsets.get(partition, 0) for (_, partition), end in ends.items())
    report = await work.report(since, sent, elapsed, await collect(work.log, since))
    return msgspec.structs.replace(report, scenarios=[line for line in lines if line is not None])


def _print(report: Report) -> None:
    print_rows(("what", "value"), overview(report))
    if report.scenarios:
        print()
        print_rows(
            ("scenario", "expected", "caught", "missed", "first alert s", "lost R$", "false alerts"),
            [
                (
                    s.name,
                    s.expected,
                    s.caught,
                    s.missed,
                    s.time_to_detect_s,
                    (s.money_lost_centavos or 0) / 100,
                    s.false_alerts,
                )
                for s in report.scenarios
            ],
        )
