"""Messages of a topic on the command line: the newest, from a place on, those to come; and lines sent as messages."""

from __future__ import annotations

import asyncio
import io
import json

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from core.kafka import admin, messages
from core.kafka.connection import Kafka
from core.kafka.messages import WrongStart, produce, read, start_of
from tests.brokers import Broker

TOPIC = "letters"
BEGAN = 1_784_556_000_000


@pytest.fixture
async def kafka(broker: Broker) -> Kafka:
    """Ten messages in two partitions, a second apart; the fifth is no text and has control codes for a key."""
    await admin.ensure_topics(broker.kafka, {TOPIC: 2})
    producer = AIOKafkaProducer(**broker.kafka.options())
    await producer.start()
    for number in range(10):
        value, key = (b"\xff\x00", b"\x1b[2J") if number == 5 else (b"message %d" % number, b"k")
        at = BEGAN + number * 1000
        await producer.send_and_wait(TOPIC, value, key=key, partition=number % 2, timestamp_ms=at)
    await producer.stop()
    return broker.kafka


async def shown(capsys: pytest.CaptureFixture[str], kafka: Kafka, start: str | None, count: int) -> list[str]:
    assert await read(kafka, TOPIC, start, count, as_json=True) == 0
    return [json.loads(line)["value"] for line in capsys.readouterr().out.splitlines()]


async def test_messages_are_read_from_where_it_was_asked(kafka: Kafka, capsys: pytest.CaptureFixture[str]) -> None:
    assert await shown(capsys, kafka, None, 3) == ["message 7", "message 8", "message 9"]
    assert await shown(capsys, kafka, "beginning", 0) == [
        "0xff00" if number == 5 else f"message {number}" for number in range(10)
    ]
    assert sorted(await shown(capsys, kafka, "3", 0)) == [f"message {number}" for number in (6, 7, 8, 9)]
    assert len(await shown(capsys, kafka, "beginning", 4)) == 4
    assert await shown(capsys, kafka, "end", 0) == []
    assert await shown(capsys, kafka, "2026-07-20T14:00:08+00:00", 0) == ["message 8", "message 9"]


async def test_a_table_of_messages_holds_no_control_codes(kafka: Kafka, capsys: pytest.CaptureFixture[str]) -> None:
    assert await read(kafka, TOPIC, "beginning", 0, partition=1) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["1@0", "1@1", "1@2", "1@3", "1@4"]
    assert "\x1b" not in "".join(lines)
    assert "0xff00" in lines[2]


async def test_what_is_not_there_is_said(kafka: Kafka, capsys: pytest.CaptureFixture[str]) -> None:
    assert await read(kafka, "nothing", None, 1) == 1
    assert await read(kafka, TOPIC, None, 1, partition=7) == 1
    assert capsys.readouterr().err.splitlines() == ["there is no topic nothing", f"topic {TOPIC} has no partition 7"]
    with pytest.raises(WrongStart, match="--from yesterday"):
        start_of("yesterday")


async def test_lines_are_sent_with_their_field_as_key_and_who_did_is_on_record(
    kafka: Kafka, postgres_dsn: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "_IN_FLIGHT", 2)
    following = asyncio.create_task(read(kafka, TOPIC, "end", 3, follow=True, as_json=True))
    lines = b"".join(b'{"account_id":"a-%d"}\n\n' % number for number in range(3))
    # The follower may not stand at the end yet when a line is sent: send until it has what it waits for.
    while not following.done():
        assert await produce(kafka, postgres_dsn, TOPIC, io.BytesIO(lines), "stdin", "account_id", "ana") == 0
    assert await following == 0
    keys = [json.loads(line)["key"] for line in capsys.readouterr().out.splitlines()]
    assert len(keys) == 3
    assert set(keys) <= {"a-0", "a-1", "a-2"}
    conn = await asyncpg.connect(postgres_dsn)
    record = await conn.fetchrow("select stream, data from log.event where type = 'MessagesProduced' limit 1")
    await conn.close()
    assert record["stream"] == "operator-ana"
    assert json.loads(record["data"]) == {"topic": TOPIC, "messages": 3, "operator": "ana"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b"[1]", "a JSON object is expected"),
        (b'{"amount":1}', "it has no account_id"),
        (b'{"account_id":""}', "it has no account_id"),
    ],
)
async def test_a_line_that_is_no_message_is_named_and_nothing_after_it_is_sent(
    kafka: Kafka, postgres_dsn: str, line: bytes, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = io.BytesIO(b'{"account_id":"a"}\n' + line + b'\n{"account_id":"b"}\n')
    assert await produce(kafka, postgres_dsn, TOPIC, lines, "payments.jsonl", "account_id", "ana") == 1
    said = capsys.readouterr().err
    assert f"payments.jsonl:2: {reason}" in said
    assert f"sent to {TOPIC}: 1" in said
    assert await shown(capsys, kafka, None, 1) == ['{"account_id":"a"}']
