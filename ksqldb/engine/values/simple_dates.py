"""Parsing by the patterns of java.text.SimpleDateFormat, as commons-lang's FastDateFormat does: leniently.

A text may go on behind what the pattern needs, values beyond their range roll over (32 January is 1 February), and what
the pattern leaves out is that of 1970-01-01T00:00.
"""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from functools import lru_cache

from ksqldb.engine.values.patterns import DAYS, MONTHS
from ksqldb.engine.values.times import DAY_MS, days_of
from ksqldb.engine.values.zones import offset_of_local, zone_of_text

_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|(.)", re.DOTALL)
_NUMBERS = frozenset("yYMLdDFHkKhmsSuwW")
_LETTERS = _NUMBERS | frozenset("GEazZX")
_PIVOT = 80  # two digits of a year below it are of this century


@lru_cache(1000)
def _compiled(pattern: str) -> tuple[tuple[str, str], ...]:
    """``(letter, run)`` or ``("", literal)`` for each piece of a pattern; ValueError when it is malformed."""
    pieces: list[tuple[str, str]] = []
    if pattern.count("'") % 2:
        raise ValueError(f"Unterminated quote in pattern: {pattern}")
    for match in _TOKEN.finditer(pattern):
        if match[2]:
            if match[2] not in _LETTERS:
                raise ValueError(f"Illegal pattern component: {match[0]}")
            pieces.append((match[2], match[0]))
        else:
            pieces.append(("", "'" if match[0] == "''" else match[1] if match[3] is None else match[3]))
    return tuple(pieces)


def _is_number(piece: tuple[str, str]) -> bool:
    return piece[0] in _NUMBERS and not (piece[0] in "ML" and len(piece[1]) > 2)


def parse_lenient(text: str, pattern: str) -> int:
    """Milliseconds since 1970 (UTC unless the text names a zone); ValueError when the text does not fit."""
    pieces = _compiled(pattern)
    fields: dict[str, int] = {}
    zone: tzinfo = UTC
    at = 0
    for i, piece in enumerate(pieces):
        letter, run = piece
        if not letter:
            if text[at : at + len(run)].lower() != run.lower():
                raise _unparseable(text)
            at += len(run)
        elif _is_number(piece):
            bounded = i + 1 < len(pieces) and _is_number(pieces[i + 1])
            number = re.compile(rf"\s*(\d{{{len(run)}}})" if bounded else r"\s*(\d+)").match(text, at)
            if number is None:
                raise _unparseable(text)
            at = number.end()
            fields[letter] = _year(int(number[1])) if letter in "yY" and len(run) <= 2 else int(number[1])
        elif letter in "zZX":
            found = re.compile(r"[A-Za-z/_]+|(?:GMT)?[+-]\d\d?:?\d\d|[+-]\d\d").match(text, at)
            parsed = zone_of_text(found[0]) if found else None
            if found is None or parsed is None:
                raise _unparseable(text)
            zone, at = parsed, found.end()
        else:
            value, at = _name(letter, text, at)
            fields[letter] = value
    return _resolve(fields, zone)


def _unparseable(text: str) -> ValueError:
    return ValueError(f"Unparseable date: {text}")


def _year(value: int) -> int:
    return value if value >= 100 else value + (2000 if value < _PIVOT else 1900)


def _name(letter: str, text: str, at: int) -> tuple[int, int]:
    """The value of a name at ``at`` (months from 1) and the index behind it."""
    names = {"a": ["AM", "PM"], "G": ["BC", "AD"], "E": DAYS}.get(letter, MONTHS)
    offset = 0 if letter in "aG" else 1
    for value, name in enumerate(names, start=offset):
        for form in (name, name[:3]):
            if text[at : at + len(form)].lower() == form.lower():
                return value, at + len(form)
    raise _unparseable(text)


def _resolve(fields: dict[str, int], zone: tzinfo) -> int:
    year = fields.get("y", fields.get("Y", 1970))
    if fields.get("G") == 0:
        year = 1 - year
    month = fields.get("M", fields.get("L", 1))
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    first = days_of(year, 1, 1) if "D" in fields else days_of(year, month, 1)
    days = first + fields.get("D", fields.get("d", 1)) - 1
    hour = fields.get("H", fields.get("k", 0) % 24)
    if "h" in fields or "K" in fields:
        hour = fields.get("h", fields.get("K", 0)) % 12 + 12 * fields.get("a", 0)
    seconds = (hour * 60 + fields.get("m", 0)) * 60 + fields.get("s", 0)
    local = days * DAY_MS + seconds * 1000 + fields.get("S", 0)
    return local - offset_of_local(zone, local) * 1000
