"""A labelled file through the real path, in event time.

Labels travel on their own topic. They are sent one list epoch ahead of the payments, since ``known_at`` and not their
arrival decides; a payment of an epoch is sent only when all that the epoch's lists are made of has been taken in. So
what a list holds is a function of the file, never of timing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from time import monotonic, time
from typing import NamedTuple

import msgspec

from core.detection.lists import EPOCH_MS, epoch_of
from core.replay.pace import AHEAD, Window
from core.replay.scorecard import Truth
from core.replay.source import Source, Survey
from core.workers.sender import Outgoing, Sender, ground_truth, payment
from core.workers.session import Session
from schema import label
from schema.label import Label
from schema.transaction import Transaction

CHUNK = 1_000
_TELL_S = 1.0
_PACE = 15
"""The rate told is that of so many of the last tellings, about as many seconds."""
_POLL_S = 0.02


class Sent(NamedTuple):
    """What was sent: payments, whether all of them, their ids, and the truth about those that have a label."""

    payments: int
    complete: bool
    ids: set[str]
    truth: dict[str, Truth]


class Replay:
    """Sends a source's payments through ``work``. ``factor``: speed against real time, None = as fast as it goes."""

    def __init__(
        self,
        work: Session,
        source: Source,
        survey: Survey,
        delay: int | None,
        factor: float | None,
        tell: Callable[[str], None],
    ) -> None:
        self._work = work
        self._source = source
        self._survey = survey
        self._delay = delay
        self._factor = factor
        self._tell = tell
        self._window = Window()
        self._labels: deque[Label] = deque()
        self._ids: set[str] = set()
        self._truth: dict[str, Truth] = {}
        self._sent = 0
        self._told = 0.0
        self._pace: deque[tuple[float, int]] = deque(maxlen=_PACE)

    async def send(self, stop: asyncio.Event) -> Sent:
        """Send everything, or what goes until ``stop``."""
        self._pace.append((monotonic(), 0))
        started = time()
        epoch = -1
        async with Sender(self._work.kafka) as sender:
            for chunk in self._chunks():
                if stop.is_set():
                    return Sent(self._sent, False, self._ids, self._truth)
                first = chunk[0][0].event_time
                if epoch_of(first) != epoch:
                    epoch = epoch_of(first)
                    await self._open_epoch(epoch, sender, stop)
                if self._factor is not None:
                    due = started + (first - self._survey.first) / 1000 / self._factor
                    await _until(due, stop)
                await self._send_chunk(chunk, sender)
                await self._hold_back(stop)
            if self._delay is not None and not stop.is_set():
                # What becomes known after the last payment is there for whatever is replayed next.
                await self._send_labels(self._survey.last + self._delay, sender)
        return Sent(self._sent, not stop.is_set(), self._ids, self._truth)

    def _chunks(self) -> Iterator[list[tuple[Transaction, Label | None]]]:
        """Payments in chunks that lie in one list epoch each."""
        chunk: list[tuple[Transaction, Label | None]] = []
        limit = CHUNK if self._factor is None else 50
        for item in self._source.payments(self._survey.in_order):
            if chunk and (len(chunk) >= limit or epoch_of(item[0].event_time) != epoch_of(chunk[0][0].event_time)):
                yield chunk
                chunk = []
            chunk.append(item)
        if chunk:
            yield chunk

    async def _open_epoch(self, epoch: int, sender: Sender, stop: asyncio.Event) -> None:
        if self._delay is None:
            return
        await self._send_labels(epoch, sender)
        needed = dict(self._window.marks_before(epoch - self._delay))
        needed |= {lane: offset for lane, offset in self._window.last.items() if lane[0] == label.TOPIC}
        while not stop.is_set() and not await self._work.taken_in({k: v + 1 for k, v in needed.items()}):
            self._progress()
            await asyncio.sleep(_POLL_S)
        # What the next epoch's lists need is on its way while this epoch's payments are.
        await self._send_labels(epoch + EPOCH_MS, sender)

    async def _send_labels(self, boundary: int, sender: Sender) -> None:
        records: list[Outgoing] = []
        while self._labels and self._labels[0].known_at <= boundary:
            records.append(ground_truth(self._labels.popleft()))
        if records:
            self._window.add(0, -1, await sender.send(records))

    async def _send_chunk(self, chunk: list[tuple[Transaction, Label | None]], sender: Sender) -> None:
        now = int(time() * 1000)
        records = []
        for tx, known in chunk:
            records.append(payment(msgspec.structs.replace(tx, produced_at=now)))
            self._ids.add(tx.transaction_id)
            if known is not None:
                self._truth[tx.transaction_id] = Truth(known.is_fraud, known.scenario)
                if self._delay is not None:
                    self._labels.append(known)
        self._window.add(len(chunk), chunk[-1][0].event_time, await sender.send(records))
        self._sent += len(chunk)
        self._progress()

    async def _hold_back(self, stop: asyncio.Event) -> None:
        """Do not run further ahead than the pipeline can hold."""
        while not stop.is_set():
            if self._window.ahead(await self._work.committed()) <= AHEAD:
                return
            self._progress()
            await asyncio.sleep(_POLL_S)

    def _progress(self) -> None:
        if monotonic() - self._told < _TELL_S:
            return
        self._told = monotonic()
        (before, had), total = self._pace[0], self._survey.payments
        self._pace.append((self._told, self._sent))
        rate = (self._sent - had) / max(0.001, self._told - before)
        left = f"{(total - self._sent) / rate:,.0f} s left" if rate else "held back"
        self._tell(f"{100 * self._sent / total:5.1f} %  {self._sent:,} of {total:,} sent  {rate:,.0f}/s  {left}")


async def _until(due: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(max(0.0, due - time())):
            await stop.wait()
    except TimeoutError:
        return
