"""``streamguard rules backtest``: rows to stdout, progress to stderr."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from core.output import note, print_json, print_rows
from core.rules.backtest import Backtest, BacktestFailed, BacktestRequest, Flips, backtest

DONE, USAGE = 0, 2


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
