"""Topics, groups, messages and dead letters as rows and lines; where to begin reading, from text. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tui import format as show
from tui.screens.kafka.port import Behind, DeadLetter, Group, Headers, LetterContent, Message, Start, TopicFacts
from tui.widgets.canvas import Cell, Line
from tui.widgets.columns import Column
from tui.widgets.payload import bytes_lines, short

INLET = "(inlet)"
"""The pipeline's own reader: its offsets lie in PostgreSQL, beside the rows they led to."""

# ---------------------------------------------------------------------------------------------------- topics


@dataclass(frozen=True, slots=True)
class TopicRow:
    """``messages`` is None until it is known; ``rate`` is messages a second since the last look."""

    name: str
    partitions: int
    messages: int | None
    rate: float | None


TOPICS = (
    Column("topic", 24, grow=1, limit=60),
    Column("partitions", 10, "right"),
    Column("messages", 14, "right", about="that lie in the topic now"),
    Column("msg/s", 10, "right", about="written since the last look, about 2 s ago"),
)


def topic_cells(row: TopicRow) -> Sequence[Cell]:
    return (
        (row.name, "text"),
        (show.number(row.partitions), "dim"),
        (show.number(row.messages), "text"),
        (show.number(row.rate), "accent" if row.rate else "dim"),
    )


def facts_lines(topic: str, facts: TopicFacts) -> list[Line]:
    """Partitions with their offsets, then the settings made for the topic."""
    lines: list[Line] = [[(f" {topic}", "title")], [("   partition         begin           end      messages", "dim")]]
    lines += [
        [
            (f"   {part.partition:>9}", "text"),
            (f"{show.number(part.begin):>14}{show.number(part.end):>14}", "text"),
            (f"{show.number(part.end - part.begin):>14}", "strong"),
        ]
        for part in facts.ends
    ]
    lines.append([(" settings", "title")])
    lines += [[(f"   {name:<32} ", "dim"), (value, "text")] for name, value in facts.settings] or [
        [("   none of its own: the broker's apply", "dim")]
    ]
    return lines


# ---------------------------------------------------------------------------------------------------- groups


@dataclass(frozen=True, slots=True)
class GroupRow:
    """``group`` is None until the cluster has described it; ``error`` says why it has not."""

    name: str
    group: Group | None
    error: str = ""


GROUPS = (
    Column("group", 24, "middle", grow=2, limit=60, about="who reads; (inlet) is the pipeline's own reader"),
    Column("state", 14),
    Column("members", 7, "right"),
    Column("lag", 10, "right", about="messages not yet read; N/A when it cannot be told"),
    Column("", 4, grow=4, limit=120, rank=3),
)


def group_cells(row: GroupRow) -> Sequence[Cell]:
    group = row.group
    if group is None:
        state: Cell = ("error", "bad") if row.error else ("asking", "dim")
        return (row.name, "text"), state, ("N/A", "dim"), ("N/A", "dim"), (row.error, "bad")
    return (
        (row.name, "accent" if row.name == INLET else "text"),
        (group.state, "text"),
        (show.number(len(group.members)) if row.name != INLET else show.UNKNOWN, "dim"),
        (show.number(group.lag) if group.behind else "N/A", "warn" if group.lag > 1_000 else "text"),
        (row.error, "bad"),
    )


def inlet(lag: Mapping[tuple[str, int], int | None]) -> GroupRow:
    """The pipeline's own lag as a group."""
    behind = tuple(
        Behind(topic, partition, -1, -1, count)
        for (topic, partition), count in sorted(lag.items())
        if count is not None
    )
    return GroupRow(INLET, Group(INLET, "in PostgreSQL", (), behind))


def group_lines(group: Group) -> list[Line]:
    """Lag by partition, then the members."""
    lines: list[Line] = [
        [(f" {group.name}", "title"), (f"  {group.state}, {show.number(group.lag)} behind", "dim")],
        [(f"   {'topic':<40} {'part':>4} {'committed':>12} {'end':>12} {'lag':>10}", "dim")],
    ]
    for part in group.behind:
        committed = show.UNKNOWN if part.committed < 0 else show.number(part.committed)
        end = show.UNKNOWN if part.end < 0 else show.number(part.end)
        lines.append(
            [
                (f"   {part.topic:<40} {part.partition:>4} {committed:>12} {end:>12} ", "text"),
                (f"{show.number(part.lag):>10}", "warn" if part.lag else "good"),
            ]
        )
    if not group.behind:
        lines.append([("   nothing is committed", "dim")])
    if group.members:
        lines += [[(" members", "title")], *([("   ", "text"), (member, "text")] for member in group.members)]
    return lines


# ---------------------------------------------------------------------------------------------------- messages

