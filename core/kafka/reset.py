"""`streamguard groups reset`: tell a halted inlet where to go on, on the record."""

from __future__ import annotations

from core.eventlog import roles
from core.eventlog.act import of_operator
from core.eventlog.append import append_bulk
from core.eventlog.connect import connected
from core.kafka.admin import offsets
from core.kafka.connection import Kafka, cluster_id
from core.output import note, print_rows
from schema.events import OffsetReset

DONE = 0


async def reset_offsets(dsn: str, kafka: Kafka, operator: str) -> int:
    """Move every offset that its topic does not have (any more) to the nearest one it has; all others stay.

    The epochs rise, so that a worker still at work begins anew from there.
    """
    cluster = await cluster_id(kafka)
    async with connected(dsn, roles.INGEST) as conn, conn.transaction():
        kept = await conn.fetch(
            "select topic, partition, next_offset from ops.koff where cluster_id = $1"
            " order by partition, topic for update",
            cluster,
        )
        there = {(p.topic, p.partition): p for p in await offsets(kafka, sorted({row["topic"] for row in kept}))}
        moved = []
        for row in kept:
            bounds = there.get((row["topic"], row["partition"]))
            target = 0 if bounds is None else min(max(row["next_offset"], bounds.begin), bounds.end)
            if bounds is not None and row["next_offset"] > bounds.end:
                target = bounds.begin  # the topic was made anew: all of it is unread
            if target != row["next_offset"]:
                moved.append((row["topic"], row["partition"], row["next_offset"], target))
        await conn.executemany(
            "update ops.koff set next_offset = $4, epoch = epoch + 1, owner = null, lease_until = '-infinity'"
            " where cluster_id = $1 and topic = $2 and partition = $3",
            [(cluster, topic, partition, target) for topic, partition, _, target in moved],
        )
        events = [
            OffsetReset(topic=topic, partition=partition, from_offset=old, to_offset=new, operator=operator)
            for topic, partition, old, new in moved
        ]
        if events:
            await append_bulk(conn, [of_operator(operator, events)])
    print_rows(("topic", "partition", "from", "to"), moved)
    note(f"{len(moved)} offsets moved" if moved else "every offset is one its topic has")
    return DONE
