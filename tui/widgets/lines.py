"""A pane of lines: stories, health, help. Scrolls with the list keys when it has focus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.strip import Strip

from tui import keymap
from tui.widgets.canvas import Canvas, Cell, Line
from tui.widgets.feed import Feed


class Lines(Canvas):
    """Shows ``lines``; longer content scrolls and says so in the last column."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("list")]

    def __init__(self, *, focusable: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.can_focus = focusable
        self._lines: Sequence[Line] = ()
        self._top = 0

    @property
    def lines(self) -> Sequence[Line]:
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """Draw other lines; unchanged ones cost nothing."""
        if lines != self._lines:
            self._lines = lines
            self._clamp()
            self.refresh()

    @property
    def _rest(self) -> int:
        return max(0, len(self._lines) - self.size.height)

    def _clamp(self) -> None:
        self._top = max(0, min(self._top, self._rest))

    def on_resize(self) -> None:
        self._clamp()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        index = self._top + y
        line: Line = self._lines[index] if index < len(self._lines) else ()
        if not self._rest:
            return self.strip(line, width)
        return Strip.join([self.strip(line, width - 1), self.strip([self._bar(y)], 1)])

    def _bar(self, y: int) -> Cell:
        height, total = self.size.height, len(self._lines)
        first = self._top * height // total
        return ("┃", "accent") if first <= y < first + max(1, height * height // total) else ("│", "dim")

    def _scroll_to_line(self, top: int) -> None:
        self._top = top
        self._clamp()
        self.refresh()

    def action_move(self, rows: int) -> None:
        self._scroll_to_line(self._top + rows)

    def action_half(self, direction: int) -> None:
        self._scroll_to_line(self._top + direction * max(1, self.size.height // 2))

    def action_top(self) -> None:
        self._scroll_to_line(0)

    def action_bottom(self) -> None:
        self._scroll_to_line(len(self._lines))

    def action_copy(self) -> None:
        text = "\n".join("".join(part for part, _ in line).rstrip() for line in self._lines)
        self.post_message(Feed.CopyWanted(text))
