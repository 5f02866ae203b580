"""The ksqlDB panel: running, tabs, completion, the object tree, files and exports."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.tui.fakes import NOW, FakeKsql, FakePush, Fakes
from tests.tui.harness import Session, WatchedCenter, running
from tui.ports import SqlColumn, SqlObject, SqlProblem, Table, Vocabulary
from tui.screens.ksqldb import grid
from tui.screens.ksqldb.completion import candidates
from tui.screens.ksqldb.editor import Editor
from tui.screens.ksqldb.objects import Objects
from tui.screens.ksqldb.result import table_lines
from tui.screens.ksqldb.screen import KsqlScreen
from tui.session import Session as Kept

WORDS = Vocabulary(
    {
        "TRANSACTIONS": (SqlColumn("ACCOUNT_ID", "STRING", "key"), SqlColumn("AMOUNT", "DOUBLE")),
        "FRAUD_ALERTS": (SqlColumn("ACCOUNT_RISK", "INT"),),
    },
    ("ABS", "COUNT"),
)
ENTRIES = (
    SqlObject("stream", "TRANSACTIONS"),
    SqlObject("stream", "FRAUD_ALERTS"),
    SqlObject("query", "CTAS_TOTALS_1"),
    SqlObject("topic", "transactions"),
)


def _editor(session: Session) -> Editor:
    return session.app.screen.query_one(Editor)


# ------------------------------------------------------------------------------------------------ completion


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("SELECT AC", " FROM TRANSACTIONS EMIT CHANGES;", ["ACCOUNT_ID"]),
        ("SELECT ac", " FROM fraud_alerts;", ["ACCOUNT_RISK"]),
        ("SELECT AC", "", ["ACCOUNT_ID", "ACCOUNT_RISK"]),
        ("SELECT COU", "", ["COUNT"]),
        ("SELECT * FROM tr", "", ["TRANSACTIONS"]),
        ("DESCRIBE FR", "", ["FRAUD_ALERTS"]),
        ("TERMINATE C", "", ["CTAS_TOTALS_1"]),
        ("PRINT t", "", ["transactions"]),
        ("SELECT * FROM TRANSACTIONS EM", "", ["EMIT"]),
        ("SELECT * FROM TRANSACTIONS", "", []),
        ("SELECT ", "", []),
    ],
)
def test_a_word_becomes_what_the_server_knows_there(before: str, after: str, expected: list[str]) -> None:
    assert candidates(before, before + after, WORDS, ENTRIES) == expected


async def test_tab_completes_and_goes_on_to_the_next_candidate() -> None:
    async with running() as session:
        await session.press("3")
        await session.shows("FRAUD_ALERTS")
        await session.press("ctrl+l")
        await session.type("SELECT * FROM TR")
        await session.shows("tab TRANSACTIONS")
        await session.press("tab")
        await session.until(lambda: _editor(session).text == "SELECT * FROM TRANSACTIONS", "the completed name")
        await session.press("ctrl+l")
        await session.type("SELECT UC")
        await session.shows("tab UCASE")
        await session.press("tab")
        await session.until(lambda: _editor(session).text == "SELECT UCASE", "the completed function")


async def test_tab_behind_no_word_leaves_the_editor() -> None:
    async with running() as session:
        await session.press("3")
        await session.shows("FRAUD_ALERTS")
        await session.press("tab")
        await session.until(lambda: not isinstance(session.app.focused, Editor), "another pane")


# ------------------------------------------------------------------------------------------------ tabs


async def test_queries_run_beside_each_other_in_tabs() -> None:
    async with running() as session:
        await session.press("3", "ctrl+r")
        await session.shows("live")
        await session.press("ctrl+t")
        await session.shows("1●  2")
        session.fakes.ksql.tables = [Table(("NAME",), (("payments",),), "topics")]
        await session.type("SHOW TOPICS")
        await session.press("ctrl+r")
        await session.shows("payments")
        assert not session.fakes.ksql.push.closed
        session.fakes.ksql.push.send([("acc-1", 1, "3.50", "x")])
        await session.press("ctrl+n")
        await session.shows("acc-1")
        assert _editor(session).text == "SELECT * FROM TRANSACTIONS EMIT CHANGES;"
        await session.press("ctrl+n")
        await session.until(lambda: _editor(session).text == "SHOW TOPICS", "the other tab's statement")


async def test_keys_typed_ahead_keep_their_order() -> None:
    async with running() as session:
        await session.press("3")
        await session.shows("FRAUD_ALERTS")
        await session.send("ctrl+t", *"DESCRIBE FRA", "tab", *";x", "backspace", "ctrl+r")
        await session.until(lambda: bool(session.fakes.ksql.ran), "the statement")
        assert session.fakes.ksql.ran[0][0] == "DESCRIBE FRAUD_ALERTS;"


async def test_a_closed_tab_ends_its_query() -> None:
    async with running() as session:
        await session.press("3", "ctrl+t")
        await session.type("SELECT * FROM TRANSACTIONS EMIT CHANGES")
        await session.press("ctrl+r")
        await session.shows("2●")
        await session.press("escape", "X")
        await session.until(lambda: session.fakes.ksql.push.closed, "the query is closed")
        await session.hides("2●")
        await session.press("escape", "X")
        await session.shows("the last tab stays")


async def test_a_server_that_is_away_is_shown_and_so_are_gaps() -> None:
    now = [NOW]
    async with running(Fakes(now=lambda: now[0])) as session:
        push = session.fakes.ksql.push
        await session.press("3", "ctrl+r")
        await session.shows("● live")
        push.waiting = True
        await session.shows("the server is away for 0s")
        now[0] += 4.0
        await session.shows("the server is away for 4s")
        push.waiting, push.gaps = False, 1
        await session.shows("1 gap, 4s")
        await session.shows("● live")


# ------------------------------------------------------------------------------------------------ objects


async def test_a_stream_opens_to_its_columns_and_describe_leaves_the_query_alone() -> None:
    ksql = FakeKsql()
    async with running(Fakes(ksql=ksql)) as session:
        await session.press("3", "ctrl+r")
        await session.shows("live")
        await session.shows("VELOCITY")
        session.app.screen.query_one(Objects).focus()
        await session.press("j", "enter")
        await session.shows("MERCHANT_NAME")
        ksql.tables = [Table(("FIELD", "TYPE"), (("AMOUNT", "DECIMAL(12, 2)"),), "stream TRANSACTIONS")]
        await session.press("D")
        await session.shows("DECIMAL(12, 2)")
        assert ksql.ran[-1][0] == "DESCRIBE TRANSACTIONS;"
        assert not ksql.push.closed
        await session.press("escape", "enter")
        await session.hides("MERCHANT_NAME")


async def test_explain_shows_the_plan_of_the_statement() -> None:
    plan = Table(("FACT", "VALUE"), (("id", "q"), ("", " > [ PROJECT ]")), "query")
    async with running(Fakes(ksql=FakeKsql(tables=[plan]))) as session:
        await session.press("3", "ctrl+g")
        await session.shows("[ PROJECT ]")
        assert session.fakes.ksql.ran == [("EXPLAIN SELECT * FROM TRANSACTIONS EMIT CHANGES;", {})]


def test_a_result_is_wrapped_in_its_last_column() -> None:
    lines = table_lines(Table(("A", "B"), (("x", "word " * 30),), "t"), 40)
    assert all(sum(len(text) for text, _ in line) <= 42 for line in lines)
    assert len(lines) > 4


# ------------------------------------------------------------------------------------------------ files


async def test_rows_are_exported_as_they_came(tmp_path: Path) -> None:
    async with running(files=tmp_path) as session:
        await session.press("3", "ctrl+r")
        await session.shows("live")
        session.fakes.ksql.push.send([("acc-1", 1, None, 'a "b", c'), ("acc-2", 2, "3.50", "é")])
        await session.shows("acc-2")
        await session.press("escape", "e")
        await session.until(lambda: (tmp_path / "rows.csv").exists(), "the CSV file")
        read = list(csv.reader(io.StringIO((tmp_path / "rows.csv").read_text())))
        assert read == [
            ["ACCOUNT_ID", "N", "TOTAL", "MERCHANT"],
            ["acc-1", "1", "", 'a "b", c'],
            ["acc-2", "2", "3.50", "é"],
        ]
        await session.press("E")
        await session.until(lambda: (tmp_path / "rows.jsonl").exists(), "the JSON lines")
        first = json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[0])
        assert first == {"ACCOUNT_ID": "acc-1", "N": 1, "TOTAL": None, "MERCHANT": 'a "b", c'}


async def test_statements_are_saved_and_opened_again(tmp_path: Path) -> None:
    async with running(files=tmp_path) as session:
        await session.press("3", "ctrl+l")
        await session.type("SHOW TABLES;")
        await session.press("ctrl+s")
        await session.shows("query-1.sql")
        await session.press("enter")
        await session.until(lambda: (tmp_path / "query-1.sql").exists(), "the file")
        assert (tmp_path / "query-1.sql").read_text() == "SHOW TABLES;"
        await session.press("ctrl+l", "ctrl+f")
        await session.shows("open query-1.sql: a whole path")
        await session.type("query-1.sql")
        await session.press("enter")
        await session.until(lambda: _editor(session).text == "SHOW TABLES;", "the statement")


async def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "bytes.sql").write_bytes(b"\xff\xfe")
    async with running(files=tmp_path) as session:
        for name, told in (("gone.sql", "No such file"), ("bytes.sql", "it is not UTF-8 text")):
            await session.press("3", "ctrl+f")
            await session.shows("bytes.sql: a whole path")
            await session.type(name)
            await session.press("enter")
            await session.shows(told)


# ------------------------------------------------------------------------------------------------ running


async def test_a_push_query_streams_and_ctrl_c_closes_it() -> None:
    async with running() as session:
        await session.press("3", "ctrl+r")
        await session.shows("live")
        session.fakes.ksql.push.send([("acc-1", 1, "3.50", "x")])
        await session.shows("acc-1")
        await session.press("ctrl+c")
        await session.until(lambda: session.fakes.ksql.push.closed, "the query is closed")
        await session.shows("stopped")
        assert session.fakes.ksql.ran == [("SELECT * FROM TRANSACTIONS EMIT CHANGES;", {"auto.offset.reset": "latest"})]


async def test_the_offset_reset_is_chosen_and_sent() -> None:
    async with running() as session:
        await session.press("3", "ctrl+o")
        await session.shows("from earliest")
        await session.press("ctrl+r")
        await session.until(lambda: bool(session.fakes.ksql.ran), "the query")
        assert session.fakes.ksql.ran[0][1] == {"auto.offset.reset": "earliest"}


async def test_a_query_that_the_server_ends_is_shown_as_ended() -> None:
    async with running() as session:
        await session.press("3", "ctrl+r")
        await session.shows("live")
        session.fakes.ksql.push.finish()
        await session.shows("ended")


async def test_a_wrong_statement_is_marked_at_its_place() -> None:
    ksql = FakeKsql(problem=SqlProblem("line 1:10: mismatched input 'FORM'", 1, 10))
    async with running(Fakes(ksql=ksql)) as session:
        await session.press("3", "ctrl+r")
        await session.shows("line 1:10: mismatched input 'FORM'")
        assert session.app.screen.query_one(Editor).cursor_location == (0, 9)


async def test_terminate_asks_and_only_yes_does_it() -> None:
    async with running() as session:
        await session.press("3")
        await session.shows("CTAS_VELOCITY_5")
        await session.press("escape", "tab", "j", "j", "j", "X")
        await session.shows("end CTAS_VELOCITY_5")
        await session.press("enter")
        await session.shows("nothing done")
        await session.press("X")
        await session.type("yes")
        await session.press("enter")
        await session.until(lambda: session.fakes.ksql.terminated == ["CTAS_VELOCITY_5"], "the query ends")


async def test_an_object_gives_its_query_to_the_editor() -> None:
    async with running() as session:
        await session.press("3", "escape", "tab")
        await session.shows("FRAUD_ALERTS")
        await session.press("S")
        await session.shows("SELECT * FROM FRAUD_ALERTS EMIT CHANGES;")


async def test_leaving_the_screen_keeps_the_query_and_quitting_closes_it() -> None:
    async with running() as session:
        await session.press("3", "ctrl+r")
        await session.shows("live")
        await session.press("escape", "1")
        await session.shows("alerts following")
        assert not session.fakes.ksql.push.closed
    assert session.fakes.ksql.push.closed


async def test_earlier_statements_come_back() -> None:
    async with running() as session:
        await session.press("3", "ctrl+r", "ctrl+l")
        await session.type("SHOW TOPICS")
        await session.press("ctrl+r")
        await session.until(lambda: len(session.fakes.ksql.ran) == 2, "both ran")
        screen = session.app.screen
        assert isinstance(screen, KsqlScreen)
        await session.press("ctrl+up")
        await session.shows("FROM TRANSACTIONS EMIT CHANGES")


async def test_what_was_being_written_comes_back_behind_the_history() -> None:
    async with running() as session:
        await session.press("3", "ctrl+r", "ctrl+l")
        await session.type("SHOW")
        await session.press("ctrl+up")
        await session.until(lambda: _editor(session).text.startswith("SELECT"), "the earlier statement")
        await session.press("ctrl+down")
        await session.until(lambda: _editor(session).text == "SHOW", "what was being written")


async def test_statements_and_tabs_are_found_again(tmp_path: Path) -> None:
    path = tmp_path / "local.json"
    first = WatchedCenter(Fakes().ports(), tmp_path, session=Kept.load(path))
    async with first.run_test() as pilot:
        session = Session(first, pilot, Fakes())
        await session.shows("alerts following")
        await session.press("3", "ctrl+r", "ctrl+t")
        await session.type("SHOW TOPICS")
        await first.close_all()
    again = WatchedCenter(Fakes().ports(), tmp_path, session=Kept.load(path))
    async with again.run_test() as pilot:
        session = Session(again, pilot, Fakes())
        await session.shows("ctrl+r runs the statement")
        await session.press("ctrl+n")
        await session.until(lambda: _editor(session).text == "SHOW TOPICS", "the second tab")
        await session.press("ctrl+up")
        await session.until(lambda: _editor(session).text.startswith("SELECT"), "the statement that was run")
        await again.close_all()


async def test_columns_without_a_place_are_counted_and_a_record_has_them() -> None:
    names = [f"A_LONG_COLUMN_{number}" for number in range(9)]
    fakes = Fakes(ksql=FakeKsql(push=FakePush(names, ["STRING"] * 9)))
    async with running(fakes) as session:
        await session.press("3", "ctrl+r")
        fakes.ksql.push.send([[f"value-{number}" for number in range(9)]])
        await session.shows("value-0")
        await session.shows("+6 columns, enter shows all")
        await session.press("escape", "enter")
        await session.shows("value-8")


async def test_nested_values_are_json() -> None:
    assert grid.text({"a": [1, None, "ç"]}) == '{"a": [1, null, "ç"]}'
