"""Work ahead of a reader: in order, so much and no more, and none left when the reader goes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial

import pytest

from core.eventlog.ahead import in_order


class Jobs:
    """Each gives its number when it is let go."""

    def __init__(self, count: int) -> None:
        self.gates = [asyncio.Event() for _ in range(count)]
        self.begun: list[int] = []
        self.cancelled: list[int] = []

    def calls(self) -> list[Callable[[], Awaitable[int]]]:
        return [partial(self._do, number) for number in range(len(self.gates))]

    async def _do(self, number: int) -> int:
        self.begun.append(number)
        try:
            await self.gates[number].wait()
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        return number


async def test_the_results_come_in_order_and_no_more_is_done_ahead() -> None:
    jobs = Jobs(6)
    for gate in reversed(jobs.gates):
        gate.set()
    seen = []
    async with aclosing(in_order(jobs.calls(), 2)) as results:
        async for number in results:
            seen.append(number)
            assert jobs.begun == list(range(min(number + 3, 6))), "two on their way beside the one in hand"
    assert seen == list(range(6))


async def test_who_stops_early_leaves_nothing_under_way() -> None:
    jobs = Jobs(6)
    jobs.gates[0].set()
    async with aclosing(in_order(jobs.calls(), 3)) as results:
        async for number in results:
            assert number == 0
            break
    assert jobs.begun == [0, 1, 2, 3]
    assert sorted(jobs.cancelled) == [1, 2, 3]


async def test_a_failure_is_raised_in_its_turn_and_ends_the_others() -> None:
    jobs = Jobs(3)
    jobs.gates[0].set()

    async def fail() -> int:
        raise LookupError("the second")

    calls = jobs.calls()
    results = in_order([calls[0], fail, calls[2]], 2)
    assert await anext(results) == 0
    with pytest.raises(LookupError, match="the second"):
        await anext(results)
    assert jobs.cancelled == [2]
