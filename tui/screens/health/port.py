"""What the Health screen needs beyond services and worker rows. Times are epoch milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tui.ports import Verdict


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file of ``STREAMGUARD_HOME/logs``; ``size`` in bytes."""

    name: str
    size: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line as it stands in its file; ``at`` is the byte it begins at, and with ``file`` its key."""

    file: str
    at: int
    text: str


@dataclass(frozen=True, slots=True)
class LogChunk:
    """Lines read, and the ``position`` to go on from. ``skipped`` bytes in between were too many to read."""

    lines: tuple[LogLine, ...]
    position: int
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class CrashReport:
    """A file of ``STREAMGUARD_HOME/crashes``; ``summary`` is its line that names the error."""

    name: str
    at: int
    summary: str


class LogsPort(Protocol):
    """Log files and crash reports; read off the event loop."""

    async def files(self) -> Sequence[LogFile]:
        """All log files by name."""

    async def read(self, name: str, position: int | None) -> LogChunk:
        """Whole lines from ``position`` on; from near the end when it is None."""

    async def crashes(self) -> Sequence[CrashReport]:
        """Newest first."""

    async def crash(self, name: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Hosted:
    """A worker process of this control center; ``pid`` is None between two lives."""

    pid: int | None
    restarts: int


class WorkersPort(Protocol):
    """The worker processes that this control center hosts."""

    def hosted(self) -> Sequence[Hosted]: ...

    async def scale(self, count: int) -> Verdict:
        """Have ``count`` processes; those that end finish their batch first."""

    async def restart(self, pid: int) -> Verdict:
        """End a process after its batch and start another in its place."""


@dataclass(frozen=True, slots=True)
class Stall:
    """The event loop answered ``ms`` too late; ``where`` is what it was doing, when that was seen.

    ``ran_ms`` is the processor time its thread had meanwhile: much less than ``ms`` means that others had the core.
    """

    at: int
    ms: int
    ran_ms: int
    where: str


class WatchdogPort(Protocol):
    def start(self) -> None:
        """Watch the running event loop."""

    def stop(self) -> None: ...

    def stalls(self) -> Sequence[Stall]:
        """The last ones, oldest first."""
