"""What everybody in the partition pays, by channel: amounts, and how far payments stray from their account's own level.

Both are means and standard deviations over the last 30 days of event time.
"""

from __future__ import annotations

from math import sqrt

import msgspec

DAY_MS = 86_400_000
WINDOW_DAYS = 30
WARM = 500
CLIP = 6.0


class _Day(msgspec.Struct, array_like=True):
    day: int
    count: int
    total: float
    squares: float


class Sums(msgspec.Struct, array_like=True):
    """Count, sum and sum of squares by day; at most 31 days, the oldest leave as new ones come.

    Values are winsorised before they are added (``CLIP`` standard deviations above the mean, once ``WARM`` are known),
    so that a handful of enormous ones does not hide the next.
    """

    days: list[_Day] = msgspec.field(default_factory=list)
    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def moments(self) -> tuple[int, float, float]:
        """``(count, mean, standard deviation)``; zeros of nothing."""
        if self.count == 0:
            return 0, 0.0, 0.0
        mean = self.total / self.count
        return self.count, mean, sqrt(max(0.0, self.squares / self.count - mean * mean))

    def add(self, value: float, time: int) -> None:
        """Take one value in; one older than the window is left out."""
        if self.count >= WARM:
            _, mean, deviation = self.moments()
            value = min(value, mean + CLIP * deviation)
        day = time // DAY_MS
        days = self.days
        if days and days[-1].day == day:
            bucket = days[-1]
        else:
            found = self._open(day)
            if found is None:
                return
            bucket = found
        bucket.count += 1
        bucket.total += value
        bucket.squares += value * value
        self.count += 1
        self.total += value
        self.squares += value * value

    def _open(self, day: int) -> _Day | None:
        """The day's bucket, made in its place when absent; None for a day that has already left."""
        days = self.days
        at = len(days)
        while at and days[at - 1].day > day:
            at -= 1
        if at and days[at - 1].day == day:
            return days[at - 1]
        if days and day < days[-1].day - WINDOW_DAYS:
            return None
        made = _Day(day, 0, 0.0, 0.0)
        days.insert(at, made)
        self.days = [d for d in days if d.day >= days[-1].day - WINDOW_DAYS]
        self.count = sum(d.count for d in self.days)
        self.total = sum(d.total for d in self.days)
        self.squares = sum(d.squares for d in self.days)
        return made


class Population(msgspec.Struct, array_like=True):
    """``amounts``: centavos by channel. ``strays``: amount over the account's own expected amount, by channel."""

    amounts: dict[str, Sums] = msgspec.field(default_factory=dict)
    strays: dict[str, Sums] = msgspec.field(default_factory=dict)

    def amount(self, channel: str | None) -> tuple[int, float, float]:
        """``(count, mean, standard deviation)`` of the channel's amounts."""
        sums = self.amounts.get(channel or "")
        return (0, 0.0, 0.0) if sums is None else sums.moments()

    def stray(self, channel: str | None) -> tuple[int, float, float]:
        """``(count, mean, standard deviation)`` of the channel's amounts relative to what each account usually pays."""
        sums = self.strays.get(channel or "")
        return (0, 0.0, 0.0) if sums is None else sums.moments()

    def learn_amount(self, channel: str | None, amount: int, time: int) -> None:
        _sums(self.amounts, channel).add(float(amount), time)

    def learn_stray(self, channel: str | None, ratio: float, time: int) -> None:
        _sums(self.strays, channel).add(ratio, time)


def _sums(table: dict[str, Sums], channel: str | None) -> Sums:
    name = channel or ""
    sums = table.get(name)
    if sums is None:
        sums = table[name] = Sums()
    return sums
