"""The consumer as a task: the inlet with its handler, fed with the lists that operators and labels keep."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from core.detection.state import RulePolicy
from core.eventlog import EventLog
from core.kafka.connection import Kafka
from core.kafka.inlet import Inlet
from core.workers.barrier import Barrier
from core.workers.consumer import ConsumerHandler, Held
from core.workers.decode import TOPICS
from core.workers.feedback import Feedback
from core.workers.measures import Measures
from core.workers.task import Status, pause
from ksqldb import rulebook

MAX_RECORDS = 2_000
_SHOW_S = 0.5


def policies() -> Mapping[str, RulePolicy]:
    """What a row of each rule file is worth."""
    return {r.id: RulePolicy(r.score, r.title, r.threshold, r.windowed) for r in rulebook.load().rules.values()}


class Consumer:
    name = "consumer"

    def __init__(self, kafka: Kafka, dsn: str, pool: Any, log: EventLog, worker_id: str) -> None:
        self.status = Status()
        self.measures = Measures()
        self._kafka = kafka
        self._dsn = dsn
        self._pool = pool
        self._log = log
        self._worker = worker_id

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until stopped; the batch in hand is finished first."""
        feedback = Feedback(self._pool)
        position = await feedback.load(self._log)
        handler = ConsumerHandler(policies(), feedback, self.measures)
        barrier = Barrier(self._kafka, self._pool, feedback)
        inlet = Inlet[Held](
            kafka=self._kafka,
            dsn=self._dsn,
            topics=TOPICS,
            handler=handler,
            worker_id=self._worker,
            max_records=MAX_RECORDS,
            partitions=self._kafka.partitions,
            gate=barrier,
        )
        running = asyncio.create_task(inlet.run())
        follow = asyncio.create_task(feedback.follow(self._log, position))
        show = asyncio.create_task(self._show(inlet, handler, barrier))
        stopping = asyncio.create_task(_stop_with(inlet, stop))
        try:
            await asyncio.wait({running, follow, show}, return_when=asyncio.FIRST_COMPLETED)
            inlet.stop()
            await running
            for task in (follow, show):
                if task.done():
                    task.result()
        finally:
            inlet.stop()
            for task in (follow, show, stopping):
                task.cancel()
            await asyncio.gather(running, follow, show, stopping, return_exceptions=True)
            await barrier.close()
        self.status.state = "stopped"

    async def _show(self, inlet: Inlet[Held], handler: ConsumerHandler, barrier: Barrier) -> None:
        never = asyncio.Event()
        while True:
            seen = inlet.status
            self.status.state = seen.state
            self.status.detail = {
                "partitions": list(seen.partitions),
                "records": seen.records,
                "dead_letters": seen.dead_letters,
                "duplicates": handler.duplicates,
                "recoveries": seen.recoveries,
                "incomplete_lists": barrier.incomplete,
                "lag": seen.lag,
                "error": seen.last_error,
            }
            await pause(never, _SHOW_S)


async def _stop_with(inlet: Inlet[Held], stop: asyncio.Event) -> None:
    await stop.wait()
    inlet.stop()
