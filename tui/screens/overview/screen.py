"""Overview: throughput, health, decisions, and the live alert feed."""

from __future__ import annotations

from collections.abc import Iterator

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui import format as show
from tui.screens.alerts import story
from tui.screens.alerts.detail import AlertScreen
from tui.screens.alerts.feed import AlertFeed
from tui.screens.base import DRAIN_HZ, ControlScreen
from tui.screens.overview.health import health_lines, share_lines
from tui.widgets.chart import Chart
from tui.widgets.feed import Feed
from tui.widgets.lines import Lines


class OverviewScreen(ControlScreen):
    AUTO_FOCUS = "#feed"
    title_name = "overview"
    guide = (
        ("pay/s, alerts/min", "decided a second just now, raised in the last minute"),
        ("lag", "payments in Kafka that are not yet decided"),
        ("p99", "99 of 100 alerts are on this screen so soon after sending"),
        ("max", "the busiest second of the five minutes"),
        ("flagged", "share of the payments for review or blocked, 5 minutes"),
        ("to screen", "from a payment's sending to its alert painted here"),
        ("decided p99", "from sending to the decision, worst second of the last 60"),
        ("stopped today", "amount of the payments that were blocked since midnight"),
        ("at risk", "amount of the alerts for review that nobody has decided"),
        ("cases", "alerts that nobody has decided"),
        ("12/h by 2, 35m left", "cases decided in an hour, people, time for what waits"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._feed = AlertFeed("feed")
        self._ticks = 0

    def body(self) -> Iterator[Widget]:
        with Vertical():
            with Horizontal(id="top"):
                yield Chart("payments/s, 5 min", id="chart")
                yield Lines(id="health")
            yield Lines(id="shares")
            with Horizontal(id="split"):
                yield self._feed
                yield Lines(id="preview")

    def on_mount(self) -> None:
        self._feed.attach(self.live)

    def drain(self) -> None:
        self._feed.drain()
        if self._ticks % DRAIN_HZ == 0:
            self._slow()
        self._ticks += 1

    def on_screen_resume(self) -> None:
        self._ticks = 0
        self._feed.hidden()

    def _slow(self) -> None:
        """What changes once a second."""
        live = self.live
        now_ms = int(live.ports.now() * 1000)
        seconds = live.per_second()
        values = [0.0 if row is None else float(row.payments) for row in seconds]
        note = f"max {show.number(max(values))}" if live.seconds.value is not None else show.UNKNOWN
        self.query_one(Chart).show(values if live.seconds.value is not None else [], now_ms // 1000 - 1, note)
        beside = self.query_one("#health", Lines)
        services, workers = list(live.services.values()), live.workers.value
        beside.show(health_lines(services, workers, now_ms, beside.size.width, self._facts()))
        pane = self.query_one("#shares", Lines)
        shares = share_lines(
            seconds,
            live.totals.value,
            pane.size.width,
            shown_ms=(live.shown_quantile(0.5), live.shown_quantile(0.99)),
            stale_s=live.seconds.stale,
            totals_stale_s=live.totals.stale,
        )
        pane.show(shares)
        self._preview()

    def _facts(self) -> dict[str, str]:
        """What is known of a service beyond what it says itself."""
        totals, lag = self.live.totals.value, self.live.lag.value
        facts = {} if totals is None else {"PostgreSQL": f"log at {show.number(totals.log_head)}"}
        if lag is not None and (inlet := sum(topic == "transactions" for topic, _ in lag.by_partition)):
            facts["Kafka"] = show.counted(inlet, "partition")
        return facts

    def _preview(self) -> None:
        pane = self.query_one("#preview", Lines)
        alert = self._feed.selected
        if pane.display:
            now_ms = int(self.live.ports.now() * 1000)
            pane.show(
                []
                if alert is None
                else story.lines(alert, story.Known(limit_ms=self.live.case_limit_ms), now_ms, pane.size.width)
            )

    def on_feed_moved(self) -> None:
        self._preview()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        self.app.push_screen(AlertScreen(event.row, self._feed.model.all_rows))
