"""What a projection is: tables that a set-based fold keeps equal to a function of the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Projection:
    """A fold of events into tables.

    Each generation's tables live in a schema of their own, where ``tables`` creates them; the live generation shows
    through views of the same names in schema ``read``. Statements name their tables and ``event``, the log, without a
    schema: so the same fold runs on other tables (a proof) and over other events (one account at a time of the past).
    ``fold`` statements take ``$1`` (positions after it) and ``$2`` (up to it, inclusive) and must give the same tables
    however a stretch of the log is cut into ranges. ``effects`` run after the fold of the live generation alone.
    ``types`` gives the newest schema version of each event type the fold can read; a newer one parks the projection.
    """

    name: str
    version: int
    types: Mapping[str, int]
    tables: str
    fold: tuple[str, ...]
    published: Mapping[str, str]
    """Name of each table shown in ``read`` -> its key: a column, or several by commas."""
    effects: tuple[str, ...] = ()
    public: Mapping[str, str] = field(default_factory=dict)
    """Name of each view in ``public`` -> its query over the views of ``read``."""
    pace_s: float = 0.0
    """Least time between two folds: what many events change at once is folded together."""

    def schema(self, generation: int) -> str:
        return f"p_{self.name}_{generation}"
