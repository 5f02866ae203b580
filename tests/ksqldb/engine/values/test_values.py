"""Numbers, dates and times as Java and ksqlDB write and read them."""

from __future__ import annotations

import math
import re
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksqldb.engine.errors import FunctionError, KsqlError
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
from ksqldb.engine.values import (
    date_text,
    decimal_text,
    double_text,
    fit_decimal,
    parse_date,
    parse_double,
    parse_time,
    parse_timestamp,
    time_text,
    timestamp_text,
    value_text,
    wrap_int,
    wrap_long,
)
from ksqldb.engine.values.hashing import java_hash, map_items
from ksqldb.engine.values.numbers import double_to_int, double_to_long
from ksqldb.engine.values.patterns import format_moment, parse_moment, pattern
from ksqldb.engine.values.simple_dates import parse_lenient
from ksqldb.engine.values.times import civil, days_of
from ksqldb.engine.values.zones import zone_of, zone_of_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.001, "0.001"),
        (0.0009, "9.0E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (12345678901.0, "1.2345678901E10"),
        (1e-7, "1.0E-7"),
        (1e300, "1.0E300"),
        (5e-324, "4.9E-324"),
        (3.03700049997605e9, "3.03700049997605E9"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
    ],
)
def test_double_text(value: float, text: str) -> None:
    assert double_text(value) == text


@given(st.floats(allow_nan=False))
def test_double_text_reads_back(value: float) -> None:
    assert parse_double(double_text(value)) == value


@pytest.mark.parametrize("text", ["abc", "1_0", "0x10", "1e", "inf"])
def test_what_is_no_double(text: str) -> None:
    with pytest.raises(ValueError, match="For input string"):
        parse_double(text)


def test_doubles_java_reads() -> None:
    assert [parse_double(text) for text in (" 4 ", "1.5f", "1e3", ".5", "-Infinity")] == [4.0, 1.5, 1e3, 0.5, -math.inf]


def test_narrowing() -> None:
    assert wrap_int(3_000_000_000) == -1_294_967_296
    assert wrap_long(2**63) == -(2**63)
    assert double_to_int(1e10) == 2**31 - 1
    assert double_to_int(-1.9) == -1
    assert double_to_long(math.nan) == 0


def test_decimals() -> None:
    assert decimal_text(Decimal("1E+3")) == "1000"
    assert decimal_text(Decimal("0E-8")) == "0.00000000"
    assert str(fit_decimal(Decimal("1.005"), 4, 2)) == "1.01"
    assert str(fit_decimal(Decimal("-1.005"), 4, 2)) == "-1.01"
    with pytest.raises(FunctionError, match=re.escape("less than 10^2. Got 99.999")):
        fit_decimal(Decimal("99.999"), 4, 2)


@pytest.mark.parametrize(
    ("days", "text"),
    [(0, "1970-01-01"), (-1, "1969-12-31"), (19675, "2023-11-14"), (-719528, "0000-01-01"), (2932897, "+10000-01-01")],
)
def test_date_text(days: int, text: str) -> None:
    assert date_text(days) == text
    assert days_of(*civil(days)) == days


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "00:00"), (80_000_000, "22:13:20"), (86_399_999, "23:59:59"), (60_000, "00:01")]
)
def test_time_text(ms: int, text: str) -> None:
    assert time_text(ms) == text
    assert parse_time(text) == ms // 1000 * 1000


def test_timestamp_text() -> None:
    assert timestamp_text(1_700_000_000_123) == "2023-11-14T22:13:20.123"
    assert timestamp_text(-1) == "1969-12-31T23:59:59.999"


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2018", 1_514_764_800_000),
        ("2020-05", 1_588_291_200_000),
        ("2020-05-26", 1_590_451_200_000),
        ("2020-05-26T23", 1_590_534_000_000),
        ("2020-05-26T23:59:58", 1_590_537_598_000),
        ("2020-05-26T23:59:58.001+0200", 1_590_530_398_001),
        ("2019-01-01T00:00:00+0445", 1_546_283_700_000),
        ("2020-02-10T08:31:44.001-0100", 1_581_327_104_001),
    ],
)
def test_partial_timestamps(text: str, ms: int) -> None:
    assert parse_timestamp(text) == ms


