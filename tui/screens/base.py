"""The frame of every screen: status above, keys and messages below, one drain timer, questions in place."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from tui.ports import Verdict
from tui.terminal.pacing import PacedScreen
from tui.terminal.sanitise import clean
from tui.widgets.canvas import COMPONENTS
from tui.widgets.feed import Feed
from tui.widgets.keybar import KeyBar, MessageLine
from tui.widgets.prompt import Check, Prompt
from tui.widgets.status import StatusLine
from tui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from tui.app import ControlCenter
    from tui.live import Live

DRAIN_HZ = 4
CONSEQUENCE = 120
"""Characters of what is about to happen."""


class ControlScreen(PacedScreen[None]):
    """Subclasses give ``body`` and ``drain``; ``title_name`` is the screen's name in the second line.

    Textual calls the ``on_…`` handlers of every class of a widget, so a subclass's never call ``super()``'s.
    """

    AUTO_FOCUS: ClassVar[str | None] = ""
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    title_name: ClassVar[str] = ""
    guide: ClassVar[Sequence[tuple[str, str]]] = ()
    """Words of the screen and what they mean, for help; a list's columns bring their own."""

    @property
    def center(self) -> ControlCenter:
        return cast("ControlCenter", self.app)

    @property
    def live(self) -> Live:
        return self.center.live

    @property
    def address(self) -> str:
        """The command that opens this screen again, such as ``account acc-1``; empty for one with a number key."""
        return ""

    def body(self) -> Iterator[Widget]:
        raise NotImplementedError

    def drain(self) -> None:
        """Take what is new from the sources and repaint; a few times a second, only while shown."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield StatusLine()
        yield from self.body()
        with Vertical(id="foot"):
            yield Prompt()
            yield MessageLine()
            yield KeyBar()
        yield TooSmall()

    def on_mount(self) -> None:
        for feed in self.query(Feed):
            if kept := self.center.session.filters.get(feed.id or ""):
                feed.set_filter(kept)
        self.set_interval(1 / DRAIN_HZ, self.tick, name="drain")
        self.call_after_refresh(self.tick)

    def on_screen_resume(self) -> None:
        self.tick()

    def tick(self) -> None:
        """Bring the screen up to date, unless nobody would see it now."""
        if not self.is_current or self.writer_behind or not self.query(KeyBar):
            return
        self.query_one(StatusLine).show(self.live.headline(), self.title_name, self.center.counts())
        self.query_one(MessageLine).show(*self.center.notices.line(self.live.ports.now()))
        self.drain()

    def fill(self) -> None:
        """Have what is known in the lists before the next key is looked at: it acts on them."""
        if self.query(KeyBar):
            self.drain()

    # ------------------------------------------------------------------------------------------ questions

    def talk(self, work: Coroutine[Any, Any, None], group: str) -> None:
        """Run what begins with a question: keys typed from now on are its answer, even before it is asked."""
        prompt = self.query_one(Prompt)
        prompt.hold()

        async def held() -> None:
            try:
                await work
            finally:
                prompt.release()

        self.run_worker(held(), group=group, exclusive=True)

    async def ask(
        self, question: str, *, danger: bool = False, value: str = "", more: bool = False, check: Check | None = None
    ) -> str | None:
        """The answer, None when declined; ``more``: another question follows at once. See ``Prompt.ask``."""
        return await self.query_one(Prompt).ask(question, danger=danger, value=value, more=more, check=check)

    async def sure(self, consequence: str) -> bool:
        """Whether the operator typed yes to what is about to happen."""
        told = clean(consequence, CONSEQUENCE)  # a name of any length must not push out what to type
        answer = await self.ask(f"{told}. Type yes (enter = no)", danger=True)
        if (answer or "").strip().casefold() == "yes":
            return True
        self.say("nothing done")
        return False

    def go(self, line: str) -> None:
        """Where a command leads, such as ``event 1200``."""
        from tui import commands

        self.run_worker(commands.run(self.center, line), group="go", exclusive=True)

    def say(self, text: str, style: str = "text") -> None:
        self.center.say(text, style)

    def tell(self, verdict: Verdict) -> None:
        self.center.tell(verdict)

    def action_filter(self) -> None:
        if isinstance(self.focused, Feed):
            self.talk(self._ask_filter(self.focused), "filter")

    async def _ask_filter(self, feed: Feed[Any]) -> None:
        before = feed.model.filter
        answer = await self.query_one(Prompt).ask(
            "rows with this text (enter keeps it, esc drops it)", value=before, on_change=feed.set_filter
        )
        feed.set_filter("" if answer is None else answer)
        self._remember_filter(feed)

    def _remember_filter(self, feed: Feed[Any]) -> None:
        if feed.id is not None:
            self.center.session.filtered(feed.id, feed.model.filter)

    def on_feed_copy_wanted(self, event: Feed.CopyWanted) -> None:
        event.stop()
        self.center.copy_or_save(event.text, event.file_name)

    # ------------------------------------------------------------------------------------------ back

    def step_back(self) -> bool:
        """Undo the innermost thing that is open; false when there is nothing and the screen itself should close."""
        if self.maximized is not None:
            self.minimize()
            return True
        focused = self.focused
        if isinstance(focused, Feed) and focused.model.filter:
            focused.set_filter("")
            self._remember_filter(focused)
            return True
        return False
