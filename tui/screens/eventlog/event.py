"""One event whole, and the chain it belongs to; enter walks along the chain, back walks the same way home."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.widget import Widget

from tui.ports import Unavailable
from tui.screens.base import ControlScreen
from tui.screens.eventlog.port import Entry
from tui.screens.eventlog.rows import CHAIN, Link, event_lines, link_cells, relation
from tui.widgets.feed import Feed
from tui.widgets.lines import Lines

TRAIL = 100


class EventScreen(ControlScreen):
    AUTO_FOCUS = "#chain"
    title_name: ClassVar[str] = "eventlog"

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self.entry = entry
        self._trail: list[Entry] = []
        self._chain: Feed[Link] = Feed(
            "chain",
            CHAIN,
            link_cells,
            lambda link: link.entry.position,
            live=False,
            empty="loading",
            id="chain",
        )
        self._drawn: tuple[Entry, int] | None = None

    @property
    def address(self) -> str:
        return f"event {self.entry.position}"

    def body(self) -> Iterator[Widget]:
        yield Lines(focusable=True, id="event")
        yield self._chain

    def on_mount(self) -> None:
        self._load()

    def drain(self) -> None:
        pane = self.query_one("#event", Lines)
        width = max(20, pane.size.width - 1)
        if self._drawn != (self.entry, width):
            self._drawn = self.entry, width
            pane.show(event_lines(self.entry, width))

    def _load(self) -> None:
        self.run_worker(self._fetch(self.entry.position), group="event", exclusive=True)

    async def _fetch(self, position: int) -> None:
        log = self.live.ports.eventlog
        try:
            whole = await log.entry(position)
            if whole is not None:
                self.entry = whole
            links = [Link(other, relation(self.entry, other)) for other in await log.related(self.entry)]
        except Unavailable as error:
            self.say(str(error), "bad")
            return
        self._chain.title_text = f"chain of {len(links)}"
        self._chain.replace(links)
        self._chain.model.select(position)
        self._chain.redraw()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        event.stop()
        link: Link = event.row
        if link.entry.position != self.entry.position:
            self._trail = [*self._trail[-TRAIL:], self.entry]
            self.entry = link.entry
            self._load()

    def step_back(self) -> bool:
        if super().step_back():
            return True
        if self._trail:
            self.entry = self._trail.pop()
            self._load()
            return True
        return False
