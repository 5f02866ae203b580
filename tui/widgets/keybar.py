"""The bottom lines: keys of what has focus, and the last message."""

from __future__ import annotations

from rich.cells import cell_len
from textual.screen import Screen
from textual.strip import Strip

from tui import keymap
from tui.widgets.canvas import Canvas, Cell, spread


def active_actions(screen: Screen[object]) -> list[tuple[keymap.Action, str]]:
    """The registry's actions that work now, each with the key shown for it (a user's keymap included)."""
    found: dict[str, tuple[keymap.Action, str]] = {}
    for key, active in screen.active_bindings.items():
        action = keymap.find(active.binding.id)
        if action is not None and active.enabled and action.name not in found:
            found[action.name] = (action, keymap.shown(_preferred(action, key)))
    return list(found.values())


def _preferred(action: keymap.Action, key: str) -> str:
    """The registry's first spelling when the key is one of its own, such as ``?`` for ``question_mark``."""
    return action.keys[0] if key in action.keys else key


class KeyBar(Canvas):
    """One line: the most useful keys that fit, help always among them."""

    def __init__(self) -> None:
        super().__init__(id="keys")

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self._changed())

    def _changed(self) -> None:
        if self.is_attached:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        listed = sorted((a for a in active_actions(self.screen) if a[0].footer), key=lambda pair: pair[0].footer)
        helps: list[Cell] = []
        cells: list[Cell] = [(" ", "dim")]
        room = width - len("  ? help ") - 1
        for action, key in listed:
            if action.id == "help":
                helps = [(key, "key"), (" help ", "dim")]
                continue
            size = cell_len(key) + cell_len(action.label) + 3
            if size <= room:
                cells += [(key, "key"), (f" {action.label}  ", "dim")]
                room -= size
        return self.strip(spread(cells, helps, width), width)


class MessageLine(Canvas):
    """One line that is there only while it has something to say."""

    def __init__(self) -> None:
        super().__init__(id="message")
        self._text = ""
        self._style = "text"

    def show(self, text: str, style: str) -> None:
        if (text, style) != (self._text, self._style):
            self._text, self._style = text, style
            self.display = bool(text)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        return self.strip([(" ", "dim"), (self._text, self._style)], width)
