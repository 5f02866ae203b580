"""Eight writers and readers that tail them: no event missed, none twice, no gap. 60 s in `make chaos`, else 2 s."""

from __future__ import annotations

import asyncio
import os
import random
import time
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from core.eventlog import EventLog, Item, Meta
from core.eventlog.append import append_bulk
from schema.events import CaseNoted

WRITERS = 8
SECONDS = 60.0 if "STREAMGUARD_CHAOS" in os.environ else 2.0
META = Meta(actor="ana")

pytestmark = pytest.mark.timeout(300)


def notes(count: int) -> list[CaseNoted]:
    return [CaseNoted(case_id="c", operator="o", text="x")] * count


async def write(pool: Any, number: int, until: float) -> int:
    """Single appends, batches, COPY, roll-backs and commands said twice, until a time; returns the events appended."""
    dice = random.Random(number)
    log = EventLog(pool)
    appended = 0
    while time.monotonic() < until:
        size = dice.randrange(1, 4)
        stream = f"w{number}-{dice.randrange(5)}" if dice.random() < 0.7 else f"shared-{dice.randrange(3)}"
        match dice.choices(("single", "many", "bulk", "undone", "twice"), (50, 15, 15, 10, 10))[0]:
            case "single":
                await log.append(stream, notes(size), meta=META)
                appended += size
            case "many":
                await log.append_many([Item(stream, notes(1), META), Item(f"w{number}-b", notes(size), META)])
                appended += size + 1
            case "bulk":
                async with pool.acquire() as conn, conn.transaction():
                    await append_bulk(conn, [Item(f"w{number}-{n}", notes(20), META) for n in range(size)])
                appended += 20 * size
            case "undone":
                async with pool.acquire() as conn:
                    transaction = conn.transaction()
                    await transaction.start()
                    await append_bulk(conn, [Item(stream, notes(size), META)])
                    await transaction.rollback()
            case _:
                command = uuid4()
                for _ in range(2):
                    await log.append(stream, notes(size), meta=META, command_id=command)
                appended += size
    await log.close()
    return appended


async def follow(log: EventLog, prefix: str | None, wanted: asyncio.Future[int]) -> list[int]:
    """Positions as they come, until the head that the future will name."""
    seen: list[int] = []
    async for batch in log.subscribe(1, prefix):
        seen += [recorded.pos for recorded in batch]
        if wanted.done() and seen[-1] >= wanted.result():
            break
    return seen


async def test_no_reader_misses_an_event(postgres_dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with asyncpg.create_pool(postgres_dsn, min_size=4, max_size=WRITERS + 8) as pool:
        wanted: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        readers = [EventLog(pool) for _ in range(3)]
        prefixes = (None, None, "shared-")
        following = [
            asyncio.create_task(follow(log, prefix, wanted)) for log, prefix in zip(readers, prefixes, strict=True)
        ]
        until = time.monotonic() + SECONDS
        appended = sum(await asyncio.gather(*(write(pool, number, until) for number in range(WRITERS))))
        last = EventLog(pool)
        total = await last.head() + 1
        wanted.set_result(total)  # before the event that brings the readers there
        await last.append("shared-0", notes(1), meta=META)
        whole, again, some = await asyncio.gather(*following)
        assert total == appended + 1
        assert whole == again == list(range(1, total + 1))
        shared = await pool.fetch("select pos from log.event where starts_with(stream, 'shared-') order by pos")
        assert some == [row["pos"] for row in shared]
        assert await pool.fetchval(
            "select bool_and(n = last and first = 1) from (select count(*) as n, max(version) as last,"
            " min(version) as first from log.event group by stream) s"
        )
        for log in (*readers, last):
            await log.close()
    with capsys.disabled():
        print(f"\n{WRITERS} writers, {SECONDS:.0f} s: {total:,} events, missed 0, twice 0, gaps 0")
