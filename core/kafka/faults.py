"""What kind of fault an error is, what the inlet does about it, and when too many records are refused."""

from __future__ import annotations

from collections import deque
from enum import Enum

import asyncpg

RETRY: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # its state machine meets a connection that broke while a statement was prepared
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)


class InletHalted(Exception):
    """Going on would lose data silently: the topic was made anew, its records expired unread, or most are refused."""


class Recover(Exception):
    """What memory holds may not be what stands in the database: forget it and claim again."""


class Kind(Enum):
    """``RETRY``: the same batch may pass later. ``DATA``: a record is at fault. ``FATAL``: the program or schema is."""

    RETRY = "retry"
    DATA = "data"
    FATAL = "fatal"


def classify(error: BaseException) -> Kind:
    """By SQLSTATE class: 08 40 53 55 57 pass, 22 and 23 are data, other database errors are fatal.

    An error of our own code over a record counts as data: the record is set aside and all others go on.
    """
    if isinstance(error, asyncpg.DataError | asyncpg.IntegrityConstraintViolationError):
        return Kind.DATA
    if isinstance(error, RETRY):
        return Kind.RETRY
    if isinstance(error, asyncpg.PostgresError) or not isinstance(error, Exception):
        return Kind.FATAL
    return Kind.DATA


class Breaker:
    """Trips when more than half of the last records, and at least 500, were refused: a fault of the whole feed."""

    def __init__(self, least: int = 500) -> None:
        self._least = least
        self._window: deque[tuple[int, int]] = deque(maxlen=50)

    def trips(self, records: int, refused: int) -> bool:
        self._window.append((records, refused))
        seen = sum(count for count, _ in self._window)
        bad = sum(count for _, count in self._window)
        return refused > 0 and bad >= self._least and 2 * bad > seen
