"""The program that ``tui_feed`` measures: the real control center on generated alerts, or a stock widget on the same.

``python -m benchmarks.tui_feed_app KIND RATE REPORT``: KIND is overview, richlog or datatable. At its end it writes
CPU seconds, wall seconds and the gaps of its event loop to REPORT as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, RichLog, Static

from tests.tui import fakes
from tui.app import ControlCenter
from tui.main import settle_collector
from tui.ports import Alert, Second, Story
from tui.screens.alerts.rows import COLUMNS, cells
from tui.terminal.driver import GuardedDriver

PROBE_S = 0.01
TEMPLATES = 600
IMPORTED_AT = "imported_at"
"""In the report until it is written at the end: when the imports were done, on the clock that all processes share."""


@dataclass
class GeneratedAlerts:
    """``rate`` new alerts a second, made when they are asked for."""

    rate: float
    made: int = 0
    _begin: float = 0.0
    _templates: list[Alert] = field(default_factory=lambda: [fakes.alert(n) for n in range(TEMPLATES)])

    def _make(self, count: int) -> list[Alert]:
        now_ms = int(time.time() * 1000)
        rows = []
        for number in range(self.made, self.made + count):
            base = self._templates[number % TEMPLATES]
            rows.append(
                Alert(
                    f"a{number}",
                    base.rule_id,
                    base.account_id,
                    now_ms,
                    base.incident_start,
                    base.incident_end,
                    base.txn_count,
                    base.amount,
                    base.score,
                    base.decision,
                    base.severity,
                    base.status,
                    None,
                    now_ms,
                    now_ms - 40,
                    number,
                    number,
                    base.transactions,
                    base.signals,
                    base.sources,
                )
            )
        self.made += count
        return rows

    async def newest(self, limit: int) -> Sequence[Alert]:
        self._begin = time.monotonic()
        return self._make(100)

    async def changed_after(self, position: int, limit: int) -> Sequence[Alert]:
        due = int((time.monotonic() - self._begin) * self.rate) + 100 - self.made
        return self._make(min(due, limit)) if due > 0 else []

    async def story(self, alert_id: str) -> Story | None:
        return None


class LiveFlow(fakes.FakeFlow):
    async def seconds(self, since: int) -> Sequence[Second]:
        now = int(time.time())
        return [replace(self.rows[at % 300], at=at, payments=10_000 + at * 7919 % 900) for at in range(now - 300, now)]


class Probe:
    """Gaps of the event loop, and what the process used, from ``start`` to ``write``."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._task: asyncio.Task[None] | None = None
        self._wall = self._cpu = 0.0

    def start(self) -> None:
        self.gaps = []
        self._wall, self._cpu = time.monotonic(), _cpu_seconds()
        if self._task is None:
            self._task = asyncio.create_task(self._measure())

    async def _measure(self) -> None:
        while True:
            begin = time.monotonic()
            await asyncio.sleep(PROBE_S)
            self.gaps.append((time.monotonic() - begin - PROBE_S) * 1000)

    def write(self, path: Path, extra: dict[str, float]) -> None:
        wall, cpu = time.monotonic() - self._wall, _cpu_seconds() - self._cpu
        path.write_text(json.dumps({"wall_s": wall, "cpu_s": cpu, "gaps_ms": sorted(self.gaps), **extra}))


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class MeasuredCenter(ControlCenter):
    """The product as it is; ``R`` begins the measurement, quitting ends it."""

    def __init__(self, alerts: GeneratedAlerts, report: Path) -> None:
        doubles = fakes.Fakes(alerts=alerts, flow=LiveFlow(), now=time.time)  # type: ignore[arg-type]
        super().__init__(doubles.ports(), report.parent)
        self._alerts = alerts
        self._report = report
        self._probe = Probe()
        self._made_before = 0

    def on_key(self, event: object) -> None:
        if getattr(event, "character", None) == "R":
            self._made_before = self._alerts.made
            self._probe.start()

    async def action_quit(self) -> None:
        made = float(self._alerts.made - self._made_before)
        self._probe.write(self._report, {"rows": made, "dropped": float(self.live.headline().dropped)})
        await super().action_quit()


class StockApp(App[None]):
    """Textual's own widget on the same rows, in batches ten times a second."""

    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+q", "finish"), ("space", "mark")]
    CSS = "Static { height: 1; }"

    def __init__(self, kind: str, alerts: GeneratedAlerts, report: Path) -> None:
        super().__init__(driver_class=GuardedDriver)
        self._kind = kind
        self._alerts = alerts
        self._report = report
        self._probe = Probe()
        self._made_before = 0
        self._marked = False

    def terminal_drained(self) -> None:
        """The driver's word; a stock app has no use for it."""

    def terminal_lost(self) -> None:
        self.exit()

    def compose(self) -> ComposeResult:
        yield Static("following", id="mark")
        if self._kind == "richlog":
            yield RichLog(max_lines=20_000, markup=False)
        else:
            yield DataTable()

    async def on_mount(self) -> None:
        if self._kind == "datatable":
            self.query_one(DataTable).add_columns(*(column.title for column in COLUMNS))
        await self._alerts.newest(100)
        self.set_interval(0.1, self._drain)

    async def _drain(self) -> None:
        rows = await self._alerts.changed_after(0, 5_000)
        if self._kind == "richlog":
            log = self.query_one(RichLog)
            for row in rows:
                log.write(" ".join(text for text, _ in cells(row)))
            return
        table: DataTable[str] = self.query_one(DataTable)
        table.clear()
        for row in rows[-40:]:
            table.add_row(*(text for text, _ in cells(row)))

    def on_key(self, event: object) -> None:
        if getattr(event, "character", None) == "R":
            self._made_before = self._alerts.made
            self._probe.start()

    def action_mark(self) -> None:
        self._marked = not self._marked
        self.query_one("#mark", Static).update("browsing" if self._marked else "following")

    def action_finish(self) -> None:
        self._probe.write(self._report, {"rows": float(self._alerts.made - self._made_before), "dropped": 0.0})
        self.exit()


def main(kind: str, rate: float, report: Path) -> None:
    report.write_text(json.dumps({IMPORTED_AT: time.monotonic()}))
    alerts = GeneratedAlerts(rate)
    app: App[Any] = MeasuredCenter(alerts, report) if kind == "overview" else StockApp(kind, alerts, report)
    settle_collector()
    app.run(mouse=False)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))
    sys.stdout.flush()
    os._exit(0)
