"""The patterns of java.time.format.DateTimeFormatter: formatting and parsing."""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import lru_cache

from ksqldb.engine.values.patterns.elements import DATE_FIELDS, TIME_FIELDS, compile_pattern, letters_of
from ksqldb.engine.values.patterns.parsing import Parsed, parse_all, resolve_date, resolve_time, year_of
from ksqldb.engine.values.patterns.printing import DAYS, MONTHS, Moment, print_element
from ksqldb.engine.values.times import DAY_MS, days_of
from ksqldb.engine.values.zones import offset_at, offset_of_local

__all__ = [
    "DAYS",
    "MONTHS",
    "Moment",
    "Parsed",
    "Pattern",
    "format_moment",
    "parse_moment",
    "pattern",
    "resolve_date",
    "resolve_time",
]


class Pattern:
    """A compiled pattern; ValueError when it is malformed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._elements = compile_pattern(text)
        letters = letters_of(self._elements)
        self.has_date = bool(letters & DATE_FIELDS)
        self.has_time = bool(letters & TIME_FIELDS)

    def format(self, moment: Moment) -> str:
        """ValueError when the pattern asks for a field that the moment has not."""
        return "".join(print_element(element, moment) for element in self._elements)

    def parse(self, text: str, any_case: bool = True) -> Parsed:
        """The fields of a text, its names in any case of letters; ValueError when it does not fit."""
        parsed = Parsed({}, any_case=any_case)
        at = parse_all(self._elements, text, 0, parsed)
        if at < 0:
            raise ValueError(f"Text '{text}' could not be parsed at index {-at - 1}")
        if at < len(text):
            raise ValueError(f"Text '{text}' could not be parsed, unparsed text found at index {at}")
        return parsed


@lru_cache(1000)
def pattern(text: str) -> Pattern:
    """A compiled pattern, from a cache."""
    return Pattern(text)


def parse_moment(text: str, format_text: str, zone: tzinfo = UTC) -> int:
    """Milliseconds since 1970 of a text: what the pattern leaves out is that of 1970-01-01T00:00; its own zone counts
    before ``zone``. Names must be written as they are printed. ValueError when text or pattern are wrong."""
    parsed = pattern(format_text).parse(text, any_case=False)
    fields = parsed.fields
    days = resolve_date(fields)
    if days is None:
        year, month = year_of(fields) if year_of(fields) is not None else 1970, fields.get("month", 1)
        assert year is not None
        if "day_of_year" in fields:
            if fields["day_of_year"] == 366:
                raise ValueError("Leap day cannot be parsed without supplying the year field")
            days = days_of(year, 1, 1) + fields["day_of_year"] - 1
        else:
            days = days_of(year, month, fields.get("day", 1))
    nanos = resolve_time(fields)
    if nanos is None:
        hour = fields.get("hour_of_half", fields.get("clock_hour_of_half", 0) % 12)
        seconds = (hour * 60 + fields.get("minute", 0)) * 60 + fields.get("second", 0)
        nanos = seconds * 1_000_000_000 + fields.get("nano", 0)
    local = days * DAY_MS + nanos // 1_000_000
    return local - offset_of_local(parsed.zone or zone, local) * 1000


def format_moment(ms: int, format_text: str, zone: tzinfo = UTC) -> str:
    """An instant (ms since 1970) as clocks of ``zone`` show it. ValueError when the pattern is wrong."""
    offset = offset_at(zone, ms)
    days, rest = divmod(ms + offset * 1000, DAY_MS)
    return pattern(format_text).format(Moment(days, rest * 1_000_000, zone, offset))
