"""Hostile text in everything that a server answers to the ksqlDB panel: objects, columns, results, rows, errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.fakes import FakeKsql, FakePush, Fakes
from tests.tui.harness import running
from tests.tui.test_hostile_records import Camera
from tests.tui.test_hostile_text import TEXTS
from tui.ports import SqlColumn, SqlObject, SqlProblem, Table, Vocabulary
from tui.screens.ksqldb.objects import Objects
from tui.widgets.feed import Feed


@pytest.mark.parametrize("name", TEXTS)
async def test_nothing_of_it_acts(name: str, tmp_path: Path) -> None:
    text = TEXTS[name]
    ksql = FakeKsql(
        push=FakePush((text, "NESTED"), (text, text)),
        tables=[Table((text, text), ((text, text),), text)],
        entries=[SqlObject("stream", text, text)],
        words=Vocabulary({text: (SqlColumn(text, text, text),), "ZZ": (SqlColumn("ZZ" + text, text),)}, ("ZZ" + text,)),
    )
    async with running(Fakes(ksql=ksql), size=(120, 40), files=tmp_path) as session:
        camera = Camera(session)
        await session.press("3")
        objects = session.app.screen.query_one(Objects)
        await session.until(lambda: objects.model.total == 1, "the object")
        await session.press("escape")
        objects.focus()
        await camera.look("enter")  # its columns
        await session.until(lambda: objects.model.total == 2, "its column")
        await camera.look("D", wait="─")  # what DESCRIBE answers
        await camera.look("escape", "g", "S")  # a statement with its name, in the editor
        await session.press("ctrl+l")
        await session.type("SELECT ZZ")
        await camera.look(wait="tab ZZ")  # candidates of the completion
        await camera.look("tab", "ctrl+g", wait="─")
        await camera.look("escape", "ctrl+r")  # a result, in the grid
        await session.until(lambda: session.app.screen.query_one("#grid-1", Feed).model.total == 1, "the result")
        ksql.tables = []
        await camera.look("ctrl+t", "a", "ctrl+r", wait="live")  # a query beside it
        ksql.push.send([(text, {text: [text]}), (None, text)])
        grid = session.app.screen.query_one("#grid-2", Feed)
        await session.until(lambda: grid.model.total == 2, "the rows")
        await session.press("escape")
        grid.focus()
        await camera.look("k", "enter", wait="record")
        await camera.look("escape", "y", "E", "e")  # copied and exported
        assert (tmp_path / "rows.jsonl").exists()
        ksql.problem = SqlProblem(text, 1, 1)
        await camera.look("tab", "tab", "ctrl+r", wait="failed")
