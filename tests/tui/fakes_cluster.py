"""A fake of the port behind the Kafka screen: a cluster in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tui.ports import Done, Refused, Unavailable, Verdict
from tui.screens.kafka.port import (
    Batch,
    Behind,
    DeadLetter,
    Ends,
    Group,
    LetterContent,
    Message,
    Start,
    TopicFacts,
)

AT_MS = 1_784_556_134_000


def message(number: int, **changes: object) -> Message:
    made = Message(
        partition=number % 4,
        offset=number,
        timestamp=AT_MS - 60_000 + number * 500,
        key=f"acc-{number:06}".encode(),
        value=f'{{"transaction_id": "tx-{number}", "amount": {number}.50, "city": "São Paulo"}}'.encode(),
        headers=(("source", b"producer"),),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class FakeBrowser:
    """Hands out what the test puts in; a moment without anything gives an empty batch."""

    queue: asyncio.Queue[Batch] = field(default_factory=asyncio.Queue)
    closed: bool = False

    async def next(self) -> Batch:
        return await self.queue.get()

    async def close(self) -> None:
        self.closed = True


@dataclass
class FakeCluster:
    counts: dict[str, int] = field(
        default_factory=lambda: {"fraud_alerts": 310, "transaction_labels": 4, "transactions": 881_204}
    )
    described: dict[str, Group | str] = field(
        default_factory=lambda: {
            "ksqldb-high_amount": Group(
                "ksqldb-high_amount",
                "stable",
                ("engine 127.0.0.1",),
                (Behind("transactions", 0, 90, 100, 10), Behind("transactions", 1, 120, 122, 2)),
            ),
            "nobody": Group("nobody", "empty", (), ()),
            "secret": "Kafka: the group may not be read",
        }
    )
    """A text is the error that asking for the group gives."""
    past: list[Message] = field(
        default_factory=lambda: [
            *(message(number) for number in range(30)),
            message(30, value=b"\xff\xfe\x00broken"),
            message(31, key=None, value=None),
        ]
    )
    letters: list[DeadLetter] = field(
        default_factory=lambda: [
            DeadLetter(2, AT_MS - 60_000, "transactions", 1, 17, "malformed", "expected ':' at byte 7", "open", 9),
            DeadLetter(1, AT_MS - 90_000, "transactions", 0, 3, "no_key", "the record has no key", "requeued", 40),
        ]
    )
    settings: tuple[tuple[str, str], ...] = (("retention.ms", "604800000"),)
    content: LetterContent = field(
        default_factory=lambda: LetterContent(b"acc-1", b'{"amount\xff 3}', (("trace", b"abc"),))
    )
    failure: str = ""
    browsers: list[FakeBrowser] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    done: list[tuple[object, ...]] = field(default_factory=list)

    def _check(self) -> None:
        if self.failure:
            raise Unavailable(self.failure)

    async def topics(self) -> Mapping[str, int]:
        self._check()
        return dict.fromkeys(self.counts, 4)

    async def messages(self, topics: Sequence[str]) -> Mapping[str, int]:
        return {topic: self.counts[topic] for topic in topics}

    async def facts(self, topic: str) -> TopicFacts:
        return TopicFacts((Ends(0, 10, 110), Ends(1, 0, 95)), self.settings)

    async def groups(self) -> Sequence[str]:
        self._check()
        return list(self.described)

    async def group(self, name: str) -> Group:
        found = self.described[name]
        if isinstance(found, str):
            raise Unavailable(found)
        return found

    async def browse(self, topic: str, start: Start) -> FakeBrowser:
        self._check()
        self.starts.append(start)
        browser = FakeBrowser()
        browser.queue.put_nowait(Batch(tuple(self.past)))
        self.browsers.append(browser)
        return browser

    async def produce(self, topic: str, key: bytes | None, value: bytes | None) -> Verdict:
        self.done.append(("produce", topic, key, value))
        return Done(f"sent to {topic}/0 @ 42")

    async def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        return self.letters[:limit]

    async def letter(self, letter_id: int) -> LetterContent | None:
        return self.content

    async def requeue(self, letter_id: int) -> Verdict:
        return self._close(letter_id, "requeued")

    async def discard(self, letter_id: int, reason: str) -> Verdict:
        self.done.append(("reason", reason))
        return self._close(letter_id, "discarded")

    def _close(self, letter_id: int, status: str) -> Verdict:
        self.done.append((status, letter_id))
        for index, letter in enumerate(self.letters):
            if letter.id == letter_id and letter.status == "open":
                self.letters[index] = replace(letter, status=status)
                return Done(f"dead letter {letter_id} is {status}")
        return Refused(f"dead letter {letter_id} is closed already")
