"""What the Log screen needs. Times are epoch milliseconds; payloads are JSON text as it stands in the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tui.ports import Verdict


@dataclass(frozen=True, slots=True)
class Entry:
    """An event. ``data`` may be cut short in lists; ``causation`` and ``correlation`` are empty when not given."""

    position: int
    stream: str
    version: int
    type: str
    schema_version: int
    at: int
    actor: str
    data: str
    meta: str
    command: str = ""
    correlation: str = ""
    causation: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events: streams whose names begin with ``prefix``, ``types`` (all when empty)."""

    prefix: str = ""
    types: tuple[str, ...] = ()

    def text(self) -> str:
        """For the title; empty when nothing is left out."""
        streams = f"streams {self.prefix}*" if self.prefix else ""
        return " ".join(part for part in (streams, " ".join(self.types)) if part)


@dataclass(frozen=True, slots=True)
class Tail:
    """Selected events after a position, which were looked for up to ``position``; the log ends at ``head``."""

    entries: tuple[Entry, ...]
    position: int
    head: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a projection's generation stands. ``lag_ms`` is the age of the oldest event that is not folded yet."""

    name: str
    generation: int
    live: bool
    status: str
    position: int
    lag_events: int
    lag_ms: int
    failed_position: int | None = None
    failed_reason: str = ""


@dataclass(frozen=True, slots=True)
class Seals:
    """``sealed_to`` is the last sealed position of ``head``; ``witnessed`` seals are also kept outside the database."""

    seals: int
    sealed_to: int
    sealed_at: int | None
    head: int
    witnessed: int


OnNote = Callable[[str], None]
"""Hears how far long work is, a sentence at a time."""


class EventLogPort(Protocol):
    async def newest(self, selection: Selection, limit: int) -> Tail:
        """The newest selected events, oldest first; looks back over a bounded part of the log."""

    async def after(self, position: int, selection: Selection, limit: int) -> Tail: ...

    async def entry(self, position: int) -> Entry | None:
        """One event with its whole payload."""

    async def related(self, entry: Entry) -> Sequence[Entry]:
        """Events of its stream, of its subject's other streams and of its correlation, by position; ``entry`` too."""

    async def standings(self) -> Sequence[Standing]: ...

    async def seals(self) -> Seals: ...

    async def rebuild(self, projection: str, on_note: OnNote) -> Verdict: ...

    async def prove(self, projection: str, on_note: OnNote) -> Verdict:
        """Compare with a replay of the log; refused when they differ."""

    async def retry(self, projection: str) -> Verdict:
        """Let a parked projection take up its event again."""

    async def skip(self, projection: str, reason: str) -> Verdict: ...

    async def verify(self, on_note: OnNote) -> Verdict:
        """Recompute every seal; refused when something is not as it was sealed."""