def test_texts_that_are_no_times() -> None:
    with pytest.raises(KsqlError, match=r"Failed to parse timestamp 'junk'.*\nRequired format is"):
        parse_timestamp("junk")
    with pytest.raises(KsqlError, match="Failed to parse date '2020-13-01'"):
        parse_date("2020-13-01")
    with pytest.raises(KsqlError, match="Failed to parse time '25:00'"):
        parse_time("25:00")
    assert parse_date("2020-02") == 18293
    assert parse_time("23:59:59.999") == 86_399_999


STRUCT = StructType((Field("A", INTEGER), Field("B", STRING)))


@pytest.mark.parametrize(
    ("sql_type", "value", "text"),
    [
        (BOOLEAN, True, "true"),
        (BIGINT, -5, "-5"),
        (DOUBLE, 1e10, "1.0E10"),
        (DecimalType(4, 2), Decimal("1.50"), "1.50"),
        (BYTES, b"!", "IQ=="),
        (DATE, 19675, "2023-11-14"),
        (TIME, 0, "00:00"),
        (TIMESTAMP, 0, "1970-01-01T00:00:00.000"),
        (ArrayType(DOUBLE), [1.0, None], "[1.0, null]"),
        (MapType(STRING, INTEGER), {"a": 1, "b": None}, "{a=1, b=null}"),
        (STRUCT, {"A": 1, "B": None}, "Struct{A=1}"),
        (ArrayType(STRUCT), [{"A": 1, "B": "x"}], "[Struct{A=1,B=x}]"),
    ],
)
def test_value_text(sql_type: SqlType, value: Any, text: str) -> None:
    assert value_text(sql_type)(value) == text


# ---------------------------------------------------------------------------------------------- patterns


@pytest.mark.parametrize(
    ("format_text", "text"),
    [
        ("yyyy-MM-dd'T'HH:mm:ss.SSS", "2023-11-14T22:13:20.123"),
        ("yy/M/d h:m:s a", "23/11/14 10:13:20 PM"),
        ("EEEE, MMMM d uuuu G", "Tuesday, November 14 2023 AD"),
        ("D Q QQQ w Y W e F", "318 4 Q4 46 2023 3 3 2"),
        ("k K n A N", "22 10 123000000 80000123 80000123000000"),
        ("X XX XXX x xx xxx Z ZZZZ ZZZZZ O", "Z Z Z +00 +0000 +00:00 +0000 GMT Z GMT"),
        ("VV zzz", "UTC UTC"),
        ("'o''clock' ''", "o'clock '"),
        ("MMMMM EEEEE", "N T"),
    ],
)
def test_format(format_text: str, text: str) -> None:
    assert format_moment(1_700_000_000_123, format_text) == text


def test_format_in_other_zones() -> None:
    kolkata = zone_of("Asia/Kolkata")
    assert format_moment(0, "HH:mm X XXX O OOOO VV", kolkata) == "05:30 +0530 +05:30 GMT+5:30 GMT+05:30 Asia/Kolkata"
    assert format_moment(0, "X xxx z", zone_of("+02:00")) == "+02 +02:00 +02:00"


@pytest.mark.parametrize(
    ("text", "format_text", "ms"),
    [
        ("2023-11-14", "yyyy-MM-dd", 1_699_920_000_000),
        ("20231114221320123", "yyyyMMddHHmmssSSS", 1_700_000_000_123),
        ("14 Nov 2023", "d MMM yyyy", 1_699_920_000_000),
        ("12:30 AM", "hh:mm a", 1_800_000),
        ("31/02/2020", "dd/MM/yyyy", 1_582_934_400_000),
        ("2020-366", "yyyy-DDD", 1_609_372_800_000),
        ("2020-01-01 +0200", "yyyy-MM-dd Z", 1_577_829_600_000),
        ("2020-01-01Z", "yyyy-MM-ddX", 1_577_836_800_000),
        ("2020-01-01 Europe/Berlin", "yyyy-MM-dd VV", 1_577_833_200_000),
        ("2020", "yyyy[-MM]", 1_577_836_800_000),
        ("2020-03", "yyyy[-MM]", 1_583_020_800_000),
        ("70-1-1", "yy-M-d", 3_155_760_000_000),
    ],
)
def test_parse(text: str, format_text: str, ms: int) -> None:
    assert parse_moment(text, format_text, UTC) == ms


