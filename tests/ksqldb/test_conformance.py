"""The conformance runner tells right from wrong: damaged cases are reported failed, whole ones passed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ksqldb.conformance.__main__ import Outcome, judge, main
from ksqldb.conformance.cases import load
from tests.shared_data import shared

Data = dict[str, Any]
Damage = Callable[[Data], object]

FILTER: Data = {
    "name": "filter",
    "statements": [
        "CREATE STREAM INPUT (ID STRING KEY, AMOUNT DOUBLE, NOTE STRING, H BYTES HEADER('a'))"
        " WITH (kafka_topic='in', value_format='JSON', key_format='JSON');",
        "CREATE STREAM OUTPUT AS SELECT ID, AMOUNT, NOTE FROM INPUT WHERE AMOUNT > 10;",
    ],
    "inputs": [
        {"topic": "in", "key": "a", "value": {"amount": 11.5, "note": "x"}, "timestamp": 1},
        {"topic": "in", "key": "b", "value": {"amount": 5, "note": "y"}, "timestamp": 2},
        {
            "topic": "in",
            "key": "c",
            "value": {"amount": 12, "note": None},
            "timestamp": 3,
            "headers": [{"KEY": "a", "VALUE": "AQ=="}],
        },
    ],
    "outputs": [
        {"topic": "OUTPUT", "key": "a", "value": {"AMOUNT": 11.5, "NOTE": "x"}, "timestamp": 1},
        {
            "topic": "OUTPUT",
            "key": "c",
            "value": {"AMOUNT": 12.0, "NOTE": None},
            "timestamp": 3,
            "headers": [{"KEY": "a", "VALUE": "AQ=="}],
        },
    ],
    "post": {
        "sources": [{"name": "OUTPUT", "type": "stream", "schema": "ID STRING KEY, AMOUNT DOUBLE, NOTE STRING"}],
        "topics": {
            "topics": [
                {"name": "OUTPUT", "keyFormat": {"format": "JSON"}, "valueFormat": "JSON", "partitions": 4},
            ]
        },
    },
}

WINDOWS: Data = {
    "name": "windows",
    "statements": [
        "CREATE STREAM INPUT (ID BIGINT KEY, V INT) WITH (kafka_topic='in', value_format='DELIMITED');",
        "CREATE TABLE OUTPUT AS SELECT ID, SUM(V) AS TOTAL FROM INPUT WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY ID;",
    ],
    "inputs": [
        {"topic": "in", "key": 1, "value": "3", "timestamp": 500},
        {"topic": "in", "key": 1, "value": "4", "timestamp": 900},
        {"topic": "in", "key": 1, "value": "5", "timestamp": 10500},
    ],
    "outputs": [
        {
            "topic": "OUTPUT",
            "key": 1,
            "value": total,
            "timestamp": at,
            "window": {"start": at // 10000 * 10000, "end": at // 10000 * 10000 + 10000, "type": "time"},
        }
        for total, at in (("3", 500), ("7", 900), ("5", 10500))
    ],
}

ERROR: Data = {
    "name": "error",
    "statements": [
        "CREATE STREAM INPUT (ID STRING KEY, V INT) WITH (kafka_topic='in', value_format='JSON');",
        "CREATE STREAM OUTPUT AS SELECT ID, NOPE FROM INPUT;",
    ],
    "expectedException": {
        "type": "io.confluent.ksql.util.KsqlStatementException",
        "message": "SELECT column 'NOPE' cannot be resolved.",
    },
}

PULL: Data = {
    "name": "pull",
    "statements": [
        "CREATE STREAM INPUT (ID STRING KEY, V INT) WITH (kafka_topic='in', value_format='JSON');",
        "CREATE TABLE OUTPUT AS SELECT ID, COUNT(*) AS N FROM INPUT GROUP BY ID;",
        "SELECT * FROM OUTPUT WHERE ID='a';",
    ],
    "inputs": [
        {"topic": "in", "key": "a", "value": {"v": 1}, "timestamp": 1},
        {"topic": "in", "key": "a", "value": {"v": 2}, "timestamp": 2},
        {"topic": "in", "key": "b", "value": {"v": 2}, "timestamp": 2},
    ],
    "responses": [
        {"admin": {"@type": "currentStatus"}},
        {"admin": {"@type": "currentStatus"}},
        {"query": [{"header": {"schema": "`ID` STRING KEY, `N` BIGINT"}}, {"row": {"columns": ["a", 2]}}]},
    ],
}


def put(path: str, value: Any) -> Damage:
    """Sets what lies at a path of keys and positions, as in ``outputs.0.value``."""

    def damage(data: Data) -> None:
        *steps, last = path.split(".")
        node: Any = data
        for step in steps:
            node = node[int(step)] if isinstance(node, list) else node[step]
        node[int(last) if isinstance(node, list) else last] = value

    return damage


DAMAGES: list[tuple[str, Data, Damage]] = [
    ("wrong double", FILTER, put("outputs.0.value.AMOUNT", 11.6)),
    ("wrong text", FILTER, put("outputs.0.value.NOTE", "X")),
    ("null for a text", FILTER, put("outputs.0.value.NOTE", None)),
    ("text for a number", FILTER, put("outputs.0.value.AMOUNT", "11.5")),
    ("text for null", FILTER, put("outputs.1.value.NOTE", "null")),
    ("tombstone for a row", FILTER, put("outputs.0.value", None)),
    ("wrong key", FILTER, put("outputs.0.key", "b")),
    ("no key", FILTER, put("outputs.0.key", None)),
    ("wrong time", FILTER, put("outputs.1.timestamp", 4)),
    ("column too many", FILTER, put("outputs.0.value.MORE", 1)),
    ("column missing", FILTER, lambda d: d["outputs"][0]["value"].pop("NOTE")),
    ("first row missing", FILTER, lambda d: d["outputs"].pop(0)),
    ("last row missing", FILTER, lambda d: d["outputs"].pop()),
    ("no rows", FILTER, put("outputs", [])),
    ("a row too many", FILTER, lambda d: d["outputs"].append(d["outputs"][1])),
    ("wrong order", FILTER, lambda d: d["outputs"].reverse()),
    ("wrong header", FILTER, put("outputs.1.headers.0.VALUE", "Ag==")),
    ("header's name", FILTER, put("outputs.1.headers.0.KEY", "b")),
    ("wrong topic", FILTER, put("outputs.0.topic", "in")),
    ("an error that does not come", FILTER, put("expectedException", ERROR["expectedException"])),
    ("no such source", FILTER, put("post.sources.0.name", "OTHER")),
    ("a table", FILTER, put("post.sources.0.type", "table")),
    ("wrong type in the schema", FILTER, put("post.sources.0.schema", "ID STRING KEY, AMOUNT INT, NOTE STRING")),
    ("wrong order in the schema", FILTER, put("post.sources.0.schema", "ID STRING KEY, NOTE STRING, AMOUNT DOUBLE")),
    ("no such topic", FILTER, put("post.topics.topics.0.name", "OTHER")),
    ("wrong key format", FILTER, put("post.topics.topics.0.keyFormat.format", "KAFKA")),
    ("wrong value format", FILTER, put("post.topics.topics.0.valueFormat", "AVRO")),
    ("wrong partitions", FILTER, put("post.topics.topics.0.partitions", 3)),
    ("wrong window start", WINDOWS, put("outputs.0.window.start", 1)),
    ("wrong window end", WINDOWS, put("outputs.0.window.end", 9999)),
    ("a session", WINDOWS, put("outputs.0.window.type", "session")),
    ("no window", WINDOWS, lambda d: d["outputs"][0].pop("window")),
    ("wrong sum", WINDOWS, put("outputs.1.value", "8")),
    ("a later window first", WINDOWS, lambda d: d["outputs"].insert(0, d["outputs"].pop())),
    ("text for a key", WINDOWS, put("outputs.0.key", "1")),
    ("another message", ERROR, put("expectedException.message", "SELECT column 'NO' cannot be resolved.")),
    (
        "another type of error",
        ERROR,
        put("expectedException.type", "io.confluent.ksql.parser.exception.ParseFailedException"),
    ),
    ("an error not expected", ERROR, lambda d: d.pop("expectedException")),
    ("an error of an earlier statement", ERROR, put("statements.0", "CREATE STREAM INPUT AS SELECT ID, NOPE FROM A;")),
    ("wrong value pulled", PULL, put("responses.2.query.1.row.columns.1", 3)),
    ("no row pulled", PULL, lambda d: d["responses"][2]["query"].pop()),
    ("row too many pulled", PULL, lambda d: d["responses"][2]["query"].append({"row": {"columns": ["b", 1]}})),
    ("wrong schema pulled", PULL, put("responses.2.query.0.header.schema", "`ID` STRING, `N` BIGINT")),
    ("wrong entity", PULL, put("responses.0.admin.@type", "streams")),
    ("response missing", PULL, lambda d: d["responses"].pop()),
    ("an error the server does not give", PULL, put("expectedError", {"status": 400})),
]


def judged(folder: Path, *cases: Data) -> list[Outcome]:
    file = folder / "cases.json"
    file.write_text(json.dumps({"tests": list(cases)}))
    return [judge(case) for case in load([file])]


@pytest.mark.parametrize("case", [FILTER, WINDOWS, ERROR, PULL], ids=lambda c: str(c["name"]))
def test_whole_cases_pass(case: Data, tmp_path: Path) -> None:
    (outcome,) = judged(tmp_path, case)
    assert outcome.passed, outcome.reason


@pytest.mark.parametrize(("name", "case", "damage"), DAMAGES, ids=[d[0] for d in DAMAGES])
def test_damaged_cases_fail(name: str, case: Data, damage: Damage, tmp_path: Path) -> None:
    damaged = copy.deepcopy(case)
    damage(damaged)
    (outcome,) = judged(tmp_path, damaged)
    assert not outcome.passed
    assert outcome.reason
    assert not outcome.crashed, outcome.reason


def test_the_report_counts_and_names_what_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = copy.deepcopy(FILTER)
    put("outputs.0.value.AMOUNT", 1)(damaged)
    file = tmp_path / "cases.json"
    file.write_text(json.dumps({"tests": [FILTER, damaged, WINDOWS]}))
    assert main([str(file), "--json"]) == 1
    *lines, last = capsys.readouterr().out.splitlines()
    assert last == "2 passed, 1 failed"
    parsed = [json.loads(line) for line in lines]
    assert [line["passed"] for line in parsed] == [True, False, True]
    assert "AMOUNT" in parsed[1]["reason"]
    assert {line["area"] for line in parsed} == {"cases"}


def test_one_case_per_format(tmp_path: Path) -> None:
    case = copy.deepcopy(FILTER)
    case.pop("post")
    case["format"] = ["JSON", "KAFKA"]
    case["statements"][0] = case["statements"][0].replace("key_format='JSON'", "key_format='{FORMAT}'")
    outcomes = judged(tmp_path, case)
    assert [o.id.rsplit("|", 1)[1] for o in outcomes] == ["JSON", "KAFKA"]
    assert all(o.passed for o in outcomes), [o.reason for o in outcomes]


@pytest.mark.parametrize("text", ["{", "[]", '{"tests": 1}'])
def test_files_that_hold_no_cases_are_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "other.json"
    file.write_text(text)
    assert main([str(file)]) == 2
    assert "other.json" in capsys.readouterr().err


def test_recorded_cases_fail_when_a_value_is_changed() -> None:
    """Every case of one file that expects rows, with its last row's value replaced."""
    damaged = 0
    for case in load([shared("conformance/ksqldb/query-validation/hopping-windows.json")]):
        if not case.data.get("outputs"):
            continue
        assert judge(case).passed, case.id
        case.data["outputs"][-1]["value"] = {"NOT": "THIS"}
        assert not judge(case).passed, case.id
        damaged += 1
    assert damaged > 3
