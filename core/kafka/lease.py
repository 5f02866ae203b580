"""Leases on partitions, held in PostgreSQL: who reads what, fair shares, and the fence that stops a stale owner.

A lease covers one partition number over all topics of the inlet. Claiming raises the epoch of its rows; a batch moves
its offsets only ``where epoch = mine and next_offset = where I began``. So two owners can never both commit, whatever
clocks and pauses do; the lease time only decides when another worker may try.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TTL_S = 3.0
# A paused owner may sit inside a transaction and hold its rows' locks; its session is ended when its lease has been
# over for so long. An owner that was killed needs none of this: the server ends its transaction at once.
ZOMBIE_S = 6.0


class Fenced(Exception):
    """Another worker has claimed the partition, or its offset is not where this worker believes it is."""


@dataclass
class Position:
    """Where one topic-partition stands for its owner."""

    next_offset: int
    epoch: int


Owned = dict[int, dict[str, Position]]
"""Partition -> topic -> position."""


def session_name(worker_id: str) -> str:
    return f"streamguard inlet {worker_id}"[:63]


def quota(worker_id: str, members: Iterable[str], partitions: int) -> int:
    """How many partitions a worker should own; shares differ by one at most and add up to all."""
    ranked = sorted({*members, worker_id})
    share, rest = divmod(partitions, len(ranked))
    return share + (ranked.index(worker_id) < rest)


async def ensure_rows(conn: Any, cluster_id: str, beginnings: Mapping[tuple[str, int], int]) -> None:
    """Know of every topic-partition; one never seen begins at the topic's first offset."""
    await conn.executemany(
        "insert into ops.koff (cluster_id, topic, partition, next_offset) values ($1, $2, $3, $4)"
        " on conflict do nothing",
        [(cluster_id, topic, partition, offset) for (topic, partition), offset in sorted(beginnings.items())],
    )


async def meet(conn: Any, cluster_id: str, worker_id: str) -> list[str]:
    """Say that this worker is alive; returns the ids of all that are."""
    await conn.execute(
        "insert into ops.inlet_member (cluster_id, worker_id, seen_until)"
        " values ($1, $2, clock_timestamp() + $3 * interval '1 second')"
        " on conflict (cluster_id, worker_id) do update set seen_until = excluded.seen_until",
        cluster_id,
        worker_id,
        TTL_S,
    )
    rows = await conn.fetch(
        "select worker_id from ops.inlet_member where cluster_id = $1 and seen_until > clock_timestamp()", cluster_id
    )
    return [row["worker_id"] for row in rows]


async def renew(conn: Any, cluster_id: str, worker_id: str, owned: Owned) -> set[int]:
    """Prolong the leases; returns the partitions that are no longer this worker's."""
    topics, partitions, epochs = _columns(owned)
    rows = await conn.fetch(
        "update ops.koff k set lease_until = clock_timestamp() + $6 * interval '1 second'"
        " from unnest($3::text[], $4::int[], $5::bigint[]) as m (topic, partition, epoch)"
        " where k.cluster_id = $1 and k.owner = $2 and k.topic = m.topic and k.partition = m.partition"
        " and k.epoch = m.epoch returning k.topic, k.partition",
        cluster_id,
        worker_id,
        topics,
        partitions,
        epochs,
        TTL_S,
    )
    kept = {(row["topic"], row["partition"]) for row in rows}
    return {partition for topic, partition in zip(topics, partitions, strict=True) if (topic, partition) not in kept}


async def release(conn: Any, cluster_id: str, worker_id: str, owned: Owned) -> None:
    """Give partitions up; another worker may claim them at once."""
    topics, partitions, epochs = _columns(owned)
    await conn.execute(
        "update ops.koff k set owner = null, lease_until = '-infinity'"
        " from unnest($3::text[], $4::int[], $5::bigint[]) as m (topic, partition, epoch)"
        " where k.cluster_id = $1 and k.owner = $2 and k.topic = m.topic and k.partition = m.partition"
        " and k.epoch = m.epoch",
        cluster_id,
        worker_id,
        topics,
        partitions,
        epochs,
    )