@pytest.mark.parametrize(
    ("text", "format_text", "message"),
    [
        ("2020-1-01", "yyyy-MM-dd", "could not be parsed at index 5"),
        ("2020-01-01x", "yyyy-MM-dd", "unparsed text found at index 10"),
        ("2020-13-01", "yyyy-MM-dd", "Invalid value for month: 13"),
        ("366", "DDD", "Leap day"),
        ("x", "yyyy]", "without previous ["),
        ("x", "bbb", "Unknown pattern letter: b"),
        ("x", "HHH", "Too many pattern letters: H"),
        ("x", "'x", "incomplete string literal"),
        ("14 nov 2023", "d MMM yyyy", "could not be parsed at index 3"),
        ("20202021", "yyyyyyyy yyyy", "could not be parsed"),
    ],
)
def test_parse_refuses(text: str, format_text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_moment(text, format_text)


@given(st.integers(min_value=-60_000_000_000_000, max_value=250_000_000_000_000))
def test_what_a_full_pattern_writes_it_reads(ms: int) -> None:
    full = "uuuu-MM-dd HH:mm:ss.SSS XXX"
    zone = zone_of("+0530")
    assert parse_moment(format_moment(ms, full, zone), full) == ms


def test_a_pattern_knows_its_fields() -> None:
    assert (pattern("yyyy").has_date, pattern("yyyy").has_time) == (True, False)
    assert (pattern("[HH]").has_date, pattern("[HH]").has_time) == (False, True)


@pytest.mark.parametrize(
    ("text", "format_text", "days"),
    [
        ("2003-12-24-01-01", "yyyy-MM-dd", 12410),
        ("32/1/2020", "dd/MM/yyyy", 18293),
        ("5-Jan-21", "d-MMM-yy", 18632),
        ("20200230", "yyyyMMdd", 18322),
        ("Tue 2023-11-14", "EEE yyyy-MM-dd", 19675),
    ],
)
def test_simple_date_format(text: str, format_text: str, days: int) -> None:
    assert parse_lenient(text, format_text) == days * 86_400_000


def test_simple_date_format_refuses() -> None:
    for text, format_text in (("2004", "yyyy-MM-dd"), ("x", "yyyy"), ("2004", "'y"), ("2004", "jjjj"), ("1 X", "d z")):
        with pytest.raises(ValueError, match=r"Unparseable date|Unterminated quote|Illegal pattern"):
            parse_lenient(text, format_text)


def test_zones() -> None:
    assert zone_of_text("PST") is zone_of("America/Los_Angeles")
    assert zone_of_text("Nowhere/Land") is None
    with pytest.raises(ValueError, match="Unknown time-zone ID"):
        zone_of("Nowhere/Land")
    with pytest.raises(ValueError, match="not in valid range"):
        zone_of("+19:00")


# ---------------------------------------------------------------------------------------------- hashing


def test_java_hash() -> None:
    assert java_hash("") == 0
    assert java_hash("hello") == 99162322
    assert java_hash("polygenelubricants") == 2**31  # Integer.MIN_VALUE
    assert java_hash("😀") == 0xD83D * 31 + 0xDE00
    assert java_hash(-1) == 0xFFFFFFFF


def test_map_order() -> None:
    assert [key for key, _ in map_items({"yes, thanks": 1, "nope": 2, "sure, yeah": 3})] == [
        "yes, thanks",
        "sure, yeah",
        "nope",
    ]
    assert map_items({"only": 1}) == [("only", 1)]
