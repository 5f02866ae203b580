"""How rows, answers and errors look."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from ksqldb.client import Column, KsqlServerError, Tombstone
from ksqldb.prompt._entities import entity_text
from ksqldb.prompt._errors import error_text
from ksqldb.prompt._rows import printer
from ksqldb.prompt._text import cell, fit, json_text, width

COLUMNS = [Column("ID", "STRING"), Column("AMOUNT", "DECIMAL(10, 2)"), Column("TAGS", "ARRAY<STRING>")]
ROWS = [("a", Decimal("3000.10"), ["x", None]), ("São", None, [])]


def test_a_table_is_as_wide_as_its_rows() -> None:
    assert printer("table", COLUMNS, None).rows(ROWS) == (
        'ID  |  AMOUNT | TAGS\n----+---------+-----------\na   | 3000.10 | ["x",null]\nSão |    NULL | []\n'
    )


def test_the_head_is_written_once() -> None:
    table = printer("table", COLUMNS, 80)
    assert table.rows(ROWS).count("AMOUNT") == 1
    assert "AMOUNT" not in table.rows(ROWS)


@pytest.mark.parametrize("room", [26, 40, 79])
def test_a_table_never_leaves_its_terminal(room: int) -> None:
    wide = [("x" * 50, Decimal("1.00"), ["語" * 30])]
    for line in printer("table", COLUMNS, room).rows(wide).splitlines():
        assert width(line) <= room


def test_what_does_not_fit_side_by_side_is_shown_one_column_a_line() -> None:
    columns = [Column(f"C{n}", "INTEGER") for n in range(12)]
    text = printer("table", columns, 80).rows([tuple(range(12)), tuple(range(12, 24))])
    lines = text.splitlines()
    assert lines[0].startswith("-[ 1 ]---")
    assert lines[1:3] == ["C0  | 0", "C1  | 1"]
    assert lines[13].startswith("-[ 2 ]---")


def test_json_lines_keep_every_value() -> None:
    (first, second) = printer("json", COLUMNS, None).rows(ROWS).splitlines()
    assert first == '{"ID":"a","AMOUNT":3000.10,"TAGS":["x",null]}'
    assert json.loads(second) == {"ID": "São", "AMOUNT": None, "TAGS": []}


def test_json_marks_a_tombstone() -> None:
    text = printer("json", COLUMNS[:2], None).rows([Tombstone(("a", None))])
    assert json.loads(text) == {"ID": "a", "AMOUNT": None, "@tombstone": True}


def test_csv_has_a_head_and_quotes() -> None:
    csv = printer("csv", COLUMNS, None)
    assert csv.head() + csv.rows([("a,b", Decimal("1.00"), ["x"]), ('q"', None, None)]) == (
        'ID,AMOUNT,TAGS\n"a,b",1.00,"[""x""]"\n"q""",,\n'
    )


@pytest.mark.parametrize("form", ["table", "csv"])
def test_control_characters_do_not_reach_a_terminal(form: str) -> None:
    hostile = "\x1b[2J\x9b31m\x07\u202egnp"
    text = printer(form, [Column("A", "STRING")], 80).rows([(hostile,)])
    assert not set(text) & {"\x1b", "\x9b", "\x07", "\u202e"}
    assert "gnp" in text


def test_json_escapes_what_a_terminal_could_act_on_and_changes_no_value() -> None:
    hostile = "\x1b\x9b\x7f\u202e ok"
    text = json_text({"a": hostile})
    assert text.isprintable()
    assert json.loads(text) == {"a": hostile}


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "NULL"), (True, "true"), (b"\x01\x02", "AQI="), ({"A": Decimal("1.0")}, '{"A":1.0}'), ("a\nb", "a⏎b")],
)
def test_cells(value: object, text: str) -> None:
    assert cell(value) == text


def test_wide_letters_are_counted_in_columns() -> None:
    assert fit("語語語", 4) == "語… "
    assert fit("ab", 4, right=True) == "  ab"


def test_an_error_points_into_the_text() -> None:
    problem = KsqlServerError(40001, "Line: 2, Col: 8: SELECT column 'ZZ' cannot be resolved.\nStatement: SELECT")
    assert error_text(problem, "-- x\nSELECT zz FROM t;", line=3, column=1) == (
        "error 40001 at 4:8: SELECT column 'ZZ' cannot be resolved.\n  4 | SELECT zz FROM t;\n    |        ^"
    )


