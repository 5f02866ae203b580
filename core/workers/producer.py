"""The producer: normal traffic at the rate that operators set, shared among all producers that run."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from time import time
from typing import Any

from core.eventlog import EventLog, Recorded
from core.kafka.connection import Kafka
from core.scenarios.population import Population
from core.scenarios.traffic import Traffic
from core.workers.sender import Sender, payment
from core.workers.task import Status, pause, until_stopped
from schema.events import TrafficRateSet

STREAM = "scenario-traffic"
POPULATION_SEED = 20_18
_TICK_S = 0.05
_MOST_BEHIND_S = 0.5
# As many people as make that many payments in life, at 2.16 a head and day: anything denser would look like a crowd of
# robots to every rule that counts.
_ACCOUNTS_PER_PAYMENT_S = 40_000
_LEAST_ACCOUNTS, _MOST_ACCOUNTS = 50_000, 20_000_000


@lru_cache(maxsize=4)
def population_for(rate: int) -> Population:
    """The people behind a rate of payments a second."""
    return Population(POPULATION_SEED, min(_MOST_ACCOUNTS, max(_LEAST_ACCOUNTS, rate * _ACCOUNTS_PER_PAYMENT_S)))


class Producer:
    name = "producer"

    def __init__(self, kafka: Kafka, pool: Any, log: EventLog, worker_id: str) -> None:
        self.status = Status()
        self._kafka = kafka
        self._pool = pool
        self._log = log
        self._worker = worker_id
        self._rate = 0
        self._changed = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until stopped."""
        follow = asyncio.create_task(self._follow_rate())
        async with Sender(self._kafka) as sender:
            await until_stopped(stop, follow, asyncio.create_task(self._send(sender)))
        self.status.state = "stopped"

    async def _follow_rate(self) -> None:
        past = await self._log.read_stream(STREAM)
        self._take(past[-1:])
        async for batch in self._log.subscribe(past[-1].pos + 1 if past else 1, prefix=STREAM):
            self._take(batch[-1:])

    def _take(self, batch: list[Recorded]) -> None:
        for recorded in batch:
            event = recorded.event
            if isinstance(event, TrafficRateSet):
                self._rate = max(0, event.rate)
                self._changed.set()

    async def _send(self, sender: Sender) -> None:
        while True:
            self._changed.clear()
            rate = self._rate
            if rate == 0:
                self._show(sender, 0)
                await self._changed.wait()
                continue
            population = await asyncio.to_thread(population_for, rate)
            started = int(time() * 1000)
            traffic = Traffic(population, seed=started, prefix=f"{started:x}{self._worker[-3:]}")
            await self._send_at(sender, traffic, rate)

    async def _send_at(self, sender: Sender, traffic: Traffic, rate: int) -> None:
        """Send at ``rate`` over all producers until it changes. What falls behind by more than half a second is left
        out: a burst to catch up would not be the rate that was asked for."""
        last = time()
        owed = 0.0
        share = rate / await self._producers()
        counted = last
        while not self._changed.is_set():
            now = time()
            owed += min(now - last, _MOST_BEHIND_S) * share
            count = int(owed)
            owed -= count
            span = now - last
            last = now
            if count:
                millis = int(now * 1000)
                first = now - span
                records = [
                    payment(traffic.at(int((first + span * (k + 1) / count) * 1000), millis)) for k in range(count)
                ]
                await sender.send(records)
            if now - counted > 1.0:
                counted = now
                share = rate / await self._producers()
                self._show(sender, share)
            await pause(self._changed, max(0.001, _TICK_S - (time() - now)))

    async def _producers(self) -> int:
        alive: int = await self._pool.fetchval(
            "select count(*) from ops.worker_status where task = 'producer' and state <> 'stopped' and worker_id <> $1"
            " and updated_at > clock_timestamp() - interval '3 seconds'",
            self._worker,
        )
        return alive + 1

    def _show(self, sender: Sender, share: float) -> None:
        self.status.state = "running" if share else "idle"
        self.status.detail = {"rate": round(share), "sent": sender.sent}
