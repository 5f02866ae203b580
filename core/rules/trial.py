"""The work of a backtest, in this process: rules over payments, scores, flips."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic, time

from core.replay.scorecard import score
from core.rules import payments as sources
from core.rules.backtest import EXAMPLES, Backtest, BacktestFailed, BacktestRequest, Example, Flips
from core.rules.outcome import Accounts, Flagged, flagged, outcomes
from core.rules.payments import Known
from ksqldb import rulebook
from ksqldb.rulebook import Rule, Rulebook, RuleFileError

DAY_MS = 86_400_000
Tell = Callable[[float, str], None]


def run(request: BacktestRequest, tell: Tell) -> Backtest:
    """Raises ``BacktestFailed``."""
    book, candidate, live = chosen(request)
    tell(0.0, "reading payments")
    if request.file is not None:
        found, data = sources.of_file(request.file, request.map), Path(request.file).name
    elif request.dsn is not None:
        until = int(time() * 1000) if request.until is None else request.until
        found = asyncio.run(sources.of_log(request.dsn, until - request.last_ms, until))
        data = f"the last {request.last_ms / 3_600_000:g} h"
    else:
        raise BacktestFailed("say what to run on: a file, or the last hours of the log")
    if not found:
        raise BacktestFailed(f"{data}: there is no payment")
    return compare(book, candidate, live, found, data, tell)


def chosen(request: BacktestRequest) -> tuple[Rulebook, Rule, list[Rule]]:
    """The candidate and the live rules that it is compared with: its own live version, or all of them."""
    try:
        book = rulebook.load()
        if request.sql is None:
            candidate = book.rule(request.rule)
        else:
            candidate = rulebook.parse(f"{request.rule}.sql", request.sql)
        names = [r.id for r in book.defaults()] if request.live is None else list(request.live)
        live = [book.rule(name) for name in names]
    except RuleFileError as error:
        raise BacktestFailed(str(error)) from None
    same = [rule for rule in live if rule.id == candidate.id and rule.version != candidate.version]
    return book, candidate, same or [rule for rule in live if rule.id != candidate.id]


def compare(
    book: Rulebook, candidate: Rule, live: Sequence[Rule], found: Sequence[Known], data: str, tell: Tell
) -> Backtest:
    """Score the candidate, and set what it flags against what the live rules flag."""
    accounts = Accounts(found)
    began = monotonic()
    tell(0.1, f"running {candidate.id}")
    own = _flagged(candidate, book, found, accounts)
    elapsed = monotonic() - began
    theirs: dict[str, Flagged] = {}
    for number, rule in enumerate(live):
        tell(0.2 + 0.7 * number / len(live), f"running {rule.id}, which is live")
        theirs[rule.id] = _flagged(rule, book, found, accounts)
    tell(0.9, "comparing")
    by_rule = {f"{candidate.id} (candidate)": own.payments, **{name: f.payments for name, f in theirs.items()}}
    others = frozenset(name for flags in theirs.values() for name in flags.payments)
    truth = {p.transaction_id: p.truth for p in found if p.truth is not None}
    card = score(outcomes(found, own.payments), own.alerts, truth)
    days = max(1.0, (found[-1].sent.time - found[0].sent.time) / DAY_MS)
    frauds = sum(fact.is_fraud for fact in truth.values())
    return Backtest(
        rule_id=candidate.id,
        version=candidate.version,
        data=data,
        transactions=len(found),
        labelled=len(truth),
        frauds=frauds,
        days=round(days, 2),
        rows=own.rows,
        alerts=len(own.alerts),
        alerts_per_day=round(len(own.alerts) / days, 2),
        flagged=len(own.payments),
        precision=card.precision,
        recall=card.recall,
        f1=card.f1,
        false_positive_rate=card.false_positive_rate,
        recall_by_scenario=card.recall_by_scenario,
        compared_with=tuple(theirs),
        gained=_flips(found, own.payments - others, by_rule),
        lost=_flips(found, others - own.payments, by_rule),
        elapsed_s=round(elapsed, 3),
        rate_tx_s=round(len(found) / max(elapsed, 1e-6), 1),
    )


def flags_of(rules: Sequence[Rule], book: Rulebook, found: Sequence[Known]) -> Mapping[str, Flagged]:
    """What each rule makes of the payments."""
    accounts = Accounts(found)
    return {rule.id: _flagged(rule, book, found, accounts) for rule in rules}


def _flagged(rule: Rule, book: Rulebook, found: Sequence[Known], accounts: Accounts) -> Flagged:
    try:
        rows = rulebook.rows_of(rule, book, (payment.sent for payment in found))
    except RuleFileError as error:
        raise BacktestFailed(str(error)) from None
    return flagged(rows, accounts)


def _flips(found: Sequence[Known], names: frozenset[str], by_rule: Mapping[str, frozenset[str]]) -> Flips:
    flipped = [payment for payment in found if payment.transaction_id in names]
    frauds = sum(payment.truth is not None and payment.truth.is_fraud for payment in flipped)
    honest = sum(payment.truth is not None and not payment.truth.is_fraud for payment in flipped)
    # Fraud first, then what nobody has judged; of these the largest sums.
    flipped.sort(key=lambda p: (0 if p.truth and p.truth.is_fraud else 1 if p.truth is None else 2, -p.amount))
    shown = flipped[:EXAMPLES]
    if honest and frauds > len(shown) - 2 and len(flipped) > EXAMPLES:
        shown = [*flipped[: EXAMPLES - 2], *flipped[-2:]]
    return Flips(
        payments=len(flipped),
        frauds=frauds,
        honest=honest,
        examples=tuple(
            Example(
                transaction_id=p.transaction_id,
                account_id=p.account_id,
                amount=p.amount,
                event_time=p.sent.time,
                channel=p.channel,
                is_fraud=None if p.truth is None else p.truth.is_fraud,
                rules=tuple(name for name, flags in by_rule.items() if p.transaction_id in flags),
            )
            for p in shown
        ),
    )
