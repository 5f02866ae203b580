"""One small pool of PostgreSQL connections; its faults become sentences for the operator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from tui.ports import Unavailable

if TYPE_CHECKING:
    from core.eventlog import EventLog

T = TypeVar("T")

POOL_SIZE = 4
QUERY_TIMEOUT = 4.0


class Database:
    """With ``read_only`` the server itself refuses every write.

    Not connected until ``open``; every use before that, and every lost connection, is ``Unavailable``.
    """

    def __init__(self, *, read_only: bool = False) -> None:
        self.read_only = read_only
        self._pool: Any = None
        self._log: EventLog | None = None
        self._dsn = ""

    async def open(self, dsn: str) -> None:
        """Connect, bring the schema up to date. Raises ``Unavailable``."""
        import asyncpg

        from core.eventlog import EventLog, roles
        from core.eventlog.migrate import MigrationError, migrate

        try:
            if not self.read_only:
                owner = await asyncpg.connect(dsn, command_timeout=QUERY_TIMEOUT)
                try:
                    await migrate(owner)
                finally:
                    await owner.close()
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=POOL_SIZE,
                command_timeout=QUERY_TIMEOUT,
                init=roles.assuming(roles.READER if self.read_only else roles.WRITER),
                server_settings={"default_transaction_read_only": "on"} if self.read_only else None,
            )
        except (OSError, asyncpg.PostgresError, MigrationError) as error:
            raise Unavailable(f"PostgreSQL: {error}") from error
        self._pool, self._log, self._dsn = pool, EventLog(pool), dsn

    async def close(self) -> None:
        if self._log is not None:
            await self._log.close()
            self._log = None
        if self._pool is not None:
            pool, self._pool = self._pool, None
            pool.terminate()

    @property
    def log(self) -> EventLog:
        if self._log is None:
            raise Unavailable("PostgreSQL: not connected yet")
        return self._log

    @property
    def dsn(self) -> str:
        """The address, password and all: for a process that reads beside this one."""
        if self._pool is None:
            raise Unavailable("PostgreSQL: not connected yet")
        return self._dsn

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        """Rows of a query. Raises ``Unavailable``."""
        return await self._asked(lambda pool: pool.fetch(query, *arguments))

    async def use(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Several queries on one connection. Raises ``Unavailable``."""

        async def on_connection(pool: Any) -> T:
            async with pool.acquire() as conn:
                return await work(conn)

        return await self._asked(on_connection)

    async def _asked(self, ask: Callable[[Any], Awaitable[T]]) -> T:
        import asyncpg

        if self._pool is None:
            raise Unavailable("PostgreSQL: not connected yet")
        try:
            return await ask(self._pool)
        except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
            raise Unavailable(f"PostgreSQL: {error or type(error).__name__}") from error

    async def fetch_row(self, query: str, *arguments: object) -> Any | None:
        """The first row, or None."""
        rows = await self.fetch(query, *arguments)
        return rows[0] if rows else None


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def epoch_ms_or_none(moment: datetime | None) -> int | None:
    return None if moment is None else epoch_ms(moment)


def moment(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)


def strings(values: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(values or ())
