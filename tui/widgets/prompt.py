"""A question in place, at the bottom of the screen: filters, reasons, confirmations, commands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from tui.widgets.lines import Lines

_PRINTABLE = "[^\\x00-\\x1f\\x7f-\\x9f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069]*"
"""What may be entered: a pasted control sequence is refused as a whole."""


class Prompt(Vertical):
    """Hidden until ``ask``; enter answers, escape declines. One question at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "decline", show=False, priority=True)]

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self._answer: asyncio.Future[str | None] | None = None
        self._on_change: Callable[[str], None] | None = None
        self._before: Widget | None = None

    def compose(self) -> ComposeResult:
        yield Lines(id="question")
        answer = Input(id="answer", select_on_focus=False, compact=True, restrict=_PRINTABLE)
        answer.cursor_blink = False  # each blink is bytes on the line
        yield answer

    @property
    def is_open(self) -> bool:
        return self._answer is not None

    async def ask(
        self, question: str, *, danger: bool = False, value: str = "", on_change: Callable[[str], None] | None = None
    ) -> str | None:
        """The text that was entered, or None when it was declined. ``on_change`` hears every stroke."""
        if self._answer is not None:
            return None
        self._answer = asyncio.get_running_loop().create_future()
        self._on_change = None
        if self.screen.focused is not self.query_one(Input):  # of two questions in a row the second finds it focused
            self._before = self.screen.focused
        self.query_one(Lines).show([[(f" {question}", "bad" if danger else "accent")]])
        answer = self.query_one(Input)
        answer.value = value
        answer.cursor_position = len(value)
        self._on_change = on_change
        self.display = True
        answer.focus()
        try:
            return await self._answer
        finally:
            self._answer = None
            self._on_change = None
            self.display = False
            if self._before is not None and self._before.is_attached:
                self._before.focus()

    def _give(self, answer: str | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._give(event.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._on_change is not None:
            self._on_change(event.value)

    def action_decline(self) -> None:
        self._give(None)
