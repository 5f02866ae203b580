"""What everybody in the partition pays, by kind of payment: amounts, and how far they stray from their account's level.

All is kept as exponentially forgotten sums (a thirtieth leaves with every day of event time) and a histogram of the
upper tail, so that a line can be drawn that honest payments hardly ever cross, whatever the shape of the law.
"""

from __future__ import annotations

from math import floor, inf, log2, sqrt

import msgspec

DAY_MS = 86_400_000
DAYS = 30
WARM = 500
CLIP = 6.0
KINDS = 64
BINS = 8
"""Bins of the tail an octave: a line is right to 9 %."""
ALIKE_MOST = 3.0
ALIKE_PAIRS = 200


class Sums(msgspec.Struct, array_like=True, gc=False):
    """Count, sum, sum of squares, and how often values fell into each bin above twice the mean.

    For the sums, values are winsorised (``CLIP`` standard deviations above the mean, once ``WARM`` are known), so that
    a handful of enormous ones does not hide the next. A late value counts as one of the newest day.
    """

    count: float = 0.0
    total: float = 0.0
    squares: float = 0.0
    day: int = 0
    tail: dict[int, float] = msgspec.field(default_factory=dict)

    def mean(self) -> float:
        """The mean; zero of nothing."""
        return self.total / self.count if self.count > 0 else 0.0

    def moments(self) -> tuple[float, float]:
        """``(mean, standard deviation)``; zeros of nothing."""
        if self.count <= 0:
            return 0.0, 0.0
        mean = self.total / self.count
        variance = self.squares / self.count - mean * mean
        return mean, sqrt(variance) if variance > 0 else 0.0

    def exceeded_by(self, share: float) -> float:
        """The least line that at most ``share`` of the values lie above; infinite while that cannot be known yet."""
        allowed = share * self.count
        if allowed < 1.0:
            return inf
        above = 0.0
        for bin_ in sorted(self.tail, reverse=True):
            above += self.tail[bin_]
            if above > allowed:
                return float(2.0 ** ((bin_ + 1) / BINS))
        return float(2.0 ** (min(self.tail) / BINS)) if self.tail else inf

    def add(self, value: float, time: int) -> None:
        """Take one value in."""
        day = time // DAY_MS
        if day > self.day:
            if self.count:
                self._forget(day - self.day)
            self.day = day
        if self.count >= WARM and value > self.total / self.count:  # most are below; the deviation costs a root
            mean, deviation = self.moments()
            if value > 2 * mean > 0:
                bin_ = floor(BINS * log2(value))
                self.tail[bin_] = self.tail.get(bin_, 0.0) + 1.0
            value = min(value, mean + CLIP * deviation)
        self.count += 1.0
        self.total += value
        self.squares += value * value

    def _forget(self, days: int) -> None:
        kept = (1 - 1 / DAYS) ** days
        self.count *= kept
        self.total *= kept
        self.squares *= kept
        self.tail = {bin_: weight * kept for bin_, weight in self.tail.items() if weight * kept > 0.01}


class Likeness(msgspec.Struct, array_like=True, gc=False):
    """How alike the payments of one account are: amounts in means of their kind (each taken as three at most), in pairs
    that an account made one after the other; and the sum of what the later ones exceed the usual by.

    Amounts of one account that know nothing of each other correlate by 0, those of accounts that always pay the same
    by 1.
    """

    count: float = 0.0
    total: float = 0.0
    squares: float = 0.0
    products: float = 0.0
    excesses: float = 0.0
    day: int = 0

    def add(self, before: float, now: float, excess: float, time: int) -> None:
        """Take a pair in."""
        day = time // DAY_MS
        if day > self.day:
            kept = (1 - 1 / DAYS) ** (day - self.day) if self.count else 0.0
            self.count *= kept
            self.total *= kept
            self.squares *= kept
            self.products *= kept
            self.excesses *= kept
            self.day = day
        if before > ALIKE_MOST:
            before = ALIKE_MOST
        if now > ALIKE_MOST:
            now = ALIKE_MOST
        self.count += 1.0
        self.total += (before + now) / 2
        self.squares += (before * before + now * now) / 2
        self.products += before * now
        self.excesses += excess

    def correlation(self) -> float:
        """Of the two amounts of a pair; 1, the careful answer, while fewer than 200 pairs are known."""
        if self.count < ALIKE_PAIRS:
            return 1.0
        mean = self.total / self.count
        variance = self.squares / self.count - mean * mean
        return (self.products / self.count - mean * mean) / variance if variance > 1e-9 else 1.0

    def excess(self) -> float:
        """The mean excess of a payment."""
        return self.excesses / self.count if self.count else 0.0


class Population(msgspec.Struct, array_like=True, gc=False):
    """``amounts``: centavos by kind (``Payment.kind``). ``strays``: amount over the account's
    own expected amount, by kind. ``channels``: centavos by channel. ``accounts`` that ever paid, ``payments`` they
    made, and how many of these went ``over`` each rule's line."""

    amounts: dict[str, Sums] = msgspec.field(default_factory=dict)
    strays: dict[str, Sums] = msgspec.field(default_factory=dict)
    channels: dict[str, Sums] = msgspec.field(default_factory=dict)
    likeness: Likeness = msgspec.field(default_factory=Likeness)
    accounts: int = 0
    payments: int = 0
    over: dict[str, int] = msgspec.field(default_factory=dict)

    def amount(self, kind: str) -> Sums:
        """Amounts of payments of the kind."""
        return self.amounts.get(kind) or _sums(self.amounts, kind)

    def stray(self, kind: str) -> Sums:
        """Amounts of payments of the kind relative to what each account usually pays."""
        return self.strays.get(kind) or _sums(self.strays, kind)

    def channel(self, kind: str, channel: str | None) -> Sums:
        """Amounts of the channel, whatever the kind; a channel without kinds is its own kind."""
        return _sums(self.amounts, kind) if kind == (channel or "") else _sums(self.channels, channel or "")

    def learn(self, kind: str, channel: str | None, amount: int, time: int) -> None:
        """Take a payment's amount in."""
        value = float(amount)
        channel = channel or ""
        self.amount(kind).add(value, time)
        if kind != channel:
            _sums(self.channels, channel).add(value, time)


def _sums(table: dict[str, Sums], kind: str) -> Sums:
    sums = table.get(kind)
    if sums is None:
        if len(table) >= KINDS:  # names come from outside: beyond a sane number they share one place
            return table.setdefault("", Sums())
        sums = table[kind] = Sums()
    return sums
