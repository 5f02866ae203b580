"""What somebody does, as a command: with an id of its own, so that it is obeyed once whatever becomes of the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import uuid4

from core.eventlog.log import EventLog
from core.eventlog.record import Item, Meta, Verdict
from core.eventlog.tail import LOST
from schema.events import Event

_TRIES = 3
_PAUSE_S = 0.3


def command(
    stream: str,
    events: Sequence[Event],
    actor: str,
    *,
    expected_version: int | None = None,
    story: str | None = None,
    cause: str | None = None,
) -> Item:
    """What ``actor`` does to a stream: part of ``story`` (by default one of its own), because of ``cause``."""
    number = uuid4()
    meta = Meta(actor=actor, correlation_id=story or str(number), causation_id=cause, command_id=number)
    return Item(stream, events, meta, expected_version, number)


def of_operator(operator: str, events: Sequence[Event], cause: str | None = None) -> Item:
    """What an operator does to the system itself: it stands in their own stream."""
    return command(f"operator-{operator}", events, operator, cause=cause)


async def perform(log: EventLog, item: Item) -> Verdict:
    """Append; a lost connection may have lost the answer alone, so it is asked again under the same command id."""
    tries = _TRIES
    while True:
        try:
            return await log.append(
                item.stream,
                item.events,
                meta=item.meta,
                expected_version=item.expected_version,
                command_id=item.command_id,
            )
        except LOST:
            tries -= 1
            if not tries:
                raise
        await asyncio.sleep(_PAUSE_S)
