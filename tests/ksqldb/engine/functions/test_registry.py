"""Finding, resolving and describing functions."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.functions import REGISTRY, NotLiteral, function_description, function_names
from ksqldb.engine.functions.resolve import Overload, choose
from ksqldb.engine.functions.signature import ArgType, cast_target, param_type_of, parameters_of
from ksqldb.engine.functions.trial import with_trial_functions
from ksqldb.engine.types import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    INTEGER,
    STRING,
    ArrayType,
    DecimalType,
    Field,
    StructType,
)
from tests.shared_data import shared


def overloads(*signatures: str) -> list[Overload[int]]:
    return [Overload("F", tuple(parameters_of(text)), i) for i, text in enumerate(signatures)]


@pytest.mark.parametrize(
    ("signatures", "args", "chosen"),
    [
        # the cases of ksqlDB's UdfIndex: exact, NULL, variadic, generic, casts
        (["VARCHAR a", "INT a"], [STRING], 0),
        (["VARCHAR a", "VARCHAR a, INT b"], [STRING, None], 1),
        (["VARCHAR... a", "VARCHAR a"], [STRING], 1),
        (["VARCHAR... a", "VARCHAR a, VARCHAR... b"], [STRING, STRING], 1),
        (["VARCHAR... a"], [], 0),
        (["VARCHAR... a"], [ArrayType(STRING)], 0),
        (["T a", "INT a"], [INTEGER], 1),
        (["T a, INT b", "T a, U b"], [INTEGER, INTEGER], 0),
        (["ANY... a", "INT... a"], [INTEGER, INTEGER], 1),
        (["INT a, VARCHAR... b, INT c"], [INTEGER, INTEGER], 0),
        (["INT a, VARCHAR... b, INT c"], [INTEGER, STRING, STRING, INTEGER], 0),
        (["BIGINT a", "DOUBLE... a"], [INTEGER], 0),
        (["DOUBLE a"], [DecimalType(4, 2)], 0),
        (["STRUCT<A VARCHAR> a"], [StructType((Field("A", STRING),))], 0),
        (["ARRAY<T> a, T b"], [ArrayType(INTEGER), INTEGER], 0),
    ],
)
def test_chosen(signatures: list[str], args: list[ArgType], chosen: int) -> None:
    assert choose("f", overloads(*signatures), args, casts=True).overload.value == chosen


@pytest.mark.parametrize(
    ("signatures", "args", "text"),
    [
        (["VARCHAR a"], [INTEGER], "does not accept parameters (INTEGER)"),
        (["INT a"], [BIGINT], "does not accept parameters (BIGINT)"),
        (["INT a"], [], "does not accept parameters ()"),
        (["ARRAY<T> a, T b"], [ArrayType(INTEGER), STRING], "does not accept parameters (ARRAY<INTEGER>, STRING)"),
        (["STRUCT<A INT> a"], [StructType((Field("A", STRING),))], "does not accept parameters (STRUCT<A STRING>)"),
        (["INT a, VARCHAR... b, INT c"], [INTEGER], "does not accept parameters (INTEGER)"),
        (["BIGINT a", "DOUBLE a"], [INTEGER], "ambiguous method parameters (INTEGER)"),
        (["INT a", "BOOLEAN a"], [None], "ambiguous method parameters (null)"),
    ],
)
def test_refused(signatures: list[str], args: list[ArgType], text: str) -> None:
    with pytest.raises(KsqlError, match=re.escape(text)):
        choose("f", overloads(*signatures), args, casts=True)


def test_the_whole_text_of_a_refusal() -> None:
    """As a real server answered ``SUBSTRING(qty, 'a')``."""
    with pytest.raises(KsqlError) as refused:
        REGISTRY.resolve_scalar("SubString", [INTEGER, STRING])
    assert str(refused.value) == (
        "Function 'substring' does not accept parameters (INTEGER, STRING).\n"
        "Valid alternatives are:\n"
        "SUBSTRING(VARCHAR str, INT pos, INT length)\n"
        "SUBSTRING(BYTES bytes, INT pos, INT length)\n"
        "SUBSTRING(BYTES bytes, INT pos)\n"
        "SUBSTRING(VARCHAR str, INT pos)\n"
        "For detailed information on a function run: DESCRIBE FUNCTION <Function-Name>;"
    )


def test_unknown_functions() -> None:
    for resolve in (REGISTRY.resolve_scalar, REGISTRY.resolve_table):
        with pytest.raises(KsqlError, match="Can't find any functions with the name 'nope'"):
            resolve("nope", [])
    assert REGISTRY.scalar("COUNT") is None
    assert REGISTRY.aggregate("substring") is None
    assert REGISTRY.table("Explode") is not None


def test_silent_casts_name_their_target() -> None:
    variant = REGISTRY.resolve_scalar("GEO_DISTANCE", [INTEGER, DecimalType(4, 2), DOUBLE, BIGINT])
    assert variant.param_types == (DOUBLE, DOUBLE, DOUBLE, DOUBLE)
    decimal = param_type_of("DECIMAL")
    assert [cast_target(decimal, actual) for actual in (INTEGER, BIGINT, DecimalType(4, 2), None)] == [
        DecimalType(10, 0),
        DecimalType(19, 0),
        DecimalType(4, 2),
        None,
    ]


def test_variadic_arguments_may_come_as_an_array() -> None:
    variant = REGISTRY.resolve_scalar("CONCAT", [ArrayType(STRING)])
    assert variant.fn(["a", "b"]) == "ab"


def test_every_function_is_there_as_on_a_real_server() -> None:
    body = json.loads(shared("conformance/rest-transcripts/show_functions.json").read_text())["response_body"]
    listed = sorted(json.loads(body)[0]["functions"], key=lambda function: function["name"])
    assert function_names(REGISTRY) == listed


def test_every_function_has_a_description_of_every_form() -> None:
    for name in REGISTRY.functions:
        described = function_description(REGISTRY, name)
        assert described["description"], name
        assert described["functions"], name


@pytest.mark.parametrize("transcript", ["describe_function", "describe_function_agg"])
def test_descriptions_as_a_real_server_gives_them(transcript: str) -> None:
    body = json.loads(shared(f"conformance/rest-transcripts/{transcript}.json").read_text())["response_body"]
    expected: dict[str, Any] = json.loads(body)[0]
    found = function_description(REGISTRY, expected["name"].lower())
    assert found == {key: expected[key] for key in found}


def test_trial_functions_stay_apart() -> None:
    trial = with_trial_functions(REGISTRY)
    assert "TEST_UDF" not in REGISTRY.functions
    assert trial.resolve_scalar("test_udf", [INTEGER, STRING]).fn(1, "foo") == "doStuffIntString"
    assert trial.resolve_scalar("test_udf", []).fn() == {"A": "foo"}
    literals = [NotLiteral("A"), NotLiteral("B"), 5, "10", "3"]
    total = trial.resolve_aggregate("MULTI_ARG", [BIGINT, STRING, INTEGER, STRING, STRING], literals)
    assert total.inputs == 2
    assert total.result(total.add(total.initialize(), 6, "hi")) == 5 + 2 + 1 + 6 + 2
    spread = trial.resolve_aggregate(
        "MID_VAR_ARG",
        [BIGINT, STRING, STRING, INTEGER, INTEGER],
        [NotLiteral("A"), NotLiteral("B"), NotLiteral("C"), 7, 3],
    )
    assert spread.inputs == 3
    rows = trial.resolve_aggregate("OBJ_COL_ARG", [INTEGER, BOOLEAN], [NotLiteral("A"), NotLiteral("B")])
    assert rows.result(rows.add(rows.add([], 1, True), 2, None)) == [1]
