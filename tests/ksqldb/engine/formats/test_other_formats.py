"""DELIMITED, KAFKA, NONE, PROTOBUF_NOSR and windowed keys."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksqldb.engine.errors import DecodeError, FunctionError, KsqlError
from ksqldb.engine.formats import key_codec, value_codec
from ksqldb.engine.formats.windowed import (
    add_session_window,
    add_time_window,
    split_session_window,
    split_time_window,
)
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

# ---------------------------------------------------------------------------------------------- DELIMITED

PLAIN: list[tuple[SqlType, str, Any, str]] = [
    (INTEGER, "+5", 5, "5"),
    (DOUBLE, " 4 ", 4.0, "4.0"),
    (BOOLEAN, " true", False, "false"),
    (BIGINT, "998877665544332211", 998877665544332211, "998877665544332211"),
    (DOUBLE, "2", 2.0, "2.0"),
    (BOOLEAN, "TRUE", True, "true"),
    (BOOLEAN, "yes", False, "false"),
    (DecimalType(4, 2), "1.5", Decimal("1.50"), "1.50"),
    (BYTES, "IQ==", b"!", "IQ=="),
    (DATE, "10", 10, "10"),
    (TIME, "10", 10, "10"),
    (TIMESTAMP, "10", 10, "10"),
    (STRING, '"a ""b"""', 'a "b"', '"a ""b"""'),
    (STRING, " x", " x", '" x"'),
    (STRING, "", None, ""),
]


@pytest.mark.parametrize(("sql_type", "text", "value", "written"), PLAIN)
def test_delimited_values(sql_type: SqlType, text: str, value: Any, written: str) -> None:
    codec = value_codec("DELIMITED", [("X", STRING), ("V", sql_type)])
    assert codec.decode(f"x,{text}".encode()) == ("x", value)
    assert codec.encode(("x", value)) == f"x,{written}".encode()


@pytest.mark.parametrize(
    ("value", "written"),
    [("", '""'), ("-5", '"-5"'), ("a,b", '"a,b"'), ("é", '"é"'), ("a\nb", '"a\nb"'), ("a ", '"a "'), (None, "")],
)
def test_the_first_field_is_quoted_with_more_care(value: str | None, written: str) -> None:
    assert value_codec("DELIMITED", [("A", STRING), ("B", STRING)]).encode((value, "-5")) == f"{written},-5".encode()


def test_delimited_separators() -> None:
    columns = [("A", STRING), ("B", INTEGER)]
    for named, sign in (("TAB", "\t"), ("SPACE", " "), ("|", "|")):
        codec = value_codec("DELIMITED", columns, {"VALUE_DELIMITER": named})
        assert codec.decode(f"a{sign}1".encode()) == ("a", 1)
        assert codec.encode((f"a{sign}b", 1)) == f'"a{sign}b"{sign}1'.encode()
    keys = key_codec("DELIMITED", columns, {"KEY_DELIMITER": ";", "VALUE_DELIMITER": "|"})
    assert keys.encode(("a", 1)) == b"a;1"


@pytest.mark.parametrize("text", ["short", "a,b,true,extra", "", "a,x,true", 'a,"1,true', "\n", "a,1_0,true"])
def test_delimited_refuses(text: str) -> None:
    codec = value_codec("DELIMITED", [("S", STRING), ("I", INTEGER), ("B", BOOLEAN)])
    with pytest.raises(DecodeError):
        codec.decode(text.encode())


@pytest.mark.parametrize(
    ("sql_type", "text"),
    [
        (INTEGER, "3000000000"),
        (INTEGER, " 5"),
        (DecimalType(4, 2), " 1"),
        (DecimalType(4, 2), "NaN"),
        (DecimalType(4, 2), "1.234"),
        (BYTES, "%"),
        (DOUBLE, "x"),
    ],
)
def test_delimited_refuses_what_does_not_fit(sql_type: SqlType, text: str) -> None:
    with pytest.raises(DecodeError):
        value_codec("DELIMITED", [("V", sql_type)]).decode(text.encode())


def test_delimited_tombstone() -> None:
    codec = value_codec("DELIMITED", [("V", INTEGER)])
    assert codec.decode(None) is None
    assert codec.encode(None) is None


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)


@given(texts, texts)
def test_delimited_reads_what_it_writes(a: str, b: str) -> None:
    codec = value_codec("DELIMITED", [("A", STRING), ("B", STRING)])
    assert codec.decode(codec.encode((a, b))) == (a, b)


def test_records_as_a_real_server_took_them() -> None:
    """Dialogue d090: which lines passed and what DELIMITED sinks wrote for them."""
    steps = json.loads(shared("conformance/rest-dialogues/d090_delimited.json").read_text())["steps"]
    produced = next(step["records"] for step in steps if "produce" in step)
    consumed = {r["key"]: r["value"] for step in steps if step.get("consume") == "D090_TAB" for r in step["records"]}
    source = value_codec("DELIMITED", [("S", STRING), ("D", DOUBLE), ("B", BOOLEAN)])
    sink = value_codec("DELIMITED", [("S", STRING), ("D", DOUBLE)], {"VALUE_DELIMITER": "TAB"})
    written = {}
    for record in produced:
        try:
            row = source.decode(None if record["value"] is None else record["value"].encode())
        except DecodeError:
            continue
        data = sink.encode(row and row[:2])
        written[record["key"]] = data and data.decode()
    assert written == consumed


# ---------------------------------------------------------------------------------------------- KAFKA, NONE


