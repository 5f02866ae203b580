"""The statement editor: Textual's TextArea, coloured by our own lexer since no grammar for ksqlDB is at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.widgets import TextArea

from tui import keymap
from tui.screens.ksqldb import lexer
from tui.terminal.sanitise import visible

if TYPE_CHECKING:
    from tui.terminal.pacing import TerminalApp

_COMPONENTS = ("keyword", "type", "function", "string", "quoted", "number", "comment")


DRAWN = 4_000
"""Characters of a line that are drawn: a longer one, as from a file that is no SQL, would hold up every key."""
COLOURED = 50_000


class Editor(TextArea):
    """Marks ``problem`` (line and column from 1) until the text changes. The panel's keys are bound here too."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*(f"editor--{kind}" for kind in _COMPONENTS), "editor--problem"}

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("text", "editor")]

    def __init__(self, text: str, *, id: str) -> None:
        super().__init__(text, id=id, tab_behavior="focus", compact=True, theme="css", highlight_cursor_line=False)
        self.cursor_blink = False  # each blink is bytes on the line
        self._spans: dict[int, list[tuple[str, int, int]]] = {}
        self._spans_of = ""
        self.problem: tuple[int, int] | None = None

    def mark(self, line: int, column: int) -> None:
        """Show where the server stumbled, and put the cursor there."""
        self.problem = (line, column)
        self.move_cursor((line - 1, max(0, column - 1)))
        self._spans_of = ""
        self._line_cache.clear()
        self.refresh()

    def _tokenise(self) -> None:
        text = self.text[:COLOURED]
        if text == self._spans_of:
            return
        self._spans_of = text
        self._spans = {}
        starts = [0]
        for line in text.split("\n"):
            starts.append(starts[-1] + len(line) + 1)
        row = 0
        for kind, begin, end in lexer.tokens(text):
            while begin >= starts[row + 1]:
                row += 1
            at = row
            while begin < end:
                stop = min(end, starts[at + 1])
                self._spans.setdefault(at, []).append((kind, begin - starts[at], stop - starts[at]))
                begin, at = stop, at + 1

    def get_line(self, line_index: int) -> Text:
        self._tokenise()
        line = Text(visible(self.document.get_line(line_index)[:DRAWN]), end="", no_wrap=True)
        for kind, begin, end in self._spans.get(line_index, ()):
            if kind != "end":
                line.stylize(self.get_component_rich_style(f"editor--{kind}", partial=True), begin, end)
        if self.problem is not None and self.problem[0] - 1 == line_index:
            begin = self.problem[1] - 1
            line.stylize(
                self.get_component_rich_style("editor--problem", partial=True), begin, max(begin + 1, len(line))
            )
        return line

    def on_text_area_changed(self) -> None:
        self.problem = None

    async def on_key(self, event: events.Key) -> None:
        """Keys that write nothing do their work before what was typed behind them is written."""
        if not event.is_printable and await cast("TerminalApp", self.app).run_binding(event.key):
            event.stop()
            event.prevent_default()
