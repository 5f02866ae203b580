"""The bottom lines: keys of what has focus, and the last message."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len
from textual.binding import Binding
from textual.screen import Screen
from textual.strip import Strip

from tui import keymap
from tui.widgets.canvas import Canvas, Cell, Line, spread


def active_actions(screen: Screen[object]) -> list[tuple[keymap.Action, list[str]]]:
    """The registry's actions that work now with their keys as people read them, a user's keymap included."""
    found: dict[str, tuple[keymap.Action, list[str]]] = {}
    for key, active in screen.active_bindings.items():
        action = keymap.find(active.binding.id)
        if action is not None and active.enabled:
            found.setdefault(action.name, (action, []))[1].append(key)
    return [(action, _in_order(action, keys)) for action, keys in found.values()]


def _in_order(action: keymap.Action, keys: list[str]) -> list[str]:
    """As the registry names them, then the user's own."""
    own = [key for key in action.keys if key in keys]
    return [keymap.shown(key) for key in own + [key for key in keys if key not in own]]


def resting_actions(screen: Screen[object], user_keys: Mapping[str, str]) -> list[tuple[keymap.Action, list[str]]]:
    """Actions of the screen's other panes, which work when these have the focus."""
    active = {action.name for action, _ in active_actions(screen)}
    classes = dict.fromkeys(kind for pane in screen.focus_chain for kind in type(pane).__mro__)
    bound = (binding for kind in classes for binding in vars(kind).get("BINDINGS", ()))
    actions = (keymap.find(binding.id) for binding in bound if isinstance(binding, Binding))
    found = {action.name: action for action in actions if action is not None and action.name not in active}
    return [
        (action, [keymap.shown(key) for key in user_keys.get(name, ",".join(action.keys)).split(",")])
        for name, action in found.items()
    ]


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
        for action, keys in listed:
            key = keys[0]
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
        self._more = 0

    def show(self, text: str, style: str, more: int = 0) -> None:
        """``more`` were said too, and are in the history."""
        if (text, style, more) != (self._text, self._style, self._more):
            self._text, self._style, self._more = text, style, more
            self.display = bool(text)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        line: Line = [(" ", "dim"), (self._text, self._style)]
        return self.strip(spread(line, [(f" +{self._more} more: m ", "warn")], width) if self._more else line, width)
