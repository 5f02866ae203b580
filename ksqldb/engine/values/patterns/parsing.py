"""Reading texts by patterns: strict about the text, smart about values (31 June is its last day)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo

from ksqldb.engine.values.patterns.elements import ZONE_FIELDS, Element, Optional_, is_number, widths
from ksqldb.engine.values.patterns.printing import DAYS, MONTHS, name_of
from ksqldb.engine.values.times import days_of, month_length
from ksqldb.engine.values.zones import zone_of_text

Fields = dict[str, int]


@dataclass(slots=True)
class Parsed:
    """What a text said: field values by their pattern letter's field name, and the zone."""

    fields: Fields
    zone: tzinfo | None = None
    any_case: bool = True  # whether names may be written in any case

    def same(self, part: str, expected: str) -> bool:
        return part == expected or (self.any_case and part.lower() == expected.lower())


def parse_all(elements: tuple[Element | Optional_, ...], text: str, at: int, parsed: Parsed) -> int:
    """The index behind what was read; ``-index - 1`` of the place that did not fit."""
    for element in elements:
        if isinstance(element, Optional_):
            trial = Parsed(dict(parsed.fields), parsed.zone, parsed.any_case)
            end = parse_all(element.elements, text, at, trial)
            if end >= 0:
                parsed.fields, parsed.zone = trial.fields, trial.zone
                at = end
            continue
        at = _parse_element(element, text, at, parsed)
        if at < 0:
            return at
    return at


def _parse_element(element: Element, text: str, at: int, parsed: Parsed) -> int:
    letter, count = element.letter, element.count
    if not letter:
        end = at + len(element.literal)
        return end if parsed.same(text[at:end], element.literal) else -at - 1
    if letter in ZONE_FIELDS:
        return _parse_zone(letter, count, text, at, parsed)
    if is_number(element):
        return _parse_number(element, text, at, parsed)
    names, value_of = _names(letter, count)
    for value, name in sorted(enumerate(names, start=1), key=lambda pair: -len(pair[1])):
        if parsed.same(text[at : at + len(name)], name):
            parsed.fields[_FIELD_OF[letter]] = value_of(value)
            return at + len(name)
    return -at - 1


def _names(letter: str, count: int) -> tuple[list[str], Callable[[int], int]]:
    match letter:
        case "a":
            return ["AM", "PM"], lambda value: value - 1
        case "G":
            return (["Before Christ", "Anno Domini"] if count == 4 else ["BC", "AD"]), lambda value: value - 1
        case "M" | "L":
            return [name_of(MONTHS, i, count) for i in range(1, 13)], lambda value: value
        case "Q" | "q":
            return ["Q1", "Q2", "Q3", "Q4"], lambda value: value
    return [name_of(DAYS, i, count) for i in range(1, 8)], lambda value: value


_FIELD_OF = {
    "G": "era",
    "u": "year",
    "y": "year_of_era",
    "Y": "week_year",
    "D": "day_of_year",
    "M": "month",
    "L": "month",
    "d": "day",
    "Q": "quarter",
    "q": "quarter",
    "w": "week",
    "W": "week_of_month",
    "E": "weekday",
    "e": "us_weekday",
    "c": "us_weekday",
    "F": "aligned_week",
    "a": "half",
    "h": "clock_hour_of_half",
    "K": "hour_of_half",
    "k": "clock_hour",
    "H": "hour",
    "m": "minute",
    "s": "second",
    "S": "nano",
    "n": "nano",
    "A": "milli_of_day",
    "N": "nano_of_day",
}
_RANGE = {
    "month": (1, 12),
    "day": (1, 31),
    "day_of_year": (1, 366),
    "hour": (0, 23),
    "clock_hour": (1, 24),
    "hour_of_half": (0, 11),
    "clock_hour_of_half": (1, 12),
    "minute": (0, 59),
    "second": (0, 59),
    "nano": (0, 999_999_999),
    "milli_of_day": (0, 86_399_999),
    "nano_of_day": (0, 86_399_999_999_999),
    "quarter": (1, 4),
}


