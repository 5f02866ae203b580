"""``streamguard rules backtest|measure`` and ``scenarios measure``: rows to stdout, progress to stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from time import time

import msgspec

from core.eventlog import roles
from core.eventlog.connect import connected
from core.output import note, print_json, print_rows
from core.rules.backtest import Backtest, BacktestFailed, BacktestRequest, Flips, backtest
from core.rules.measure import measure_rules, measure_scenarios
from core.rules.scorecard import live_scorecard
from core.scenarios import registry
from ksqldb import rulebook

DONE, NO, USAGE = 0, 1, 2


async def run_backtest(request: BacktestRequest, *, as_json: bool) -> int:
    """Exit code 0, or 2 where rule, file or mapping cannot be used."""
    try:
        found = await backtest(request, _progress)
    except BacktestFailed as error:
        note(str(error))
        return USAGE
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        _print(found)
    return DONE


def rule_of(argument: str) -> tuple[str, str | None]:
    """``(id, text)`` of a rule named by a file, ``(id, None)`` of one of the product named by its id."""
    path = Path(argument)
    if path.suffix == ".sql" or path.exists():
        try:
            return path.stem, path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BacktestFailed(f"{argument} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return argument, None


def _progress(share: float, words: str) -> None:
    print(f"{100 * share:3.0f} %  {words}", file=sys.stderr, flush=True)


def _print(found: Backtest) -> None:
    print_rows(
        ("what", "value"),
        [
            ("rule", f"{found.rule_id} {found.version}"),
            ("on", found.data),
            ("payments", found.transactions),
            ("days", found.days),
            ("labelled", found.labelled),
            ("frauds", found.frauds),
            ("alerts", found.alerts),
            ("alerts a day", found.alerts_per_day),
            ("payments flagged", found.flagged),
            ("precision", found.precision),
            ("recall", found.recall),
            ("f1", found.f1),
            ("false-positive rate", found.false_positive_rate),
            *((f"recall of {name}", share) for name, share in found.recall_by_scenario.items()),
            ("payments/s", found.rate_tx_s),
        ],
    )
    live = ", ".join(found.compared_with) or "no live rule"
    _print_flips(f"flagged by this rule, not by {live}", found.gained)
    _print_flips(f"flagged by {live}, not by this rule", found.lost)


def _print_flips(title: str, flips: Flips) -> None:
    print(f"\n{title}: {flips.payments} payments, {flips.frauds} fraud, {flips.honest} honest")
    if flips.examples:
        print_rows(
            ("transaction", "account", "amount", "channel", "fraud", "rules"),
            [
                (e.transaction_id, e.account_id, f"{e.amount / 100:.2f}", e.channel, e.is_fraud, ", ".join(e.rules))
                for e in flips.examples
            ],
        )


def print_rules(names: Sequence[str], seed: int, *, as_json: bool) -> int:
    """Every rule alone, or those named, on one generated world."""
    book = rulebook.load()
    try:
        rules = [book.rule(name) for name in names] or list(book.rules.values())
        found = measure_rules(rules, book, seed)
    except rulebook.RuleFileError as error:
        note(str(error))
        return USAGE
    if as_json:
        print_json(msgspec.to_builtins(found))
        return DONE
    note(f"{found.payments:,} generated payments, {found.frauds} of them fraud (seed {seed})")
    print_rows(
        ("rule", "deploy", "alerts", "a_day", "precision", "false_positive_rate", "recall"),
        [
            (
                r.rule,
                r.deploy,
                r.alerts,
                r.alerts_per_day,
                r.precision,
                r.false_positive_rate,
                ", ".join(f"{name} {share:.2f}" for name, share in sorted(r.recall.items(), key=lambda item: -item[1])),
            )
            for r in found.rules
        ],
    )
    print()
    print_rows(("flagged_by_both", "payments"), sorted(found.overlap.items(), key=lambda item: -item[1]))
    return DONE


def print_scenarios(names: Sequence[str], seeds: int, *, as_json: bool) -> int:
    """Every scenario, or those named, once a seed over weeks of honest traffic; 1 where the bars are missed: incident
    recall .9 unless the scenario is hard, 0.3 % of honest payments flagged."""
    for name in names:
        registry.find(name)
    found = measure_scenarios(tuple(range(1, seeds + 1)), names or None)
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        print_rows(
            (
                "scenario",
                "expected",
                "caught",
                "recall",
                "false_alerts",
                "seconds_to_detect",
                "lost_reais",
                "caught_by",
            ),
            [
                (
                    f"{s.scenario}{' (hard)' if s.hard else ''}",
                    s.expected,
                    s.caught,
                    s.recall,
                    s.false_alerts,
                    s.seconds_to_detect,
                    s.money_lost / 100,
                    ", ".join(s.caught_by),
                )
                for s in found.scenarios
            ],
        )
        print(f"\n{100 * found.false_positive_rate:.3f} % of {found.honest:,} honest payments are flagged")
    good = found.false_positive_rate <= 0.003 and all(s.hard or s.recall >= 0.9 for s in found.scenarios)
    return DONE if good else NO


async def print_score(dsn: str, last_ms: int | None, *, as_json: bool) -> int:
    """The live scorecard of the last ``last_ms`` of event time, or of everything; 1 where there is no payment."""
    async with connected(dsn, roles.READER) as conn:
        span = await conn.fetchrow(
            "select (extract(epoch from min(event_time)) * 1000)::bigint as first,"
            " (extract(epoch from max(event_time)) * 1000)::bigint + 1 as last from read.payment"
        )
        if span["first"] is None:
            note("there is no payment yet")
            return NO
        now = int(time() * 1000)
        since = span["first"] if last_ms is None else now - last_ms
        # Labels of now count for payments of long ago: a replay's event times lie in the past.
        found = await live_scorecard(conn, since, max(now, span["last"]))
    if as_json:
        print_json(msgspec.to_builtins(found))
        return DONE
    said: list[tuple[str, object]] = [
        ("payments", found.payments),
        ("judged", found.labelled),
        ("frauds known", found.frauds),
        *((f"decision {name}", count) for name, count in found.decisions.items()),
        ("alerts", found.alerts),
        ("alerts per 1,000 payments", found.alerts_per_1000),
        ("alerts a day", found.alerts_per_day),
    ]
    if found.score is not None:
        said += [
            ("precision", found.score.precision),
            ("recall", found.score.recall),
            ("f1", found.score.f1),
            ("false-positive rate", found.score.false_positive_rate),
            *((f"card precision at {k}", value) for k, value in found.score.card_precision.items()),
            ("seconds to detect, median", found.score.time_to_detect_s.p50),
            ("lost before detection R$", found.score.money_lost_centavos / 100),
        ]
    print_rows(("what", "value"), said)
    print()
    print_rows(
        ("rule", "alerts", "a_day", "precision", "recall", "f1", "payments"),
        [(r.rule, r.alerts, r.alerts_per_day, r.precision, r.recall, r.f1, r.flagged) for r in found.rules],
    )
    if found.score is not None and found.score.scenarios:
        print()
        print_rows(
            ("scenario", "expected", "caught", "missed", "recall_of_payments", "seconds_to_detect"),
            [
                (s.name, s.expected, s.caught, s.missed, found.score.recall_by_scenario.get(s.name), s.time_to_detect_s)
                for s in found.score.scenarios
            ],
        )
    if found.overlap:
        print()
        print_rows(("named_by_both", "payments"), list(found.overlap.items()))
    return DONE
