"""DATE (days), TIME (ms of the day) and TIMESTAMP (ms since 1970) as ksqlDB prints and reads them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

from ksqldb.engine.errors import KsqlError

DAY_MS = 86_400_000
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_TIME_SHAPE = "00:00:00.000"
_DATE = re.compile(r"([+-]?\d{4,9})-(\d\d)-(\d\d)")
_TIME = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?")
_ZONE = re.compile(r"([+-])(\d\d?):?(\d\d)?(?::?(\d\d))?")

_TIMESTAMP_HELP = (
    "\nRequired format is: \"yyyy-MM-dd'T'HH:mm:ss.SSS\", "
    "with an optional numeric 4-digit timezone, for example: "
    "'2020-05-26T23.59.58.000' or with tz: '2020-05-26T23.59.58.000+0200'. "
    'Partials are also supported, for example "2020-05-26"'
)


def civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day count from 1970-01-01, for any year (proleptic Gregorian)."""
    era_days = days + 719_468
    era, day_of_era = divmod(era_days, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day


def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a calendar date (any year); ValueError when there is no such date."""
    if not 1 <= month <= 12 or not 1 <= day <= month_length(year, month):
        raise ValueError(f"no such date: {year:04d}-{month:02d}-{day:02d}")
    shifted_year = year - (month <= 2)
    era, year_of_era = divmod(shifted_year, 400)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def year_text(year: int) -> str:
    """A year as ISO_LOCAL_DATE has it: four digits, a sign beyond 9999."""
    if 0 <= year <= 9999:
        return f"{year:04d}"
    return f"{year:+d}" if year > 9999 else f"-{-year:04d}"


@lru_cache(4096)
def date_text(days: int) -> str:
    """``2023-11-14``."""
    year, month, day = civil(days)
    return f"{year_text(year)}-{month:02d}-{day:02d}"


def time_text(ms: int) -> str:
    """``22:13``, or ``22:13:20`` where there are seconds; milliseconds are never shown (as java.sql.Time has it)."""
    minutes, second = divmod(ms // 1000, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}" if second else f"{hour:02d}:{minute:02d}"


def timestamp_text(ms: int) -> str:
    """``2023-11-14T22:13:20.123`` (UTC, no zone)."""
    days, rest = divmod(ms, DAY_MS)
    seconds, millis = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    return f"{date_text(days)}T{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{millis:03d}"


def parse_date(text: str) -> int:
    """Days since 1970 of ``2020-05-26``, ``2020-05`` or ``2020``; KsqlError for anything else."""
    try:
        return _date_of(_complete_date(text))
    except ValueError as error:
        raise KsqlError(
            f"Failed to parse date '{text}': {error}\nRequired format is: \"yyyy-MM-dd\", with optional day and month"
        ) from None


def parse_time(text: str) -> int:
    """Milliseconds since midnight of ``22:13[:20[.123]]``; also ``22``; KsqlError for anything else."""
    try:
        return _time_of(text if len(text) != 2 else text + ":00")
    except ValueError as error:
        raise KsqlError(
            f"Failed to parse time '{text}': {error}\n"
            'Required format is: "HH:mm:ss.SSS", with optional seconds and fraction'
        ) from None


def parse_timestamp(text: str) -> int:
    """Milliseconds since 1970 (UTC unless the text names an offset) of an ISO text whose tail may be missing."""
    try:
        if "T" not in text:
            return _date_of(_complete_date(text)) * DAY_MS
        day, rest = text.split("T", 1)
        rest += _TIME_SHAPE[len(rest) :]
        sign = rest.find("+") if "+" in rest else rest.find("-")
        clock, zone = (rest[:sign], rest[sign:]) if sign >= 0 else (rest, "")
        clock += _TIME_SHAPE[len(clock) :]
        if clock.endswith("Z"):
            clock, zone = clock[:-1], "+0000"
        # Java reads 24:00 as the end of the day.
        passed = DAY_MS if clock == "24:00:00.000" else _time_of(clock)
        return _date_of(day) * DAY_MS + passed - _offset_of(zone)
    except ValueError as error:
        raise KsqlError(f"Failed to parse timestamp '{text}': {error}{_TIMESTAMP_HELP}") from None


def _complete_date(text: str) -> str:
    return text + {0: "-01-01", 1: "-01"}.get(text.count("-", 1), "")


def _date_of(text: str) -> int:
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"Text '{text}' could not be parsed as a date")
    return days_of(int(match[1]), int(match[2]), int(match[3]))


def _time_of(text: str) -> int:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"Text '{text}' could not be parsed as a time")
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"Text '{text}' could not be parsed as a time")
    return ((hour * 60 + minute) * 60 + second) * 1000 + int((match[4] or "0").ljust(3, "0")[:3])


def _offset_of(zone: str) -> int:
    if not zone.strip():
        return 0
    match = _ZONE.fullmatch(zone)
    if match is None:
        raise ValueError(f"Failed to parse timezone '{zone}'")
    ms = (int(match[2]) * 60 + int(match[3] or 0)) * 60_000 + int(match[4] or 0) * 1000
    return -ms if match[1] == "-" else ms


def date_of_days(days: int) -> date:
    """The ``datetime.date`` of a day count; OverflowError outside years 1..9999."""
    return date.fromordinal(_EPOCH_ORDINAL) + timedelta(days=days)
