"""Hostile text in every field of every screen: no crash, and nothing of it acts on the terminal."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

import pytest

from tests.tui.fakes import (
    ALERT_TEXTS,
    NOW_MS,
    FakeAlerts,
    FakeCommands,
    FakeFlow,
    FakeKsql,
    FakePush,
    Fakes,
    FakeScenarios,
    FakeStack,
    alert,
    payment,
    run,
)
from tests.tui.harness import running
from tui.ports import (
    Account,
    CaseEvent,
    ScenarioInfo,
    ServiceState,
    Signal,
    Source,
    SqlObject,
    SqlProblem,
    WorkerState,
)
from tui.widgets.feed import Feed

TEXTS = {
    "osc52": "\x1b]52;c;aGFjaw==\x07",
    "csi": "\x1b[2J\x1b[1;1Hgone\x9b31m",
    "markup": "[/bold][@click=app.quit]x[/][red",
    "bidi": "\u202eevil\u202c\u2066x\u2069",
    "joined": "👩\u200d👩\u200d👧\ufe0f e\u0301\u0301",
    "wide": "漢字かな" * 30,
    "breaks": "a\r\nb\x00c\td\x0be",
    "surrogate": "\ud800x",
    "megabyte": "\x1b[31mA" * 150_000,
}
HARMLESS = re.compile(r"\x1b\[[0-9;]*[Hm]|\x1b\[\?\d+[hl]")
"""Cursor moves and colours, as the control center itself paints them."""


def _hostile(value: Any, text: str) -> Any:
    """A dataclass with every string field replaced."""
    return replace(value, **{f.name: text for f in fields(value) if isinstance(getattr(value, f.name), str)})


def _fakes(text: str) -> Fakes:
    signal = Signal(text, 1, text, 1.0, 0.5, (text,))
    texts = dict.fromkeys(ALERT_TEXTS, text)
    row = alert(1, **texts, assignee=text, transactions=(text,), signals=(signal,), sources=(Source(text, 1, 2),))
    pay = replace(_hostile(payment(1), text), source=Source(text, 1, 2))
    push = FakePush((text, "B"), ("STRING", text))
    return Fakes(
        stack=FakeStack(services=[_hostile(ServiceState("x", "up"), text)]),
        alerts=FakeAlerts(
            rows=[row],
            payments=(pay,),
            history=(CaseEvent(1, text, NOW_MS, text, text),),
            rule_title=text,
            account=Account(text, 1, 1, 1.0, 1, 1, None),
        ),
        flow=FakeFlow(states=[_hostile(WorkerState("w", "t", "s", "d", 0, "h", 1, NOW_MS), text)]),
        scenarios=FakeScenarios(infos=(ScenarioInfo(text, text, text, "h"),), history=[_hostile(run(1), text)]),
        commands=FakeCommands(refusal=text),
        ksql=FakeKsql(push=push, entries=[SqlObject("stream", text, text), SqlObject("query", text, text)]),
    )


@pytest.mark.parametrize("name", TEXTS)
async def test_nothing_of_it_acts(name: str) -> None:
    text = TEXTS[name]
    async with running(_fakes(text), size=(120, 40)) as session:
        painted: list[str] = []

        def take() -> None:
            app = session.app
            compositor = app.screen._compositor
            painted.append(compositor.render_full_update().render_segments(app.console))

        await session.shows("alerts following")
        take()
        await session.press("2")
        take()
        await session.press("enter")
        await session.until(lambda: "came by" in session.text() and "rule" in session.text(), "the story")
        take()
        await session.press("c")
        await session.until(lambda: len(session.app.notices.said) > 0, "the refusal")
        take()
        await session.press("m")
        take()
        await session.press("escape", "escape", "3", "ctrl+r")
        await session.shows("live")
        session.fakes.ksql.push.send([(text, None), (text, text)])
        await session.until(lambda: session.app.screen.query_one("#grid-1", Feed).model.total == 2, "the rows")
        take()
        session.fakes.ksql.problem = SqlProblem(text)
        await session.press("ctrl+r")
        await session.shows("failed")
        take()
        await session.press("escape", "4")
        take()
        await session.press("s")
        take()
        for frame in painted:
            rest = HARMLESS.sub("", frame)
            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]", rest)
