"""The palette: every action that works here and now, and every command, found by any part of their words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui import commands, keymap
from tui.app import ControlCenter


class Palette(Provider):
    """Entries in the order of the key line; actions first."""

    def _entries(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        center = cast("ControlCenter", self.app)
        seen: set[str] = set()
        for key, active in self.screen.active_bindings.items():
            action = keymap.find(active.binding.id)
            if action is None or not active.enabled or action.name in seen or action.id == "palette":
                continue
            seen.add(action.name)
            run = partial(center.run_action, active.binding.action, active.node)
            scope = keymap.SCOPES[action.scope]
            yield f"{scope}: {action.label}", f"{keymap.shown(key)}  {action.help}", run
        for line in commands.lines(center):
            name = line.partition(" ")[0]
            about = next(command for command in commands.COMMANDS if command.name == name)
            if about.argument and line == name:
                continue
            yield f": {line}", about.help, partial(commands.run, center, line)

    async def discover(self) -> Hits:
        for text, help_text, run in self._entries():
            yield DiscoveryHit(text, run, help=help_text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for text, help_text, run in self._entries():
            score = max(matcher.match(text), matcher.match(help_text) * 0.9)
            if score > 0:
                yield Hit(score, matcher.highlight(text), run, help=help_text)
