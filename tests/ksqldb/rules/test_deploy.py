"""The product's rules on the embedded engine: what they raise, and that deploying may be repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.kafka.admin import ensure_topics
from core.kafka.connection import Kafka
from ksqldb.client import KsqlClient
from ksqldb.dialogues.stack import embedded
from ksqldb.rulebook import Rule, Rulebook, Status, deploy, load, pause, resume, states, undeploy
from ksqldb.rulebook.commands import deploy_rules, list_rules, undeploy_rules
from tests.ksqldb.conftest import EngineAddress

START = 1_700_000_000_000
EARLIEST = {"auto.offset.reset": "earliest"}


@pytest.fixture
def engine() -> Iterator[EngineAddress]:
    """An engine for one test: rules have fixed names."""
    with embedded() as (url, bootstrap):
        yield EngineAddress(url, bootstrap)


@pytest.fixture
def book() -> Rulebook:
    return load()


@pytest.fixture
async def client(engine: EngineAddress) -> AsyncIterator[KsqlClient]:
    async with KsqlClient(engine.url) as made:
        yield made


def payment(number: int, account: str, amount: float, time: int) -> tuple[str, dict[str, Any]]:
    return account, {
        "transaction_id": f"{account}-{number}",
        "account_id": account,
        "amount": amount,
        "event_time": time,
        "produced_at": START + 5,
        "schema_version": 1,
    }


async def alerts(client: KsqlClient, count: int) -> list[dict[str, Any]]:
    """The first ``count`` rows of the alert topic."""
    rows: list[dict[str, Any]] = []
    sql = "SELECT * FROM fraud_alerts EMIT CHANGES;"
    async with client.query(sql, properties=EARLIEST) as query, asyncio.timeout(30):
        names = [column.name.lower() for column in query.columns]
        async for batch in query.batches():
            rows.extend(dict(zip(names, row, strict=True)) for row in batch)
            if len(rows) >= count:
                break
    return rows


async def test_a_payment_above_3000_is_an_alert_and_one_of_3000_is_none(
    engine: EngineAddress, client: KsqlClient, book: Rulebook
) -> None:
    await deploy(client, book, ["high_amount"])
    amounts = (50, 3000.00, 3000.01, 5000)
    await engine.produce("transactions", [payment(n, "A", a, START + n) for n, a in enumerate(amounts)])
    first, second = await alerts(client, 2)
    assert (first["transaction_id"], first["amount"]) == ("A-2", Decimal("3000.01"))
    assert second == {
        "account": "A",
        "rule_id": "high_amount",
        "account_id": "A",
        "transaction_id": "A-3",
        "amount": Decimal("5000.00"),
        "txn_count": 1,
        "window_start": None,
        "window_end": None,
        "event_time": START + 3,
        "produced_at": START + 5,
    }


async def test_a_fourth_payment_within_a_minute_is_an_alert_for_every_window(
    engine: EngineAddress, client: KsqlClient, book: Rulebook
) -> None:
    await deploy(client, book, ["high_velocity"])
    slow = [payment(n, "SLOW", 10, START + n * 21_000) for n in range(6)]  # never four in a minute
    burst = [payment(n, "FAST", 10, START + n * 1000) for n in range(6)]
    await engine.produce("transactions", slow + burst)
    rows = await alerts(client, 18)  # 6 windows hold the burst; 3 payments of it are beyond the third
    assert {row["account_id"] for row in rows} == {"FAST"}
    assert {row["account"] for row in rows} == {"FAST"}
    assert sorted(row["txn_count"] for row in rows) == [4] * 6 + [5] * 6 + [6] * 6
    last = max(rows, key=lambda row: (row["txn_count"], row["window_start"]))
    assert (last["transaction_id"], last["amount"], last["event_time"]) == ("FAST-5", Decimal("60.00"), START + 5000)
    assert all(row["window_end"] - row["window_start"] == 60_000 for row in rows)


async def test_what_came_before_a_rule_was_there_is_not_missed(
    engine: EngineAddress, client: KsqlClient, book: Rulebook
) -> None:
    await deploy(client, book, [])
    await engine.produce("transactions", [payment(0, "A", 9000, START)])
    await deploy(client, book, ["high_amount"])
    assert [row["transaction_id"] for row in await alerts(client, 1)] == ["A-0"]


async def test_topics_of_another_number_of_partitions_are_taken_as_they_are(
    engine: EngineAddress, client: KsqlClient, book: Rulebook
) -> None:
    await ensure_topics(Kafka(engine.bootstrap), {"transactions": 6, "fraud_alerts": 6})
    await deploy(client, book, ["high_amount"])
    await engine.produce("transactions", [payment(0, "A", 9000, START)])
    assert [row["transaction_id"] for row in await alerts(client, 1)] == ["A-0"]
    (shown,) = await client.execute("SHOW TOPICS;")
    counts = {topic["name"]: len(topic["replicaInfo"]) for topic in shown["topics"]}
    assert (counts["transactions"], counts["fraud_alerts"]) == (6, 6)


async def test_deploying_again_changes_nothing(client: KsqlClient, book: Rulebook) -> None:
    told: list[str] = []
    first = await deploy(client, book, progress=told.append)
    assert {state.status for state in first} == {Status.DEPLOYED}
    assert len(told) == len(book.defaults())
    before = await client.queries()
    assert await deploy(client, book) == first
    assert await client.queries() == before


async def test_an_optional_rule_comes_when_it_is_named(client: KsqlClient, book: Rulebook) -> None:
    optional = [rule.id for rule in book.rules.values() if rule.deploy == "optional"]
    assert len(optional) >= 10
    await deploy(client, book)
    assert {state.status for state in await states(client, book) if state.rule.id in optional} == {Status.ABSENT}
    assert {state.status for state in await deploy(client, book, optional)} == {Status.DEPLOYED}


async def test_a_changed_rule_replaces_its_old_version_and_leaves_the_others(
    client: KsqlClient, book: Rulebook
) -> None:
    await deploy(client, book)
    others = [query for query in await client.queries() if "HIGH_AMOUNT" in query.id]
    old = book.rule("high_velocity")
    new = replace(old, sql=old.sql.replace("COUNT(*) > 3", "COUNT(*) > 4"))
    changed = replace(book, rules={**book.rules, new.id: new})
    assert _of(await states(client, changed), new).status is Status.OUTDATED
    (state,) = await deploy(client, changed, ["high_velocity"])
    assert state.status is Status.DEPLOYED
    assert new.query_id in state.queries
    assert old.query_id not in [query.id for query in await client.queries()]
    assert [query for query in await client.queries() if "HIGH_AMOUNT" in query.id] == others


async def test_a_rule_that_was_half_taken_away_is_made_whole(client: KsqlClient, book: Rulebook) -> None:
    rule = book.rule("high_velocity")
    await deploy(client, book, [rule.id])
    await client.terminate(rule.query_id)
    assert _of(await states(client, book), rule).status is Status.OUTDATED
    (state,) = await deploy(client, book, [rule.id])
    assert state.status is Status.DEPLOYED


async def test_a_paused_rule_catches_up_when_it_is_resumed(
    engine: EngineAddress, client: KsqlClient, book: Rulebook
) -> None:
    rule = book.rule("high_amount")
    await deploy(client, book, [rule.id])
    await pause(client, rule)
    assert _of(await states(client, book), rule).status is Status.PAUSED
    assert _of(await deploy(client, book, [rule.id]), rule).status is Status.PAUSED  # deploying does not resume
    await engine.produce("transactions", [payment(0, "A", 9000, START)])
    await resume(client, rule)
    assert [row["transaction_id"] for row in await alerts(client, 1)] == ["A-0"]


async def test_a_rule_that_is_undeployed_leaves_nothing_of_its_own(client: KsqlClient, book: Rulebook) -> None:
    rule = book.rule("high_velocity")
    await deploy(client, book)
    await undeploy(client, rule)
    assert _of(await states(client, book), rule).status is Status.ABSENT
    (listed,) = await client.execute("SHOW TOPICS;")
    assert sorted(topic["name"] for topic in listed["topics"]) == ["fraud_alerts", "transactions"]


async def test_the_commands(engine: EngineAddress, capsys: pytest.CaptureFixture[str]) -> None:
    assert await deploy_rules(engine.url, ["high_amount"]) == 0
    assert await list_rules(engine.url) == 0
    listed = capsys.readouterr().out.splitlines()
    assert any(line.startswith("high_amount") and " deployed " in line for line in listed)
    assert any(line.startswith("high_velocity") and " absent " in line for line in listed)
    assert await undeploy_rules(engine.url, ["high_amount"]) == 0
    assert await undeploy_rules(engine.url, ["nope"]) == 2
    assert "there is no rule 'nope'" in capsys.readouterr().err
    assert await list_rules("http://127.0.0.1:1") == 3


def _of(found: list[Any], rule: Rule) -> Any:
    return next(state for state in found if state.rule.id == rule.id)
