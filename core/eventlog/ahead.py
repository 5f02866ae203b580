"""Work done ahead of whoever takes its results, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


async def in_order(calls: Iterable[Callable[[], Awaitable[T]]], width: int) -> AsyncGenerator[T, None]:
    """The results of ``calls``, in order. While one is in hand the next ``width`` are on their way, and no more.

    Whoever stops early closes the generator: what is under way is cancelled.
    """

    async def do(call: Callable[[], Awaitable[T]]) -> T:
        return await call()

    waiting = iter(calls)
    ahead = deque(asyncio.create_task(do(call)) for call in islice(waiting, width))
    try:
        while ahead:
            result = await ahead[0]
            ahead.popleft()
            for call in islice(waiting, 1):
                ahead.append(asyncio.create_task(do(call)))
                await asyncio.sleep(0)  # its query goes out before this result is worked on
            yield result
    finally:
        for task in ahead:
            task.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)
