"""Eight hours of a control center in some minutes: a clock that runs fast, on fakes of every port, with an operator.

Each step is ten simulated seconds: every source is asked once, alerts and rows of a push query come, the screen drains
and paints, and now and then somebody goes to another screen, opens a story, filters, runs statements or lists the keys.
Frames go through the painter as they do in a terminal. Memory, tasks and open files are compared between the end of the
warm-up and the end.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace

import psutil
from rich.color import ColorSystem

from benchmarks.figures import Benchmark
from tests.tui import fakes
from tests.tui.harness import Session, running
from tui.app import TIDY_S, tidy
from tui.main import settle_collector
from tui.ports import Second
from tui.terminal.paint import Painter, pieces_of

HOURS = 8.0
STEP_S = 10.0
WARM_UP_H = 1.5
"""By then every buffer is full: the alert feeds, the largest, hold what comes in 1.2 hours."""
ALERTS = 50
ROWS = 1_000
"""A step."""
QUEUED = 5
ERRANDS: tuple[tuple[str, ...], ...] = (
    ("2", "k", "k", "enter", "escape", "G"),
    ("3", "ctrl+r", "escape"),
    ("7", "enter", "escape", "escape"),
    ("8", "j", "enter", "escape", "escape"),
    ("9", "t", "escape"),
    ("5", "j", "escape"),
    ("4", "j", "j", "escape"),
    ("1", "slash", "h", "enter", "escape", "question_mark", "escape"),
    ("2", "slash", "9", "escape", "g", "G"),
    ("3", "ctrl+t", "S", "H", "O", "W", "ctrl+r", "escape", "X"),
)
ERRAND_STEPS = 5


class RollingAlerts(fakes.FakeAlerts):
    """The newest alerts of many: what a database would give."""

    KEPT = 1_000

    def come(self, count: int, made: int) -> None:
        fresh = [fakes.alert(n, alert_id=f"a{n}", first_pos=n, last_pos=n) for n in range(made, made + count)]
        self.rows = [*self.rows, *fresh][-self.KEPT :]


@dataclass
class Clock:
    now: float = fakes.NOW

    def __call__(self) -> float:
        return self.now


def measure() -> Benchmark:
    settle_collector()
    figures, baseline = asyncio.run(_soak(float(os.environ.get("STREAMGUARD_SOAK_HOURS", HOURS))))
    return Benchmark(figures, baseline)


async def _soak(hours: float) -> tuple[dict[str, tuple[float, str]], dict[str, tuple[float, str]]]:
    clock, alerts = Clock(), RollingAlerts(rows=[fakes.alert(0)])
    doubles = fakes.Fakes(alerts=alerts, now=clock)
    painter = Painter()
    steps, warm = int(hours * 3600 / STEP_S), int(WARM_UP_H * 3600 / STEP_S)
    if steps <= warm:
        raise SystemExit(f"tui_soak: more than {WARM_UP_H} hours, else every buffer is still filling")
    begin = time.monotonic()
    async with running(doubles) as session:
        first = made = alerts.rows[-1].last_pos + 1
        early, longest = _Use.now(), 0.0
        for step in range(steps):
            clock.now += STEP_S
            alerts.come(ALERTS, made)
            made += ALERTS
            _roll(doubles.flow.rows, int(clock.now))
            if doubles.ksql.push.unread < QUEUED:  # else nobody reads them: no query is open
                doubles.ksql.push.send([(f"acc-{n}", n, f"{n}.50", "Padaria") for n in range(ROWS)])
            started = time.monotonic()
            for source in session.app.live.sources:
                await source.poll_once()
            session.hurry()
            await session.worked_off()
            _paint(session, painter)
            longest = max(longest, time.monotonic() - started)
            if step % ERRAND_STEPS == 0:
                if doubles.ksql.push.closed:
                    doubles.ksql.push = fakes.FakePush(doubles.ksql.push.columns, doubles.ksql.push.types)
                await session.press(*ERRANDS[step // ERRAND_STEPS % len(ERRANDS)])
            if step % int(TIDY_S / STEP_S) == 0:
                tidy()
            if step == warm:
                early = await _at_rest(session)
        late = await _at_rest(session)
    return {
        "simulated": (steps * STEP_S / 3600, "h"),
        "took": (time.monotonic() - begin, "s"),
        "alerts": (float(made - first), "alerts"),
        "memory_after_warm_up": (early.memory_mb, "MB"),
        "memory_at_end": (late.memory_mb, "MB"),
        "memory_growth": (100 * (late.memory_mb / early.memory_mb - 1), "%"),
        "tasks_growth": (float(late.tasks - early.tasks), "tasks"),
        "files_growth": (float(late.files - early.files), "open files"),
        "widgets_growth": (float(late.widgets - early.widgets), "widgets alive"),
        "longest_step": (longest * 1000, "ms"),
    }, {}


async def _at_rest(session: Session) -> _Use:
    """With the overview alone on the screen: what is open otherwise depends on the errand."""
    while len(session.app.screen_stack) > 1:
        await session.press("escape")
    await session.press("escape", "1")
    tidy()
    return _Use.now()


def _roll(rows: list[Second], now: int) -> None:
    template = rows[0]
    rows[:] = [replace(template, at=at, payments=180 + at * 7919 % 60) for at in range(now - 300, now)]


def _paint(session: Session, painter: Painter) -> None:
    pieces = pieces_of(session._update())
    if pieces is not None:
        painter.paint(pieces, ColorSystem.TRUECOLOR)


@dataclass(frozen=True, slots=True)
class _Use:
    memory_mb: float
    tasks: int
    files: int
    widgets: int

    @classmethod
    def now(cls) -> _Use:
        """What is held once what nobody holds is gone."""
        from textual.widget import Widget

        gc.collect()
        process = psutil.Process()
        with suppress(OSError, AttributeError):
            import ctypes

            ctypes.CDLL("libc.so.6").malloc_trim(0)  # what the allocator keeps for itself is no leak
        widgets = sum(isinstance(thing, Widget) for thing in gc.get_objects())
        return cls(process.memory_info().rss / 1e6, len(asyncio.all_tasks()), process.num_fds(), widgets)
