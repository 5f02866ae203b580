"""A consumer to be killed: ``python -m tests.chaos.worker DSN BOOTSTRAP NAME``. Its transactions are stretched, so that
a signal mostly lands inside one; it appends an event to the log for every record as well."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from typing import Any

from core.eventlog import Item, Meta
from core.eventlog.append import append_bulk
from core.kafka.connection import Kafka
from core.kafka.handler import BatchResult, PartitionBatch
from schema.events import CaseNoted
from tests.core.kafka.intake import Handler, inlet


class SlowHandler(Handler):
    async def handle(self, conn: Any, batches: Sequence[PartitionBatch[list[str]]]) -> BatchResult:
        result = await super().handle(conn, batches)
        await conn.execute("select pg_sleep(random() * 0.06)")
        items = [
            Item(f"case-{value.id}", [CaseNoted(case_id=value.id, operator="w", text="")], Meta(actor="w"), 0)
            for batch in batches
            for _, value in batch.items
        ]
        await append_bulk(conn, items)
        await conn.execute("select pg_sleep(random() * 0.03)")
        return result


async def main(dsn: str, bootstrap: str, name: str) -> None:
    made = inlet(Kafka(bootstrap), dsn, name, SlowHandler(), max_records=200)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, made.stop)
    await made.run()
    print(json.dumps({"fenced": made.status.fenced, "recoveries": made.status.recoveries}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
