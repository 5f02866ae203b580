"""Frames in as few bytes as they need: cells that look different from what the terminal holds, colours that change.

Textual writes every dirty line whole, and each of its segments with both colours and a reset: forty bytes for a word.
On a slow line those bytes are the time that an answer takes. What the terminal holds is known, since all that paints
goes through here; ``forget`` is for when it is not, as after a change of size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import Color, ColorSystem
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

GAP = 6
"""Unchanged cells between two changed ones that are cheaper to write again than to step over."""

Piece = tuple[int, int, Strip]
"""Row, column of its first cell, content."""

_ATTRIBUTES = (
    *(("bold", 1), ("dim", 2), ("italic", 3), ("underline", 4), ("blink", 5), ("blink2", 6), ("reverse", 7)),
    *(("conceal", 8), ("strike", 9), ("underline2", 21), ("overline", 53)),
)
_SEEN_ON_BLANKS = frozenset((4, 7, 9, 21, 53))


class Look(NamedTuple):
    """What SGR codes make of a cell; ``blank`` is as much of it as shows on a space."""

    attributes: str
    foreground: str
    background: str
    blank: tuple[str, str]


def _codes(color: Color | None, system: ColorSystem, *, foreground: bool) -> str:
    if color is None or color.is_default:
        return "39" if foreground else "49"
    return ";".join(color.downgrade(system).get_ansi_codes(foreground))


def look_of(style: Style | None, system: ColorSystem | None) -> Look:
    """The look of a style in a terminal with these colours; None has no colours and no attributes."""
    if style is None or system is None:
        return Look("", "39", "49", ("49", ""))
    numbers = [code for name, code in _ATTRIBUTES if getattr(style, name)]
    foreground = _codes(style.color, system, foreground=True)
    background = _codes(style.bgcolor, system, foreground=False)
    attributes = ";".join(map(str, numbers))
    seen = f"{attributes} {foreground}" if _SEEN_ON_BLANKS.intersection(numbers) else ""
    return Look(attributes, foreground, background, (background, seen))


def change(before: Look, after: Look) -> str:
    """The SGR sequence that leads from one look to another; empty when they are the same."""
    codes: list[str] = []
    if before.attributes != after.attributes:
        if before.attributes:
            codes.append("0")
            before = PLAIN
        codes.append(after.attributes)
    if before.foreground != after.foreground:
        codes.append(after.foreground)
    if before.background != after.background:
        codes.append(after.background)
    shown = ";".join(code for code in codes if code)
    return f"\x1b[{shown}m" if shown else ""


PLAIN = look_of(None, None)


class _Row:
    """Cells as the terminal holds them; the second cell of a wide character is empty text. None is unknown."""

    def __init__(self) -> None:
        self.texts: list[str | None] = []
        self.looks: list[Look] = []

    def grow(self, width: int) -> None:
        missing = width - len(self.texts)
        if missing > 0:
            self.texts += [None] * missing
            self.looks += [PLAIN] * missing


class Painter:
    """One terminal's content, and the sequences that change it."""

    def __init__(self) -> None:
        self._rows: dict[int, _Row] = {}
        self._looks: dict[Style | None, Look] = {}
        self._same: dict[Look, Look] = {}
        self._system: ColorSystem | None = None

    def forget(self) -> None:
        """The terminal may hold anything now: the next frame is written whole."""
        self._rows.clear()

    def paint(self, pieces: Iterable[Piece], system: ColorSystem | None) -> str:
        """What must be written so that the terminal shows the pieces; ends with plain colours."""
        if system is not self._system:
            self._system = system
            self._looks.clear()
        out: list[str] = []
        self._now = PLAIN
        for y, x, strip in pieces:
            row = self._rows.setdefault(y, _Row())
            texts, looks = self._cells(strip)
            row.grow(x + len(texts))
            end = x + len(texts)
            if row.texts[x:end] != texts or row.looks[x:end] != looks:
                for first, last in _changed(row, x, texts, looks):
                    out.append(f"\x1b[{y + 1};{x + first + 1}H")
                    self._write(out, texts[first:last], looks[first:last])
                row.texts[x:end] = texts
                row.looks[x:end] = looks
        if self._now is not PLAIN:
            out.append("\x1b[0m")
        return "".join(out)

    def _look(self, style: Style | None) -> Look:
        look = self._looks.get(style)
        if look is None:
            look = look_of(style, self._system)
            self._looks[style] = look = self._same.setdefault(look, look)
        return look

    def _cells(self, strip: Strip) -> tuple[list[str], list[Look]]:
        texts: list[str] = []
        looks: list[Look] = []
        for text, style, control in strip:
            if control:
                continue
            look = self._look(style)
            if text.isascii() or cell_len(text) == len(text):
                texts += text
                looks += [look] * len(text)
                continue
            for char in text:
                width = cell_len(char)
                if width == 0 and texts:
                    texts[-1] += char
                else:
                    texts += [char, *[""] * (width - 1)]
                    looks += [look] * width
        return texts, looks

    def _write(self, out: list[str], texts: list[str], looks: list[Look]) -> None:
        now = self._now
        for text, look in zip(texts, looks, strict=True):
            if look is not now and (text != " " or look.blank != now.blank):
                out.append(change(now, look))
                now = look
            out.append(text)
        self._now = now


def _changed(row: _Row, x: int, texts: list[str], looks: list[Look]) -> Iterator[tuple[int, int]]:
    """Runs of cells to write, as (first, after the last); never half of a wide character, old or new."""
    first = last = -1
    for index, (text, look) in enumerate(zip(texts, looks, strict=True)):
        old_text, old_look = row.texts[x + index], row.looks[x + index]
        if text == old_text and (look is old_look or (text == " " and look.blank == old_look.blank)):
            continue
        if first >= 0 and index - last > GAP:
            yield _whole(row, x, texts, first, last)
            first = -1
        if first < 0:
            first = index
        last = index + 1
    if first >= 0:
        yield _whole(row, x, texts, first, last)


def _whole(row: _Row, x: int, texts: list[str], first: int, last: int) -> tuple[int, int]:
    while first > 0 and "" in (texts[first], row.texts[x + first]):
        first -= 1
    while last < len(texts) and "" in (texts[last], row.texts[x + last]):
        last += 1
    return first, last


def pieces_of(update: CompositorUpdate) -> Iterator[Piece] | None:
    """The strips of a frame with their places; None for a kind of frame that has none."""
    if isinstance(update, LayoutUpdate):
        return _layout_pieces(update)
    if isinstance(update, ChopsUpdate):
        return _chop_pieces(update)
    return None


def _layout_pieces(update: LayoutUpdate) -> Iterator[Piece]:
    for y, strips in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in strips:
            yield y, x, strip
            x += strip.cell_length


def _chop_pieces(update: ChopsUpdate) -> Iterator[Piece]:
    for y, begin, end in update.spans:
        for chop_end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x < end and chop_end > begin:
                yield y, x, strip


class Frame(CompositorUpdate):
    """A frame that writes what the painter finds to have changed."""

    def __init__(self, pieces: Iterator[Piece], painter: Painter) -> None:
        self._pieces = pieces
        self._painter = painter

    def render_segments(self, console: Console) -> str:
        return self._painter.paint(self._pieces, console._color_system)
