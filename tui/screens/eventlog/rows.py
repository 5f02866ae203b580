"""Events, projections and seals as rows and lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui import format as show
from tui.screens.eventlog.port import Entry, Seals, Standing
from tui.screens.overview.health import STATES
from tui.widgets.canvas import Cell, Line
from tui.widgets.columns import Column
from tui.widgets.payload import text_lines

_TYPE_STYLES = {
    "AlertRaised": "warn",
    "AccountBlocked": "bad",
    "CaseConfirmed": "bad",
    "ScenarioFailed": "bad",
    "ScenarioScored": "good",
}

EVENTS = (
    Column("position", 10, "right", about="in the whole log; it has no holes"),
    Column("time", 8),
    Column("type", 18, grow=1, limit=22, about="what happened"),
    Column("stream", 20, grow=2, limit=48, about="what it happened to"),
    Column("by", 8, grow=1, limit=20, rank=6, about="the worker or the person who wrote it"),
    Column("payload", 12, grow=5, limit=400),
)


def event_cells(entry: Entry) -> Sequence[Cell]:
    return (
        (show.number(entry.position), "dim"),
        (show.clock(entry.at), "dim"),
        (entry.type, _TYPE_STYLES.get(entry.type, "strong")),
        (entry.stream, "text"),
        (entry.actor, "dim"),
        (entry.data, "dim"),
    )


def event_lines(entry: Entry, width: int) -> list[Line]:
    """Where it stands, who by, what it says, and what it came from."""
    lines: list[Line] = [
        [
            (f" {entry.type}", "title"),
            (f"  {entry.stream} @ {entry.version}", "strong"),
            (f"   position {show.number(entry.position)}", "text"),
        ],
        [
            (f" {show.clock_ms(entry.at)}", "text"),
            (f" by {entry.actor or show.UNKNOWN}", "text"),
            (f"   schema {entry.schema_version}", "dim"),
        ],
    ]
    for name, value in (
        ("correlation", entry.correlation),
        ("causation", entry.causation),
        ("command", entry.command),
    ):
        if value:
            lines.append([(f" {name:<12}", "dim"), (value, "text")])
    for name, text in (("data", entry.data), ("meta", entry.meta)):
        lines.append([(f" {name}", "title")])
        lines += [[("  ", "text"), *line] for line in text_lines(text, width - 3)]
    return lines


# ---------------------------------------------------------------------------------------------------- the chain


@dataclass(frozen=True, slots=True)
class Link:
    """An event of the chain and how it belongs to the one that is shown."""

    entry: Entry
    relation: str


def relation(shown: Entry, other: Entry) -> str:
    """``this``, ``cause``, ``effect``, ``story`` (same correlation), ``stream``, or the kind of the other stream."""
    if other.position == shown.position:
        return "this"
    if shown.causation and shown.causation in (other.command, str(other.position)):
        return "cause"
    if other.causation and other.causation in (shown.command, str(shown.position)):
        return "effect"
    if shown.correlation and shown.correlation == other.correlation:
        return "story"
    return "stream" if shown.stream == other.stream else other.stream.partition("-")[0]


CHAIN = (
    Column("is", 8, about="cause, this, effect, or of the same subject"),
    Column("position", 10, "right", about="in the whole log; it has no holes"),
    Column("time", 8),
    Column("type", 18, grow=1, limit=22, about="what happened"),
    Column("stream", 16, grow=2, limit=48, about="what it happened to"),
    Column("by", 8, grow=1, limit=20, about="the worker or the person who wrote it"),
)


def link_cells(link: Link) -> Sequence[Cell]:
    return (link.relation, "accent" if link.relation == "this" else "text"), *event_cells(link.entry)[:5]


# ---------------------------------------------------------------------------------------------------- projections

STANDINGS = (
    Column("projection", 16),
    Column("gen", 3, "right", about="how often the projection was built anew"),
    Column("state", 10),
    Column("position", 10, "right", about="in the whole log; it has no holes"),
    Column("behind", 9, "right", about="positions that it has not taken up yet"),
    Column("lag", 8, "right", about="age of the oldest event that it has not taken up"),
    Column("note", 10, grow=1, limit=200),
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A projection and what the last work on it said."""

    standing: Standing
    note: str
    style: str


def standing_cells(row: Listed) -> Sequence[Cell]:
    s = row.standing
    state = s.status if s.live else f"{s.status} *"
    note: Cell = (row.note, row.style)
    if s.failed_position is not None:
        note = (f"stopped at {show.number(s.failed_position)}: {s.failed_reason}", "bad")
    behind = "warn" if s.lag_events > 1_000 else "text"
    return (
        (s.name, "text" if s.live else "dim"),
        (str(s.generation), "dim"),
        (state, "bad" if s.status == "parked" else STATES.get(s.status, "warn")),
        (show.number(s.position), "text"),
        (show.number(s.lag_events), behind),
        (show.duration(s.lag_ms), behind),
        note,
    )


def seal_line(seals: Seals | None, note: Cell, now_ms: int) -> Line:
    """How far the log is sealed, and what the last verification found."""
    if seals is None:
        return [(" seals ", "strong"), (show.UNKNOWN, "dim")]
    age = show.UNKNOWN if seals.sealed_at is None else f"{show.age((now_ms - seals.sealed_at) / 1000)} ago"
    same = seals.witnessed >= seals.seals
    return [
        (" seals ", "strong"),
        (f"{show.number(seals.seals)} to {show.number(seals.sealed_to)} of {show.number(seals.head)}, {age} ", "text"),
        (f" witnessed {show.number(seals.witnessed)} ", "text" if same else "warn"),
        (" ", "text"),
        note if note[0] else ("V verifies", "dim"),
    ]