MESSAGES = (
    Column("time", 8),
    Column("part", 4, "right"),
    Column("offset", 10, "right"),
    Column("key", 14, grow=1, limit=32),
    Column("hdr", 3, "right", rank=5, about="number of headers"),
    Column("value", 20, grow=6, limit=2_000),
)


def message_cells(message: Message) -> Sequence[Cell]:
    return (
        (show.clock(message.timestamp) if message.timestamp >= 0 else show.UNKNOWN, "dim"),
        (str(message.partition), "dim"),
        (show.number(message.offset), "dim"),
        (short(message.key, 64), "text"),
        (str(len(message.headers)), "dim"),
        (short(message.value), "dim" if message.value is None else "text"),
    )


def message_lines(topic: str, message: Message, now_ms: int, width: int) -> list[Line]:
    """Coordinates, key, headers, and the value standing up."""
    when = show.UNKNOWN if message.timestamp < 0 else f"{show.day_clock(message.timestamp, now_ms)}"
    size = 0 if message.value is None else len(message.value)
    return [
        [
            (f" {topic}/{message.partition} @ {show.number(message.offset)}", "title"),
            (f"  {when}  {show.number(size)} bytes", "dim"),
        ],
        *content_lines(message.key, message.headers, message.value, width),
    ]


def content_lines(key: bytes | None, headers: Headers, value: bytes | None, width: int) -> list[Line]:
    lines: list[Line] = [[(" key   ", "title"), (short(key, 1_000), "text")]]
    lines += [
        [(" head  ", "title"), (f"{name}: ", "accent"), (short(content, 500), "text")] for name, content in headers
    ]
    lines.append([(" value", "title")])
    return lines + [[("   ", "text"), *line] for line in bytes_lines(value, width - 4)]


_CLOCK = re.compile(r"(?:(\d{4}-\d\d-\d\d)[ t])?(\d\d:\d\d(?::\d\d)?)")


def parse_start(text: str, now_ms: int) -> Start | None:
    """``latest``, ``beginning``, ``881204``, ``2@881204`` (one partition), ``14:02``, ``2026-07-20 14:02:11``.

    Times are local, of today when no day is given. None when it is none of these.
    """
    words = text.strip().lower()
    if words in ("", "latest", "l", "end"):
        return Start("latest")
    if words in ("beginning", "b", "earliest", "0"):
        return Start("beginning")
    if found := re.fullmatch(r"(?:(\d{1,9})@)?(\d{1,18})", words):
        return Start("offset", int(found[2]), None if found[1] is None else int(found[1]))
    if found := _CLOCK.fullmatch(words):
        day = found[1] or datetime.fromtimestamp(now_ms / 1000).strftime("%Y-%m-%d")
        try:
            moment = datetime.fromisoformat(f"{day} {found[2]}")
        except ValueError:
            return None
        return Start("time", round(moment.timestamp() * 1000))
    return None


def start_text(start: Start, now_ms: int) -> str:
    if start.kind == "offset":
        place = "" if start.partition is None else f"partition {start.partition} "
        return f"from {place}offset {show.number(start.value)}"
    if start.kind == "time":
        return f"from {show.day_clock(start.value, now_ms)}"
    return "from the beginning" if start.kind == "beginning" else "tail"


# ---------------------------------------------------------------------------------------------------- dead letters

LETTERS = (
    Column("id", 5, "right"),
    Column("time", 11),
    Column("status", 9),
    Column("from", 22, grow=1, limit=50),
    Column("class", 10, rank=5, about="kind of the fault"),
    Column("reason", 14, grow=4, limit=400),
)
_LETTER_STYLES = {"open": "bad", "requeued": "good", "discarded": "dim"}


def letter_cells(letter: DeadLetter) -> Sequence[Cell]:
    return (
        (str(letter.id), "dim"),
        (datetime.fromtimestamp(letter.at / 1000).strftime("%d/%m %H:%M"), "dim"),
        (letter.status, _LETTER_STYLES.get(letter.status, "text")),
        (f"{letter.topic}/{letter.partition} @ {show.number(letter.offset)}", "text"),
        (letter.error_class, "warn"),
        (letter.reason, "text"),
    )


def letter_lines(letter: DeadLetter, content: LetterContent, width: int) -> list[Line]:
    return [
        [
            (f" dead letter {letter.id}", "title"),
            (f"  {letter.status}  ", _LETTER_STYLES.get(letter.status, "text")),
            (f"{letter.topic}/{letter.partition} @ {show.number(letter.offset)}", "text"),
        ],
        [(f" {letter.error_class}: ", "warn"), (letter.reason, "text")],
        *content_lines(content.key, content.headers, content.value, width),
    ]
