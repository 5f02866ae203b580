"""Two and three appending transactions in every order of their steps: no reader ever sees past a hole, none is left.

A step that has to wait for another transaction is left waiting while the others go on, as a slow network would do.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import asyncpg
import pytest

from core.eventlog import EventLog, Item, Meta
from core.eventlog.append import append_bulk
from core.eventlog.unconditional import append_unconditional
from schema.events import CaseNoted

META = Meta(actor="ana")


def interleavings(left: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Every order in which transactions 0, 1, .. can take so many steps each."""
    if not any(left):
        yield ()
    for which, steps in enumerate(left):
        if steps:
            rest = (*left[:which], steps - 1, *left[which + 1 :])
            yield from ((which, *order) for order in interleavings(rest))


class Writer:
    """One transaction of two steps, append and end, on a connection of its own."""

    def __init__(self, conn: Any, stream: str, size: int, commits: bool, bulk: bool) -> None:
        self.conn = conn
        self.stream, self.size, self.commits = stream, size, commits
        self._append = append_bulk if bulk else append_unconditional
        self._transaction = conn.transaction()
        self._pid = conn.get_server_pid()
        self._task: asyncio.Task[None] | None = None
        self._steps = 0

    async def step(self, watch: Any) -> None:
        """Take the next step; return when it is done or waits for somebody."""
        before, self._steps = self._task, self._steps + 1
        self._task = asyncio.create_task(self._work(before, self._steps))
        waits = "select exists (select from pg_locks where pid = $1 and not granted)"
        while not self._task.done() and not await watch.fetchval(waits, self._pid):
            pass

    async def _work(self, before: asyncio.Task[None] | None, number: int) -> None:
        if before is not None:
            await before
        if number == 1:
            await self._transaction.start()
            notes = [CaseNoted(case_id="c", operator="o", text=str(n)) for n in range(self.size)]
            await self._append(self.conn, [Item(self.stream, notes, META)])
        elif self.commits:
            await self._transaction.commit()
        else:
            await self._transaction.rollback()

    async def done(self) -> None:
        assert self._task is not None
        await self._task


async def run(
    conns: Sequence[Any], watch: Any, order: Sequence[int], ends: Sequence[bool], dice: random.Random
) -> None:
    """One schedule; after each of its steps a reader looks, and what it sees only ever grows at the end."""
    start = await watch.fetchval("select pos from log.head")
    streams = [dice.choice(("same", f"s-{number}")) for number in range(len(conns))]
    writers = [
        Writer(conn, stream, dice.randrange(1, 4), commits, dice.random() < 0.5)
        for conn, stream, commits in zip(conns, streams, ends, strict=True)
    ]
    seen: list[int] = []
    for which in order:
        await writers[which].step(watch)
        now = [r["pos"] for r in await watch.fetch("select pos from log.event where pos > $1 order by pos", start)]
        assert now[: len(seen)] == seen, "something appeared before what a reader had seen"
        assert now == list(range(start + 1, start + 1 + len(now))), "a reader saw past a hole"
        seen = now
    for writer in writers:
        await writer.done()
    committed = sum(writer.size for writer in writers if writer.commits)
    assert await watch.fetchval("select pos from log.head") == start + committed
    assert await watch.fetchval("select count(*) from log.event") == start + committed


@pytest.mark.parametrize("transactions", [2, 3])
async def test_every_order_of_their_steps(log: EventLog, postgres_dsn: str, transactions: int) -> None:
    dice = random.Random(transactions)
    conns = [await asyncpg.connect(postgres_dsn) for _ in range(transactions + 1)]
    *writing, watch = conns
    orders = list(interleavings((2,) * transactions))
    assert len(orders) == {2: 6, 3: 90}[transactions]
    every = list(product(orders, product((True, False), repeat=transactions)))
    for order, ends in every if transactions == 2 else dice.sample(every, 120):
        await run(writing, watch, order, ends, dice)
    dense = (
        "select bool_and(n = last and first = 1) from (select count(*) as n, max(version) as last,"
        " min(version) as first from log.event group by stream) s"
    )
    assert await watch.fetchval(dense)
    heads = dict(await watch.fetch("select name, version from log.stream where version > 0"))
    assert heads == dict(await watch.fetch("select stream, max(version) from log.event group by stream"))
    for conn in conns:
        await conn.close()
