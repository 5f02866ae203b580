"""A question in place, at the bottom of the screen: filters, reasons, confirmations, commands."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from tui.terminal.sanitise import wrap
from tui.widgets.canvas import Line
from tui.widgets.lines import Lines

QUESTION_LINES = 3
"""Of a question at most: what is asked stands there to its end on a narrow terminal."""

_PRINTABLE = "[^\\x00-\\x1f\\x7f-\\x9f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069]*"
"""What may be entered: a pasted control sequence is refused as a whole."""


Check = Callable[[str], str]
"""What is wrong with an answer, as a sentence; empty when nothing is."""


def _common(texts: Sequence[str]) -> str:
    """What all of them begin with."""
    first, last = min(texts, default=""), max(texts, default="")
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:same]


class _Answer(Input):
    """Takes its keys in the order they came. Bindings run only after keys that are typed fast behind them."""

    def __init__(self, give: Callable[[str | None], None]) -> None:
        super().__init__(id="answer", select_on_focus=False, compact=True, restrict=_PRINTABLE)
        self.cursor_blink = False  # each blink is bytes on the line
        self._give = give
        self.options: Sequence[str] = ()
        self.earlier: Sequence[str] = ()
        self._back = 0

    def prepare(self, options: Sequence[str], earlier: Sequence[str]) -> None:
        """What tab completes to, and what up walks back through (the newest last)."""
        self.options, self.earlier, self._back = options, earlier, 0

    def _complete(self) -> None:
        """To what all options that begin so have in common; with nothing to add, to the next option."""
        fitting = [option for option in self.options if option.startswith(self.value)]
        common = _common(fitting)
        if self.value in self.options:
            group = [option for option in self.options if option.startswith(self.value.rpartition(" ")[0])]
            common = group[(group.index(self.value) + 1) % len(group)]
        elif common == self.value and fitting:
            common = fitting[0]
        self._put(common or self.value)

    def _recall(self, step: int) -> None:
        self._back = max(0, min(len(self.earlier), self._back + step))
        self._put(self.earlier[-self._back] if self._back else "")

    def _put(self, text: str) -> None:
        self.value = text
        self.cursor_position = len(text)

    def on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            self._give(self.value)
        elif event.key == "escape":
            self._give(None)
        elif event.key == "backspace":
            self.action_delete_left()
        elif event.key == "tab" and self.options:
            self._complete()
        elif event.key in ("up", "down") and self.earlier:
            self._recall(1 if event.key == "up" else -1)
        else:
            return
        event.stop()
        event.prevent_default()


class Prompt(Vertical):
    """Hidden until ``ask``; enter answers, escape declines. One question at a time.

    What is typed ahead of a question is its answer, never a command: ``hold`` takes the keys before the question is
    there, and ``ask`` with ``more`` keeps them until the next one.
    """

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self._answer: asyncio.Future[str | None] | None = None
        self._ahead: deque[str | None] = deque()
        self._on_change: Callable[[str], None] | None = None
        self._check: Check | None = None
        self._asked: list[Line] = []
        self._before: Widget | None = None

    def compose(self) -> ComposeResult:
        yield Lines(id="question")
        yield _Answer(self._give)

    @property
    def is_open(self) -> bool:
        return self.display

    def hold(self) -> None:
        """Take the keys from now on, for the question that comes."""
        if self.is_open:
            return
        self._before = self.screen.focused
        self._ahead.clear()
        self.query_one(Lines).show([])
        self.query_one(Input).value = ""
        self.display = True
        self.screen.set_focus(self.query_one(Input))

    def release(self) -> None:
        """No more questions: the keys go to where they went before."""
        if self.is_open and self._answer is None:
            self.display = False
            self.screen.set_focus(self._before if self._before is not None and self._before.is_attached else None)

    async def ask(
        self,
        question: str,
        *,
        danger: bool = False,
        value: str = "",
        on_change: Callable[[str], None] | None = None,
        more: bool = False,
        options: Sequence[str] = (),
        earlier: Sequence[str] = (),
        check: Check | None = None,
    ) -> str | None:
        """The text that was entered, or None when it was declined. ``on_change`` hears every stroke.

        ``options`` are what tab completes to, ``earlier`` what up brings back. What ``check`` finds wrong is said below
        the question, and the text stays to be mended.
        """
        if self._answer is not None:
            return None
        self.hold()
        if self._ahead:
            early = self._ahead.popleft()
            wrong = "" if early is None or check is None else check(early)
            if not wrong:
                if not more:
                    self.release()
                return early
            value = early or ""
        else:
            wrong = ""
        self._answer = asyncio.get_running_loop().create_future()
        self._check = check
        self._asked = self._wrapped(question, "bad" if danger else "accent")
        self._say(wrong)
        answer = self.query_one(_Answer)
        answer.prepare(options, earlier)
        self._on_change = None
        answer.value = value + answer.value
        answer.cursor_position = len(answer.value)
        self._on_change = on_change
        try:
            return await self._answer
        finally:
            self._answer = None
            self._on_change = self._check = None
            answer.value = ""
            if not more:
                self.release()

    def _wrapped(self, text: str, style: str) -> list[Line]:
        return [[(f" {line}", style)] for line in wrap(text, max(20, self.screen.size.width - 2), QUESTION_LINES)]

    def _say(self, wrong: str) -> None:
        """The question, and what is wrong with the answer."""
        pane, lines = self.query_one(Lines), [*self._asked, *(self._wrapped(wrong, "warn") if wrong else [])]
        pane.styles.height = len(lines)
        pane.show(lines)

    def _give(self, answer: str | None) -> None:
        if self._answer is not None and not self._answer.done():
            if answer is not None and self._check is not None and (wrong := self._check(answer)):
                self._say(wrong)
                return
            self._answer.set_result(answer)
        elif self.is_open:
            self._ahead.append(answer)
        self.query_one(Input).value = ""

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._on_change is not None:
            self._on_change(event.value)
