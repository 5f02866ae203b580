"""JSON records: coercions, both paths of the decoder, and what is written."""

from __future__ import annotations

import json
import tracemalloc
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksqldb.engine.errors import DecodeError
from ksqldb.engine.formats import Codec, key_codec, value_codec
from ksqldb.engine.formats.json_encode import json_text
from ksqldb.engine.types import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    INTEGER,
    STRING,
    TIME,
    TIMESTAMP,
    ArrayType,
    DecimalType,
    Field,
    MapType,
    SqlType,
    StructType,
)
from tests.shared_data import shared

STRUCT = StructType((Field("A", INTEGER), Field("b", STRING)))
COLUMNS: list[tuple[str, SqlType]] = [
    ("I", INTEGER),
    ("L", BIGINT),
    ("D", DOUBLE),
    ("B", BOOLEAN),
    ("S", STRING),
    ("DE", DecimalType(6, 2)),
    ("TS", TIMESTAMP),
    ("AR", ArrayType(INTEGER)),
    ("M", MapType(STRING, INTEGER)),
    ("ST", STRUCT),
]
NAMES = [name for name, _ in COLUMNS]


def decoded(codec: Codec, data: bytes | str) -> dict[str, Any] | None:
    """Columns that are not NULL, by the careful path first, then by the fast one: both must agree."""
    raw = data.encode() if isinstance(data, str) else data
    first, second = codec.decode(raw), codec.decode(raw)
    assert first == second
    assert first is not None
    return {name: value for name, value in zip(NAMES, first, strict=True) if value is not None}


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ('{"i":1,"s":"x"}', {"I": 1, "S": "x"}),
    ('{"I":9,"S":"up"}', {"I": 9, "S": "up"}),
    ('{"i":"42","l":"43","d":"1.25"}', {"I": 42, "L": 43, "D": 1.25}),
    ('{"i":1.7,"l":-1.7}', {"I": 1, "L": -1}),
    ('{"i":3000000000,"l":9223372036854775808}', {"I": -1294967296, "L": -(2**63)}),
    ('{"d":1,"de":7}', {"D": 1.0, "DE": Decimal("7.00")}),
    ('{"de":"7.25"}', {"DE": Decimal("7.25")}),
    ('{"de":1.500}', {"DE": Decimal("1.50")}),
    ('{"s":5}', {"S": "5"}),
    ('{"s":1.50}', {"S": "1.50"}),
    ('{"s":true}', {"S": "true"}),
    ('{"s":{"z":1,"a":[1,2.0]}}', {"S": '{"z":1,"a":[1,2.0]}'}),
    ('{"s":[1,"x",null,{"a":1}]}', {"S": '[1, x, null, {"a":1}]'}),
    ('{"ts":1700000000123}', {"TS": 1700000000123}),
    ('{"ar":["1",2,null]}', {"AR": [1, 2, None]}),
    ('{"m":{"a":null,"b":"2"}}', {"M": {"a": None, "b": 2}}),
    ('{"st":{"a":7}}', {"ST": {"A": 7, "b": None}}),
    ('{"st":{"A":7,"b":"x","B":"y"}}', {"ST": {"A": 7, "b": "x"}}),
    ('{"zzz":1,"i":3}', {"I": 3}),
    ('{"i":1,"I":2}', {"I": 2}),
    (' {"i":1} trailing', {"I": 1}),
    ("{}", {}),
    ('{"i":null}', {}),
]


@pytest.mark.parametrize(("text", "expected"), ACCEPTED)
def test_accepted(text: str, expected: dict[str, Any]) -> None:
    assert decoded(value_codec("JSON", COLUMNS), text) == expected


REFUSED = [
    '{"b":"true"}',
    '{"b":1}',
    '{"i":"abc"}',
    '{"i":"3000000000"}',
    '{"i":true}',
    '{"l":[1]}',
    '{"d":"x"}',
    '{"d":{}}',
    '{"de":1.239}',
    '{"de":12345678.9}',
    '{"de":"x"}',
    '{"de":[]}',
    '{"ts":"2023-11-14T22:13:20.123"}',
    '{"ar":5}',
    '{"ar":["x"]}',
    '{"m":[1]}',
    '{"st":"x"}',
    "null",
    "[1]",
    '"str"',
    "",
    "{not json",
]


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    codec = value_codec("JSON", COLUMNS)
    codec.decode(b'{"i":1,"l":2,"d":1.0,"b":true,"s":"x","de":1.0,"ts":1,"ar":[],"m":{},"st":{}}')
    for _ in range(2):
        with pytest.raises(DecodeError):
            codec.decode(text.encode())


