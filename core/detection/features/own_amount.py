"""Amount against what the account itself usually pays.

Source: the Fraud-Detection-Handbook's leaked-card scenario (amounts five times the customer's), Tazama 018/020/048.

Amounts are measured in means of their kind (channel and category), so that a boleto among Pix is no surprise. An
account's level is the mean of its payments of the last 30 calendar days (UTC) drawn towards 1, the population's own
level, with the weight of three payments: five small payments do not yet prove a small spender. The line is three times
the level, or four standard deviations of how far payments of the kind stray from their accounts' levels, whichever is
farther; and farther still while the level is uncertain, by 0.6 over the root of the number of payments (its standard
error where amounts stray by half their mean, and a little more). For 14 days after an amount beyond the line it is two
and a half times the level, or three deviations: a thief who has a card uses it again. Where people's amounts vary
wildly (Pix), all that is nothing rare: there the line lies where one payment in a thousand does. An amount between
three times the level and the line is a hint that needs company: a device, a payee, or
three more such amounts within 72 hours. What lies beyond twice the level is learned as twice, so that a theft does not
become the habit. Needs five earlier payments.

A partition that has just begun knows no kind yet: there the account's plain mean of eight payments or more must do, and
the line is five times that.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import ClassVar

import msgspec

from core.detection.features.base import Context, Insufficient, Outcome
from core.detection.payment import Payment
from core.detection.population import WARM, Population
from schema.events import Signal

DAY_MS = 86_400_000
DAYS = 30
MIN_PAYMENTS = 5
MIN_POPULATION = 50
MIN_PLAIN = 8
MIN_USUAL = 20
PRIOR = 3.0
RATIO = 3.0
UNCERTAIN = 0.6
HOT_RATIO = 2.5
HOT_DEVIATIONS = 3.0
HOT_MS = 14 * DAY_MS
COLD_RATIO = 5.0
"""The line while too little is known of how payments stray, in kinds whose amounts keep near their mean."""
DEVIATIONS = 4.0
TAME = 0.6
"""Deviation over mean up to which four deviations are something rare."""
RARE = 0.001
REPEATS = 3
REPEAT_MS = 72 * 3_600_000
LEARNED = 2.0
POINTS = 450
HINT_POINTS = 150


class _Day(msgspec.Struct, array_like=True, gc=False):
    day: int
    count: int
    total: float


class History(msgspec.Struct, array_like=True, gc=False):
    """Payments of at most 31 days in order of day; ``total`` is in means of the channel."""

    days: list[_Day] = msgspec.field(default_factory=list)
    count: int = 0
    total: float = 0.0
    excesses: list[int] = msgspec.field(default_factory=list)
    """Event times of the last payments beyond three times the level, at most four."""
    hit: int = -1
    """Event time of the last payment beyond the line, -1 if none."""
    plain_count: int = 0
    plain_total: float = 0.0
    """Payments, and their centavos, of kinds of which the partition knew nothing yet; each taken as twice the mean of
    those before it at most."""

    def level(self, day: int) -> tuple[int, float]:
        """``(payments, level)`` over the 30 days up to ``day``, both included."""
        days = self.days
        count, total = self.count, self.total
        if not days or (days[0].day >= day - DAYS and days[-1].day <= day):  # mostly none lies outside
            return count, (total + PRIOR) / (count + PRIOR)
        for known in days:
            if known.day >= day - DAYS:
                break
            count -= known.count
            total -= known.total
        if days[-1].day > day:  # a late payment: what came after its day is not its past
            for known in reversed(days):
                if known.day <= day:
                    break
                count -= known.count
                total -= known.total
        return count, (total + PRIOR) / (count + PRIOR)

    def add(self, day: int, amount: float) -> None:
        """Take a payment in, unless its day has left already."""
        days = self.days
        at = len(days)
        while at and days[at - 1].day > day:
            at -= 1
        if at and days[at - 1].day == day:
            known = days[at - 1]
            known.count += 1
            known.total += amount
        elif days and day < days[-1].day - DAYS:
            return
        else:
            days.insert(at, _Day(day, 1, amount))
        self.count += 1
        self.total += amount
        while days[0].day < days[-1].day - DAYS:
            self.count -= days[0].count
            self.total -= days[0].total
            del days[0]


class OwnAmount:
    id: ClassVar[str] = "own_amount"
    State: ClassVar[type[msgspec.Struct]] = History
    needs: ClassVar[str | None] = None

    @staticmethod
    def assess(state: History, payment: Payment, context: Context) -> Outcome:
        count, level = state.level(payment.time // DAY_MS)
        amounts = context.population.amount(payment.kind)
        unknown = amounts.count < MIN_POPULATION or not amounts.total
        if unknown or count < MIN_PAYMENTS:
            if state.plain_count >= MIN_PLAIN:
                return _plain(state, payment)
            if count < MIN_PAYMENTS:
                return Insufficient(OwnAmount.id, count, MIN_PAYMENTS)
            return Insufficient(OwnAmount.id, int(amounts.count), MIN_POPULATION)
        ratio = payment.amount / amounts.mean() / level
        if ratio <= HOT_RATIO:
            return None
        line = _line(context, payment, count, hot=_is_hot(state, payment.time))
        if ratio <= min(RATIO, line):
            return None
        repeated = sum(0 <= payment.time - time <= REPEAT_MS for time in state.excesses)
        beyond = ratio > line or repeated >= REPEATS
        return Signal(
            id=OwnAmount.id,
            points=POINTS if beyond and payment.drains else HINT_POINTS,
            reason=f"times what the account usually pays ({count} payments in 30 days)",
            value=round(ratio, 2),
            threshold=round(line if ratio > line else RATIO, 2),
            transactions=(payment.transaction_id,),
        )

    @staticmethod
    def learn(state: History, payment: Payment, context: Context) -> None:
        amounts = context.population.amount(payment.kind)
        if amounts.count < MIN_POPULATION or not amounts.total:
            most = 2 * state.plain_total / state.plain_count if state.plain_count >= MIN_PAYMENTS else inf
            state.plain_count += 1
            state.plain_total += min(float(payment.amount), most)
            return
        day = payment.time // DAY_MS
        count, level = state.level(day)
        amount = payment.amount / amounts.mean()
        if count >= MIN_PAYMENTS:
            if amount > HOT_RATIO * level:
                line = _line(context, payment, count, hot=_is_hot(state, payment.time))
                if amount > line * level:
                    state.hit = max(state.hit, payment.time)
                if amount > RATIO * level:
                    state.excesses = [*state.excesses, payment.time][-REPEATS - 1 :]
            context.population.stray(payment.kind).add(amount / level, payment.time)
            if amount > LEARNED * level:
                amount = LEARNED * level
        state.add(day, amount)


def is_usual(state: History, payment: Payment, population: Population) -> bool:
    """Whether an account with twenty payments in 30 days pays no more than twice its level."""
    count, level = state.level(payment.time // DAY_MS)
    amounts = population.amount(payment.kind)
    known = count >= MIN_USUAL and amounts.count >= MIN_POPULATION
    return known and payment.amount <= LEARNED * level * amounts.mean()


def _plain(state: History, payment: Payment) -> Signal | None:
    """On a partition that knows nobody yet: against the account's own plain mean, whatever the kinds."""
    ratio = payment.amount * state.plain_count / state.plain_total if state.plain_total else 0.0
    line = COLD_RATIO * (1 + UNCERTAIN / sqrt(state.plain_count))
    if ratio <= line:
        return None
    return Signal(
        id=OwnAmount.id,
        points=POINTS if payment.drains else HINT_POINTS,
        reason=f"times the mean of the account's {state.plain_count} payments; of others too little is known",
        value=round(ratio, 2),
        threshold=round(line, 2),
        transactions=(payment.transaction_id,),
    )


def _is_hot(state: History, time: int) -> bool:
    return state.hit >= 0 and 0 <= time - state.hit <= HOT_MS


def _line(context: Context, payment: Payment, count: int, *, hot: bool) -> float:
    """Times the account's level beyond which an amount speaks for itself, by ``count`` payments of its own."""
    strays = context.population.stray(payment.kind)
    usual, deviation = strays.moments()
    if strays.count < WARM:
        mean, spread = context.population.amount(payment.kind).moments()
        if spread > mean:  # what people pay varies wildly, and nothing is known yet of how each of them does
            return inf
        line = COLD_RATIO
    elif deviation > TAME * usual:
        return max(RATIO, usual + DEVIATIONS * deviation, strays.exceeded_by(RARE))
    else:
        line = max(RATIO, usual + DEVIATIONS * deviation)
    line *= 1 + UNCERTAIN / sqrt(count)
    if not hot:
        return line
    return min(line, max(HOT_RATIO, usual + HOT_DEVIATIONS * deviation))