def _parse_number(element: Element, text: str, at: int, parsed: Parsed) -> int:
    low, high = widths(element)
    start = at
    sign = 1
    signed = element.letter in "uyY" and element.count != 2
    plus = text[at : at + 1] == "+"
    if signed and text[at : at + 1] in ("+", "-"):
        if plus and element.count < 4:
            return -at - 1
        sign = -1 if text[at] == "-" else 1
        at += 1
    end = at
    while end < len(text) and end - at < high and text[end].isascii() and text[end].isdigit():
        end += 1
    end = max(min(end, at + low), end - element.reserve)
    if end - at < low or (signed and element.count >= 4 and not plus and sign > 0 and end - at > element.count):
        return -start - 1
    value = sign * int(text[at:end])
    if element.letter == "S":
        value *= 10 ** (9 - element.count)
    if element.letter in "uyY" and element.count == 2:
        value += 2000
    name = _FIELD_OF[element.letter]
    allowed = _RANGE.get(name)
    if allowed and not allowed[0] <= value <= allowed[1]:
        raise ValueError(f"Text '{text}' could not be parsed: Invalid value for {name}: {value}")
    if parsed.fields.setdefault(name, value) != value:
        raise ValueError(f"Text '{text}' could not be parsed: Conflict found: {name}")
    return end


_ZONE_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9~/._+-]*(?::\d\d)?|[+-]\d\d?(?::?\d\d)?(?::?\d\d)?")
_OFFSET_TEXT = re.compile(r"([+-])(\d\d)(:?)(\d\d)?(?:(:?)(\d\d))?")


def _parse_zone(letter: str, count: int, text: str, at: int, parsed: Parsed) -> int:
    if letter in "Vz":
        match = _ZONE_TEXT.match(text, at)
        zone = zone_of_text(match[0]) if match else None
        if match is None or zone is None:
            return -at - 1
        parsed.zone = zone
        return match.end()
    if text[at : at + 3].upper() == "GMT" and (letter == "O" or count == 4):
        match = re.compile(r"GMT([+-]\d\d?(?::\d\d)?)?", re.IGNORECASE).match(text, at)
        assert match is not None
        parsed.zone = zone_of_text(match[0].upper())
        return match.end()
    if text[at : at + 1] in ("Z", "z") and (letter == "X" or (letter == "Z" and count == 5)):
        parsed.zone = UTC
        return at + 1
    match = _OFFSET_TEXT.match(text, at)
    colon = count in (3, 5) if letter != "Z" else count == 5
    if match is None or (match[4] and bool(match[3]) != colon) or (not match[4] and count != 1):
        return -at - 1
    end = match.end() if count >= 4 and match[6] else match.end(4) if match[4] else match.end(2)
    parsed.zone = zone_of_text(match[1] + match[2] + (match[4] or "00"))
    return end


# ---------------------------------------------------------------------------------------------- resolving


def resolve_date(fields: Fields) -> int | None:
    """Days since 1970 of the date that fields name wholly, else None. A day past the month's end is its last one."""
    year = year_of(fields)
    if year is None:
        return None
    if "day_of_year" in fields:
        if fields["day_of_year"] == 366 and month_length(year, 2) == 28:
            raise ValueError(f"Invalid date 'DayOfYear 366' as '{year}' is not a leap year")
        return days_of(year, 1, 1) + fields["day_of_year"] - 1
    if "month" in fields and "day" in fields:
        days = days_of(year, fields["month"], min(fields["day"], month_length(year, fields["month"])))
        if "weekday" in fields and (days + 3) % 7 + 1 != fields["weekday"]:
            raise ValueError("Conflict found: the day of the week does not fit the date")
        return days
    return None


def year_of(fields: Fields) -> int | None:
    if "year" in fields:
        return fields["year"]
    if "year_of_era" in fields:
        return 1 - fields["year_of_era"] if fields.get("era") == 0 else fields["year_of_era"]
    return None


def resolve_time(fields: Fields) -> int | None:
    """Nanoseconds of the day of the time that fields name (finer parts may be missing), else None."""
    if "nano_of_day" in fields:
        return fields["nano_of_day"]
    if "milli_of_day" in fields:
        return fields["milli_of_day"] * 1_000_000
    hour = _hour(fields)
    if hour is None or ("minute" not in fields and ("second" in fields or "nano" in fields)):
        return None
    seconds = (hour * 60 + fields.get("minute", 0)) * 60 + fields.get("second", 0)
    return seconds * 1_000_000_000 + fields.get("nano", 0)


def _hour(fields: Fields) -> int | None:
    if "hour" in fields:
        return fields["hour"]
    if "clock_hour" in fields:
        return fields["clock_hour"] % 24
    if "half" not in fields:
        return None
    hour = fields["clock_hour_of_half"] % 12 if "clock_hour_of_half" in fields else fields.get("hour_of_half")
    return None if hour is None else fields["half"] * 12 + hour
