"""``streamguard replay``."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from time import monotonic

import msgspec

from core.output import note, print_rows
from core.replay import mapping
from core.replay.guess import describe
from core.replay.pace import speed as parse_speed
from core.replay.replay import Replay, Sent
from core.replay.report import Report, overview
from core.replay.results import Since, collect, json_line
from core.replay.scorecard import later, score
from core.replay.source import Source
from core.settings import Settings
from core.stack.commands import tell
from core.workers.session import Session, session

_TASKS = ("consumer", "projector", "rules")
_SETTLE_S = 120.0
INTERRUPTED = 130
# A replay's records carry the event times of their file: no age may be too old for the topics.
_KEEP = {"retention.ms": "-1"}


async def replay(
    settings: Settings,
    file: Path,
    map_name: str,
    speed: str,
    label_delay: str | None,
    score_from: str | None = None,
    *,
    as_json: bool,
) -> int:
    """Exit code 0 when every payment was taken in once, 1 when not, 130 when interrupted (the report covers what was
    sent until then). ``score_from``: an ISO time (UTC); payments before it are replayed and not scored."""
    scored_from = None if score_from is None else mapping.instant(score_from)
    described = describe(map_name, file, note)
    delay = _delay(described, label_delay)
    factor = parse_speed(speed)
    source = Source(file, described, delay)
    survey = await asyncio.to_thread(source.survey)
    note(f"{file.name}: {survey.payments:,} payments over {(survey.last - survey.first) / 86_400_000:.1f} days")
    for error in survey.errors:
        note(error)
    if survey.rejected:
        note(f"{survey.rejected:,} rows are no payments and are left out")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    whole = asyncio.current_task()

    def interrupt() -> None:
        """Once: stop sending and score what was sent. Again: leave it."""
        if stop.is_set() and whole is not None:
            whole.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    async with session(settings, tell, _TASKS, _KEEP) as work:
        await work.ready(_TASKS, note)
        since = await work.since()
        began = monotonic()
        sent = await Replay(work, source, survey, delay, factor, note).send(stop)
        if not sent.complete:
            note(f"stopped after {sent.payments:,} payments; waiting for those on their way (ctrl-c again leaves them)")
        settled = await work.settle(_SETTLE_S)
        elapsed = monotonic() - began
        await _projected(work)
        marked = (scored_from, delay or 0)
        report = await _report(work, since, sent, elapsed, marked, scored=described.label is not None)
    if as_json:
        print(json_line(report.flat()))
    else:
        print_report(report)
    if not settled:
        note("the pipeline did not come to rest: some rule rows may be missing")
    if report.repeated:
        note(f"{report.repeated:,} payments were taken in before, and stand as they were judged then")
    if not sent.complete:
        return INTERRUPTED
    return 0 if settled and report.lost == 0 else 1


def _delay(described: mapping.FileMapping, override: str | None) -> int | None:
    if described.label is None or override == "none":
        return None
    return mapping.duration(override or described.label.delay)


async def _projected(work: Session) -> None:
    """Wait until the projections show all of it, so that queries asked next find it."""
    head = await work.log.head()
    async with asyncio.timeout(_SETTLE_S):
        while True:
            lowest = "select coalesce(min(pos), 0) from ops.projection where live and status = 'running'"
            if await work.pool.fetchval(lowest) >= head:
                return
            await asyncio.sleep(0.1)


async def _report(
    work: Session, since: Since, sent: Sent, elapsed: float, marked: tuple[int | None, int], *, scored: bool
) -> Report:
    results = await collect(work.log, since)
    report = await work.report(since, sent.payments, elapsed, results)
    if report.lost:  # or known before: then what stands from then is what this file comes to
        results = await collect(work.log, Since(0, {}), sent.ids)
        missing = max(0, len(sent.ids) - len(results.outcomes) - report.dead_letters)
        before = await work.report(since, sent.payments, elapsed, results)
        report = msgspec.structs.replace(
            before, duplicates=report.duplicates, lost=missing, repeated=report.lost - missing
        )
    truth, known = sent.truth, frozenset[str]()
    if marked[0] is not None:
        truth, known = later(results.outcomes, truth, marked[0], marked[1])
    return msgspec.structs.replace(
        report,
        complete=sent.complete,
        score=score(results.outcomes, results.alerts, truth, known) if scored else None,
    )


def print_report(report: Report) -> None:
    """The scorecard as tables."""
    print_rows(("what", "value"), overview(report))
    found = report.score
    if found is None:
        return
    print()
    print_rows(
        ("score", "value"),
        [
            ("precision", found.precision),
            ("recall", found.recall),
            ("f1", found.f1),
            ("alerts a day", found.alerts_per_day),
            ("false-positive rate", found.false_positive_rate),
            *((f"card precision at {k}", value) for k, value in found.card_precision.items()),
            ("seconds to detect, median", found.time_to_detect_s.p50),
            ("lost before detection R$", found.money_lost_centavos / 100),
        ],
    )
    print()
    print_rows(
        ("scenario", "expected", "caught", "missed", "recall of payments", "seconds to detect"),
        [
            (
                line.name,
                line.expected,
                line.caught,
                line.missed,
                found.recall_by_scenario.get(line.name),
                line.time_to_detect_s,
            )
            for line in found.scenarios
        ],
    )
    print()
    print_rows(("rule", "precision"), list(found.precision_by_rule.items()))
