"""Refused records: listed and shown without harm, sent again when mended, each act on the record."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.kafka import admin, dead_letters
from core.kafka.dead_letters import hex_lines
from tests.brokers import Broker
from tests.core.kafka.intake import TOPICS, connect, inlet, pay, send, until


@pytest.fixture
async def conn(broker: Broker, postgres_dsn: str) -> AsyncIterator[Any]:
    """A session on a database whose inlet has refused one record of three."""
    made = await connect(postgres_dsn)
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    await send(broker.kafka, [pay(1), b'{"id":"p-2\x1b[2J","amount":1}', pay(3)], partition=0)
    await take_in(broker, postgres_dsn, made, 3)
    yield made
    await made.close()


async def take_in(broker: Broker, dsn: str, conn: Any, upto: int) -> None:
    made = inlet(broker.kafka, dsn, "w")
    running = asyncio.create_task(made.run())
    await until(conn, "select next_offset = $1 from ops.koff where topic = 'transactions' and partition = 0", upto)
    made.stop()
    await running


async def test_a_dead_letter_is_listed_and_shown_harmless(
    conn: Any, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await dead_letters.list_dead_letters(postgres_dsn, status="open", limit=9, as_json=True) == 0
    (letter,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (letter["topic"], letter["partition"], letter["offset"], letter["class"]) == (
        "transactions",
        0,
        1,
        "malformed",
    )
    assert await dead_letters.show_dead_letter(postgres_dsn, letter["id"], as_json=False) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "7b 22 69 64 22 3a 22 70 2d 32 1b 5b" in shown
    assert await dead_letters.show_dead_letter(postgres_dsn, 99, as_json=False) == 1


async def test_a_mended_record_is_sent_again_once(conn: Any, broker: Broker, postgres_dsn: str) -> None:
    letter = await conn.fetchval("select id from ops.dead_letter")
    assert await dead_letters.requeue_dead_letter(postgres_dsn, broker.kafka, letter, "ana", pay(2)) == 0
    assert await dead_letters.requeue_dead_letter(postgres_dsn, broker.kafka, letter, "ana") == 1
    await take_in(broker, postgres_dsn, conn, 4)
    assert [r["id"] for r in await conn.fetch("select id from taken order by off")] == ["p-1", "p-3", "p-2"]
    assert await conn.fetchval("select status from ops.dead_letter") == "requeued"
    assert await conn.fetchval("select count(*) from log.event where type = 'DeadLetterRequeued'") == 1


async def test_a_discarded_record_stays_readable(conn: Any, broker: Broker, postgres_dsn: str) -> None:
    letter = await conn.fetchval("select id from ops.dead_letter")
    assert await dead_letters.discard_dead_letter(postgres_dsn, letter, "ana", "a test of theirs") == 0
    assert await dead_letters.requeue_dead_letter(postgres_dsn, broker.kafka, letter, "ana") == 1
    row = await conn.fetchrow("select status, value from ops.dead_letter")
    assert (row["status"], len(row["value"])) == ("discarded", 27)
    assert (
        await conn.fetchval("select data ->> 'reason' from log.event where type = 'DeadLetterDiscarded'")
        == "a test of theirs"
    )


def test_a_value_in_hexadecimal() -> None:
    assert hex_lines(b"Payment\x00\xff0123456789") == [
        "000000  50 61 79 6d 65 6e 74 00 ff 30 31 32 33 34 35 36  Payment..0123456",
        "000010  37 38 39                                         789",
    ]
