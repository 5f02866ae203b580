"""The dialogue player: how answers are compared, and a dialogue played against the embedded engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ksqldb.dialogues import collect, play
from ksqldb.dialogues.match import difference, expand, loads
from tests.ksqldb.conftest import EngineAddress
from tests.shared_data import shared


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("<any>", {"a": [1]}),
        ("<int>", 5),
        ("id <int>!", "id -12!"),
        ("<queryId>", "transient_X_1"),
        ({"unordered": [1, 2]}, [2, 1]),
        ({"contains": {"a": 1}}, {"a": 1, "b": 2}),
        ({"contains": [{"a": 1}]}, [{"a": 3}, {"a": 1, "b": 2}]),
        ({"contains": "ell"}, "hello"),
        (loads("[1.50, 1.5]"), loads("[1.50, 1.5]")),
    ],
)
def test_what_fits(expected: Any, actual: Any) -> None:
    assert difference(expected, actual) is None


@pytest.mark.parametrize(
    ("expected", "actual", "problem"),
    [
        (loads("1.50"), loads("1.5"), ': expected "<num 1.50>", got 1.5'),
        (1, loads("1.0"), ": expected 1, got 1.0"),
        (1, True, ": expected 1, got true"),
        ("<int>", "five", ': expected "<int>", got "five"'),
        ({"a": 1}, {"a": 1, "b": 2}, "/b: unexpected 2"),
        ({"a": [1, 2]}, {"a": [1]}, "/a/1: missing, expected 2"),
        ([1], [1, 2], "/1: unexpected 2"),
        ({"unordered": [1, 1]}, [1, 2], ": nothing fits 1 in [2]"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(expected: Any, actual: Any, problem: str) -> None:
    assert difference(expected, actual) == problem


def test_saved_values_stand_in_everywhere() -> None:
    assert expand({"a ${X}": ["${X}", "${Y}"]}, {"X": "1"}) == {"a 1": ["1", "${Y}"]}


def steps(name: str, total: str) -> list[dict[str, Any]]:
    def ksql(sql: str, expect: Any, **more: Any) -> dict[str, Any]:
        request = {"method": "POST", "path": "/ksql", "body": {"ksql": sql}}
        return {
            "request": request,
            "expect": {"status": 200, "content_type": "application/json", "body": expect},
            **more,
        }

    create = f"CREATE STREAM {name} (k VARCHAR KEY, n INT) WITH (KAFKA_TOPIC='{name}', VALUE_FORMAT='JSON');"
    properties = {"auto.offset.reset": "earliest"}
    return [
        {"topic": name, "partitions": 1},
        {"produce": name, "records": [{"key": "a", "value": {"n": 1}, "timestamp": 1000}]},
        ksql(create, {"contains": [{"commandStatus": {"status": "SUCCESS"}}]}),
        {
            "open": "P",
            "request": {
                "method": "POST",
                "path": "/query-stream",
                "body": {"sql": f"SELECT n, 1.50 AS d FROM {name} EMIT CHANGES;", "properties": properties},
            },
            "expect": {"status": 200, "content_type": "application/vnd.ksqlapi.delimited.v1"},
        },
        {"read": "P", "save": {"Q": "/0/queryId"}, "lines": [{"contains": {"queryId": "<queryId>"}}, [1, total]]},
        ksql("TERMINATE ${Q};", {"contains": [{"queryId": "${Q}", "wasTerminated": True}]}),
        {"ended": "P", "lines": []},
        {"close": "P"},
        {"consume": name, "records": [{"key": "a", "value": {"n": 1}, "timestamp": 1000}]},
        ksql(f"DROP STREAM {name} DELETE TOPIC;", "<any>", cleanup=True),
    ]


@pytest.mark.parametrize(("total", "passes"), [("<num 1.50>", True), ("<num 1.5>", False)])
async def test_a_dialogue_is_played_and_judged(engine: EngineAddress, name: str, total: str, passes: bool) -> None:
    dialogue = {"name": name, "area": "x", "steps": steps(name, total)}
    (played,) = [played async for played in play([dialogue], engine.url, engine.bootstrap)]
    assert (played.name, played.area) == (name, "x")
    if passes:
        assert played.reason is None
    else:
        assert played.reason is not None
        assert played.reason.startswith("step 4")


@pytest.mark.timeout(600)
async def test_the_recorded_dialogues(engine: EngineAddress) -> None:
    folder: Path = shared("conformance/rest-dialogues")
    played = [played async for played in play(collect(folder), engine.url, engine.bootstrap)]
    failed = {outcome.name: outcome.reason for outcome in played if outcome.reason}
    assert len(played) > 70
    assert failed == {}
