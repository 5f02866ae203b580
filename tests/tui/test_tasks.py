"""No work in the background ends unseen: a fault is logged and shown, and the work begins again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from tests.tui.fakes import FakeFlow, FakeKsql, Fakes
from tests.tui.harness import running
from tui import tasks
from tui.live import Live
from tui.ports import PushQuery, ServiceState, Table, Totals
from tui.tasks import as_service, keep_up


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "RETRY_S", 0.0)


async def test_a_fault_is_shown_and_logged_and_the_work_begins_again(capfd: pytest.CaptureFixture[str]) -> None:
    begun, told = 0, list[ServiceState]()

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise KeyError("postgresql://guard:secret@db/x")

    await asyncio.wait_for(keep_up(work, "stack news", as_service("stack news", told.append)), 30)
    assert begun == 3
    assert [state.state for state in told] == ["failed", "up", "failed", "up"]
    assert "stack news: a fault of stream guard's own (KeyError" in told[0].detail
    log = capfd.readouterr().err
    assert "in work" in log
    assert "secret" not in log


async def test_a_task_that_is_cancelled_stays_so() -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    task = keep_up(work, "waiting", lambda why: None)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


class FaultyFlow(FakeFlow):
    """Its first answer cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.answered = asyncio.Event()

    async def totals(self) -> Totals:
        self.asked += 1
        if self.asked == 1:
            raise ValueError("a row of another shape")
        self.answered.set()
        return await super().totals()


async def test_a_source_with_a_fault_says_so_and_is_asked_again() -> None:
    flow = FaultyFlow()
    live = Live(Fakes(flow=flow).ports())
    live.start()
    try:
        async with asyncio.timeout(30):
            await flow.answered.wait()
    finally:
        await live.stop()
    live.totals.failed("totals: a fault")
    assert live.troubles() == ["totals: a fault"]
    await live.totals.poll_once()
    assert (live.totals.value is not None, live.troubles()) == (True, [])


async def test_a_watch_that_failed_is_a_line_of_the_overview_and_a_message() -> None:
    async with running() as session:
        assert session.fakes.stack.on_step is not None
        session.fakes.stack.on_step(ServiceState("stack news", "failed", "KeyError"))
        await session.shows("stack news: failed KeyError")
        await session.until(
            lambda: any("stack news" in line and " failed " in line for line in session.text().splitlines()[2:12]),
            "the line of the overview",
        )


class BrokenKsql(FakeKsql):
    async def run(self, sql: str, properties: Mapping[str, str]) -> Sequence[Table] | PushQuery:
        raise ValueError("an answer of another shape")


async def test_a_query_that_met_a_fault_is_failed_with_its_words() -> None:
    async with running(Fakes(ksql=BrokenKsql())) as session:
        await session.press("3", "ctrl+r")
        await session.shows("✗ failed")
        await session.shows("(ValueError: an answer of another shape)")
