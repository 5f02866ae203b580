"""Kafka: topics, groups with live lag, dead letters. What is slow comes in stages; what is unknown is N/A."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui import format as show
from tui import keymap
from tui.ports import Unavailable
from tui.screens.base import ControlScreen
from tui.screens.dialogs import TextPanel
from tui.screens.kafka.port import DeadLetter
from tui.screens.kafka.rows import (
    GROUPS,
    INLET,
    LETTERS,
    TOPICS,
    GroupRow,
    TopicRow,
    facts_lines,
    group_cells,
    group_lines,
    inlet,
    letter_cells,
    letter_lines,
    topic_cells,
)
from tui.screens.kafka.topic import TopicScreen
from tui.widgets.canvas import Line
from tui.widgets.feed import Feed

EVERY_S = 2.0
"""Between two looks at the cluster."""
ROWS = 200
"""Topics and groups that are asked about at most; more are listed by name."""


class Topics(Feed[TopicRow]):
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("topics")]

    def action_facts(self) -> None:
        screen, row = self.screen, self.selected
        if row is not None and isinstance(screen, KafkaScreen):
            screen.show_facts(row.name)


class Letters(Feed[DeadLetter]):
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("letters")]

    def action_letter(self, what: str) -> None:
        screen, row = self.screen, self.selected
        if row is not None and isinstance(screen, KafkaScreen):
            screen.settle(what, row)


class KafkaScreen(ControlScreen):
    AUTO_FOCUS = "#topics"
    title_name = "kafka"

    def __init__(self) -> None:
        super().__init__()
        self._topics = Topics(
            "topics", TOPICS, topic_cells, lambda row: row.name, live=False, empty="asking the cluster", id="topics"
        )
        self._groups: Feed[GroupRow] = Feed(
            "groups", GROUPS, group_cells, lambda row: row.name, live=False, empty="asking the cluster", id="groups"
        )
        self._letters = Letters(
            "dead letters",
            LETTERS,
            letter_cells,
            lambda letter: letter.id,
            live=False,
            empty="none: every record was understood",
            heads=False,
            id="letters",
        )
        self._counted: Mapping[str, int] = {}
        self._counted_at = 0.0
        self._described: dict[str, GroupRow] = {}

    def body(self) -> Iterator[Widget]:
        yield self._topics
        yield self._groups
        yield self._letters

    def on_mount(self) -> None:
        self.run_worker(self._keep_looking(), group="cluster")

    def drain(self) -> None:
        lag = self.live.lag.value
        own = [inlet(lag.by_partition)] if lag is not None else [GroupRow(INLET, None, self.live.lag.error)]
        self._groups.replace([*own, *self._described.values()])

    # ------------------------------------------------------------------------------------------ looking

    async def _keep_looking(self) -> None:
        """Everything in turn, again and again, while the screen is shown."""
        while True:
            if self.is_current and not self.writer_behind:
                await self._stage(self._topics, self._look_at_topics)
                await self._stage(self._letters, self._look_at_letters)
                await self._stage(self._groups, self._look_at_groups)
            await asyncio.sleep(EVERY_S)

    async def _stage(self, pane: Feed[Any], look: Callable[[], Awaitable[None]]) -> None:
        try:
            await look()
            pane.note = ()
        except Unavailable as error:
            pane.note = [(f"{error} ", "bad")]
            pane.redraw()

    async def _look_at_topics(self) -> None:
        cluster = self.live.ports.cluster
        partitions = dict(await cluster.topics())
        self._show_topics(partitions, self._counted, {})
        counts = await cluster.messages(list(partitions)[:ROWS])
        now = self.live.ports.now()
        passed = now - self._counted_at
        rates = {
            name: max(0, count - self._counted[name]) / passed
            for name, count in counts.items()
            if name in self._counted and passed > 0
        }
        self._counted, self._counted_at = counts, now
        self._show_topics(partitions, counts, rates)

    def _show_topics(
        self, partitions: Mapping[str, int], counts: Mapping[str, int], rates: Mapping[str, float]
    ) -> None:
        known: Mapping[str, float | None] = rates or {row.name: row.rate for row in self._topics.model.rows()}
        self._topics.title_text = show.counted(len(partitions), "topic")
        self._topics.replace(
            [TopicRow(name, count, counts.get(name), known.get(name)) for name, count in partitions.items()]
        )

    async def _look_at_groups(self) -> None:
        cluster = self.live.ports.cluster
        names = await cluster.groups()
        self._described = {name: self._described.get(name, GroupRow(name, None)) for name in names}
        self._groups.title_text = show.counted(len(names) + 1, "group")
        for name in names[:ROWS]:
            try:
                self._described[name] = GroupRow(name, await cluster.group(name))
            except Unavailable as error:
                self._described[name] = GroupRow(name, None, str(error))

    async def _look_at_letters(self) -> None:
        letters = await self.live.ports.cluster.dead_letters(ROWS)
        waiting = sum(letter.status == "open" for letter in letters)
        self._letters.title_text = f"dead letters, {waiting} open"
        self._letters.replace(letters)

    # ------------------------------------------------------------------------------------------ what is opened

    def on_feed_opened(self, event: Feed.Opened) -> None:
        event.stop()
        row = event.row
        if isinstance(row, TopicRow):
            self.app.push_screen(TopicScreen(row.name))
        elif isinstance(row, GroupRow):
            if row.group is None:
                self.say(row.error or "the cluster has not described it yet", "warn")
            else:
                self.app.push_screen(TextPanel(group_lines(row.group)))
        elif isinstance(row, DeadLetter):
            self.run_worker(self._show_letter(row), group="open", exclusive=True)

    def show_facts(self, topic: str) -> None:
        self.run_worker(self._show_facts(topic), group="open", exclusive=True)

    async def _show_facts(self, topic: str) -> None:
        await self._panel(self._facts(topic))

    async def _facts(self, topic: str) -> list[Line]:
        return facts_lines(topic, await self.live.ports.cluster.facts(topic))

    async def _show_letter(self, letter: DeadLetter) -> None:
        await self._panel(self._letter(letter))

    async def _letter(self, letter: DeadLetter) -> list[Line]:
        content = await self.live.ports.cluster.letter(letter.id)
        if content is None:
            raise Unavailable(f"dead letter {letter.id} is gone")
        return letter_lines(letter, content, self.size.width - 1)

    async def _panel(self, loading: Awaitable[list[Line]]) -> None:
        try:
            lines = await loading
        except Unavailable as error:
            self.say(str(error), "bad")
            return
        self.app.push_screen(TextPanel(lines))

    # ------------------------------------------------------------------------------------------ dead letters

    def settle(self, what: str, letter: DeadLetter) -> None:
        """Requeue or discard a dead letter, after asking."""
        if letter.status != "open":
            self.say(f"dead letter {letter.id} is {letter.status} already")
            return
        self.talk(self._settle(what, letter), "letter")

    async def _settle(self, what: str, letter: DeadLetter) -> None:
        cluster = self.live.ports.cluster
        place = f"{letter.topic}/{letter.partition}"
        if what == "requeue":
            sure = await self.sure(f"send dead letter {letter.id} to {place} again")
            command = cluster.requeue(letter.id) if sure else None
        else:
            reason = await self.ask(f"close dead letter {letter.id} for good. Reason (empty = no)", danger=True)
            command = cluster.discard(letter.id, reason.strip()) if reason and reason.strip() else None
        if command is None:
            self.say("nothing done")
            return
        self.say(f"working on dead letter {letter.id} of {show.number(letter.size)} bytes")
        await self.center.command(command)
        await self._stage(self._letters, self._look_at_letters)
