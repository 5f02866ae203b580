"""Text functions: main and edge cases, NULL included."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ksqldb.engine.errors import FunctionError
from tests.ksqldb.engine.functions.calling import call

CASES: list[tuple[str, tuple[Any, ...], Any]] = [
    ("UCASE", ("Straße x",), "STRASSE X"),
    ("UCASE", (None,), None),
    ("LCASE", ("MiXeD",), "mixed"),
    ("TRIM", (" \t a b \r\n",), "a b"),
    ("TRIM", ("\xa0x",), "\xa0x"),
    ("INITCAP", ("the qUICK  bRown\tfox",), "The Quick  Brown\tFox"),
    ("INITCAP", ("  lead",), "Lead"),
    ("CONCAT", ("a", None, "b"), "ab"),
    ("CONCAT", (b"a", b"\x00"), b"a\x00"),
    ("CONCAT", ("only",), "only"),
    ("CONCAT_WS", (", ", "a", None, "b"), "a, b"),
    ("CONCAT_WS", (b"-", b"a", b"b"), b"a-b"),
    ("SUBSTRING", ("stream", 3), "ream"),
    ("SUBSTRING", ("stream", -3), "eam"),
    ("SUBSTRING", ("stream", 0), "stream"),
    ("SUBSTRING", ("stream", -30), "stream"),
    ("SUBSTRING", ("stream", 30), ""),
    ("SUBSTRING", ("stream", 2, 3), "tre"),
    ("SUBSTRING", ("stream", -4, 2), "re"),
    ("SUBSTRING", ("stream", 2, -1), ""),
    ("SUBSTRING", ("stream", 2, 300), "tream"),
    ("SUBSTRING", (b"stream", 2, 3), b"tre"),
    ("SUBSTRING", (b"stream", 5), b"am"),
    ("SUBSTRING", ("stream", None), None),
    ("LEN", ("abc",), 3),
    ("LEN", ("😀",), 2),
    ("LEN", (b"\x00\x01",), 2),
    ("SPLIT", ("a.b..", "."), ["a", "b", "", ""]),
    ("SPLIT", ("abc", ""), ["a", "b", "c"]),
    ("SPLIT", ("", ""), [""]),
    ("SPLIT", (b"a$$b", b"$$"), [b"a", b"b"]),
    ("SPLIT", (b"ab", b""), [b"a", b"b"]),
    ("SPLIT_TO_MAP", ("a=1;b=2;c;a=3=4", ";", "="), {"a": "3", "b": "2"}),
    ("SPLIT_TO_MAP", ("a=1", "=", "="), None),
    ("INSTR", ("corporate floor", "or"), 2),
    ("INSTR", ("corporate floor", "or", 3), 5),
    ("INSTR", ("corporate floor", "or", -3), 5),
    ("INSTR", ("corporate floor", "or", 3, 2), 14),
    ("INSTR", ("corporate floor", "or", -3, 2), 2),
    ("INSTR", ("corporate floor", "xx"), 0),
    ("INSTR", ("short", "or", 9), 0),
    ("INSTR", ("aaa", "aa", 1, 2), 2),
    ("REPLACE", ("anaconda", "a", "o"), "onocondo"),
    ("REPLACE", ("anaconda", None, "o"), None),
    ("LPAD", ("foo", 7, "Bar"), "BarBfoo"),
    ("LPAD", ("foo", 2, "Bar"), "fo"),
    ("LPAD", ("foo", -1, "Bar"), None),
    ("LPAD", ("foo", 5, ""), None),
    ("LPAD", (b"yes", 5, b"no"), b"noyes"),
    ("RPAD", ("foo", 7, "Bar"), "fooBarB"),
    ("RPAD", (b"yes", 4, b"no"), b"yesn"),
    ("ELT", (2, "a", "b"), "b"),
    ("ELT", (3, "a", "b"), None),
    ("ELT", (0, "a"), None),
    ("FIELD", ("b", "a", None, "b"), 3),
    ("FIELD", ("z", "a"), 0),
    ("CHR", (75,), "K"),
    ("CHR", (-1,), None),
    ("CHR", ("\\u004b",), "K"),
    ("CHR", ("\\ud83d\\ude00",), "😀"),
    ("CHR", ("75",), None),
    ("UUID", (bytes(range(16)),), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
    ("UUID", (b"short",), None),
    ("MASK", ("My Test $123",), "Xx-Xxxx--nnn"),
    ("MASK", ("My Test $123", "*", None, "1", None), "*y *est $111"),
    ("MASK_LEFT", ("My Test $123", 4), "Xx-Xest $123"),
    ("MASK_RIGHT", ("My Test $123", 4), "My Test -nnn"),
    ("MASK_KEEP_LEFT", ("My Test $123", 4), "My Txxx--nnn"),
    ("MASK_KEEP_RIGHT", ("My Test $123", 4), "Xx-Xxxx-$123"),
    ("MASK_RIGHT", ("abc", 10), "xxx"),
    ("ENCODE", ("Example!", "ascii", "hex"), "4578616d706c6521"),
    ("ENCODE", ("Ελλ", "ascii", "hex"), "3f3f3f"),
    ("ENCODE", ("0x45", "hex", "utf8"), "E"),
    ("ENCODE", ("X'4578'", "hex", "ascii"), "Ex"),
    ("ENCODE", ("RXhhbXBsZSE=", "base64", "utf8"), "Example!"),
    ("ENCODE", (None, "base64", "utf8"), None),
    ("TO_BYTES", ("1aB2", "hex"), b"\x1a\xb2"),
    ("TO_BYTES", ("é", "utf8"), "é".encode()),
    ("FROM_BYTES", (b"\x1a\xb2", "hex"), "1AB2"),
    ("FROM_BYTES", (b"!", "base64"), "IQ=="),
    ("INT_FROM_BYTES", (b"\x00\x00\x07\xe5",), 2021),
    ("INT_FROM_BYTES", (b"\xe5\x07\x00\x00", "little_endian"), 2021),
    ("BIGINT_FROM_BYTES", (b"\xff" * 8,), -1),
    ("DOUBLE_FROM_BYTES", (b"\x3f\xf0" + b"\x00" * 6,), 1.0),
    ("REGEXP_EXTRACT", ("(.*) (.*)", "steven zhang", 2), "zhang"),
    ("REGEXP_EXTRACT", ("test.", "some_test_testa"), "test_"),
    ("REGEXP_EXTRACT", ("(a)", "a", 2), None),
    ("REGEXP_EXTRACT", ("x", "a"), None),
    ("REGEXP_EXTRACT_ALL", ("(\\w+) (\\w*)", "a b c d", 2), ["b", "d"]),
    ("REGEXP_EXTRACT_ALL", ("x", "a"), []),
    ("REGEXP_EXTRACT_ALL", ("x", "x", 1), None),
    ("REGEXP_REPLACE", ("baababaa", "(ab)+", "<$1>"), "ba<ab>aa"),
    ("REGEXP_REPLACE", ("a.b", "\\.", "\\$"), "a$b"),
    ("REGEXP_SPLIT_TO_ARRAY", ("aabcda", "(ab|cd)"), ["a", "", "a"]),
    ("REGEXP_SPLIT_TO_ARRAY", ("abc", ""), ["a", "b", "c"]),
    ("REGEXP_SPLIT_TO_ARRAY", ("", ""), [""]),
    ("REGEXP_SPLIT_TO_ARRAY", ("a1b22", "[0-9]*"), ["a", "", "b"]),
    ("REGEXP_SPLIT_TO_ARRAY", ("1a1", "1"), ["", "a", ""]),
    ("TO_BYTES", ("SVE9\r\nPQ==", "base64"), b"IQ=="),
    ("FROM_BYTES", (b"x" * 58, "base64"), "eHh4" * 19 + "\r\neA=="),
]


@pytest.mark.parametrize(("name", "args", "expected"), CASES, ids=lambda value: str(value)[:40])
def test_value(name: str, args: tuple[Any, ...], expected: Any) -> None:
    assert call(name, *args) == expected


FAILURES: list[tuple[str, tuple[Any, ...], str]] = [
    ("CONCAT_WS", ("a",), "expects at least two"),
    ("ENCODE", ("zz", "hex", "utf8"), "not hexadecimal"),
    ("ENCODE", ("a", "utf8", "utf9"), "Supported input and output encodings"),
    ("TO_BYTES", ("a", "utf9"), "Unknown encoding type 'utf9'"),
    ("TO_BYTES", ("abc", "hex"), "cannot read 'abc' as hex"),
    ("INT_FROM_BYTES", (b"\x00",), "Number of bytes must be equal to 4, but found 1"),
    ("INT_FROM_BYTES", (b"\x00" * 4, "MIDDLE"), "Byte order must be"),
    ("MASK", ("a", "xx", None, None, None), "single character"),
    ("MASK_LEFT", ("a", -1), "non-negative"),
    ("REGEXP_EXTRACT", ("(", "a"), "Invalid regular expression"),
    ("INSTR", ("a", "a", None), "from null to a primitive"),
]


@pytest.mark.parametrize(("name", "args", "message"), FAILURES, ids=lambda value: str(value)[:40])
def test_refuses(name: str, args: tuple[Any, ...], message: str) -> None:
    with pytest.raises(FunctionError, match=re.escape(message)):
        call(name, *args)


def test_uuid_is_random_and_of_version_4() -> None:
    first, second = call("UUID"), call("UUID")
    assert first != second
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", first)
