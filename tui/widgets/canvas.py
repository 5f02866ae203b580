"""Drawing: a line is a sequence of cells, a cell is text and the name of a style.

Every text is cleaned here on its way to the terminal, whatever its source, so a widget cannot forget to.
Style names are component classes (``canvas--bad``), so colours live in ``app.tcss`` alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui.profile import COLORS
from tui.terminal.sanitise import clean, fit

Cell = tuple[str, str]
Line = Sequence[Cell]

STYLES = (
    *("text", "dim", "strong", "title", "accent", "good", "warn", "bad"),
    *("cursor", "key", "bar", "bar-low", "bar-mixed"),
    *(f"on-{name}" for name in COLORS),
)


COMPONENTS = {f"canvas--{name}" for name in STYLES}
"""Component classes of a screen that holds canvases: once a screen, since the style sheet is applied to each of them
whenever the focus moves."""


class Canvas(Widget):
    """Base of everything that draws itself line by line; its screen has ``COMPONENTS`` among its component classes."""

    _styles_by_name: dict[str, Style]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._styles_by_name = {}

    def notify_style_update(self) -> None:
        self._styles_by_name = {}
        super().notify_style_update()

    def named(self, name: str) -> Style:
        """The style behind a cell's style name."""
        style = self._styles_by_name.get(name)
        if style is None:
            own = self.screen.get_component_rich_style(f"canvas--{name}", partial=name != "cursor")
            self._styles_by_name[name] = style = self.rich_style + own
        return style

    def strip(self, cells: Line, width: int, base: str | None = None) -> Strip:
        """Cells one after the other, cut or filled to ``width``; ``base`` lays its background under all of them."""
        under = None if base is None else self.named(base)
        segments: list[Segment] = []
        left = width
        last = ""
        for text, name in cells:
            if left <= 0:
                break
            shown = clean(text, 2 * width + 2)
            size = len(shown) if shown.isascii() else cell_len(shown)
            if size > left:
                shown, size = fit(shown, left), left
            left -= size
            if name == last:
                segments[-1] = Segment(segments[-1].text + shown, segments[-1].style)
                continue
            style, last = self.named(name), name
            if under is not None:
                style = style + under if name in ("text", "dim") else style + Style(bgcolor=under.bgcolor)
            segments.append(Segment(shown, style))
        if left > 0:
            segments.append(Segment(" " * left, self.rich_style if under is None else under))
        return Strip(segments, width)

    def blank(self, width: int) -> Strip:
        return Strip([Segment(" " * width, self.rich_style)], width)


def columns_line(cells: Sequence[Cell], widths: Sequence[int], aligns: Sequence[str]) -> list[Cell]:
    """Cells fitted into columns, one blank between; hidden columns (width 0) are left out."""
    line: list[Cell] = []
    for (text, style), width, align in zip(cells, widths, aligns, strict=True):
        if width:
            if line:
                line[-1] = line[-1][0] + " ", line[-1][1]
            line.append((fit(text, width, align), style))
    return line


def spread(left: Line, right: Line, width: int) -> list[Cell]:
    """Two groups of cells at the two ends of a line; the left one gives way when both do not fit."""
    left = [(clean(text, 2 * width + 2), style) for text, style in left]
    right = [(clean(text, 2 * width + 2), style) for text, style in right]
    tail = sum(cell_len(text) for text, _ in right)
    room = width - tail - 1
    line: list[Cell] = []
    for text, style in left:
        size = cell_len(text)
        if size > room:
            if room > 1:
                line.append((fit(text, room), style))
                room = 0
            break
        line.append((text, style))
        room -= size
    used = sum(cell_len(text) for text, _ in line)
    return [*line, (" " * max(1, width - tail - used), "dim"), *right]