def test_what_was_refused_is_said_and_where() -> None:
    codec = value_codec("JSON", COLUMNS)
    with pytest.raises(DecodeError, match=r"requiredType: BOOLEAN, path: \$\.B"):
        codec.decode(b'{"b":"true"}')
    with pytest.raises(DecodeError, match=r"Numeric field overflow.*less than 10\^4"):
        codec.decode(b'{"de":12345.6}')


def test_null_bytes_are_a_tombstone() -> None:
    codec = value_codec("JSON", COLUMNS)
    assert codec.decode(None) is None
    assert codec.encode(None) is None


def test_columns_that_are_not_wanted_are_checked_but_not_given() -> None:
    codec = value_codec("JSON", COLUMNS, wanted=["I"])
    for _ in range(2):
        row = codec.decode(b'{"i":1,"s":"x","de":1.5}')
        assert row is not None
        assert [value for value in row if value is not None] == [1]
        with pytest.raises(DecodeError):
            codec.decode(b'{"i":1,"b":"no"}')
        with pytest.raises(DecodeError):
            codec.decode(b'{"i":1,"de":1.555}')


def test_exact_names_come_first() -> None:
    codec = value_codec("JSON", [("b", INTEGER), ("B", INTEGER)])
    assert codec.decode(b'{"b":1,"B":2}') == (1, 2)
    assert codec.decode(b'{"B":2}') == (None, 2)
    upper = value_codec("JSON", [("B", INTEGER)])
    assert upper.decode(b'{"b":1}') == (1,)
    assert upper.decode(b'{"b":1,"B":2}') == (2,)
    assert upper.decode(b'{"B":2,"b":1}') == (2,)


def test_a_key_gives_every_column_it_can_mean_on_both_paths() -> None:
    codec = value_codec("JSON", [("V", INTEGER), ("v", INTEGER)])
    for _ in range(2):  # the second time by the fast path, if there is one
        assert codec.decode(b'{"v":1}') == (1, 1)
        assert codec.decode(b'{"V":2}') == (2, None)
        assert codec.decode(b'{"v":1,"V":2}') == (2, 1)


def test_ever_new_keys_are_not_remembered() -> None:
    codec = value_codec("JSON", [("V", INTEGER)])
    before = tracemalloc_of(codec, range(1_000))
    assert tracemalloc_of(codec, range(1_000, 20_000)) < before + 100_000


def tracemalloc_of(codec: Codec, numbers: range) -> int:
    """Bytes that are still held after decoding objects with a key for each number."""
    tracemalloc.start()
    for number in numbers:
        assert codec.decode(b'{"V":1,"key number %d":2}' % number) == (1,)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held


def test_keys_without_end_do_not_pile_up() -> None:
    codec = value_codec("JSON", [("I", INTEGER)])
    for n in range(600):
        assert codec.decode(b'{"k%d":1,"i":%d}' % (n, n)) == (n,)


# ---------------------------------------------------------------------------------------------- writing

WRITTEN: list[tuple[SqlType, Any, str]] = [
    (INTEGER, -5, "-5"),
    (DOUBLE, 1.0, "1.0"),
    (DOUBLE, 1e-7, "1.0E-7"),
    (DOUBLE, 12345678901.0, "1.2345678901E10"),
    (DOUBLE, -1e7, "-1.0E7"),
    (DOUBLE, -0.0, "-0.0"),
    (DOUBLE, float("nan"), '"NaN"'),
    (DOUBLE, float("-inf"), '"-Infinity"'),
    (DecimalType(6, 2), Decimal("10.00"), "10.00"),
    (DecimalType(20, 10), Decimal("0E-10"), "0.0000000000"),
    (BOOLEAN, False, "false"),
    (STRING, 'é"\n\\', '"é\\"\\n\\\\"'),
    (BYTES, b"!", '"IQ=="'),
    (DATE, -1, "-1"),
    (TIME, 1, "1"),
    (TIMESTAMP, 1, "1"),
    (ArrayType(DOUBLE), [1.0, None], "[1.0,null]"),
    (MapType(STRING, DecimalType(4, 2)), {"a%s": Decimal("1.50")}, '{"a%s":1.50}'),
    (MapType(INTEGER, STRING), {1: "x"}, '{"1":"x"}'),
    (MapType(STRING, INTEGER), {None: 1}, '{"null":1}'),
    (STRUCT, {"A": None, "b": "x"}, '{"A":null,"b":"x"}'),
    (STRING, None, "null"),
    (STRUCT, None, "null"),
]


