"""Time zones by the names Java knows: offsets, regions, and the short names that stand for a region."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_OFFSET = re.compile(r"(?:UTC|GMT|UT)?([+-])(\d\d?)(?::?(\d\d))?(?::?(\d\d))?")
_EPOCH = datetime(1970, 1, 1)
GMT = timezone(timedelta(0), "GMT")
_HORIZON_MS = 250_000_000_000_000  # datetime ends with the year 9999; rules beyond are taken at this bound

SHORT_NAMES = {
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "MST": "America/Denver",
    "MDT": "America/Denver",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "AKST": "America/Anchorage",
    "HST": "Pacific/Honolulu",
    "BRT": "America/Sao_Paulo",
    "BST": "Europe/London",
    "WET": "Europe/Lisbon",
    "CET": "Europe/Paris",
    "CEST": "Europe/Paris",
    "EET": "Europe/Bucharest",
    "EEST": "Europe/Bucharest",
    "MSK": "Europe/Moscow",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "AEST": "Australia/Sydney",
    "AEDT": "Australia/Sydney",
}


@lru_cache(1024)
def zone_of(name: str) -> tzinfo:
    """``ZoneId.of``: ``Z``, offsets (``+0200``, ``GMT+2``) and regions; ValueError when there is no such zone."""
    if name in ("Z", "UTC", "UT"):
        return UTC
    if name == "GMT":
        return GMT
    match = _OFFSET.fullmatch(name)
    if match:
        seconds = int(match[2]) * 3600 + int(match[3] or 0) * 60 + int(match[4] or 0)
        if seconds > 18 * 3600:
            raise ValueError(f"Zone offset not in valid range: -18:00 to +18:00: {name}")
        return timezone(timedelta(seconds=-seconds if match[1] == "-" else seconds))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError):
        raise ValueError(f"Unknown time-zone ID: {name}") from None


def zone_of_text(name: str) -> tzinfo | None:
    """A zone by its id, else by a short name as ``PST`` (the region, whatever the season); None when unknown."""
    short = SHORT_NAMES.get(name.upper())
    try:
        return zone_of(short or name)
    except ValueError:
        return None


def offset_at(zone: tzinfo, utc_ms: int) -> int:
    """Seconds east of UTC of a zone's clocks at an instant."""
    return _seconds(_utc(utc_ms).replace(tzinfo=UTC).astimezone(zone).utcoffset())


def offset_of_local(zone: tzinfo, local_ms: int) -> int:
    """Seconds east of UTC when clocks show ``local_ms``: the earlier offset in an overlap and in a gap, as Java."""
    return _seconds(_utc(local_ms).replace(tzinfo=zone, fold=0).utcoffset())


def short_name(zone: tzinfo, utc_ms: int) -> str:
    """``BST``, ``UTC``, ``+02:00``: what ``zzz`` prints."""
    if isinstance(zone, timezone) and zone not in (UTC, GMT):
        return offset_text(offset_at(zone, utc_ms), ":", "Z")
    return _utc(utc_ms).replace(tzinfo=UTC).astimezone(zone).tzname() or str(zone)


def zone_id(zone: tzinfo) -> str:
    """What ``VV`` prints."""
    if isinstance(zone, ZoneInfo):
        return zone.key
    if zone is UTC or zone is GMT:
        return str(zone)
    return offset_text(offset_at(zone, 0), ":", "Z")


def offset_text(seconds: int, colon: str, zero: str) -> str:
    """``+02:00`` with ``colon`` between, seconds only where there are any; ``zero`` for UTC."""
    if seconds == 0:
        return zero
    hours, rest = divmod(abs(seconds), 3600)
    minutes, second = divmod(rest, 60)
    text = f"{'-' if seconds < 0 else '+'}{hours:02d}{colon}{minutes:02d}"
    return f"{text}{colon}{second:02d}" if second else text


def _utc(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=max(min(ms, _HORIZON_MS), -_HORIZON_MS // 5))


def _seconds(offset: timedelta | None) -> int:
    return int(offset.total_seconds()) if offset is not None else 0
