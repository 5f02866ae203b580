"""The least rights for a task: a session assumes its role, so that a defect or an injection cannot edit the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

READER = "streamguard_reader"
WRITER = "streamguard_writer"
INGEST = "streamguard_ingest"
PROJECTOR = "streamguard_projector"
WORKER = "streamguard_worker"
AUDITOR = "streamguard_auditor"


async def assume(conn: Any, role: str) -> None:
    """Take the role on for the whole session, where the database has it and this user may; else keep one's own."""
    await conn.execute(
        "select set_config('role', $1, false) where exists ("
        " select from pg_roles where rolname = $1 and pg_has_role(session_user, oid, 'member'))",
        role,
    )


def assuming(role: str) -> Callable[[Any], Awaitable[None]]:
    """``init`` of a pool whose connections assume the role; a connection given back keeps it."""

    async def init(conn: Any) -> None:
        await assume(conn, role)

    return init
