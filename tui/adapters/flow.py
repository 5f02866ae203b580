"""Throughput, totals and worker status, from ``read.throughput_second``, ``read.alert`` and ``ops``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tui import format as show
from tui.adapters.database import Database, epoch_ms, moment
from tui.ports import Second, Totals, WorkerState

SECOND = (
    "extract(epoch from second)::bigint as at, payments, approve, review, block, alerts,"
    " latency_p50_ms, latency_p99_ms, amount_blocked"
)
"""Columns of ``read.throughput_second`` in the order of ``Second``."""
GONE_S = 30
"""A worker that has been silent this long is no longer listed."""
STOPPED_S = 3
"""One that said that it stopped leaves the list after this long."""


def detail_text(detail: Mapping[str, Any]) -> str:
    """A worker's figures in its own order, empty ones left out: ``lag 0, records 204``."""
    parts = []
    for name, value in detail.items():
        if value is None or value in ("", [], {}):
            continue
        parts.append(f"{name.replace('_', ' ')} {_shown(value)}")
    return ", ".join(parts)


def _shown(value: object) -> str:
    if isinstance(value, int | float):
        return show.number(value, 0 if value == int(value) else 1)
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


class LogFlow:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def seconds(self, since: int) -> Sequence[Second]:
        rows = await self._database.fetch(
            f"select {SECOND} from read.throughput_second where second >= $1 order by second", moment(since)
        )
        return [Second(*row.values()) for row in rows]

    async def totals(self) -> Totals:
        row = await self._database.fetch_row(
            "select (select coalesce(sum(amount_blocked), 0) from read.throughput_second"
            "         where second >= date_trunc('day', now()))::bigint as stopped,"
            " (select coalesce(sum(amount), 0) from read.alert where decision = 'review'"
            "   and status in ('open', 'claimed', 'escalated'))::bigint as at_risk,"
            " (select count(*) from read.alert where status in ('open', 'escalated')) as open_cases,"
            " (select count(*) from ops.dead_letter where status = 'open') as dead_letters,"
            " (select pos from log.head) as head,"
            " (select (data ->> 'limit_ms')::bigint from log.event where stream = 'operator-policy'"
            "   order by version desc limit 1) as case_limit,"
            " to_regclass('read.cases') is not null as cases_are_projected"
        )
        assert row is not None  # an aggregate always has its row
        cases, analysts = await self._closed() if row["cases_are_projected"] else (0, 0)
        return Totals(
            row["stopped"],
            row["at_risk"],
            row["open_cases"],
            row["dead_letters"],
            row["head"],
            cases,
            analysts,
            row["case_limit"],
        )

    async def _closed(self) -> tuple[int, int]:
        """Cases decided in the last hour, and by how many people."""
        row = await self._database.fetch_row(
            "select count(*) as cases, count(distinct closed_by) as analysts from read.cases"
            " where closed_at > now() - interval '1 hour'"
        )
        return (0, 0) if row is None else (row["cases"], row["analysts"])

    async def workers(self) -> Sequence[WorkerState]:
        rows = await self._database.fetch(
            "select worker_id, task, state, detail, restarts, host, pid, updated_at from ops.worker_status"
            " where updated_at > now() - make_interval(secs => case state when 'stopped' then $2::float8 else $1 end)"
            " order by worker_id, task",
            GONE_S,
            STOPPED_S,
        )
        return [
            WorkerState(
                worker_id=row["worker_id"],
                task=row["task"],
                state=row["state"],
                detail=detail_text(msgspec.json.decode(row["detail"])),
                restarts=row["restarts"],
                host=row["host"],
                pid=row["pid"],
                updated_at=epoch_ms(row["updated_at"]),
            )
            for row in rows
        ]
