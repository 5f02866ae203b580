"""The two top lines: what it is, how it goes, and the screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from textual.strip import Strip

from tui import format as show
from tui import keymap
from tui.live import Headline
from tui.widgets.canvas import Canvas, Cell, spread

NAME = " stream guard "


def number_cells(head: Headline) -> list[list[Cell]]:
    """The five numbers that matter, and what was dropped when anything was; the most important first."""
    old = "dim" if head.stale_s is not None else "strong"
    groups: list[list[Cell]] = [
        [(show.number(head.payments_per_s), old), (" pay/s", "dim")],
        [(show.number(head.alerts_per_min), old), (" alerts/min", "dim")],
        _aged("lag ", show.number(head.lag), "warn" if head.lag and head.lag > 1000 else old, head.lag_stale_s),
        _aged("p99 ", show.duration(head.p99_ms), old, head.p99_age_s),
    ]
    if head.dropped:
        groups.append([("dropped ", "dim"), (show.number(head.dropped), "warn")])
    return groups


def _aged(name: str, text: str, style: str, age_s: float | None) -> list[Cell]:
    """A number; dim and with its age when it is old."""
    if age_s is None or text == show.UNKNOWN:
        return [(name, "dim"), (text, style)]
    return [(name, "dim"), (text, "dim"), (f" {show.age(age_s)} ago", "warn")]


def _fitting(groups: Sequence[Sequence[Cell]], room: int, gap: int) -> list[Cell]:
    """As many of the groups as fit, ``gap`` blanks before each."""
    cells: list[Cell] = []
    for group in groups:
        room -= gap + sum(cell_len(text) for text, _ in group)
        if room < 0:
            break
        cells += [(" " * gap, "dim"), *group]
    return cells


class StatusLine(Canvas):
    """Two lines; never focused, drawn from a ``Headline``."""

    def __init__(self) -> None:
        super().__init__(id="status")
        self._head: Headline | None = None
        self._current = ""
        self._counts: Mapping[str, int] = {}

    def show(self, head: Headline, current: str, counts: Mapping[str, int]) -> None:
        if (head, current, counts) != (self._head, self._current, self._counts):
            self._head, self._current, self._counts = head, current, dict(counts)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        return self.strip(self._top(width) if y == 0 else self._nav(width), width)

    def _top(self, width: int) -> list[Cell]:
        head = self._head
        if head is None:
            return [(NAME, "title")]
        mode = head.mode if head.stale_s is None else f"STALE {show.age(head.stale_s)}"
        good = head.mode == "LIVE" and head.stale_s is None
        left: list[Cell] = [
            (NAME, "title"),
            (f" {head.environment} ", f"on-{head.color}" if head.color else "accent"),
            (f" {mode} ", "good" if good else "warn"),
        ]
        room = width - sum(cell_len(text) for text, _ in left) - 2
        groups = number_cells(head)
        right = max((_fitting(groups, room, gap) for gap in (3, 2)), key=len)
        return spread(left, [*right, (" ", "dim")], width)

    def _nav(self, width: int) -> list[Cell]:
        for titles, trail in ((keymap.TITLES, " "), (keymap.TITLES, ""), (keymap.SHORT_TITLES, "")):
            cells = self._screens(titles, trail)
            if sum(cell_len(text) for text, _ in cells) <= width:
                break
        return cells

    def _screens(self, titles: Mapping[str, str], trail: str) -> list[Cell]:
        """The screens with their numbers and news, the current one marked."""
        cells: list[Cell] = []
        for name in keymap.SCREENS:
            count = self._counts.get(name, 0)
            badge = f"·{count if count < 1000 else '999+'}" if count else ""
            style = "cursor" if name == self._current else "text"
            cells.append((f" {keymap.NUMBERS[name]} {titles[name]}{badge}{trail}", style))
        return cells
