"""`streamguard dead-letters`: list, show, requeue, discard. They return exit codes; every act is an event."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer

from core.eventlog import roles
from core.eventlog.act import of_operator
from core.eventlog.append import append_bulk
from core.eventlog.connect import connected
from core.kafka.connection import Kafka
from core.output import harmless, note, print_json, print_rows
from schema.events import DeadLetterDiscarded, DeadLetterRequeued, Event

DONE, NO = 0, 1
_SHOWN_BYTES = 2_048
_HEADERS = msgspec.json.Decoder(list[tuple[str, bytes]])


async def list_dead_letters(dsn: str, *, status: str | None, limit: int, as_json: bool) -> int:
    """The newest refused records, with where they lie and why they were refused."""
    async with connected(dsn, roles.READER) as conn:
        rows = await conn.fetch(
            'select id, at, topic, partition, "offset", error_class, status, octet_length(value) as bytes, reason'
            " from ops.dead_letter where $1::text is null or status = $1 order by id desc limit $2",
            status,
            limit,
        )
    columns = ("id", "at", "topic", "partition", "offset", "class", "status", "bytes", "reason")
    print_rows(columns, [tuple(row) for row in rows], as_json)
    return DONE


async def show_dead_letter(dsn: str, letter_id: int, *, as_json: bool) -> int:
    """One refused record whole: coordinates, reason, key, headers, and the value as text and hexadecimal."""
    async with connected(dsn, roles.READER) as conn:
        row = await conn.fetchrow("select * from ops.dead_letter where id = $1", letter_id)
    if row is None:
        return _unknown(letter_id)
    if as_json:
        print_json(
            {
                **{name: row[name] for name in ("id", "at", "topic", "partition", "offset", "status")},
                "class": row["error_class"],
                "reason": row["reason"],
                "key": _base64(row["key"]),
                "value": _base64(row["value"]),
                "headers": [[name, _base64(value)] for name, value in _HEADERS.decode(row["headers"])],
            }
        )
        return DONE
    print(f"dead letter {row['id']}, {row['status']}, {row['topic']}/{row['partition']} @ {row['offset']}, {row['at']}")
    print(f"{row['error_class']}: {harmless(row['reason'])}")
    print(f"key    {_text(row['key'])}")
    for name, value in _HEADERS.decode(row["headers"]):
        print(f"header {harmless(name)}: {_text(value)}")
    print(f"value  {_text(row['value'])}")
    for line in hex_lines((row["value"] or b"")[:_SHOWN_BYTES]):
        print(f"  {line}")
    if len(row["value"] or b"") > _SHOWN_BYTES:
        note(f"the value has {len(row['value']):,} bytes; --json gives all of them")
    return DONE


async def requeue_dead_letter(dsn: str, kafka: Kafka, letter_id: int, operator: str, value: bytes | None = None) -> int:
    """Send a refused record to its topic and partition again, with ``value`` in place of what was wrong.

    Sent first and then marked: a fault between the two leaves it open, and what is sent twice is told by its id.
    """
    async with connected(dsn, roles.WRITER) as conn, conn.transaction():
        row = await _open_letter(conn, letter_id)
        if row is None:
            return NO
        producer = AIOKafkaProducer(**kafka.options(), acks="all")
        await producer.start()
        try:
            await producer.send_and_wait(
                row["topic"],
                row["value"] if value is None else value,
                key=row["key"],
                partition=row["partition"],
                headers=[*_HEADERS.decode(row["headers"]), ("streamguard-dead-letter", str(letter_id).encode())],
            )
        finally:
            await producer.stop()
        await _close(
            conn, letter_id, "requeued", operator, DeadLetterRequeued(dead_letter_id=letter_id, operator=operator)
        )
    print(f"dead letter {letter_id} was sent to {row['topic']}/{row['partition']} again")
    return DONE


async def discard_dead_letter(dsn: str, letter_id: int, operator: str, reason: str) -> int:
    """Close a refused record that nobody needs; it stays readable."""
    async with connected(dsn, roles.WRITER) as conn, conn.transaction():
        if await _open_letter(conn, letter_id) is None:
            return NO
        event = DeadLetterDiscarded(dead_letter_id=letter_id, operator=operator, reason=reason)
        await _close(conn, letter_id, "discarded", operator, event)
    print(f"dead letter {letter_id} is discarded")
    return DONE


async def _open_letter(conn: Any, letter_id: int) -> Any:
    row = await conn.fetchrow("select * from ops.dead_letter where id = $1 for update", letter_id)
    if row is None:
        _unknown(letter_id)
        return None
    if row["status"] != "open":
        note(f"dead letter {letter_id} is {row['status']} already")
        return None
    return row


async def _close(conn: Any, letter_id: int, status: str, operator: str, event: Event) -> None:
    row = await conn.fetchrow(
        'update ops.dead_letter set status = $2 where id = $1 returning topic, partition, "offset"', letter_id, status
    )
    cause = f"{row['topic']}/{row['partition']}@{row['offset']}"
    await append_bulk(conn, [of_operator(operator, [event], cause)])


def _unknown(letter_id: int) -> int:
    note(f"there is no dead letter {letter_id}")
    return NO


def hex_lines(data: bytes) -> list[str]:
    """Sixteen bytes a line: offset, hexadecimal, printable ASCII."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:06x}  {row.hex(' '):<47}  {text}")
    return lines


def _text(data: bytes | None) -> str:
    return "-" if data is None else harmless(data[:_SHOWN_BYTES].decode("utf-8", "replace"))


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()
