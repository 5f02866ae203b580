"""What the screens draw from: the newest value of every source with its age, filled by one poll task per source."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tui.ports import Alert, Lag, Ports, ScenarioRun, Second, ServiceState, Totals, Unavailable, WorkerState
from tui.tasks import keep_up

T = TypeVar("T")

CHART_SECONDS = 300
INBOX_LIMIT = 20_000
NEWEST_KEPT = 500
ALERT_BATCH = 500
POLL_TIMEOUT = 5.0
QUIET_S = 60.0
"""Without an alert for so long, the time to the screen is one of the past."""
SHOWN_KEPT = 1_000
_SAMPLED = 50
"""Alerts of a batch whose time to the screen is measured."""


class Source(Generic[T]):
    """The newest value of one poll; a failure keeps the old value and says why it is old."""

    def __init__(
        self, name: str, fetch: Callable[[], Awaitable[T]], every: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.clock = clock
        self._fetch = fetch
        self._every = every
        self.value: T | None = None
        self.error = ""
        self._fetched_at: float | None = None

    @property
    def age(self) -> float | None:
        """Seconds since the last good answer."""
        return None if self._fetched_at is None else self.clock() - self._fetched_at

    @property
    def stale(self) -> float | None:
        """The age, when it is more than a slow poll explains."""
        age = self.age
        return age if age is not None and age > 3 * self._every + 1 else None

    async def poll_once(self) -> None:
        try:
            async with asyncio.timeout(POLL_TIMEOUT):  # not wait_for, which in 3.11 can swallow a cancellation
                self.value = await self._fetch()
            self._fetched_at = self.clock()
            self.error = ""
        except Unavailable as error:
            self.error = str(error)
        except TimeoutError:
            self.error = f"{self.name}: no answer for {POLL_TIMEOUT:.0f} s"

    def failed(self, why: str) -> None:
        """Say why the value is old; the next good answer takes it back."""
        self.error = why or self.error

    async def poll(self) -> None:
        """For ever, every ``every`` seconds from start to start."""
        while True:
            begin = time.monotonic()
            await self.poll_once()
            await asyncio.sleep(max(self._every / 4, self._every - (time.monotonic() - begin)))


class Inbox:
    """Alerts that one screen has not drawn yet; bounded, and it says what it lost."""

    def __init__(self) -> None:
        self._rows: deque[Alert] = deque(maxlen=INBOX_LIMIT)
        self.dropped = 0

    def put(self, rows: Sequence[Alert]) -> None:
        self.dropped += max(0, len(self._rows) + len(rows) - INBOX_LIMIT)
        self._rows.extend(rows)

    def take(self) -> list[Alert]:
        rows = list(self._rows)
        self._rows.clear()
        return rows


@dataclass(frozen=True, slots=True)
class Headline:
    """The numbers of the top line; ``stale_s`` is set when they are old."""

    environment: str
    mode: str
    stale_s: float | None
    payments_per_s: float | None
    alerts_per_min: int | None
    lag: int | None
    p99_ms: float | None
    dropped: int
    color: str = ""
    lag_stale_s: float | None = None
    p99_age_s: float | None = None
    """Set when no alert has been shown for a minute: the figure is of then."""


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which ``share`` of the sorted values lie (nearest rank)."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Live:
    """All sources of one control center. ``start`` begins polling, ``stop`` ends it."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self.services: dict[str, ServiceState] = {}
        self.ready = False
        """The stack is up and polls run."""
        self.seconds: Source[Sequence[Second]] = Source("throughput", self._fetch_seconds, 1.0)
        self.totals: Source[Totals] = Source("totals", ports.flow.totals, 2.0)
        self.workers: Source[Sequence[WorkerState]] = Source("workers", ports.flow.workers, 1.0)
        self.lag: Source[Lag] = Source("Kafka lag", ports.kafka.lag, 2.0)
        self.runs: Source[Sequence[ScenarioRun]] = Source("scenario runs", lambda: ports.scenarios.runs(100), 0.5)
        self.traffic: Source[int] = Source("normal traffic", ports.scenarios.traffic_rate, 1.0)
        self.alerts: Source[int] = Source("alerts", self._fetch_alerts, 0.2)
        self._alert_position = -1
        self._inboxes: list[Inbox] = []
        self._newest: deque[Alert] = deque(maxlen=NEWEST_KEPT)
        self._shown_ms: deque[float] = deque(maxlen=SHOWN_KEPT)
        self._shown_after: dict[str, float] = {}
        self._shown_position = -1
        self._shown_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def sources(self) -> tuple[Source[Any], ...]:
        return self.seconds, self.totals, self.workers, self.lag, self.runs, self.traffic, self.alerts

    def start(self) -> None:
        """Begin polling every source."""
        if not self._tasks:
            self.ready = True
            self._tasks = [keep_up(source.poll, source.name, source.failed) for source in self.sources]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    @property
    def case_limit_ms(self) -> int | None:
        """How long a case may stay undecided; None without a limit, or when it is not known."""
        return None if self.totals.value is None else self.totals.value.case_limit_ms

    def troubles(self) -> list[str]:
        """Why values are old or unknown, one sentence a source."""
        return list(dict.fromkeys(source.error for source in self.sources if source.error))

    def service_changed(self, state: ServiceState) -> None:
        self.services[state.name] = state

    # ------------------------------------------------------------------------------------------ alerts

    def inbox(self) -> Inbox:
        """A new reader of alerts: the newest that are known, and from now on every one."""
        inbox = Inbox()
        inbox.put(list(self._newest))
        self._inboxes.append(inbox)
        return inbox

    def known_alerts(self) -> list[Alert]:
        """The newest alerts as they stand now, each once."""
        return list({row.alert_id: row for row in self._newest}.values())

    async def _fetch_alerts(self) -> int:
        if self._alert_position < 0:
            rows = await self.ports.alerts.newest(NEWEST_KEPT)
            self._shown_position = self._alert_position = max((row.last_pos for row in rows), default=0)
            self._hand_out(rows)
            return self._alert_position
        while True:  # in small bites, so that catching up does not hold the loop
            rows = await self.ports.alerts.changed_after(self._alert_position, ALERT_BATCH)
            if rows:
                self._alert_position = rows[-1].last_pos
                self._hand_out(rows)
            if len(rows) < ALERT_BATCH:
                return self._alert_position
            await asyncio.sleep(0)

    def _hand_out(self, rows: Sequence[Alert]) -> None:
        self._newest.extend(rows)
        for inbox in self._inboxes:
            inbox.put(rows)

    def shown(self, rows: Sequence[Alert]) -> None:
        """These alerts are being painted now: measure how long they took from the payment to the screen."""
        now_ms = self.ports.now() * 1000
        for row in rows[-_SAMPLED:]:
            if row.first_pos > self._shown_position and row.produced_at is not None:
                self._shown_ms.append(now_ms - row.produced_at)
                self._shown_at = now_ms / 1000
                self._shown_after[row.alert_id] = now_ms - row.produced_at
            self._shown_position = max(self._shown_position, row.first_pos)
        while len(self._shown_after) > SHOWN_KEPT:
            del self._shown_after[next(iter(self._shown_after))]

    def shown_after(self, alert_id: str) -> float | None:
        """Payment produced to this alert painted, ms; None when nobody looked at it as it came."""
        return self._shown_after.get(alert_id)

    def _shown_age(self) -> float | None:
        age = float(int(self.ports.now() - self._shown_at))
        return age if self._shown_ms and age > QUIET_S else None

    def shown_quantile(self, share: float) -> float | None:
        """Payment produced to alert painted, ms, over the last thousand alerts."""
        return quantile(self._shown_ms, share)

    # ------------------------------------------------------------------------------------------ rates

    async def _fetch_seconds(self) -> Sequence[Second]:
        return await self.ports.flow.seconds(int(self.ports.now()) - CHART_SECONDS)

    def per_second(self) -> list[Second | None]:
        """The last five minutes of whole seconds, oldest first; None where nothing was committed."""
        by_second = {row.at: row for row in self.seconds.value or ()}
        last = int(self.ports.now()) - 1
        return [by_second.get(at) for at in range(last - CHART_SECONDS + 1, last + 1)]

    def headline(self) -> Headline:
        known = self.seconds.value is not None
        window = self.per_second()
        recent = [row.payments if row else 0 for row in window[-3:]]
        return Headline(
            environment=self.ports.environment,
            color=self.ports.color,
            mode=self.ports.mode() if self.ready else "STARTING",
            stale_s=None if self.seconds.stale is None else float(int(self.seconds.stale)),
            payments_per_s=sum(recent) / len(recent) if known else None,
            alerts_per_min=sum(row.alerts for row in window[-60:] if row) if known else None,
            lag=None if self.lag.value is None else self.lag.value.total,
            p99_ms=self.shown_quantile(0.99),
            lag_stale_s=None if self.lag.stale is None else float(int(self.lag.stale)),
            p99_age_s=self._shown_age(),
            dropped=sum(inbox.dropped for inbox in self._inboxes),
        )
