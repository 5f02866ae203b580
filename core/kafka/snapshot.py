"""Detection state of a partition, kept with the offsets it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_OFFSETS = msgspec.json.Decoder(dict[str, int])


async def load_snapshot(conn: Any, cluster_id: str, partition: int) -> tuple[dict[str, int], bytes | None]:
    """``(topic -> first offset the state has not seen, state)``; nothing and ``None`` when there is no snapshot."""
    row = await conn.fetchrow(
        "select offsets, state from ops.state_snapshot where cluster_id = $1 and partition = $2", cluster_id, partition
    )
    return ({}, None) if row is None else (_OFFSETS.decode(row["offsets"]), row["state"])


async def save_snapshots(
    conn: Any, cluster_id: str, offsets: Mapping[int, Mapping[str, int]], states: Mapping[int, bytes]
) -> None:
    """Keep states as of ``offsets``, inside the batch's transaction."""
    await conn.executemany(
        "insert into ops.state_snapshot (cluster_id, partition, offsets, state) values ($1, $2, $3, $4)"
        " on conflict (cluster_id, partition) do update set offsets = excluded.offsets, state = excluded.state,"
        "  at = clock_timestamp()",
        [
            (cluster_id, partition, msgspec.json.encode(offsets[partition]).decode(), state)
            for partition, state in states.items()
        ],
    )
