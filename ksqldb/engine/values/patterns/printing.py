"""Dates and times as patterns print them, in English and with the weeks of the US."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from ksqldb.engine.values.patterns.elements import TIME_FIELDS, ZONE_FIELDS, Element, Optional_
from ksqldb.engine.values.times import DAY_MS, civil, days_of, year_text
from ksqldb.engine.values.zones import offset_text, short_name, zone_id

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


@dataclass(frozen=True, slots=True)
class Moment:
    """What a pattern can print: ``days`` since 1970, nanoseconds of the day, the zone and its offset in seconds."""

    days: int | None = None
    nanos: int | None = None
    zone: tzinfo | None = None
    offset: int = 0

    @property
    def utc_ms(self) -> int:
        return (self.days or 0) * DAY_MS + (self.nanos or 0) // 1_000_000 - self.offset * 1000


def print_element(element: Element | Optional_, moment: Moment) -> str:
    if isinstance(element, Optional_):
        try:
            return "".join(print_element(inner, moment) for inner in element.elements)
        except ValueError:
            return ""
    letter, count = element.letter, element.count
    if not letter:
        return element.literal
    if letter in ZONE_FIELDS:
        return _print_zone(letter, count, moment)
    value = _value(letter, moment)
    match letter:
        case "G":
            return ("Before Christ" if count == 4 else "BC") if value == 0 else ("Anno Domini" if count == 4 else "AD")
        case "a":
            return "PM" if value else "AM"
        case "E":
            return name_of(DAYS, value, count)
        case "M" | "L" if count > 2:
            return name_of(MONTHS, value, count)
        case "e" | "c" if count > 2:
            return name_of(DAYS, (value - 2) % 7 + 1, count)
        case "Q" | "q" if count > 2:
            ordinal = ("1st", "2nd", "3rd", "4th")[value - 1]
            return f"Q{value}" if count == 3 else f"{ordinal} quarter" if count == 4 else str(value)
        case "S":
            return f"{value:09d}"[:count]
        case "u" | "y" | "Y" if count == 2:
            return f"{abs(value) % 100:02d}"
        case "u" | "y" | "Y" if count >= 4:
            return year_text(value) if count == 4 else f"{value:0{count}d}"
    return f"{value:0{count}d}"


def name_of(names: list[str], value: int, count: int) -> str:
    name = names[value - 1]
    return {4: name, 5: name[:1]}.get(count, name[:3])


def _print_zone(letter: str, count: int, moment: Moment) -> str:
    if moment.zone is None:
        raise ValueError("Unable to extract ZoneId from temporal")
    match letter:
        case "V":
            return zone_id(moment.zone)
        case "z":
            return short_name(moment.zone, moment.utc_ms)
        case "O":
            return _localized_offset(moment.offset, count == 4)
        case "Z":
            if count == 4:
                return _localized_offset(moment.offset, True)
            return offset_text(moment.offset, ":", "Z") if count == 5 else offset_text(moment.offset, "", "+0000")
    colon = ":" if count in (3, 5) else ""
    zero = "Z" if letter == "X" else "+00" if count == 1 else f"+00{colon}00"
    text = offset_text(moment.offset, colon, zero)
    if count < 4:  # no seconds
        text = text[: 5 + len(colon)] if text[0] in "+-" else text
    return text[:3] if count == 1 and text[-2:] == "00" and len(text) == 5 else text


def _localized_offset(offset: int, full: bool) -> str:
    if offset == 0:
        return "GMT"
    hours, minutes = divmod(abs(offset) // 60, 60)
    sign = "-" if offset < 0 else "+"
    if full:
        return f"GMT{sign}{hours:02d}:{minutes:02d}"
    return f"GMT{sign}{hours}" + (f":{minutes:02d}" if minutes else "")


def _value(letter: str, moment: Moment) -> int:
    """The number a letter stands for; ValueError when the moment has no date or time."""
    if letter in TIME_FIELDS:
        if moment.nanos is None:
            raise ValueError(f"Unsupported field: {letter}")
        return _TIME[letter](moment.nanos)
    if moment.days is None:
        raise ValueError(f"Unsupported field: {letter}")
    return _date_value(letter, moment.days)


_HOUR = 3_600_000_000_000
_TIME: dict[str, Callable[[int], int]] = {
    "a": lambda nanos: nanos // _HOUR // 12,
    "h": lambda nanos: nanos // _HOUR % 12 or 12,
    "K": lambda nanos: nanos // _HOUR % 12,
    "k": lambda nanos: nanos // _HOUR or 24,
    "H": lambda nanos: nanos // _HOUR,
    "m": lambda nanos: nanos // 60_000_000_000 % 60,
    "s": lambda nanos: nanos // 1_000_000_000 % 60,
    "S": lambda nanos: nanos % 1_000_000_000,
    "n": lambda nanos: nanos % 1_000_000_000,
    "A": lambda nanos: nanos // 1_000_000,
    "N": lambda nanos: nanos,
}


def _date_value(letter: str, days: int) -> int:
    year, month, day = civil(days)
    weekday = (days + 3) % 7 + 1  # Monday is 1
    match letter:
        case "u":
            return year
        case "y":
            return year if year > 0 else 1 - year
        case "G":
            return int(year > 0)
        case "M" | "L":
            return month
        case "d":
            return day
        case "D":
            return days - days_of(year, 1, 1) + 1
        case "Q" | "q":
            return (month + 2) // 3
        case "E":
            return weekday
        case "e" | "c":  # weeks of the US: Sunday is 1
            return weekday % 7 + 1
        case "F":
            return (day - 1) // 7 + 1
    return _week(letter, days, year, day)


def _week(letter: str, days: int, year: int, day: int) -> int:
    """Weeks start on Sunday and the first one holds the 1st of January (or of the month), as in the US."""

    def start(first: int) -> int:
        return first - (first + 4) % 7

    if letter == "W":
        return (days - start(days - day + 1)) // 7 + 1
    week_year = year + 1 if days >= start(days_of(year + 1, 1, 1)) else year
    return week_year if letter == "Y" else (days - start(days_of(week_year, 1, 1))) // 7 + 1
