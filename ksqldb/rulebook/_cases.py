"""Rule tests: payments in, alert rows out, run on the engine in this process, without Kafka and without a server.

Beside ``NAME.sql`` lies ``NAME.test.toml``:

    [[case]]
    name = "a payment above R$ 3,000"
    payments = [{ at = 0, account = "A", amount = 3000.01 }]
    alerts = [{ account_id = "A", amount = 3000.01, event_time = 0 }]

``at`` is seconds of event time after the start of a minute; every other column of a payment may be given by its name.
An alert names the columns that matter, its times in seconds as well; ``times = 6`` stands for six such rows. Rows must
come in this order, and no others.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from ksqldb.rulebook._files import Rule, Rulebook, RuleFileError

START_MS = 1_700_000_040_000  # a whole minute, so that windows begin with it
_TIMES = ("event_time", "window_start", "window_end", "produced_at")
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class CaseResult:
    """``problem`` says what differs, None for a case that passed."""

    rule: str
    name: str
    problem: str | None


def run_cases(rule: Rule, book: Rulebook, text: str) -> Iterator[CaseResult]:
    """The cases of a test file's text; raises RuleFileError where it cannot be read."""
    file = f"{rule.id}.test.toml"
    try:
        cases = tomllib.loads(text, parse_float=Decimal).get("case", [])
    except tomllib.TOMLDecodeError as problem:
        raise RuleFileError(f"{file}: {problem}") from None
    if not cases:
        raise RuleFileError(f"{file}: it holds no [[case]]")
    for number, case in enumerate(cases, 1):
        name = case.get("name", f"case {number}")
        try:
            payments = [_payment(index, given) for index, given in enumerate(case["payments"])]
            expected = [row for given in case["alerts"] for row in _expected(given)]
        except (KeyError, TypeError) as problem:
            raise RuleFileError(
                f"{file}, {name}: a case needs payments (at, account, amount) and alerts; {problem}"
            ) from None
        yield CaseResult(rule.id, name, _difference(expected, _alerts(rule, book, payments)))


def _payment(index: int, given: dict[str, Any]) -> dict[str, Any]:
    row = dict(given)
    account, time = row.pop("account"), START_MS + int(row.pop("at") * 1000)
    return {
        "transaction_id": f"t{index}",
        "account_id": account,
        "event_time": time,
        "amount": row.pop("amount"),
        **row,
    }


def _expected(given: dict[str, Any]) -> list[dict[str, Any]]:
    row = dict(given)
    times = row.pop("times", 1)
    return [row] * times


def _alerts(rule: Rule, book: Rulebook, payments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the alert topic after the payments, times in seconds after the start."""
    from ksqldb.engine.run.io import RawRecord
    from ksqldb.engine.run.local import LocalEngine

    engine = LocalEngine()
    for statement in (*book.sources, *rule.statements()):
        engine.execute(statement)
    for payment in payments:
        key = str(payment["account_id"]).encode()
        engine.put("transactions", RawRecord(key, _ENCODER.encode(payment), payment["event_time"], 0))
    engine.run()
    return [_shown(record.value) for record in engine.topic("fraud_alerts") if record.value is not None]


def _shown(value: bytes) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode(value)
    folded = {name.lower(): item for name, item in row.items()}
    for name in _TIMES:
        if folded.get(name) is not None:
            folded[name] = _seconds(folded[name])
    return folded


def _seconds(time: int) -> int | Decimal:
    whole, rest = divmod(time - START_MS, 1000)
    return whole if not rest else Decimal(time - START_MS) / 1000


def _difference(expected: list[dict[str, Any]], rows: list[dict[str, Any]]) -> str | None:
    for number, (wanted, row) in enumerate(zip(expected, rows, strict=False), 1):
        for name, value in wanted.items():
            if row.get(name) != value:
                return f"alert {number}: {name} should be {value}, it is {row.get(name)}"
    if len(rows) != len(expected):
        more = f"; the next is {rows[len(expected)]}" if len(rows) > len(expected) else ""
        return f"{len(expected)} alerts should come, {len(rows)} came{more}"
    return None