def test_the_first_line_of_a_later_statement_is_counted_from_its_column() -> None:
    problem = KsqlServerError(40001, "line 1:1: Syntax Error\nUnknown statement 'SELEC'\nDid you mean 'SELECT'?")
    text = error_text(problem, "SELEC;", line=1, column=16)
    assert text.startswith("error 40001 at 1:16: Syntax Error\nUnknown statement 'SELEC'")
    assert text.endswith("  1 | SELEC;\n    | ^")


def test_an_error_without_a_place_is_just_told() -> None:
    assert (
        error_text(KsqlServerError(40001, "NOPE does not exist."), "SELECT 1;") == "error 40001: NOPE does not exist."
    )


def test_a_place_outside_the_text_is_not_drawn() -> None:
    assert error_text(KsqlServerError(40001, "line 9:1: gone"), "SELECT 1;") == "error 40001 at 9:1: gone"


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        ({"@type": "currentStatus", "commandStatus": {"message": "Stream created"}}, ["Stream created"]),
        ({"@type": "queries", "queries": []}, ["no queries"]),
        ({"@type": "terminate_query", "queryId": "q", "wasTerminated": True}, ["q terminated"]),
        (
            {"@type": "kafka_topics", "topics": [{"name": "t", "replicaInfo": [1, 1]}]},
            ["Topic | Partitions | Replicas", "t     | 2          | 1"],
        ),
        (
            {"@type": "warning_entity", "message": "there", "warnings": [{"message": "careful"}]},
            ["there", "warning: careful"],
        ),
        ({"@type": "assert_topic", "topicName": "t"}, ['{"@type":"assert_topic","topicName":"t"}']),
    ],
)
def test_answers(entity: dict[str, object], expected: list[str]) -> None:
    lines = entity_text(entity).splitlines()
    assert [line for line in lines if not line.startswith("---")] == expected


def test_a_described_stream_shows_its_fields_and_queries() -> None:
    query = {"id": "Q1", "queryType": "PERSISTENT", "statusCount": {"RUNNING": 1}, "sinks": ["B"], "queryString": "x"}
    struct = {"type": "STRUCT", "fields": [{"name": "X", "schema": {"type": "INTEGER"}}]}
    source = {
        "name": "A",
        "type": "STREAM",
        "topic": "a",
        "fields": [
            {"name": "K", "schema": {"type": "STRING"}, "type": "KEY"},
            {"name": "S", "schema": {"type": "ARRAY", "memberSchema": struct}},
            {"name": "D", "schema": {"type": "DECIMAL", "parameters": {"precision": 4, "scale": 2}}},
        ],
        "readQueries": [query],
        "writeQueries": [],
    }
    text = entity_text({"@type": "sourceDescription", "sourceDescription": source})
    assert "K     | STRING                   | KEY" in text
    assert "S     | ARRAY<STRUCT<X INTEGER>>" in text
    assert "D     | DECIMAL(4, 2)" in text
    assert "Queries that read it" in text
    assert "Queries that write it" not in text


def test_a_description_tells_how_far_its_queries_have_read() -> None:
    place = {"partition": 1, "logStartOffset": 2, "logEndOffset": 9, "consumerOffset": 7}
    summary = {"groupId": "g", "topicSummaries": [{"kafkaTopic": "pay", "offsets": [place]}]}
    source = {"name": "OUT", "extended": True, "fields": [], "queryOffsetSummaries": [summary]}
    lines = entity_text({"@type": "sourceDescription", "sourceDescription": source}).splitlines()
    assert lines[-3] == "Group | Topic | Partition | Start | End | Offset | Lag"
    assert lines[-1] == "g     | pay   | 1         | 2     | 9   | 7      | 2"


def test_every_query_is_told_with_its_plan() -> None:
    queries = [{"id": name, "executionPlan": " > [ SINK ]"} for name in ("CSAS_A_1", "CTAS_B_3")]
    text = entity_text({"@type": "query_descriptions", "queryDescriptions": queries})
    assert text.count("> [ SINK ]") == 2
    assert "CSAS_A_1" in text
    assert entity_text({"@type": "query_descriptions", "queryDescriptions": []}) == "no queries"
