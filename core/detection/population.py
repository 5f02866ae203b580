"""Amounts of everybody in the partition, by channel: mean and standard deviation over the last 30 days."""

from __future__ import annotations

from math import sqrt

import msgspec

DAY_MS = 86_400_000
WINDOW_DAYS = 30


class _Day(msgspec.Struct, array_like=True):
    day: int
    count: int
    total: float
    squares: float


class _Channel(msgspec.Struct, array_like=True):
    days: list[_Day] = msgspec.field(default_factory=list)
    count: int = 0
    total: float = 0.0
    squares: float = 0.0


class Population(msgspec.Struct, array_like=True):
    """Sums by channel and day of event time; at most 31 days a channel, the oldest leave as new days come.

    Amounts are winsorised before they are learned (``CLIP`` standard deviations above the mean, once ``WARM`` are
    known), so that a handful of enormous payments does not hide the next one.
    """

    channels: dict[str, _Channel] = msgspec.field(default_factory=dict)

    WARM = 500
    CLIP = 6.0

    def moments(self, channel: str | None) -> tuple[int, float, float]:
        """``(count, mean, standard deviation)`` of the channel's amounts, centavos."""
        sums = self.channels.get(channel or "")
        if sums is None or sums.count == 0:
            return 0, 0.0, 0.0
        mean = sums.total / sums.count
        return sums.count, mean, sqrt(max(0.0, sums.squares / sums.count - mean * mean))

    def learn(self, channel: str | None, amount: int, time: int) -> None:
        """Take one amount in; a payment older than the window is left out."""
        name = channel or ""
        sums = self.channels.get(name)
        if sums is None:
            sums = self.channels[name] = _Channel()
        value = float(amount)
        if sums.count >= self.WARM:
            _, mean, deviation = self.moments(channel)
            value = min(value, mean + self.CLIP * deviation)
        days = sums.days
        day = time // DAY_MS
        if days and days[-1].day == day:
            bucket = days[-1]
        else:
            found = _bucket(days, day)
            if found is None:
                return
            bucket = found
            self._expire(sums)
        bucket.count += 1
        bucket.total += value
        bucket.squares += value * value
        sums.count += 1
        sums.total += value
        sums.squares += value * value

    @staticmethod
    def _expire(sums: _Channel) -> None:
        newest = sums.days[-1].day
        sums.days = [d for d in sums.days if d.day > newest - WINDOW_DAYS - 1]
        sums.count = sum(d.count for d in sums.days)
        sums.total = sum(d.total for d in sums.days)
        sums.squares = sum(d.squares for d in sums.days)


def _bucket(days: list[_Day], day: int) -> _Day | None:
    """The day's bucket, made in its place when absent; None for a day that has already left."""
    at = len(days)
    while at and days[at - 1].day > day:
        at -= 1
    if at and days[at - 1].day == day:
        return days[at - 1]
    if days and day <= days[-1].day - WINDOW_DAYS - 1:
        return None
    made = _Day(day, 0, 0.0, 0.0)
    days.insert(at, made)
    return made
