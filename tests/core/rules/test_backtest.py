"""Backtests: the rule's own SQL over a file or the log, scored, and set against the live rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.replay.scorecard import Truth
from core.rules.backtest import BacktestFailed, BacktestRequest, backtest
from core.rules.catalogue import catalogue
from core.rules.outcome import Accounts, flagged, overlap
from core.rules.payments import Known
from core.rules.trial import compare
from ksqldb import rulebook
from ksqldb.rulebook import Rule, Sent
from tests.core.workers.test_consumer import T0

HEADER = """-- id: {id}
-- title: t
-- severity: info
-- score: 400
-- catches: c
"""
LARGE = """
INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}')
SELECT account_id AS account, 'large' AS rule_id, AS_VALUE(account_id) AS account_id, transaction_id, amount,
  CAST(1 AS BIGINT) AS txn_count, CAST(NULL AS BIGINT) AS window_start, CAST(NULL AS BIGINT) AS window_end, event_time,
  produced_at
FROM transactions WHERE amount > LIMIT_ EMIT CHANGES;
"""


def rule(limit: int, name: str = "large") -> str:
    return HEADER.format(id=name) + LARGE.replace("LIMIT_", str(limit)).replace("'large'", f"'{name}'")


def csv(tmp_path: Path, rows: Sequence[tuple[str, int, float, int]]) -> Path:
    """(account, second, amount, fraud) as a file of the Handbook's columns."""
    lines = ["TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD,TX_FRAUD_SCENARIO"]
    for n, (account, second, amount, fraud) in enumerate(rows):
        moment = f"2018-07-25 00:{second // 60:02d}:{second % 60:02d}"
        lines.append(f"{n},{moment},{account},m1,{amount},{fraud},{fraud * 3}")
    file = tmp_path / "payments.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


async def test_a_file_is_scored_by_its_labels_and_flips_have_examples_on_both_sides(tmp_path: Path) -> None:
    file = csv(
        tmp_path,
        [("a", 0, 5000, 1), ("b", 1, 4000, 0), ("c", 2, 1500, 1), ("d", 3, 10, 0), ("e", 4, 20, 1), ("f", 700, 9, 0)],
    )
    told: list[float] = []
    request = BacktestRequest(rule="large", sql=rule(1000), file=str(file), live=("high_amount",))
    found = await backtest(request, lambda share, words: told.append(share))
    assert (found.transactions, found.labelled, found.frauds) == (6, 6, 3)
    assert (found.rows, found.alerts, found.flagged) == (3, 3, 3)
    assert (found.precision, found.recall, found.f1) == (0.6667, 0.6667, 0.6667)
    assert found.false_positive_rate == pytest.approx(1 / 3, abs=1e-4)
    assert found.recall_by_scenario == {"3": 0.6667}
    assert found.compared_with == ("high_amount",)
    (gained,) = found.gained.examples
    assert (gained.transaction_id, gained.amount, gained.is_fraud) == ("2", 150_000, True)
    assert (found.gained.payments, found.gained.frauds, found.lost.payments) == (1, 1, 0)
    assert told == sorted(told)
    stricter = await backtest(BacktestRequest(rule="large", sql=rule(4500), file=str(file), live=("high_amount",)))
    (lost,) = stricter.lost.examples
    assert (lost.transaction_id, lost.is_fraud, lost.rules) == ("1", False, ("high_amount",))
    assert (stricter.lost.honest, stricter.gained.payments) == (1, 0)


