"""The program that ``tui_grid`` measures: the ksqlDB panel on a push query, or Textual's DataTable on the same rows.

``python -m benchmarks.tui_grid_app KIND RATE REPORT``: KIND is grid or datatable; see ``tui_feed_app``.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Static

from benchmarks.tui_feed_app import LiveFlow, Probe
from tests.tui import fakes
from tui.app import ControlCenter
from tui.main import settle_collector
from tui.terminal.driver import GuardedDriver

BATCH_S = 0.02
"""Between two batches of the server."""
COLUMNS = ("ACCOUNT_ID", "N", "TOTAL", "MERCHANT", "WINDOWSTART")
TYPES = ("STRING", "BIGINT", "DECIMAL(12, 2)", "STRING", "BIGINT")

Row = tuple[object, ...]


class GeneratedRows(fakes.FakePush):
    """A push query with ``rate`` rows a second."""

    def __init__(self, rate: float) -> None:
        super().__init__(COLUMNS, TYPES)
        self._rate = rate
        self.made = 0

    def make(self, count: int) -> list[Row]:
        first = self.made
        self.made += count
        return [
            (f"acc-{n * 37 % 9000:06}", n % 9, f"{n * 35.5 % 9000:.2f}", "Padaria São João", 1_784_556_134_000 + n)
            for n in range(first, first + count)
        ]

    def due(self, begin: float) -> int:
        return max(0, int((time.monotonic() - begin) * self._rate) - self.made)

    async def batches(self) -> AsyncIterator[Sequence[Row]]:
        begin = time.monotonic()
        while not self.closed:
            yield self.make(self.due(begin))
            await asyncio.sleep(BATCH_S)


class MeasuredPanel(ControlCenter):
    """The product on its third screen; ``R`` begins the measurement, quitting ends it."""

    def __init__(self, rows: GeneratedRows, report: Path) -> None:
        doubles = fakes.Fakes(flow=LiveFlow(), ksql=fakes.FakeKsql(push=rows), now=time.time)
        super().__init__(doubles.ports(), report.parent)
        self._rows = rows
        self._report = report
        self._probe = Probe()
        self._made_before = 0

    def on_key(self, event: object) -> None:
        if getattr(event, "character", None) == "R":
            self._made_before = self._rows.made
            self._probe.start()

    async def action_quit(self) -> None:
        self._probe.write(self._report, {"rows": float(self._rows.made - self._made_before)})
        await super().action_quit()


class StockTable(App[None]):
    """A DataTable with the newest rows, ten times a second."""

    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+q", "finish"), ("space", "mark")]
    CSS = "Static { height: 1; }"

    def __init__(self, rows: GeneratedRows, report: Path) -> None:
        super().__init__(driver_class=GuardedDriver)
        self._rows = rows
        self._report = report
        self._probe = Probe()
        self._begin = time.monotonic()
        self._made_before = 0
        self._marked = False

    def terminal_drained(self) -> None:
        """The driver's word; a stock app has no use for it."""

    def terminal_lost(self) -> None:
        self.exit()

    def compose(self) -> ComposeResult:
        yield Static("following", id="mark")
        yield DataTable()

    def on_mount(self) -> None:
        self.query_one(DataTable).add_columns(*COLUMNS)
        self.set_interval(0.1, self._drain)

    def _drain(self) -> None:
        rows = self._rows.make(self._rows.due(self._begin))
        table: DataTable[str] = self.query_one(DataTable)
        table.clear()
        for row in rows[-40:]:
            table.add_row(*map(str, row))

    def on_key(self, event: object) -> None:
        if getattr(event, "character", None) == "R":
            self._made_before = self._rows.made
            self._probe.start()

    def action_mark(self) -> None:
        self._marked = not self._marked
        self.query_one("#mark", Static).update("browsing" if self._marked else "following")

    def action_finish(self) -> None:
        self._probe.write(self._report, {"rows": float(self._rows.made - self._made_before)})
        self.exit()


def main(kind: str, rate: float, report: Path) -> None:
    rows = GeneratedRows(rate)
    app: App[Any] = MeasuredPanel(rows, report) if kind == "grid" else StockTable(rows, report)
    settle_collector()
    app.run(mouse=False)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))
    sys.stdout.flush()
    os._exit(0)
