"""Dates, times and timestamps."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from ksqldb.engine.errors import FunctionError, KsqlError
from ksqldb.engine.functions import REGISTRY, ArgType, IntervalUnitType
from ksqldb.engine.types import BIGINT, DATE, INTEGER, STRING, TIME, TIMESTAMP
from tests.ksqldb.engine.functions.calling import Unit, call

UNIT = IntervalUnitType()
DAY = 86_400_000
NOW = 1_700_000_000_123  # 2023-11-14T22:13:20.123Z

CASES: list[tuple[str, list[ArgType], tuple[Any, ...], Any]] = [
    ("FORMAT_DATE", [DATE, STRING], (17662, "dd-MMM-yyyy"), "11-May-2018"),
    ("FORMAT_DATE", [DATE, STRING], (-1, "dd-MM-yyyy'Sophia'"), "31-12-1969Sophia"),
    ("DATETOSTRING", [INTEGER, STRING], (18027, "dd/MM/yyyy"), "11/05/2019"),
    ("FORMAT_TIME", [TIME, STRING], (65_000, "HH_mm_ss_SSS"), "00_01_05_000"),
    ("FORMAT_TIME", [TIME, STRING], (None, "HH"), None),
    ("FORMAT_TIMESTAMP", [TIMESTAMP, STRING], (NOW, "yyyy-MM-dd'T'HH:mm:ssX"), "2023-11-14T22:13:20Z"),
    ("FORMAT_TIMESTAMP", [TIMESTAMP, STRING, STRING], (NOW, "yyyy-MM-dd HH:mm", "+0530"), "2023-11-15 03:43"),
    (
        "TIMESTAMPTOSTRING",
        [BIGINT, STRING, STRING],
        (NOW, "EEE dd MMM yyyy HH", "America/New_York"),
        "Tue 14 Nov 2023 17",
    ),
    (
        "TIMESTAMPTOSTRING",
        [BIGINT, STRING, STRING],
        (1526075913000, "HH:mm:ss zzz", "Europe/London"),
        "22:58:33 BST",
    ),
    ("PARSE_DATE", [STRING, STRING], ("14/11/2023", "dd/MM/yyyy"), 19675),
    ("PARSE_DATE", [STRING, STRING], ("2003-12-24-01-01", "yyyy-MM-dd"), 12410),
    ("STRINGTODATE", [STRING, STRING], ("2022-jan-01", "yyyy-MMM-dd"), 18993),
    ("PARSE_TIME", [STRING, STRING], ("01:00:00 Pm", "hh:mm:ss a"), 13 * 3_600_000),
    ("PARSE_TIME", [STRING, STRING], ("22-13", "HH-mm"), 80_000_000 - 20_000),
    ("PARSE_TIMESTAMP", [STRING, STRING], ("2018-05-11 21:58:33 PST", "yyyy-MM-dd HH:mm:ss zzz"), 1526101113000),
    ("STRINGTOTIMESTAMP", [STRING, STRING], ("1969-12-31 23:59:59", "yyyy-MM-dd HH:mm:ss"), -1000),
    (
        "STRINGTOTIMESTAMP",
        [STRING, STRING, STRING],
        ("2023-11-14 22:13", "yyyy-MM-dd HH:mm", "Europe/Berlin"),
        1_699_996_380_000,
    ),
    ("TIMESTAMPADD", [UNIT, INTEGER, TIMESTAMP], (Unit("HOURS"), 2, NOW), NOW + 7_200_000),
    ("TIMESTAMPADD", [UNIT, INTEGER, TIMESTAMP], (Unit("DAY"), 1, NOW), NOW + DAY),
    ("TIMESTAMPADD", [UNIT, INTEGER, TIMESTAMP], (Unit("DAY"), None, NOW), None),
    ("TIMESTAMPSUB", [UNIT, INTEGER, TIMESTAMP], (Unit("DAYS"), 1, NOW), NOW - DAY),
    ("DATEADD", [UNIT, INTEGER, DATE], (Unit("DAYS"), 30, 19675), 19705),
    ("DATEADD", [UNIT, INTEGER, DATE], (Unit("HOURS"), 47, 10), 11),
    ("DATESUB", [UNIT, INTEGER, DATE], (Unit("DAYS"), 10, 5), -5),
    ("TIMEADD", [UNIT, INTEGER, TIME], (Unit("MILLISECONDS"), 10, DAY - 5), 5),
    ("TIMESUB", [UNIT, INTEGER, TIME], (Unit("MINUTES"), 1, 0), DAY - 60_000),
    ("CONVERT_TZ", [TIMESTAMP, STRING, STRING], (100, "+0200", "+0500"), 10_800_100),
    ("CONVERT_TZ", [TIMESTAMP, STRING, STRING], (NOW, "UTC", "Europe/Berlin"), NOW + 3_600_000),
    ("FROM_DAYS", [INTEGER], (-10,), -10),
    ("FROM_UNIXTIME", [BIGINT], (NOW,), NOW),
    ("UNIX_DATE", [DATE], (19675,), 19675),
    ("UNIX_TIMESTAMP", [TIMESTAMP], (-1,), -1),
]


@pytest.mark.parametrize(("name", "types", "args", "expected"), CASES, ids=lambda value: str(value)[:40])
def test_value(name: str, types: list[ArgType], args: tuple[Any, ...], expected: Any) -> None:
    assert call(name, *args, types=types) == expected


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("PARSE_DATE", ("2004", "yyyy-MM-dd"), "Failed to parse date '2004' with formatter 'yyyy-MM-dd'"),
        ("PARSE_DATE", ("2004-01-01 10", "yyyy-MM-dd HH"), "Date format contains time field."),
        ("STRINGTODATE", ("2004-01", "yyyy-MM"), "does not give a whole date"),
        ("STRINGTODATE", ("2004-01-01x", "yyyy-MM-dd"), "unparsed text found at index 10"),
        ("PARSE_TIME", ("2004-01-01", "yyyy-MM-dd"), "Time format contains date field."),
        ("PARSE_TIMESTAMP", ("junk", "yyyy-MM-dd"), "Failed to parse timestamp 'junk'"),
        ("PARSE_TIMESTAMP", ("2004", "yyyy{"), "reserved character"),
    ],
)
def test_refuses(name: str, args: tuple[str, str], message: str) -> None:
    with pytest.raises(FunctionError, match=re.escape(message)):
        call(name, *args)


def test_formats_refuse_fields_a_value_has_not() -> None:
    with pytest.raises(FunctionError, match="Failed to format date 1970-01-01"):
        call("FORMAT_DATE", 0, "HH", types=[DATE, STRING])
    with pytest.raises(FunctionError, match="Failed to format time 00:00"):
        call("FORMAT_TIME", 0, "yyyy", types=[TIME, STRING])
    with pytest.raises(FunctionError, match="Invalid time zone"):
        call("CONVERT_TZ", 0, "UTC", "Mars/Olympus", types=[TIMESTAMP, STRING, STRING])


def test_a_text_becomes_a_time_silently() -> None:
    variant = REGISTRY.resolve_scalar("UNIX_TIMESTAMP", [STRING])
    assert variant.param_types == (TIMESTAMP,)
    assert variant.return_type == BIGINT


def test_a_date_is_no_unit() -> None:
    with pytest.raises(KsqlError, match=re.escape("'dateadd' does not accept parameters (DATE, INTEGER, DATE).")):
        REGISTRY.resolve_scalar("dateadd", [DATE, INTEGER, DATE])


def test_the_clock() -> None:
    before = time.time_ns() // 1_000_000
    assert before <= call("UNIX_TIMESTAMP") <= time.time_ns() // 1_000_000
    assert abs(call("UNIX_DATE") - before // DAY) <= 1