async def test_a_changed_live_rule_is_compared_with_its_own_version(tmp_path: Path) -> None:
    file = csv(tmp_path, [("a", 0, 5000, 1), ("b", 1, 2500, 0)])
    sql = rulebook.load().rule("high_amount")
    text = HEADER.format(id="high_amount") + sql.sql.replace("3000", "2000")
    found = await backtest(
        BacktestRequest(rule="high_amount", sql=text, file=str(file), live=("high_amount", "high_velocity"))
    )
    assert found.compared_with == ("high_amount",)
    assert [(e.transaction_id, e.is_fraud) for e in found.gained.examples] == [("1", False)]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (BacktestRequest(rule="nobody", file="x"), "there is no rule 'nobody'"),
        (BacktestRequest(rule="large", sql="SELECT 1;", file="x"), "large.sql"),
        (BacktestRequest(rule="large", sql=rule(1).replace("amount >", "amonut >"), file=""), "AMONUT"),
        (BacktestRequest(rule="high_amount", file="nowhere.csv"), "nowhere.csv cannot be read"),
        (BacktestRequest(rule="high_amount"), "say what to run on"),
    ],
)
async def test_what_cannot_be_used_is_said_in_words(tmp_path: Path, request_: BacktestRequest, words: str) -> None:
    if request_.file == "":
        import msgspec

        request_ = msgspec.structs.replace(request_, file=str(csv(tmp_path, [("a", 0, 1, 0)])))
    with pytest.raises(BacktestFailed, match=words):
        await backtest(request_)


async def test_the_log_is_scored_by_what_was_known_then(pool: Any, postgres_dsn: str) -> None:
    for n, amount in enumerate((500_000, 400_000, 900_000, 100)):
        await pool.execute(
            'insert into read.payment (transaction_id, account_id, amount, event_time, partition, "offset", decision,'
            " score) values ($1, 'a', $2, to_timestamp($3), 0, $4, 'approve', 0)",
            f"t{n}",
            amount,
            T0 / 1000 + n * 120,
            n,
        )
    for name, fraud, late in (("t0", True, 0), ("t1", False, 0), ("t2", True, 10_000_000)):
        await pool.execute(
            "insert into detection.label (transaction_id, account_id, is_fraud, known_at)"
            " values ($1, 'a', $2, to_timestamp($3))",
            name,
            fraud,
            T0 / 1000 + late,
        )
    found = await backtest(BacktestRequest(rule="high_amount", dsn=postgres_dsn, until=T0 + 600_000, live=()))
    assert (found.transactions, found.labelled, found.frauds, found.flagged) == (4, 2, 1, 3)
    assert (found.precision, found.recall) == (0.5, 1.0)


def test_windows_cover_the_payments_inside_them_as_the_consumer_joins_them() -> None:
    payments = [known(f"t{n}", "a", T0 + n * 1_000) for n in range(6)] + [known("other", "b", T0)]
    rule_ = rulebook.load().rule("high_velocity")
    rows = rulebook.rows_of(rule_, rulebook.load(), (p.sent for p in payments))
    found = flagged(rows, Accounts(payments))
    assert len(found.alerts) == 1
    assert found.payments == {f"t{n}" for n in range(6)}
    assert found.alerts[0].time == T0 + 3_000
    assert overlap({"x": found.payments, "y": frozenset({"t1", "other"})}) == {
        ("x", "x"): 6,
        ("x", "y"): 1,
        ("y", "y"): 2,
    }


def test_without_labels_there_is_no_precision() -> None:
    book = rulebook.load()
    live: list[Rule] = []
    payments = [known("t1", "a", T0, 500_000)]
    found = compare(book, book.rule("high_amount"), live, payments, "x", lambda share, words: None)
    assert (found.precision, found.recall, found.alerts) == (None, None, 1)


async def test_the_catalogue_lists_files_and_features() -> None:
    entries = {entry.id: entry for entry in await catalogue(None)}
    assert entries["high_amount"].status == "unknown"
    assert entries["high_amount"].sql is not None
    own = entries["own_amount"]
    assert (own.kind, own.status, own.sql) == ("feature", "built in", None)
    assert all(entry.title and entry.catches for entry in entries.values())


def known(name: str, account: str, time: int, amount: int = 1_000, truth: Truth | None = None) -> Known:
    value = (
        f'{{"transaction_id":"{name}","account_id":"{account}","amount":{amount / 100:.2f},"event_time":{time}}}'
    ).encode()
    return Known(Sent(account.encode(), value, time), name, account, amount, None, truth)
