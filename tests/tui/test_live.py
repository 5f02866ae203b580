"""Sources keep old values with their age; inboxes are bounded; the headline says what is unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.tui.fakes import NOW, NOW_MS, FakeFlow, Fakes, alert
from tui.live import INBOX_LIMIT, Inbox, Live, Source, quantile
from tui.ports import Unavailable
from tui.widgets.status import number_cells


async def test_a_failed_poll_keeps_the_value_and_says_why() -> None:
    answers: Iterator[int | Unavailable] = iter([1, Unavailable("PostgreSQL: gone"), 2])

    async def fetch() -> int:
        answer = next(answers)
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    now = [0.0]
    source = Source("rows", fetch, 1.0, clock=lambda: now[0])
    await source.poll_once()
    now[0] = 10.0
    await source.poll_once()
    assert (source.value, source.error, source.stale) == (1, "PostgreSQL: gone", 10.0)
    await source.poll_once()
    assert (source.value, source.error, source.stale) == (2, "", None)


async def test_a_poll_can_always_be_cancelled() -> None:
    """`asyncio.wait_for` in Python 3.11 swallows a cancellation that meets the answer."""

    for _ in range(50):
        asked = asyncio.Event()

        async def at_once(asked: asyncio.Event = asked) -> int:
            asked.set()
            return 1

        task = asyncio.create_task(Source("rows", at_once, 0.0).poll())
        await asked.wait()
        task.cancel()
        async with asyncio.timeout(10):
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


def test_an_inbox_keeps_the_newest_and_counts_the_rest() -> None:
    inbox = Inbox()
    row = alert(1)
    inbox.put([row] * INBOX_LIMIT)
    inbox.put([alert(1, alert_id="last")] * 3)
    assert inbox.dropped == 3
    assert inbox.take()[-1].alert_id == "last"
    assert inbox.take() == []


async def test_every_reader_gets_what_was_there_before_it() -> None:
    live = Live(Fakes().ports())
    await live.alerts.poll_once()
    assert len(live.inbox().take()) == 12


async def test_only_changes_are_asked_for_after_the_first_time() -> None:
    fakes = Fakes()
    live = Live(fakes.ports())
    inbox = live.inbox()
    await live.alerts.poll_once()
    inbox.take()
    fakes.alerts.change("alert-3", status="claimed")
    await live.alerts.poll_once()
    assert [(row.alert_id, row.status) for row in inbox.take()] == [("alert-3", "claimed")]


async def test_time_to_the_screen_is_measured_for_new_alerts_only() -> None:
    fakes = Fakes()
    live = Live(fakes.ports())
    await live.alerts.poll_once()
    live.shown(fakes.alerts.rows)
    assert live.shown_quantile(0.5) is None, "alerts of before the start are no measure"
    live.shown([alert(50, produced_at=NOW_MS - 84)])
    assert live.shown_quantile(0.99) == pytest.approx(84.0)


async def test_old_numbers_of_the_headline_have_their_age() -> None:
    now = NOW
    live = Live(Fakes(now=lambda: now).ports())
    live.lag.clock = lambda: now
    await live.lag.poll_once()
    live.shown([alert(50, produced_at=NOW_MS - 84)])
    assert (live.headline().lag_stale_s, live.headline().p99_age_s) == (None, None)
    now += 130
    head = live.headline()
    assert (head.lag, head.lag_stale_s, head.p99_age_s) == (0, 130.0, 130.0)
    assert [text for text, _ in number_cells(head)[3]] == ["p99 ", "84 ms", " 2m ago"]


async def test_the_headline_is_unknown_before_the_first_answer() -> None:
    live = Live(Fakes().ports())
    head = live.headline()
    assert (head.mode, head.payments_per_s, head.alerts_per_min, head.lag) == ("STARTING", None, None, None)


async def test_the_headline_averages_the_last_whole_seconds() -> None:
    rows = [replace(FakeFlow().rows[0], at=int(NOW) - ago, payments=n) for ago, n in ((3, 90), (2, 120), (1, 30))]
    live = Live(Fakes(flow=FakeFlow(rows=rows)).ports())
    await live.seconds.poll_once()
    assert live.headline().payments_per_s == pytest.approx(80.0)


async def test_seconds_without_a_row_are_gaps() -> None:
    rows = [replace(FakeFlow().rows[0], at=int(NOW) - 2)]
    live = Live(Fakes(flow=FakeFlow(rows=rows)).ports())
    await live.seconds.poll_once()
    assert [second is not None for second in live.per_second()[-3:]] == [False, True, False]


def test_quantile_is_the_nearest_rank() -> None:
    assert quantile([], 0.5) is None
    assert quantile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert quantile([float(n) for n in range(100)], 0.99) == 99.0
