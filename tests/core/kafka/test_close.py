"""Closing a consumer whose own end goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiokafka.errors import KafkaError

from core.kafka.courtesy import close


async def _cancelled() -> None:
    raise asyncio.CancelledError


async def _failed() -> None:
    raise KafkaError("no broker")


class Stubborn:
    """A consumer in whose ``stop`` the given thing happens: what aiokafka's does when brokers are away."""

    def __init__(self, happens: Callable[[], Awaitable[None]]) -> None:
        self._happens = happens

    async def stop(self) -> None:
        await self._happens()


@pytest.mark.parametrize("happens", [_cancelled, _failed])
async def test_what_ends_inside_the_consumer_does_not_end_the_inlet(happens: Callable[[], Awaitable[None]]) -> None:
    await close(Stubborn(happens), None)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
