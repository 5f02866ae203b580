"""The Kafka side of a dialogue: topics made, records produced and consumed."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

from ksqldb.dialogues.match import loads

WAIT = 25.0  # longest wait for something that is expected to come
QUIET = 0.3  # how long nothing more may come after the last expected record


class Topics:
    """One admin client for all dialogues of a run. Producers live for one step: one that stays would ask for the topics
    it has written again and again, and so bring back those that a dialogue deletes."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)

    async def start(self) -> None:
        await self._admin.start()

    async def stop(self) -> None:
        await self._admin.close()

    async def create(self, name: str, partitions: int) -> None:
        """Make an empty topic that keeps its records; one left over from an interrupted run is deleted first."""
        topic = NewTopic(name, partitions, 1, topic_configs={"retention.ms": "-1"})
        end = asyncio.get_running_loop().time() + WAIT
        while True:
            answer = await self._admin.create_topics([topic])
            code = answer.topic_errors[0][1]
            if code == 0:
                return
            if asyncio.get_running_loop().time() > end:
                raise for_code(code)(f"topic {name}")
            await self._admin.delete_topics([name])
            await asyncio.sleep(0.1)

    async def produce(self, topic: str, records: list[dict[str, Any]]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self._bootstrap) as producer:
            for record in records:
                await producer.send_and_wait(
                    topic,
                    _to_bytes(record["value"]),
                    key=_to_bytes(record.get("key")),
                    partition=record.get("partition"),
                    timestamp_ms=record.get("timestamp"),
                    headers=[(name, _to_bytes(value)) for name, value in record.get("headers", ())],
                )

    async def consume(self, topic: str, want: int, windowed: str | None, quiet: float) -> list[dict[str, Any]]:
        """All records of a topic by partition and offset: waits for ``want``, then until none came for ``quiet`` s."""
        loop = asyncio.get_running_loop()
        end = loop.time() + WAIT
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, fetch_max_wait_ms=50, enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = await self._partitions(topic, end)
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            got: list[Any] = []
            last = loop.time()
            while loop.time() < (end if len(got) < want else last + quiet):
                for batch in (await consumer.getmany(timeout_ms=50)).values():
                    got.extend(batch)
                    last = loop.time()
        finally:
            await consumer.stop()
        return [_record(m, windowed) for m in sorted(got, key=lambda m: (m.partition, m.offset))]

    async def _partitions(self, topic: str, end: float) -> list[TopicPartition]:
        while True:
            found = (await self._admin.describe_topics([topic]))[0]["partitions"]
            if found:
                return [TopicPartition(topic, number) for number in sorted(p["partition"] for p in found)]
            if asyncio.get_running_loop().time() > end:
                raise TimeoutError(f"topic {topic} does not exist")
            await asyncio.sleep(0.1)


def _record(message: Any, windowed: str | None) -> dict[str, Any]:
    key = message.key
    window: dict[str, Any] = {}
    if windowed == "time":
        window, key = {"start": struct.unpack(">q", key[-8:])[0]}, key[:-8]
    elif windowed == "session":
        end, start = struct.unpack(">qq", key[-16:])
        window, key = {"end": end, "start": start}, key[:-16]
    record = {"key": _text(key), "value": _value(message.value), "timestamp": message.timestamp}
    return record | ({"window": window} if windowed else {})


def _to_bytes(value: Any) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, str):
        return bytes.fromhex(value[4:]) if value.startswith("hex:") else value.encode()
    return json.dumps(value, ensure_ascii=False).encode()


def _text(data: bytes | None) -> str | None:
    """Text where it is printable, else ``hex:...``."""
    if data is None:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return "hex:" + data.hex()
    return "hex:" + data.hex() if any(ord(c) < 32 and c not in "\t\r\n" for c in text) else text


def _value(data: bytes | None) -> Any:
    text = _text(data)
    if text is None or text[:1] not in ("{", "["):
        return text
    try:
        return loads(text)
    except ValueError:
        return text