@pytest.mark.parametrize(
    ("sql_type", "value", "data"),
    [
        (INTEGER, -2, b"\xff\xff\xff\xfe"),
        (BIGINT, 1, b"\x00" * 7 + b"\x01"),
        (DOUBLE, 1.0, b"\x3f\xf0" + b"\x00" * 6),
        (STRING, "é", b"\xc3\xa9"),
        (STRING, "", b""),
        (BYTES, b"\x00", b"\x00"),
    ],
)
def test_kafka(sql_type: SqlType, value: Any, data: bytes) -> None:
    codec = key_codec("KAFKA", [("K", sql_type)])
    assert codec.encode((value,)) == data
    assert codec.decode(data) == (value,)
    assert codec.encode((None,)) is None
    assert codec.encode(None) is None
    assert codec.decode(None) is None


def test_kafka_numbers_have_a_size() -> None:
    with pytest.raises(DecodeError, match="Size of data received by IntegerDeserializer is not 4"):
        key_codec("KAFKA", [("K", INTEGER)]).decode(b"\x00")


def test_none_and_unknown_formats() -> None:
    none = key_codec("NONE", [])
    assert none.decode(b"anything") is None
    assert none.encode(()) is None
    with pytest.raises(KsqlError, match="Unknown format: XML"):
        value_codec("xml", [("V", INTEGER)])


# ---------------------------------------------------------------------------------------------- windowed keys


def test_windowed_keys() -> None:
    assert add_time_window(b"k", 5) == b"k" + b"\x00" * 7 + b"\x05"
    assert split_time_window(add_time_window(b"key", 60_000)) == (b"key", 60_000)
    assert add_session_window(b"k", 1, 2) == b"k" + b"\x00" * 7 + b"\x02" + b"\x00" * 7 + b"\x01"
    assert split_session_window(add_session_window(b"key", 10, 20)) == (b"key", 10, 20)
    with pytest.raises(DecodeError):
        split_time_window(b"short")
    with pytest.raises(DecodeError):
        split_session_window(b"too short")


# ---------------------------------------------------------------------------------------------- PROTOBUF_NOSR

NESTED = StructType((Field("A", INTEGER), Field("B", ArrayType(STRING))))
MESSAGE: list[tuple[str, SqlType, Any, Any]] = [  # name, type, a value, what NULL reads back as
    ("I", INTEGER, -5, 0),
    ("L", BIGINT, 2**40, 0),
    ("D", DOUBLE, 1.5, 0.0),
    ("B", BOOLEAN, True, False),
    ("S", STRING, "é", ""),
    ("Y", BYTES, b"\x00", b""),
    ("DE", DecimalType(38, 2), Decimal("-111111111111111111111111111111111111.11"), None),
    ("TS", TIMESTAMP, -1, None),
    ("DT", DATE, -1, None),
    ("TM", TIME, 86_399_999, None),
    ("AI", ArrayType(INTEGER), [1, -2, 0], []),
    ("AD", ArrayType(DOUBLE), [1.0, 0.0], []),
    ("AS", ArrayType(STRING), ["", "x"], []),
    ("AST", ArrayType(NESTED), [{"A": 1, "B": []}], []),
    ("M", MapType(STRING, DOUBLE), {"a": 1.0, "": 0.0}, {}),
    ("ST", NESTED, {"A": 0, "B": ["x"]}, None),
]


@pytest.mark.parametrize("nulls", [None, "OPTIONAL", "WRAPPER"])
def test_protobuf_reads_what_it_writes(nulls: str | None) -> None:
    properties = {} if nulls is None else {"VALUE_PROTOBUF_NULLABLE_REPRESENTATION": nulls}
    codec = value_codec("PROTOBUF_NOSR", [(name, sql_type) for name, sql_type, _, _ in MESSAGE], properties)
    row = tuple(value for _, _, value, _ in MESSAGE)
    assert codec.decode(codec.encode(row)) == row
    absent = tuple(null if nulls is None or isinstance(null, (list, dict)) else None for _, _, _, null in MESSAGE)
    assert codec.decode(codec.encode(tuple(None for _ in MESSAGE))) == absent
    assert codec.decode(None) is None
    assert codec.encode(None) is None


def test_protobuf_bytes() -> None:
    """Against the encoding that protocol buffers' own documentation gives for 150, "testing" and packed numbers."""
    codec = value_codec("PROTOBUF_NOSR", [("A", INTEGER), ("B", STRING), ("C", ArrayType(INTEGER))])
    data = b"\x08\x96\x01\x12\x07testing\x1a\x06\x03\x8e\x02\x9e\xa7\x05"
    assert codec.encode((150, "testing", [3, 270, 86942])) == data
    assert codec.decode(data) == (150, "testing", [3, 270, 86942])
    assert codec.decode(b"\x18\x03\x18\x8e\x02\x98\x01\x01") == (0, "", [3, 270])  # unpacked; field 19 is unknown
    assert value_codec("PROTOBUF_NOSR", [("D", DATE)]).encode((19675,)) == b"\x0a\x07\x08\xe7\x0f\x10\x0b\x18\x0e"


@pytest.mark.parametrize("data", [b"\x08", b"\x12\x05x", b"\x0b", b"\x12\x01\xff", b"\x09" + b"\x00" * 8, b"\x00\x00"])
def test_protobuf_refuses(data: bytes) -> None:
    with pytest.raises(DecodeError):
        value_codec("PROTOBUF_NOSR", [("A", INTEGER), ("B", STRING)]).decode(data)


def test_protobuf_arrays_have_no_null() -> None:
    with pytest.raises(FunctionError, match="no NULL among the elements"):
        value_codec("PROTOBUF_NOSR", [("A", ArrayType(INTEGER))]).encode(([1, None],))
