"""Dates, times and timestamps: formatting, parsing, arithmetic, conversion."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Any

from ksqldb.engine.errors import FunctionError
from ksqldb.engine.functions.registry import Function, scalar
from ksqldb.engine.values import DAY_MS, date_text, time_text, wrap_int, wrap_long
from ksqldb.engine.values.patterns import (
    Moment,
    format_moment,
    parse_moment,
    pattern,
    resolve_date,
    resolve_time,
)
from ksqldb.engine.values.simple_dates import parse_lenient
from ksqldb.engine.values.zones import offset_at, zone_of

_DATES = "DATE / TIME"


def _zone(name: str) -> tzinfo:
    try:
        return zone_of(name)
    except ValueError as error:
        raise FunctionError(f"Invalid time zone: {error}") from None


# ---------------------------------------------------------------------------------------------- formatting

FORMAT_DATE = scalar("format_date", _DATES, "Writes a DATE by a pattern.")
FORMAT_TIME = scalar("format_time", _DATES, "Writes a TIME by a pattern.")
FORMAT_TIMESTAMP = scalar("format_timestamp", _DATES, "Writes a TIMESTAMP by a pattern.")
DATETOSTRING = scalar("datetostring", _DATES, "Writes a number of days since 1970-01-01 by a pattern.")
TIMESTAMPTOSTRING = scalar("timestamptostring", _DATES, "Writes milliseconds since 1970-01-01T00:00Z by a pattern.")


@FORMAT_DATE.overload("DATE date, VARCHAR formatPattern", "VARCHAR")
@DATETOSTRING.overload("INT epochDays, VARCHAR formatPattern", "VARCHAR")
def format_date(days: int, format_text: str) -> str:
    """Writes a date by a pattern.

    date: The date.
    epochDays: Days since 1970-01-01.
    formatPattern: The pattern, as java.time.format.DateTimeFormatter has it.
    """
    try:
        return pattern(format_text).format(Moment(days=days))
    except ValueError as error:
        raise FunctionError(
            f"Failed to format date {date_text(days)} with formatter '{format_text}': {error}"
        ) from None


@FORMAT_TIME.overload("TIME time, VARCHAR formatPattern", "VARCHAR")
def format_time(ms: int, format_text: str) -> str:
    """Writes a time of day by a pattern.

    time: The time.
    formatPattern: The pattern, as java.time.format.DateTimeFormatter has it.
    """
    try:
        return pattern(format_text).format(Moment(nanos=ms * 1_000_000))
    except ValueError as error:
        raise FunctionError(f"Failed to format time {time_text(ms)} with formatter '{format_text}': {error}") from None


@FORMAT_TIMESTAMP.overload("TIMESTAMP timestamp, VARCHAR formatPattern", "VARCHAR")
@TIMESTAMPTOSTRING.overload("BIGINT epochMilli, VARCHAR formatPattern", "VARCHAR")
def format_timestamp(ms: int, format_text: str) -> str:
    """Writes an instant by a pattern, in UTC.

    timestamp: The instant.
    epochMilli: Milliseconds since 1970-01-01T00:00Z.
    formatPattern: The pattern, as java.time.format.DateTimeFormatter has it.
    """
    return format_timestamp_zone(ms, format_text, "GMT")


@FORMAT_TIMESTAMP.overload("TIMESTAMP timestamp, VARCHAR formatPattern, VARCHAR timeZone", "VARCHAR")
@TIMESTAMPTOSTRING.overload("BIGINT epochMilli, VARCHAR formatPattern, VARCHAR timeZone", "VARCHAR")
def format_timestamp_zone(ms: int, format_text: str, zone: str) -> str:
    """Writes an instant by a pattern, as clocks of a time zone show it.

    timestamp: The instant.
    epochMilli: Milliseconds since 1970-01-01T00:00Z.
    formatPattern: The pattern, as java.time.format.DateTimeFormatter has it.
    timeZone: The time zone: a region such as Europe/London, or an offset.
    """
    try:
        return format_moment(ms, format_text, _zone(zone))
    except ValueError as error:
        raise FunctionError(f"Failed to format timestamp {ms} with formatter '{format_text}': {error}") from None


# ---------------------------------------------------------------------------------------------- parsing

PARSE_DATE = scalar("parse_date", _DATES, "Reads a DATE by a pattern.")
PARSE_TIME = scalar("parse_time", _DATES, "Reads a TIME by a pattern.")
PARSE_TIMESTAMP = scalar("parse_timestamp", _DATES, "Reads a TIMESTAMP by a pattern.")
STRINGTODATE = scalar("stringtodate", _DATES, "Reads a date by a pattern, as the number of days since 1970-01-01.")
STRINGTOTIMESTAMP = scalar(
    "stringtotimestamp", _DATES, "Reads an instant by a pattern, as milliseconds since 1970-01-01T00:00Z."
)


def _failed(what: str, text: str, format_text: str, error: ValueError) -> FunctionError:
    return FunctionError(f"Failed to parse {what} '{text}' with formatter '{format_text}': {error}")


def _days(text: str, format_text: str) -> int:
    days = resolve_date(pattern(format_text).parse(text).fields)
    if days is None:
        raise ValueError("the pattern does not give a whole date")
    return days


@PARSE_DATE.overload("VARCHAR formattedDate, VARCHAR formatPattern", "DATE")
def parse_date(text: str, format_text: str) -> int:
    """Reads a date by a pattern; text behind the date is left alone, a time of day is refused.

    formattedDate: The date as text.
    formatPattern: The pattern, as java.text.SimpleDateFormat has it.
    """
    try:
        days, rest = divmod(parse_lenient(text, format_text), DAY_MS)
        if rest:
            raise ValueError("Date format contains time field.")
        return days
    except ValueError as error:
        raise _failed("date", text, format_text, error) from None


@STRINGTODATE.overload("VARCHAR formattedDate, VARCHAR formatPattern", "INT")
def string_to_date(text: str, format_text: str) -> int:
    """Reads a date by a pattern as the number of days since 1970-01-01.

    formattedDate: The date as text.
    formatPattern: The pattern, as java.time.format.DateTimeFormatter has it.
    """
    try:
        return _days(text, format_text)
    except ValueError as error:
        raise _failed("date", text, format_text, error) from None


@PARSE_TIME.overload("VARCHAR formattedTime, VARCHAR formatPattern", "TIME")
def parse_time(text: str, format_text: str) -> int:
    """Reads a time of day by a pattern, which must name no date.

    formattedTime: The time as text.
    formatPattern: The pattern, as java.time.format.DateTimeFormatter has it.
    """
    try:
        if pattern(format_text).has_date:
            raise ValueError("Time format contains date field.")
        nanos = resolve_time(pattern(format_text).parse(text).fields)
        if nanos is None:
            raise ValueError("the pattern does not give a time of day")
        return nanos // 1_000_000
    except ValueError as error:
        raise _failed("time", text, format_text, error) from None


@PARSE_TIMESTAMP.overload("VARCHAR formattedTimestamp, VARCHAR formatPattern", "TIMESTAMP")
@STRINGTOTIMESTAMP.overload("VARCHAR formattedTimestamp, VARCHAR formatPattern", "BIGINT")
def parse_timestamp(text: str, format_text: str) -> int:
    """Reads an instant by a pattern; what the pattern leaves out is that of 1970-01-01T00:00, without a zone it is UTC.

    formattedTimestamp: The instant as text.
    formatPattern: The pattern, as java.time.format.DateTimeFormatter has it.
    """
    return _parse_in(text, format_text, UTC)


@PARSE_TIMESTAMP.overload("VARCHAR formattedTimestamp, VARCHAR formatPattern, VARCHAR timeZone", "TIMESTAMP")
@STRINGTOTIMESTAMP.overload("VARCHAR formattedTimestamp, VARCHAR formatPattern, VARCHAR timeZone", "BIGINT")
def parse_timestamp_zone(text: str, format_text: str, zone: str) -> int:
    """Reads an instant by a pattern; a text that names no zone is of the one given.

    formattedTimestamp: The instant as text.
    formatPattern: The pattern, as java.time.format.DateTimeFormatter has it.
    timeZone: The time zone: a region such as Europe/London, or an offset.
    """
    return _parse_in(text, format_text, _zone(zone))


def _parse_in(text: str, format_text: str, zone: tzinfo) -> int:
    try:
        return parse_moment(text, format_text, zone)
    except ValueError as error:
        raise _failed("timestamp", text, format_text, error) from None


# ---------------------------------------------------------------------------------------------- arithmetic

_UNIT_NS = {
    "NANOSECOND": 1,
    "MICROSECOND": 1_000,
    "MILLISECOND": 1_000_000,
    "SECOND": 1_000_000_000,
    "MINUTE": 60_000_000_000,
    "HOUR": 3_600_000_000_000,
    "DAY": 86_400_000_000_000,
}


def _nanos(unit: str, interval: int) -> int:
    size = _UNIT_NS.get(unit.upper().removesuffix("S"))
    if size is None:
        raise FunctionError(f"Unknown time unit: {unit}")
    return size * interval


def _whole(nanos: int, size: int) -> int:
    """How often ``size`` goes into ``nanos``, cut towards zero."""
    return nanos // size if nanos >= 0 else -(-nanos // size)


def _shift_timestamp(sign: int) -> Callable[[str, int, int], int]:
    return lambda unit, interval, ms: wrap_long(ms + sign * _whole(_nanos(unit, interval), 1_000_000))


def _shift_date(sign: int) -> Callable[[str, int, int], int]:
    return lambda unit, interval, days: _whole(days * DAY_MS + sign * _whole(_nanos(unit, interval), 1_000_000), DAY_MS)


def _shift_time(sign: int) -> Callable[[str, int, int], int]:
    return lambda unit, interval, ms: (ms * 1_000_000 + sign * _nanos(unit, interval)) // 1_000_000 % DAY_MS


def _declare_shift(name: str, verb: str, type_: str, shift: Callable[[str, int, int], int]) -> Function:
    function = scalar(name, _DATES, f"{verb} a duration {'to' if verb == 'Adds' else 'from'} a {type_} value.")
    shift.__doc__ = (
        f"{function.description}\n\nunit: The unit of the duration, DAYS to MILLISECONDS.\n"
        f"interval: How many units.\n{type_.lower()}: The value."
    )
    function.overload(f"INTERVALUNIT unit, INT interval, {type_} {type_.lower()}", type_)(shift)
    return function


TIMESTAMPADD = _declare_shift("timestampadd", "Adds", "TIMESTAMP", _shift_timestamp(1))
TIMESTAMPSUB = _declare_shift("timestampsub", "Subtracts", "TIMESTAMP", _shift_timestamp(-1))
DATEADD = _declare_shift("dateadd", "Adds", "DATE", _shift_date(1))
DATESUB = _declare_shift("datesub", "Subtracts", "DATE", _shift_date(-1))
TIMEADD = _declare_shift("timeadd", "Adds", "TIME", _shift_time(1))
TIMESUB = _declare_shift("timesub", "Subtracts", "TIME", _shift_time(-1))

# ---------------------------------------------------------------------------------------------- conversion

CONVERT_TZ = scalar("convert_tz", _DATES, "Moves a TIMESTAMP from one time zone's clocks to another's.")
FROM_DAYS = scalar("from_days", _DATES, "The DATE of a number of days since 1970-01-01.")
FROM_UNIXTIME = scalar("from_unixtime", _DATES, "The TIMESTAMP of milliseconds since 1970-01-01T00:00Z.")
UNIX_DATE = scalar("unix_date", _DATES, "The number of days since 1970-01-01 of a DATE, or of today.")
UNIX_TIMESTAMP = scalar("unix_timestamp", _DATES, "The milliseconds since 1970-01-01T00:00Z of a TIMESTAMP, or of now.")


@CONVERT_TZ.overload("TIMESTAMP timestamp, VARCHAR fromTimeZone, VARCHAR toTimeZone", "TIMESTAMP")
def convert_tz(ms: int, source: str, target: str) -> int:
    """Moves a timestamp by the difference of two zones' clocks at that instant.

    timestamp: The timestamp.
    fromTimeZone: The zone it is of: a region or an offset.
    toTimeZone: The zone to move it to.
    """
    return ms + (offset_at(_zone(target), ms) - offset_at(_zone(source), ms)) * 1000


def _same(value: Any) -> Any:
    """The same value as another type.

    days: Days since 1970-01-01.
    epochMilli: Milliseconds since 1970-01-01T00:00Z.
    date: The date.
    timestamp: The timestamp.
    """
    return value


FROM_DAYS.overload("INT days", "DATE")(_same)
FROM_UNIXTIME.overload("BIGINT epochMilli", "TIMESTAMP")(_same)
UNIX_DATE.overload("DATE date", "INT")(_same)
UNIX_TIMESTAMP.overload("TIMESTAMP timestamp", "BIGINT")(_same)


@UNIX_DATE.overload("", "INT")
def unix_date() -> int:
    """Today's number of days since 1970-01-01, in UTC."""
    return wrap_int(time.time_ns() // 1_000_000 // DAY_MS)


@UNIX_TIMESTAMP.overload("", "BIGINT")
def unix_timestamp() -> int:
    """The milliseconds since 1970-01-01T00:00Z by the engine's clock."""
    return time.time_ns() // 1_000_000