async def depart(conn: Any, cluster_id: str, worker_id: str) -> None:
    """Be no member any more; those long dead, who could not say so, go with this one."""
    await conn.execute(
        "delete from ops.inlet_member where cluster_id = $1 and worker_id = $2"
        " or seen_until < clock_timestamp() - interval '1 hour'",
        cluster_id,
        worker_id,
    )


async def claim(
    conn: Any, cluster_id: str, worker_id: str, topics: Sequence[str], wanted: int, held: Iterable[int] = ()
) -> Owned:
    """Take up to ``wanted`` partitions that are free, run out, or this worker's from before; inside a transaction.

    Those in ``held`` are its own now and are none to take.

    Rows that someone's transaction holds are passed over: they are in use, whatever their lease says.
    """
    rows = await conn.fetch(
        "with free as (select partition from ops.koff where cluster_id = $1 and topic = any($2)"
        "  and partition <> all($6::int[])"
        "  group by partition having bool_and(lease_until < clock_timestamp() or owner = $3) and count(*) = $5"
        "  order by partition limit $4)"
        " select topic, partition from ops.koff where cluster_id = $1 and topic = any($2)"
        "  and partition in (select partition from free) and (lease_until < clock_timestamp() or owner = $3)"
        " order by partition, topic for update skip locked",
        cluster_id,
        list(topics),
        worker_id,
        wanted,
        len(topics),
        list(held),
    )
    locked: dict[int, list[str]] = {}
    for row in rows:
        locked.setdefault(row["partition"], []).append(row["topic"])
    whole = [partition for partition, held in locked.items() if len(held) == len(topics)]
    claimed = await conn.fetch(
        "update ops.koff set epoch = epoch + 1, owner = $3, lease_until = clock_timestamp() + $5 * interval '1 second'"
        " where cluster_id = $1 and topic = any($2) and partition = any($4)"
        " returning topic, partition, next_offset, epoch",
        cluster_id,
        list(topics),
        worker_id,
        whole,
        TTL_S,
    )
    owned: Owned = {}
    for row in claimed:
        owned.setdefault(row["partition"], {})[row["topic"]] = Position(row["next_offset"], row["epoch"])
    return owned


async def end_zombies(conn: Any, cluster_id: str, worker_id: str, over_s: float = ZOMBIE_S) -> int:
    """End the sessions of owners whose lease is long over but whose transaction still stands; returns how many."""
    ended = await conn.fetch(
        "select pg_terminate_backend(a.pid) from pg_stat_activity a"
        " where a.xact_start < clock_timestamp() - $3 * interval '1 second'"
        " and a.application_name in (select left('streamguard inlet ' || owner, 63) from ops.koff"
        "  where cluster_id = $1 and owner <> $2 and lease_until < clock_timestamp() - $3 * interval '1 second')",
        cluster_id,
        worker_id,
        over_s,
    )
    return len(ended)


async def advance(conn: Any, cluster_id: str, moves: Sequence[tuple[str, int, int, int, int]]) -> None:
    """Move offsets, first thing in a batch's transaction: ``(topic, partition, epoch, from, to)`` each.

    Raises ``Fenced`` when one of them is not this owner's any more: the transaction must be rolled back. Competing
    batches wait here for one another, before they have done any work.
    """
    moved = await conn.fetch(
        "update ops.koff k set next_offset = m.stop, updated_at = clock_timestamp(),"
        "  lease_until = clock_timestamp() + $7 * interval '1 second'"
        " from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[])"
        "  as m (topic, partition, epoch, start, stop)"
        " where k.cluster_id = $1 and k.topic = m.topic and k.partition = m.partition"
        " and k.epoch = m.epoch and k.next_offset = m.start returning k.partition",
        cluster_id,
        *(list(column) for column in zip(*moves, strict=True)),
        TTL_S,
    )
    if len(moved) != len(moves):
        raise Fenced(f"{len(moves) - len(moved)} of {len(moves)} partitions of the batch have another owner")


def _columns(owned: Owned) -> tuple[list[str], list[int], list[int]]:
    flat = [
        (topic, partition, position.epoch)
        for partition, topics in sorted(owned.items())
        for topic, position in sorted(topics.items())
    ]
    return [row[0] for row in flat], [row[1] for row in flat], [row[2] for row in flat]
