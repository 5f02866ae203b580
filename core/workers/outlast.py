"""Questions that outlast a restart of the service they go to. Only for what may be asked twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiokafka.errors import KafkaError, KafkaTimeoutError

from core.kafka.faults import RETRY

T = TypeVar("T")

PATIENCE_S = 30.0
_PAUSE_S = 0.2


async def outlast(ask: Callable[[], Awaitable[T]], patience: float = PATIENCE_S) -> T:
    """The answer, asked for again while the service is away or in trouble.

    Raises its last refusal after ``patience`` seconds, and at once one that no waiting heals.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + patience
    while True:
        try:
            return await ask()
        except RETRY:
            if clock() > deadline:
                raise
        except KafkaError as error:
            if clock() > deadline or not (error.retriable or isinstance(error, KafkaTimeoutError)):
                raise
        await asyncio.sleep(_PAUSE_S)


class PatientReads:
    """The queries of a pool, each asked by ``outlast``."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def fetch(self, query: str, *values: Any) -> Any:
        return await outlast(lambda: self._pool.fetch(query, *values))

    async def fetchrow(self, query: str, *values: Any) -> Any:
        return await outlast(lambda: self._pool.fetchrow(query, *values))

    async def fetchval(self, query: str, *values: Any) -> Any:
        return await outlast(lambda: self._pool.fetchval(query, *values))
