"""Boot screen: it stays only until the log answers; a failure stays on its line with the reason and a retry key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui import format as show
from tui import keymap
from tui.ports import ServiceState
from tui.screens.base import ControlScreen
from tui.screens.catalogue import load_all
from tui.widgets.canvas import Line
from tui.widgets.lines import Lines

_MARKS = {"up": ("✓", "good"), "failed": ("✗", "bad"), "down": ("✗", "warn"), "restarting": ("↻", "warn")}
_PURPOSE = {
    "PostgreSQL": "the event log and its tables",
    "Kafka": "payments, alerts and labels",
    "ksqlDB": "the rules",
    "rules": "detection rules, deployed",
    "worker": "producer, consumer, scenarios",
    "schema": "tables of the log",
}


def step_lines(services: Sequence[ServiceState], elapsed_s: float, error: str) -> list[Line]:
    """One line per service: mark, name, state, what it is doing, how long it took."""
    lines: list[Line] = [[(" starting the stack", "strong"), (f"   {elapsed_s:.1f} s".replace(".", ","), "dim")], []]
    for service in services:
        mark, style = _MARKS.get(service.state, ("…", "accent"))
        took = "" if service.elapsed_ms is None else show.duration(service.elapsed_ms)
        doing = service.detail or _PURPOSE.get(service.name, "")
        lines.append(
            [
                (f"  {mark} ", style),
                (f"{service.name:<12}", "strong"),
                (f"{service.state:<11}", style),
                (f"{took:>9}  ", "dim"),
                (doing, "text"),
            ]
        )
    if not services:
        lines.append([("  … looking for a stack that runs already", "dim")])
    if error:
        lines += [[], [(f"  {error}", "bad")], [("  r ", "key"), ("tries again", "dim")]]
    return lines


class BootScreen(ControlScreen):
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("boot")]

    def __init__(self) -> None:
        super().__init__()
        self._begun = 0.0
        self._opening = False

    def body(self) -> Iterator[Widget]:
        yield Lines(id="steps")

    def on_mount(self) -> None:
        self.call_after_refresh(self._open)
        self.call_after_refresh(self.app.run_worker, load_all, group="loading")

    def _open(self) -> None:
        if not self._opening:
            self._opening = True
            self._begun = self.live.ports.now()
            self.app.run_worker(self._open_stack(), group="stack", exit_on_error=True)

    async def _open_stack(self) -> None:
        try:
            await self.center.open_stack()
        finally:
            self._opening = False

    def drain(self) -> None:
        error = "" if self._opening or self.live.ready else self.center.start_problem
        elapsed = self.live.ports.now() - self._begun
        self.query_one("#steps", Lines).show(step_lines(list(self.live.services.values()), elapsed, error))

    def action_retry(self) -> None:
        self._open()
