"""A campaign: the payments of one scenario run with their labels, built step by step and then frozen."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

import msgspec

from core.scenarios.amounts import PIX
from core.scenarios.places import CITIES
from core.scenarios.population import Customer, Merchant, Population, unit
from schema.label import Label
from schema.transaction import Transaction

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000

TOLD_MS = 10 * MINUTE_MS


class Planned(msgspec.Struct, frozen=True, gc=False):
    """A payment of a campaign and the truth about it."""

    transaction: Transaction
    label: Label


class Campaign(msgspec.Struct, frozen=True):
    """Payments in order of event time; ``expected`` are the accounts on which an alert is due."""

    payments: tuple[Planned, ...]
    expected: tuple[str, ...]

    @property
    def frauds(self) -> list[Planned]:
        return [planned for planned in self.payments if planned.label.is_fraud]

    @property
    def accounts(self) -> tuple[str, ...]:
        """Every account that pays in the campaign, in order of first payment."""
        return tuple(dict.fromkeys(planned.transaction.account_id for planned in self.payments))


class Builder:
    """Makes the payments of a run. ``start`` is the event time of now: history lies before it, the fraud around it.

    Everything is drawn from ``random``; the same seed and start give the same campaign.
    """

    def __init__(self, population: Population, scenario: str, run_id: str, seed: int, start: int) -> None:
        self.population = population
        self.random = Random(seed)
        self.start = start
        self._scenario = scenario
        self._run_id = run_id
        self._salt = seed
        self._planned: list[Planned] = []
        self._expected: dict[str, None] = {}
        self._taken: set[int] = set()

    def victim(self) -> Customer:
        """A customer not yet used in this run."""
        while True:
            customer = self.population.customer(int(self.random.random() * self.population.size))
            if customer.number not in self._taken:
                self._taken.add(customer.number)
                return customer

    def expect(self, *customers: Customer) -> None:
        """Rules should raise an alert on these accounts."""
        self._expected.update((customer.account_id, None) for customer in customers)

    def history(self, customer: Customer, payments: int = 8, days: int = 20, until: int = HOUR_MS) -> None:
        """Honest Pix payments to known payees over the ``days`` that end ``until`` ms before the start."""
        span = days * DAY_MS // payments
        for k in range(payments):
            time = self.start - until - (payments - k) * span + int(self.random.random() * span * 0.8)
            amount = min(max(500, int(PIX[1200 + int(self.random.random() * 1700)] * customer.level)), customer.limit)
            self.pay(customer, time, amount, role="history", fraud=False, payee=self.population.payee(customer, k % 4))

    def pay(
        self,
        customer: Customer,
        time: int,
        amount: int,
        *,
        role: str,
        fraud: bool = True,
        channel: str = "PIX",
        known_after: int | None = None,
        device: str | None = None,
        city: int | None = None,
        payee: str | None = None,
        shop: Merchant | None = None,
    ) -> None:
        """One payment of ``amount`` centavos, at least one; place and device are the customer's own unless named.

        The label becomes known ``known_after`` ms after the payment; without one, ten minutes after the campaign is
        over: while it lasts nobody has told.
        """
        where = CITIES[customer.city if city is None else city]
        latitude = customer.latitude if city is None else where.latitude
        longitude = customer.longitude if city is None else where.longitude
        number = len(self._planned)
        transaction = Transaction(
            transaction_id=f"tx-{self._run_id}-{number}",
            account_id=customer.account_id,
            amount=Decimal(max(amount, 1)).scaleb(-2),
            event_time=time,
            channel=channel,
            payee_id=payee or (self.stranger() if channel in ("PIX", "TED") else None),
            device_id=device or self.population.device(customer, time),
            city=where.name,
            state=where.state,
            latitude=latitude,
            longitude=longitude,
            merchant_id=shop.merchant_id if shop else None,
            merchant_name=shop.name if shop else None,
            merchant_category=shop.category if shop else None,
        )
        label = Label(
            transaction_id=transaction.transaction_id,
            account_id=customer.account_id,
            is_fraud=fraud,
            known_at=max(time, self.start) + TOLD_MS if known_after is None else time + known_after,
            scenario=self._scenario,
            campaign_id=self._run_id,
            role=role,
            sequence=number,
        )
        self._planned.append(Planned(transaction, label))

    def stranger(self) -> str:
        """An account of the population, drawn as a payee."""
        return self.population.account_id(int(self.random.random() * self.population.size))

    def device(self, name: str) -> str:
        """A telephone that belongs to nobody in the population."""
        return f"d-x{int(unit(self._salt, len(name), *name.encode()) * 2**32):08x}"

    def finish(self) -> Campaign:
        """The campaign, its payments in order of time."""
        payments: Sequence[Planned] = sorted(self._planned, key=lambda planned: planned.transaction.event_time)
        return Campaign(tuple(payments), tuple(self._expected))
