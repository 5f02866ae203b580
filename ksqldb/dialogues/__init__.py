"""Plays dialogues recorded from a real ksqlDB server against any server and its Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ksqldb.dialogues.match import loads
from ksqldb.dialogues.play import Dialogue
from ksqldb.dialogues.stack import embedded
from ksqldb.dialogues.topics import Topics

AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Played:
    """``reason`` is the first difference, None for a dialogue that passed."""

    name: str
    area: str
    reason: str | None


def read_dialogue(path: Path) -> dict[str, Any] | None:
    """The dialogue in a JSON file, or None where the file holds something else."""
    try:
        value = loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return value if isinstance(value, dict) and "steps" in value and "name" in value else None


def collect(path: Path) -> list[dict[str, Any]]:
    """The dialogues in a file or a folder, by name; empty where it holds none."""
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    return [dialogue for file in files if (dialogue := read_dialogue(file)) is not None]


def run(dialogues: Sequence[dict[str, Any]], address: tuple[str, str] | None = None) -> Iterator[Played]:
    """Play dialogues against ``(URL, bootstrap)``, or against an embedded broker and engine started for them."""
    if not dialogues:
        return
    with embedded() if address is None else nullcontext(address) as (url, bootstrap), asyncio.Runner() as runner:
        outcomes = play(dialogues, url, bootstrap)
        try:
            while True:
                yield runner.run(anext(outcomes))
        except StopAsyncIteration:
            return
        finally:
            runner.run(outcomes.aclose())


async def play(
    dialogues: Sequence[dict[str, Any]], url: str, bootstrap: str, at_once: int = AT_ONCE
) -> AsyncGenerator[Played, None]:
    """Playeds in the order in which the dialogues end; each is self-contained, so several run at once."""
    topics = Topics(bootstrap)
    ddl = asyncio.Lock()
    slots = asyncio.Semaphore(at_once)

    async def one(dialogue: dict[str, Any]) -> Played:
        async with slots:
            reason = await Dialogue(url, topics, ddl).play(dialogue["steps"])
        return Played(dialogue["name"], dialogue.get("area", ""), reason)

    await topics.start()
    try:
        for ended in asyncio.as_completed([one(dialogue) for dialogue in dialogues]):
            yield await ended
    finally:
        await topics.stop()
