"""Ports that change nothing: what ``read_only`` puts in the place of those that can.

Below this, PostgreSQL is asked for read-only sessions, so that not even a fault of ours writes; and no worker is
hosted, since workers write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ksqldb.sqltext import LOOKING, changing
from schema import events
from tui.adapters.cluster import KafkaCluster
from tui.adapters.commands import LogCommands
from tui.adapters.eventlog import LogEvents
from tui.adapters.ksql import ClientKsql
from tui.adapters.workers import HostedWorkers
from tui.ports import PushQuery, Refused, SqlProblem, Table, Verdict

REFUSED = Refused("read-only: nothing was changed")


class ReadOnlyCommands(LogCommands):
    """Every command is an event, and no event is appended."""

    async def _do(
        self,
        stream: str,
        event: events.Event,
        done: str,
        version: int | None = None,
        story: str | None = None,
        seen: int | None = None,
    ) -> Verdict:
        return REFUSED

    async def _list(self, act: str, kind: str, party: str, reason: str) -> Verdict:
        return REFUSED


class ReadOnlyKsql(ClientKsql):
    async def run(self, sql: str, properties: Mapping[str, str]) -> Sequence[Table] | PushQuery:
        if refused := changing(sql):
            raise SqlProblem(f"read-only: {refused} is not run; {', '.join(sorted(LOOKING))} are")
        return await super().run(sql, properties)

    async def terminate(self, query_id: str) -> Verdict:
        return REFUSED


class ReadOnlyCluster(KafkaCluster):
    async def produce(self, topic: str, key: bytes | None, value: bytes | None) -> Verdict:
        return REFUSED

    async def requeue(self, letter_id: int) -> Verdict:
        return REFUSED

    async def discard(self, letter_id: int, reason: str) -> Verdict:
        return REFUSED


class ReadOnlyEvents(LogEvents):
    """A proof only compares; a verification is refused, since it goes on record that it was done."""

    async def rebuild(self, projection: str, on_note: Callable[[str], None]) -> Verdict:
        return REFUSED

    async def retry(self, projection: str) -> Verdict:
        return REFUSED

    async def skip(self, projection: str, reason: str) -> Verdict:
        return REFUSED

    async def verify(self, on_note: Callable[[str], None]) -> Verdict:
        return REFUSED


class ReadOnlyWorkers(HostedWorkers):
    async def open(self, environment: Mapping[str, str], logs: Path) -> None:
        """Host none."""

    async def scale(self, count: int) -> Verdict:
        return REFUSED

    async def restart(self, pid: int) -> Verdict:
        return REFUSED
