"""The patterns of java.time.format.DateTimeFormatter: formatting, and parsing in its strict text, smart value mode."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import lru_cache

from ksqldb.engine.values.times import DAY_MS, civil, days_of, month_length, year_text
from ksqldb.engine.values.zones import offset_at, offset_of_local, offset_text, short_name, zone_id, zone_of_text

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

_DATE_FIELDS = frozenset("GuyDMLdQqYwWEecF")
_TIME_FIELDS = frozenset("ahKkHmsSAnN")
_ZONE_FIELDS = frozenset("VvzOXxZ")

Fields = dict[str, int]


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


@dataclass(slots=True)
class Parsed:
    """What a text said: field values by their pattern letter's field name, and the zone."""

    fields: Fields
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """One piece of a pattern: a literal, or ``count`` times ``letter``. ``reserve``: digits that belong to the numbers
    right behind it."""

    letter: str
    count: int
    literal: str = ""
    reserve: int = 0


@dataclass(frozen=True, slots=True)
class Optional_:
    """``[...]``."""

    elements: tuple[Element | Optional_, ...]


class Pattern:
    """A compiled pattern; ValueError when it is malformed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._elements = _compile(text)
        letters = _letters(self._elements)
        self.has_date = bool(letters & _DATE_FIELDS)
        self.has_time = bool(letters & _TIME_FIELDS)

    def format(self, moment: Moment) -> str:
        """ValueError when the pattern asks for a field that the moment has not."""
        return "".join(_print(element, moment) for element in self._elements)

    def parse(self, text: str) -> Parsed:
        """The fields of a text, in any case of letters; ValueError when it does not fit."""
        parsed = Parsed({})
        at = _parse_all(self._elements, text, 0, parsed)
        if at < 0:
            raise ValueError(f"Text '{text}' could not be parsed at index {-at - 1}")
        if at < len(text):
            raise ValueError(f"Text '{text}' could not be parsed, unparsed text found at index {at}")
        return parsed


@lru_cache(1000)
def pattern(text: str) -> Pattern:
    """A compiled pattern, from a cache."""
    return Pattern(text)


# ---------------------------------------------------------------------------------------------- compiling

_NUMERIC = frozenset("uyDdQqYwWecFhKkHmsSAnNM L".replace(" ", ""))


def _compile(text: str) -> tuple[Element | Optional_, ...]:
    stack: list[list[Element | Optional_]] = [[]]
    at = 0
    while at < len(text):
        sign = text[at]
        if sign == "'":
            literal, at = _quoted(text, at)
            stack[-1].append(Element("", 0, literal))
        elif sign.isascii() and sign.isalpha():
            end = at
            while end < len(text) and text[end] == sign:
                end += 1
            stack[-1].append(_field(sign, end - at))
            at = end
        elif sign == "[":
            stack.append([])
            at += 1
        elif sign == "]":
            if len(stack) == 1:
                raise ValueError("Pattern invalid as it contains ] without previous [")
            inner = Optional_(_reserved(stack.pop()))
            stack[-1].append(inner)
            at += 1
        elif sign in "{}#":
            raise ValueError(f"Pattern includes reserved character: '{sign}'")
        else:
            stack[-1].append(Element("", 0, sign))
            at += 1
    while len(stack) > 1:
        inner = Optional_(_reserved(stack.pop()))
        stack[-1].append(inner)
    return _reserved(stack[0])


def _quoted(text: str, at: int) -> tuple[str, int]:
    """The literal that starts with a quote at ``at``, and the index behind it; ``''`` is a quote."""
    end = at + 1
    literal = ""
    while end < len(text):
        if text[end] == "'":
            if text[end + 1 : end + 2] != "'":
                return literal or "'", end + 1
            end += 1
        literal += text[end]
        end += 1
    raise ValueError(f"Pattern ends with an incomplete string literal: {text}")


_MOST = {"d": 2, "H": 2, "h": 2, "K": 2, "k": 2, "m": 2, "s": 2, "D": 3, "S": 9, "G": 5, "M": 5, "L": 5, "E": 5, "a": 1}
_MOST |= {"e": 5, "c": 5, "Q": 5, "q": 5, "w": 2, "W": 1, "F": 1, "u": 19, "y": 19, "Y": 19, "A": 19, "n": 19, "N": 19}
_MOST |= {"V": 2, "z": 4, "O": 4, "X": 5, "x": 5, "Z": 5}


def _field(letter: str, count: int) -> Element:
    most = _MOST.get(letter)
    if most is None:
        raise ValueError(f"Unknown pattern letter: {letter}")
    if count > most or (letter == "V" and count != 2) or (letter == "O" and count not in (1, 4)):
        raise ValueError(
            f"Too many pattern letters: {letter}" if letter not in "VO" else f"Pattern letter count: {letter}"
        )
    return Element(letter, count)


def _reserved(elements: list[Element | Optional_]) -> tuple[Element | Optional_, ...]:
    """Gives every number of open width the digits of the fixed numbers that follow it directly."""
    done: list[Element | Optional_] = []
    reserve = 0
    for element in reversed(elements):
        if isinstance(element, Optional_) or not _is_number(element):
            reserve = 0
            done.append(element)
            continue
        low, high = _widths(element)
        if low == high:
            reserve += low
            done.append(element)
        else:
            done.append(Element(element.letter, element.count, reserve=reserve))
            reserve = 0
    return tuple(reversed(done))


def _is_number(element: Element) -> bool:
    return (
        element.letter in _NUMERIC and not (element.letter in "MLQqec" and element.count > 2) and element.letter != ""
    )


def _widths(element: Element) -> tuple[int, int]:
    """The fewest and most digits of a number."""
    letter, count = element.letter, element.count
    if letter == "S":
        return count, count
    if letter in "uyY":
        return (2, 2) if count == 2 else (count, 19)
    if letter in "AnN":
        return count, 19
    if letter == "D":
        return {1: (1, 19), 2: (2, 3), 3: (3, 3)}[count]
    return (1, 19) if count == 1 else (2, 2)


def _letters(elements: tuple[Element | Optional_, ...]) -> frozenset[str]:
    found: set[str] = set()
    for element in elements:
        found |= _letters(element.elements) if isinstance(element, Optional_) else {element.letter}
    return frozenset(found)


# ---------------------------------------------------------------------------------------------- printing


def _print(element: Element | Optional_, moment: Moment) -> str:
    if isinstance(element, Optional_):
        try:
            return "".join(_print(inner, moment) for inner in element.elements)
        except ValueError:
            return ""
    letter, count = element.letter, element.count
    if not letter:
        return element.literal
    if letter in _ZONE_FIELDS:
        return _print_zone(letter, count, moment)
    value = _value(letter, moment)
    match letter:
        case "G":
            return ("Before Christ" if count == 4 else "BC") if value == 0 else ("Anno Domini" if count == 4 else "AD")
        case "a":
            return "PM" if value else "AM"
        case "E":
            return _name(DAYS, value, count)
        case "M" | "L" if count > 2:
            return _name(MONTHS, value, count)
        case "e" | "c" if count > 2:
            return _name(DAYS, (value - 2) % 7 + 1, count)
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


def _name(names: list[str], value: int, count: int) -> str:
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
    if letter in _TIME_FIELDS:
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


# ---------------------------------------------------------------------------------------------- parsing


def _parse_all(elements: tuple[Element | Optional_, ...], text: str, at: int, parsed: Parsed) -> int:
    """The index behind what was read; ``-index - 1`` of the place that did not fit."""
    for element in elements:
        if isinstance(element, Optional_):
            trial = Parsed(dict(parsed.fields), parsed.zone)
            end = _parse_all(element.elements, text, at, trial)
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
        return end if text[at:end].lower() == element.literal.lower() else -at - 1
    if letter in _ZONE_FIELDS:
        return _parse_zone(letter, count, text, at, parsed)
    if _is_number(element):
        return _parse_number(element, text, at, parsed)
    names, value_of = _names(letter, count)
    for value, name in sorted(enumerate(names, start=1), key=lambda pair: -len(pair[1])):
        if text[at : at + len(name)].lower() == name.lower():
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
            return [_name(MONTHS, i, count) for i in range(1, 13)], lambda value: value
        case "Q" | "q":
            return ["Q1", "Q2", "Q3", "Q4"], lambda value: value
    return [_name(DAYS, i, count) for i in range(1, 8)], lambda value: value


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
    low, high = _widths(element)
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
    year = _year(fields)
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


def _year(fields: Fields) -> int | None:
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


def parse_moment(text: str, format_text: str, zone: tzinfo = UTC) -> int:
    """Milliseconds since 1970 of a text: what the pattern leaves out is that of 1970-01-01T00:00; its own zone counts
    before ``zone``. ValueError when text or pattern are wrong."""
    parsed = pattern(format_text).parse(text)
    fields = parsed.fields
    days = resolve_date(fields)
    if days is None:
        year, month = _year(fields) if _year(fields) is not None else 1970, fields.get("month", 1)
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
