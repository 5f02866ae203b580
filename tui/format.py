"""How values read on screen: Brazilian numbers, local times, ages; unknown is ``-``, never 0. Pure."""

from __future__ import annotations

from datetime import datetime

UNKNOWN = "-"


def number(value: float | None, decimals: int = 0) -> str:
    """``1234567.8`` -> ``1.234.568``; with ``decimals`` the comma is the decimal sign."""
    if value is None:
        return UNKNOWN
    return f"{value:,.{decimals}f}".translate(_SWAP)


_SWAP = str.maketrans(",.", ".,")


def counted(count: int, thing: str) -> str:
    """``1 restart``, ``1.200 restarts``."""
    return f"{number(count)} {thing}{'' if count == 1 else 's'}"


def money(centavos: int | None) -> str:
    """Centavos -> ``R$ 1.234,56``."""
    return UNKNOWN if centavos is None else f"R$ {number(centavos / 100, 2)}"


def percent(share: float | None, decimals: int = 1) -> str:
    """A share of 1 -> ``99,1 %``."""
    return UNKNOWN if share is None else f"{number(share * 100, decimals)} %"


def compact(value: float | None) -> str:
    """Axis labels: ``950``, ``3,2k``, ``1,1M``."""
    if value is None:
        return UNKNOWN
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            scaled = value / size
            return number(scaled, 0 if scaled >= 10 or scaled == int(scaled) else 1) + unit
    return number(value)


def age(seconds: float | None) -> str:
    """``3s``, ``2m``, ``1h``, ``4d``."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, int(seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if whole >= size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def duration(milliseconds: float | None) -> str:
    """``84 ms``, ``1,8 s``, ``2 m 10 s``, ``3 h 5 m``."""
    if milliseconds is None:
        return UNKNOWN
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{number(seconds, 1)} s"
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60} m {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} m"


def stopwatch(seconds: float) -> str:
    """``00:41``, ``1:02:03``."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60:02}:{rest % 60:02}"


def clock(epoch_ms: int | None) -> str:
    """Local time of day ``14:02:11``."""
    return UNKNOWN if epoch_ms is None else datetime.fromtimestamp(epoch_ms / 1000).strftime("%H:%M:%S")


def clock_ms(epoch_ms: int | None) -> str:
    """Local time of day with milliseconds ``14:02:11,042``."""
    if epoch_ms is None:
        return UNKNOWN
    return f"{clock(epoch_ms)},{epoch_ms % 1000:03}"


def day_clock(epoch_ms: int | None, now_ms: int) -> str:
    """Time of day, with the date in front when it is not today's."""
    if epoch_ms is None:
        return UNKNOWN
    moment = datetime.fromtimestamp(epoch_ms / 1000)
    today = datetime.fromtimestamp(now_ms / 1000).date()
    return moment.strftime("%H:%M:%S") if moment.date() == today else moment.strftime("%d/%m %H:%M")
