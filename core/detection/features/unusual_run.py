"""Several unusual amounts within two days, none of which would be enough alone: a stolen card on a spree.

Source: Sparkov's thieves, some ten purchases in 45 hours, most of them far above what such purchases cost. An amount's
excess is how many standard deviations it lies above the mean of its kind (channel and category), less one, and three
at most. From the second excess within 48 hours on their sum is judged, against 3 plus what so many payments of this
account usually come to: its habit is the mean excess of its payments before, drawn to everybody's with the weight of
ten.

Where payments of one account are alike (the rich pay much, always) more is asked: the habit counts once, and 24 times
the correlation of two amounts that an account paid one after the other; and above a correlation of 0.2 an account needs
twenty payments before it is judged.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.detection.features.base import Context, Insufficient, Outcome
from core.detection.payment import Payment
from core.detection.population import Sums
from schema.events import Signal

WINDOW_MS = 48 * 3_600_000
MIN_POPULATION = 30
MIN_PAYMENTS = 20
RUN = 2
USUAL, MOST = 1.0, 4.0
LINE = 3.0
HABITS = 1.0
ALIKE_HABITS = 24.0
ALIKE = 0.2
PRIOR = 10.0
KEPT = 16
POINTS = 450
HINT_POINTS = 150


class History(msgspec.Struct, array_like=True, gc=False):
    """Payments and their excess so far, the last amount in means of its kind (-1 if none), and ``[event time, excess]``
    of the last 16 payments."""

    count: int = 0
    total: float = 0.0
    last: float = -1.0
    run: list[tuple[int, float]] = msgspec.field(default_factory=list)


class UnusualRun:
    id: ClassVar[str] = "unusual_run"
    State: ClassVar[type[msgspec.Struct]] = History
    needs: ClassVar[str | None] = None

    @staticmethod
    def assess(state: History, payment: Payment, context: Context) -> Outcome:
        if not state.total:  # no excess yet, so no run
            return None
        population = context.population
        excess = _excess(population.amount(payment.kind), payment.amount)
        if not excess:
            return None
        within = [other for time, other in state.run if 0 <= payment.time - time <= WINDOW_MS]
        if sum(other > 0 for other in within) < RUN - 1:
            return None
        before = sum(within)
        past = state.count - len(within)
        alike = population.likeness.correlation()
        if past < MIN_PAYMENTS and alike >= ALIKE:
            return Insufficient(UnusualRun.id, past, MIN_PAYMENTS)
        habit = (state.total - before + PRIOR * population.likeness.excess()) / (past + PRIOR)
        line = LINE + (HABITS + ALIKE_HABITS * max(0.0, alike)) * habit * (len(within) + 1)
        if before + excess <= line:
            return None
        return Signal(
            id=UnusualRun.id,
            points=POINTS if payment.drains else HINT_POINTS,
            reason="deviations above what such payments cost, together in 48 hours",
            value=round(before + excess, 2),
            threshold=round(line, 2),
            transactions=(payment.transaction_id,),
        )

    @staticmethod
    def learn(state: History, payment: Payment, context: Context) -> None:
        population = context.population
        amounts = population.amount(payment.kind)
        if amounts.count < MIN_POPULATION or not amounts.total:
            return
        ratio = payment.amount * amounts.count / amounts.total
        excess = _excess(amounts, payment.amount) if ratio > 1 else 0.0
        if state.last >= 0:
            population.likeness.add(state.last, ratio, excess, payment.time)
        state.last = ratio
        state.count += 1
        state.total += excess
        run = state.run
        run.append((payment.time, excess))
        if len(run) > KEPT:
            del run[0]


def _excess(amounts: Sums, amount: int) -> float:
    # Most amounts lie below the mean; the deviation costs a root.
    if amounts.count < MIN_POPULATION or amount * amounts.count <= amounts.total:
        return 0.0
    mean, deviation = amounts.moments()
    if amount - mean <= USUAL * deviation or deviation == 0:
        return 0.0
    return min((amount - mean) / deviation, MOST) - USUAL