@pytest.mark.parametrize(("sql_type", "value", "text"), WRITTEN)
def test_written(sql_type: SqlType, value: Any, text: str) -> None:
    codec = value_codec("JSON", [("100%", sql_type), ("N", INTEGER)])
    assert codec.encode((value, None)) == ('{"100%":' + text + ',"N":null}').encode()


def test_a_single_value_may_stand_bare() -> None:
    bare = value_codec("JSON", [("V", INTEGER)], {"WRAP_SINGLE_VALUE": False})
    assert bare.decode(b"5") == (5,)
    assert bare.decode(b"null") == (None,)
    assert bare.decode(None) is None
    assert bare.encode((5,)) == b"5"
    assert bare.encode((None,)) is None
    for bad in (b'{"V":6}', b"x"):
        with pytest.raises(DecodeError):
            bare.decode(bad)
    assert value_codec("JSON", [("V", INTEGER)]).encode((5,)) == b'{"V":5}'


def test_keys() -> None:
    assert key_codec("JSON", [("K", STRING)]).encode(("a",)) == b'"a"'
    two = key_codec("JSON", [("A", INTEGER), ("B", STRING)])
    assert two.encode((1, "x")) == b'{"A":1,"B":"x"}'
    assert two.decode(b'{"A":1,"B":"x"}') == (1, "x")


values = st.fixed_dictionaries(
    {
        "I": st.none() | st.integers(-(2**31), 2**31 - 1),
        "D": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "S": st.none() | st.text(),
        "DE": st.none() | st.decimals(-9999, 9999, places=2),
        "AR": st.none() | st.lists(st.none() | st.integers(0, 9)),
        "M": st.none() | st.dictionaries(st.text(), st.none() | st.text()),
    }
)


@given(values)
def test_what_is_written_reads_back(value: dict[str, Any]) -> None:
    columns: list[tuple[str, SqlType]] = [
        ("I", INTEGER),
        ("D", DOUBLE),
        ("S", STRING),
        ("DE", DecimalType(6, 2)),
        ("AR", ArrayType(INTEGER)),
        ("M", MapType(STRING, STRING)),
    ]
    codec = value_codec("JSON", columns)
    row = tuple(value[name] for name, _ in columns)
    data = codec.encode(row)
    assert data is not None
    assert list(json.loads(data)) == [name for name, _ in columns]
    assert codec.decode(data) == row
    assert codec.decode(data) == row


@given(values)
def test_whole_rows_and_single_columns_are_written_alike(value: dict[str, Any]) -> None:
    columns: list[tuple[str, SqlType]] = [("D", DOUBLE), ("S", STRING), ("DE", DecimalType(6, 2)), ("I", INTEGER)]
    texts = [f"{json.dumps(name)}:{json_text(sql_type)(value[name])}" for name, sql_type in columns]
    written = value_codec("JSON", columns).encode(tuple(value[name] for name, _ in columns))
    assert written == ("{" + ",".join(texts) + "}").encode()


def test_records_as_a_real_server_took_them() -> None:
    """Dialogue d066: which records passed, and what the sink wrote for them."""
    steps = json.loads(shared("conformance/rest-dialogues/d066_json_coercions.json").read_text())["steps"]
    produced = next(step["records"] for step in steps if "produce" in step)
    consumed = {r["key"]: r["value"] for step in steps if step.get("consume") == "D066_O" for r in step["records"]}
    codec = value_codec("JSON", COLUMNS)
    passed = set()
    for record in produced:
        try:
            data = codec.encode(codec.decode(json.dumps(record["value"]).encode()))
        except DecodeError:
            continue
        passed.add(record["key"])
        assert data is not None
        expected = consumed[record["key"]]
        assert json.loads(data, parse_float=str) == {
            name: value[5:-1] if str(value).startswith("<num ") else str(value) if isinstance(value, float) else value
            for name, value in expected.items()
        }
    assert passed == set(consumed)
