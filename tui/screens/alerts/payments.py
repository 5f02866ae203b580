"""The payments that an alert names, each with its place in Kafka and in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui import format as show
from tui import keymap
from tui.ports import Payment, Story
from tui.screens.alerts.rows import mark
from tui.screens.base import ControlScreen
from tui.screens.kafka.port import Start
from tui.screens.kafka.topic import TopicScreen
from tui.terminal.sanitise import clean
from tui.widgets.canvas import Cell
from tui.widgets.columns import Column
from tui.widgets.feed import Feed

NAMED = 40
"""Characters of the alert's name in the title."""
COLUMNS = (
    Column("time", 12),
    Column("", 2),
    Column("amount", 12, "right", grow=1, limit=16),
    Column("result", 7, about="its decision as it stands now"),
    Column("risk", 4, "right", about="points of 1000"),
    Column("channel", 7, rank=5),
    Column("to", 10, grow=3, limit=40, about="merchant, or the account that was paid"),
    Column("city", 8, grow=1, limit=20, rank=3),
    Column("took", 6, "right", rank=4, about="from its sending to its decision"),
    Column("payment", 12, grow=2, limit=40, rank=1),
    Column("part @ offset", 14, "right", grow=1, limit=20, about="its place in the topic; t reads the topic there"),
    Column("log", 9, "right", grow=1, limit=13, about="position of its newest decision in the log"),
)


def cells(payment: Payment) -> Sequence[Cell]:
    sign, style = mark(payment.decision)
    took = None if payment.produced_at is None else max(0, payment.ingested_at - payment.produced_at)
    return (
        (show.clock_ms(payment.event_time), "dim"),
        (sign, style),
        (show.money(payment.amount), "text"),
        (payment.decision, style),
        (show.number(payment.score), style),
        (payment.channel, "dim"),
        (payment.merchant, "text"),
        (payment.city, "dim"),
        (show.duration(took), "dim"),
        (payment.transaction_id, "dim"),
        (f"{payment.source.partition} @ {show.number(payment.source.offset)}", "text"),
        (show.number(payment.position), "text"),
    )


class PaymentsScreen(ControlScreen):
    """``story`` gives what is known by now of the alert ``alert_id``."""

    AUTO_FOCUS = "#payments"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("payments")]
    title_name = "alerts"

    def __init__(self, alert_id: str, story: Callable[[], Story | None]) -> None:
        super().__init__()
        self._alert_id = alert_id
        self._story = story
        self._payments: Feed[Payment] = Feed(
            "payments",
            COLUMNS,
            cells,
            lambda payment: payment.transaction_id,
            live=False,
            empty="none is on record",
            id="payments",
        )

    @property
    def address(self) -> str:
        return f"payments {self._alert_id}"

    def body(self) -> Iterator[Widget]:
        yield self._payments

    def drain(self) -> None:
        story = self._story()
        if story is None or story.alert.alert_id != self._alert_id:
            return
        alert, paid = story.alert, story.payments
        self._payments.title_text = (
            f"{len(paid)} of {alert.txn_count} payments, {show.money(sum(payment.amount for payment in paid))}"
        )
        self._payments.note = [(clean(f"{alert.rule_id} {alert.account_id}", NAMED) + " ", "dim")]
        self._payments.replace(paid)

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """The event that decided it, with its chain."""
        event.stop()
        payment: Payment = event.row
        if payment.position is None:
            self.say("its decision is not in the log yet")
        else:
            self.go(f"event {payment.position}")

    def action_topic(self) -> None:
        """Its topic, read from the payment on."""
        payment = self._payments.selected
        if payment is not None:
            source = payment.source
            self.app.push_screen(TopicScreen(source.topic, Start("offset", source.offset, source.partition)))
