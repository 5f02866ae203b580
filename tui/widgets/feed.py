"""A list on screen: follow feed, push-query grid, catalogue. Draws only what is visible, whatever is buffered."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from rich.cells import cell_len
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip

from tui import format as show
from tui import keymap
from tui.terminal.sanitise import clean, fit
from tui.widgets.canvas import Canvas, Cell, Line, columns_line, spread
from tui.widgets.columns import Column, lay_out
from tui.widgets.feed_model import FeedModel

T = TypeVar("T")

SHORT_TITLE = 14
"""Cells that a title keeps where the state beside it and the note need the rest."""


def _length(cells: Iterable[Cell]) -> int:
    return sum(cell_len(text) for text, _ in cells)


class Feed(Canvas, Generic[T]):
    """``cells`` gives one cell per column for a row. ``live`` feeds follow, the others are replaced as a whole."""

    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("list", "feed")]

    class Opened(Message):
        """Enter on a row."""

        def __init__(self, feed: Feed[Any], row: Any) -> None:
            super().__init__()
            self.feed = feed
            self.row = row

        @property
        def control(self) -> Feed[Any]:
            return self.feed

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, feed: Feed[Any]) -> None:
            super().__init__()
            self.feed = feed

        @property
        def control(self) -> Feed[Any]:
            return self.feed

    class CopyWanted(Message):
        """Text for the clipboard, or (with a name) for a file."""

        def __init__(self, text: str, file_name: str | None = None) -> None:
            super().__init__()
            self.text = text
            self.file_name = file_name

    def __init__(
        self,
        title: str,
        columns: Sequence[Column],
        cells: Callable[[T], Sequence[Cell]],
        key: Callable[[T], Hashable],
        *,
        live: bool = True,
        limit: int = 20_000,
        empty: str = "nothing yet",
        heads: bool = True,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.title_text = title
        self.note: Line = ()
        """Cells at the right end of the title, such as a rate; the first ones give way where room is short."""
        self.empty = empty
        self._columns = tuple(columns)
        self._cells = cells
        self._heads = heads
        self._live = live
        self.model: FeedModel[T] = FeedModel(key, self._text_of, live=live, limit=limit)
        self._window: list[T | None] = []
        self._at = -1
        self._laid_out: tuple[int, list[int]] = (-1, [])
        self._drawn: object = None
        self._head_height = 1

    @property
    def columns(self) -> Sequence[Column]:
        return self._columns

    def _text_of(self, row: T) -> str:
        return " ".join(text for text, _ in self._cells(row))

    # ------------------------------------------------------------------------------------------ content

    @property
    def selected(self) -> T | None:
        return self.model.selected

    def add(self, rows: Sequence[T]) -> None:
        """Append or change rows; they are painted by the next ``redraw``."""
        self.model.add(rows)

    def replace(self, rows: Sequence[T]) -> None:
        self.model.replace(rows)
        self.redraw()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Another schema, with no rows."""
        self._columns = tuple(columns)
        self._laid_out = (-1, [])
        self.model.clear()
        self.redraw()

    def set_filter(self, text: str) -> None:
        self.model.set_filter(text)
        self._after_move()

    def redraw(self) -> None:
        """Take a new picture of the model, and paint it when it is another one: each frame is bytes on the line."""
        model = self.model
        self._head_height = 1 + (1 if self._heads and self.size.height > 5 else 0)
        self._window, self._at = model.window(self._body_height)
        counts = (model.following, model.filter, model.new, len(model), model.total, model.place, model.scroll)
        heading = (self.title_text, list(self.note), self.empty, self._columns, self.size)
        picture = (self._window, self._at, counts, heading)
        if picture != self._drawn:
            self._drawn = picture
            self.refresh()

    def drawn_rows(self) -> list[tuple[int, int]]:
        """``(index, line)`` of each row on the screen, from the top; ``go_to_drawn`` takes the index."""
        return [(index, index + self._head_height) for index in range(min(len(self._window), self._body_height))]

    def go_to_drawn(self, index: int) -> None:
        """Put the cursor on a row of the screen."""
        if index < len(self._window):
            self.action_move(index - self._at)

    def on_resize(self) -> None:
        self.redraw()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    # ------------------------------------------------------------------------------------------ drawing

    @property
    def _body_height(self) -> int:
        return max(0, self.size.height - self._head_height)

    def _widths(self, width: int) -> list[int]:
        width = max(1, width - 2)
        if self._laid_out[0] != width:
            self._laid_out = (width, lay_out(self._columns, width))
        return self._laid_out[1]

    def _title_line(self, width: int) -> list[Cell]:
        model = self.model
        title = f" {clean(self.title_text, width)} "
        left: list[Cell] = []
        if self._live:
            left.append(("following " if model.following else "browsing ", "good" if model.following else "warn"))
        if model.filter:
            left.append((f"/{model.filter} {len(model)} of {model.total} ", "accent"))
        if not model.following and self._live:
            left.append(("{} of {} ".format(*model.place), "dim"))
            if model.new:
                left.append((f"+{show.number(model.new)} new, G to follow ", "warn"))
        left += self.beside_title(width)
        room = width - 1 - _length(left)
        note = [(clean(text, width), style) for text, style in self.note]
        least = min(SHORT_TITLE, cell_len(title))
        given = next((index for index in range(len(note)) if _length(note[index:]) + least <= room), 0)
        title = fit(title[:-1], max(least, min(cell_len(title), room - _length(note[given:]))) - 1) + " "
        return spread([(title, "title" if self.has_focus else "strong"), *left], note[given:], width)

    def beside_title(self, width: int) -> Line:
        """More to say behind the title, at this width."""
        return ()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            return self.strip(self._title_line(width), width)
        aligns = [column.align for column in self._columns]
        if self._head_height == 2 and y == 1:
            heads: list[Cell] = [(column.title, "dim") for column in self._columns]
            return self.strip([(" ", "dim"), *columns_line(heads, self._widths(width), aligns)], width)
        index = y - self._head_height
        if index >= len(self._window):
            if index == 0:
                return self.strip([(f" {self.empty}", "dim")], width)
            return self.blank(width)
        row = self._window[index]
        selected = index == self._at and (self.has_focus or not self.model.following)
        mark = ("▌" if selected else " ", "accent")
        if row is None:
            return self.strip([mark, ("(no longer in the buffer)", "dim")], width)
        line = columns_line(self._cells(row), self._widths(width), aligns)
        bar = self._scroll_bar(index)
        body = self.strip([mark, *line], width - 1, "cursor" if selected else None)
        return Strip.join([body, self.strip([bar], 1)])

    def _scroll_bar(self, index: int) -> Cell:
        top, total = self.model.scroll
        if self.model.following or total <= (height := self._body_height):
            return " ", "dim"
        first = top * height // total
        last = first + max(1, height * height // total)
        return ("┃", "accent") if first <= index < last else ("│", "dim")

    # ------------------------------------------------------------------------------------------ keys

    def moved(self) -> None:
        """The model was moved from outside."""
        self._after_move()

    def _after_move(self) -> None:
        self.redraw()
        self.post_message(self.Moved(self))

    def action_move(self, rows: int) -> None:
        self.model.move(rows)
        self._after_move()

    def action_half(self, direction: int) -> None:
        self.model.move(direction * max(1, self._body_height // 2))
        self._after_move()

    def action_top(self) -> None:
        self.model.top()
        self._after_move()

    def action_bottom(self) -> None:
        self.model.follow()
        self._after_move()

    def action_pause(self) -> None:
        if self._live:
            self.model.pause()
            self._after_move()

    def action_match(self, direction: int) -> None:
        if self.model.find(direction):
            self._after_move()

    def action_open(self) -> None:
        row = self.selected
        if row is not None:
            self.post_message(self.Opened(self, row))

    def action_copy(self) -> None:
        row = self.selected
        if row is not None:
            self.post_message(self.CopyWanted("\t".join(text.strip() for text, _ in self._cells(row))))

    def action_export(self) -> None:
        """The rows that the filter lets through, as CSV with a header."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow([column.title for column in self._columns])
        writer.writerows([text.strip() for text, _ in self._cells(row)] for row in self.model.rows())
        self.post_message(self.CopyWanted(out.getvalue(), f"{self.id or 'rows'}.csv"))
