"""Messages of one topic: its tail, or from a chosen place; each one standing up; sending one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from tui import format as show
from tui import keymap
from tui.ports import Unavailable
from tui.screens.base import ControlScreen
from tui.screens.dialogs import TextPanel
from tui.screens.kafka.port import Message, Start
from tui.screens.kafka.rows import MESSAGES, message_cells, message_lines, parse_start, start_text
from tui.terminal.sanitise import clean
from tui.widgets.canvas import Cell
from tui.widgets.feed import Feed
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui.screens.kafka.port import Browser

KEPT = 10_000
READ_AT_MOST = 10_000
"""Messages read from a chosen place; a tail has no end."""
RETRY_S = 2.0
TAIL = Start("latest")


class TopicScreen(ControlScreen):
    AUTO_FOCUS = "#messages"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("messages")]
    title_name = "kafka"

    def __init__(self, topic: str, start: Start = TAIL) -> None:
        super().__init__()
        self.topic = topic
        self._start = start
        self._read = 0
        self._skipped = 0
        self._landed = False
        """Whether the cursor stands on the first message that was asked for."""
        self._state: Cell = ("connecting", "dim")
        self._messages: Feed[Message] = Feed(
            topic,
            MESSAGES,
            message_cells,
            lambda message: (message.partition, message.offset),
            limit=KEPT,
            empty="no messages from there on yet",
            id="messages",
        )
        self._previewed: tuple[Message | None, int] | None = None

    @property
    def address(self) -> str:
        start = self._start
        place = "" if start.partition is None else f"{start.partition}@"
        words = {"offset": f" {place}{start.value}", "beginning": " beginning"}.get(start.kind, "")
        return f"topic {self.topic}{words}"

    def body(self) -> Iterator[Widget]:
        with Horizontal(id="split"):
            yield self._messages
            yield Lines(id="preview")

    def on_mount(self) -> None:
        self._follow()

    def _follow(self) -> None:
        self._messages.model.clear()
        self._read = self._skipped = 0
        self._landed = False
        self._state = ("connecting", "dim")
        self.run_worker(self._keep_reading(self._start), group="messages", exclusive=True)

    async def _keep_reading(self, start: Start) -> None:
        """Read until enough or for ever; a lost broker is said and tried again."""
        while True:
            try:
                await self._browse(start)
                return
            except Unavailable as error:
                self._state = (str(error), "bad")
            await asyncio.sleep(RETRY_S)

    async def _browse(self, start: Start) -> None:
        browser: Browser = await self.live.ports.cluster.browse(self.topic, start)
        try:
            self._state = (start_text(start, int(self.live.ports.now() * 1000)), "good")
            while start.tails or self._read < READ_AT_MOST:
                batch = await browser.next()
                self._read += len(batch.messages)
                self._skipped += batch.skipped
                self._messages.add(batch.messages)
                if batch.messages and not start.tails:
                    self._land(start, batch.messages[0])
            self._state = ("stopped, o reads elsewhere", "warn")
        finally:
            await browser.close()

    def _land(self, start: Start, first: Message) -> None:
        """Stand on the first message from ``start`` on; those that are read behind it can be scrolled to."""
        feed = self._messages
        if not self._landed:
            self._landed = True
            feed.action_top()
            if start.kind == "offset" and start.partition is not None and first.offset > start.value:
                gone = f"{self.topic}/{start.partition} @ {show.number(start.value)} is no longer kept"
                self.say(f"{gone}: the first is {show.number(first.offset)}", "warn")
        elif not feed.model.following:
            feed.set_filter(feed.model.filter)

    def drain(self) -> None:
        skipped = f", {show.number(self._skipped)} passed over" if self._skipped else ""
        text, style = self._state
        self._messages.note = [(f"{show.number(self._read)} read, ", "dim"), (f"{text}{skipped} ", style)]
        self._messages.redraw()
        self._preview()

    def _lines(self, message: Message, width: int) -> list[list[Cell]]:
        now_ms = int(self.live.ports.now() * 1000)
        return [list(line) for line in message_lines(self.topic, message, now_ms, width)]

    def _preview(self) -> None:
        pane = self.query_one("#preview", Lines)
        message = self._messages.selected
        if pane.display and self._previewed != (message, pane.size.width):
            self._previewed = message, pane.size.width
            pane.show([] if message is None else self._lines(message, pane.size.width))

    def on_feed_moved(self) -> None:
        self._preview()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        event.stop()
        self.app.push_screen(TextPanel(self._lines(event.row, self.size.width - 1)))

    # ------------------------------------------------------------------------------------------ keys

    def action_start(self) -> None:
        self.talk(self._ask_start(), "ask")

    async def _ask_start(self) -> None:
        def start(text: str) -> Start | None:
            return parse_start(text, int(self.live.ports.now() * 1000))

        answer = await self.ask(
            "from: latest, beginning, OFFSET, PARTITION@OFFSET, 14:02, 2026-07-20 14:02",
            check=lambda text: f"{clean(text, 40)} is no place to read from" if start(text) is None else "",
        )
        if answer is not None and (found := start(answer)) is not None:
            self._start = found
            self._follow()

    def action_produce(self) -> None:
        self.talk(self._produce(), "ask")

    async def _produce(self) -> None:
        topic = clean(self.topic, 60)
        value = await self.ask(f"value of a message for {topic} (esc = none is sent)", more=True)
        if value is None:
            return
        key = await self.ask("its key (empty = none)", more=True)
        if key is None:
            return
        size = len(value.encode())
        named = f"key {clean(key, 30)}" if key else "no key"
        if not await self.sure(f"send {show.counted(size, 'byte')}, {named}, to {topic}: its readers act on it"):
            return
        await self.center.command(self.live.ports.cluster.produce(self.topic, key.encode() or None, value.encode()))
