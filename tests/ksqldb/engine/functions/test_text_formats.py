"""Functions over JSON and URLs in text columns."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from ksqldb.engine.errors import FunctionError
from ksqldb.engine.types import BYTES, DATE, INTEGER, STRING, TIME, TIMESTAMP, ArrayType, Field, MapType, StructType
from tests.ksqldb.engine.functions.calling import call

DOCUMENT = '{"a":1,"b":{"c":[10,20,{"d":"x"}]},"e":null,"f":true,"g":"str","h":1.50,"i j":2}'

CASES: list[tuple[str, tuple[Any, ...], Any]] = [
    ("EXTRACTJSONFIELD", (DOCUMENT, "$.a"), "1"),
    ("EXTRACTJSONFIELD", (DOCUMENT, "$.b.c[2].d"), "x"),
    ("EXTRACTJSONFIELD", (DOCUMENT, "$.b.c"), '[10,20,{"d":"x"}]'),
    ("EXTRACTJSONFIELD", (DOCUMENT, "$.e"), "null"),
    ("EXTRACTJSONFIELD", (DOCUMENT, "$.nope"), None),
    ("EXTRACTJSONFIELD", (DOCUMENT, "$.h"), "1.50"),
    ("EXTRACTJSONFIELD", (DOCUMENT, '$["i j"]'), "2"),
    ("EXTRACTJSONFIELD", (DOCUMENT, "$.b.c[-1]"), None),
    ("EXTRACTJSONFIELD", ("[1,2,3]", "$[1]"), "2"),
    ("EXTRACTJSONFIELD", ("5", "$.a"), None),
    ("EXTRACTJSONFIELD", (None, "$.a"), None),
    ("IS_JSON_STRING", ('"abc"',), True),
    ("IS_JSON_STRING", ("abc",), False),
    ("IS_JSON_STRING", ("",), False),
    ("IS_JSON_STRING", (None,), False),
    ("IS_JSON_STRING", ("NaN",), False),
    ("JSON_ARRAY_LENGTH", ("[1,2,[3]]",), 3),
    ("JSON_ARRAY_LENGTH", ("{}",), None),
    ("JSON_ARRAY_CONTAINS", ("[1,2]", 2), True),
    ("JSON_ARRAY_CONTAINS", ("[1.0]", 1), False),
    ("JSON_ARRAY_CONTAINS", ("[1.5]", 1.5), True),
    ("JSON_ARRAY_CONTAINS", ('["1"]', "1"), True),
    ("JSON_ARRAY_CONTAINS", ("[true]", True), True),
    ("JSON_ARRAY_CONTAINS", ("[null]", None), True),
    ("JSON_ARRAY_CONTAINS", ("nope", 1), False),
    ("JSON_KEYS", (DOCUMENT,), ["a", "b", "e", "f", "g", "h", "i j"]),
    ("JSON_KEYS", ("[]",), None),
    ("JSON_RECORDS", ('{"a":1.50,"b":"x","c":[1, 2]}',), {"a": "1.50", "b": "x", "c": "[1,2]"}),
    ("JSON_RECORDS", ("",), None),
    ("JSON_ITEMS", ('[1, {"a": "b"}, "x"]',), ["1", '{"a":"b"}', '"x"']),
    ("JSON_CONCAT", ('{"a": 1}', '{"b": 2}', '{"a": 3}'), '{"a":3,"b":2}'),
    ("JSON_CONCAT", ("[1, 2]", '{"a": 1}', "4"), '[1,2,{"a":1},4]'),
    ("JSON_CONCAT", ("null", "null"), "[null,null]"),
    ("JSON_CONCAT", ("1", "", "2"), None),
    ("TO_JSON_STRING", (None,), "null"),
    ("TO_JSON_STRING", ('a"b',), '"a\\"b"'),
    ("TO_JSON_STRING", (1e300,), "1.0E300"),
    ("TO_JSON_STRING", (Decimal("1.50"),), "1.50"),
    ("TO_JSON_STRING", (True,), "true"),
    ("TO_JSON_STRING", (b"!",), '"IQ=="'),
    ("TO_JSON_STRING", ({"id": [1, None]},), '{"id":[1,null]}'),
    ("URL_ENCODE_PARAM", ("?foo $bar~*-_.é",), "%3Ffoo+%24bar%7E*-_.%C3%A9"),
    ("URL_DECODE_PARAM", ("%3Ffoo+%24bar",), "?foo $bar"),
    ("URL_EXTRACT_FRAGMENT", ("http://www.test.com/?query#frag%20ment",), "frag ment"),
    ("URL_EXTRACT_HOST", ("http://test@confluent.io:8080/x",), "confluent.io"),
    ("URL_EXTRACT_HOST", ("mailto:a@b.c",), None),
    ("URL_EXTRACT_PATH", ("http://a.b/nested/path?query",), "/nested/path"),
    ("URL_EXTRACT_PATH", ("http://a.b",), ""),
    ("URL_EXTRACT_PORT", ("http://a.b:8080/",), 8080),
    ("URL_EXTRACT_PORT", ("http://a.b",), None),
    ("URL_EXTRACT_PROTOCOL", ("https://a.b",), "https"),
    ("URL_EXTRACT_PROTOCOL", ("www.confluent.io",), None),
    ("URL_EXTRACT_QUERY", ("http://www.test.com?query#fragment",), "query"),
    ("URL_EXTRACT_QUERY", ("http://www.test.com/",), None),
    ("URL_EXTRACT_PARAMETER", ("http://t.c/?one=a%20b&two&three=", "one"), "a b"),
    ("URL_EXTRACT_PARAMETER", ("http://t.c/?one=a&two", "two"), ""),
    ("URL_EXTRACT_PARAMETER", ("http://t.c/?one=a", "zero"), None),
]


@pytest.mark.parametrize(("name", "args", "expected"), CASES, ids=lambda value: str(value)[:40])
def test_value(name: str, args: tuple[Any, ...], expected: Any) -> None:
    assert call(name, *args) == expected


def test_to_json_string_writes_times_as_text() -> None:
    assert call("TO_JSON_STRING", 1000, types=[DATE]) == '"1972-09-27"'
    assert call("TO_JSON_STRING", 60220000000, types=[TIMESTAMP]) == '"1971-11-28T23:46:40.000"'
    assert call("TO_JSON_STRING", 1000, types=[TIME]) == '"00:00:01"'
    struct = StructType((Field("ID", INTEGER), Field("B", ArrayType(BYTES)), Field("M", MapType(STRING, INTEGER))))
    value = {"ID": 1, "B": [b"!", None], "M": {"k": 1}}
    assert call("TO_JSON_STRING", value, types=[struct]) == '{"ID":1,"B":["IQ==",null],"M":{"k":1}}'


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("EXTRACTJSONFIELD", ("not json", "$.a"), "Invalid JSON format:not json"),
        ("EXTRACTJSONFIELD", ("{}", "a"), "Invalid JSON path: 'a'"),
        ("EXTRACTJSONFIELD", ("{}", "$.a[%]"), "Invalid JSON path"),
        ("JSON_ITEMS", ("{}",), "Invalid JSON format"),
        ("JSON_CONCAT", ("{", "1"), "Invalid JSON format"),
        ("URL_EXTRACT_HOST", ("http://a b/",), "URL input has invalid syntax"),
        ("URL_DECODE_PARAM", ("100%",), "encoding exception"),
    ],
)
def test_refuses(name: str, args: tuple[str, ...], message: str) -> None:
    with pytest.raises(FunctionError, match=re.escape(message)):
        call(name, *args)
