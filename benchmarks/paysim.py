"""Mobile money as the PaySim simulator makes it, by our own code from its published parameters.

    python -m benchmarks.paysim > money.csv                  the columns of the published extract, every payer seen once
    python -m benchmarks.paysim --layout raw > money.csv     those of the simulator itself, with clients who come back

A step is an hour. Clients pay, transfer, draw out, pay in (that is money that comes, not money that goes) and are
debited; some ask for more than they have. A fraudster takes over an account, transfers all that lies on it to a mule,
and the mule draws the same sum out within the same hour: two fraudulent rows, of two accounts.

Source: PaySim, its code (``Client``, ``Fraudster``, ``Mule``) and parameter files (means and deviations of a client's
amounts by how often he comes, shares of the actions); payments by hour of day in round numbers.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from math import exp, log
from random import Random
from typing import NamedTuple

FRAUDS = 225
# What a client sends: (share of clients, mean, deviation); and the share of all that an action has.
Habits = tuple[tuple[float, float, float], ...]
_PAYMENT: Habits = ((0.3, 2_336, 1_160), (0.25, 2_197, 1_549), (0.4, 2_092, 2_018), (0.05, 1_942, 2_350))
_CASH_OUT: Habits = ((0.5, 65_548, 30_000), (0.34, 71_000, 42_000), (0.14, 83_000, 67_000), (0.02, 118_107, 123_933))
_CASH_IN: Habits = ((0.15, 108_000, 60_000), (0.4, 72_112, 109_281), (0.36, 73_228, 125_384), (0.09, 90_331, 161_652))
_TRANSFER: Habits = ((0.53, 65_898, 30_000), (0.34, 92_000, 62_000), (0.09, 153_781, 136_010), (0.04, 287_313, 286_424))
_DEBIT: Habits = ((0.8, 1_977, 386), (0.2, 2_830, 1_399))
ACTIONS: dict[str, tuple[float, Habits]] = {
    "PAYMENT": (0.34, _PAYMENT),
    "CASH_OUT": (0.35, _CASH_OUT),
    "CASH_IN": (0.22, _CASH_IN),
    "TRANSFER": (0.083, _TRANSFER),
    "DEBIT": (0.007, _DEBIT),
}
STEP_MEANS = {
    "PAYMENT": (13_000, 12_000),
    "CASH_OUT": (170_000, 140_000),
    "CASH_IN": (165_000, 125_000),
    "TRANSFER": (500_000, 700_000),
    "DEBIT": (5_500, 8_000),
}
HOURS = (1, 0.4, 0.1, 0.1, 0.1, 0.1, 0.4, 2, 5, 7, 6, 6, 6, 6, 7, 7, 7, 8, 9, 9, 7, 6, 4, 2.5)
LEAST_BALANCE, MOST_BALANCE = 500.0, 5_000_000.0


class Row(NamedTuple):
    step: int
    action: str
    amount: float
    payer: str
    before: float
    after: float
    payee: str
    payee_before: float
    payee_after: float
    fraud: bool


class Client:
    def __init__(self, name: str, draw: Random) -> None:
        self.name = name
        self.balance = 0.0
        if draw.random() > 0.3:
            self.balance = round(exp(draw.uniform(log(LEAST_BALANCE), log(MOST_BALANCE))), 2)
        self.amounts = {
            action: draw.choices([kind[1:] for kind in kinds], [kind[0] for kind in kinds])[0]
            for action, (_, kinds) in ACTIONS.items()
        }

    def amount(self, action: str, draw: Random) -> float:
        """Halfway between the client's own habit and everybody's, as the simulator has it."""
        (mean, deviation), (step_mean, step_deviation) = self.amounts[action], STEP_MEANS[action]
        while True:
            amount = draw.gauss((mean + step_mean) / 2, (deviation**2 + step_deviation**2) ** 0.5 / 2)
            if amount > 0:
                return round(amount, 2)


def simulate(payments: int, days: int, seed: int, *, returning: bool) -> Iterator[Row]:
    """Rows in order of step; the order within a step is that in which they were made."""
    draw = Random(seed)
    clients = [Client(_name("C", draw), draw) for _ in range(payments // 20 if returning else 0)]
    merchants = [_name("M", draw) for _ in range(500)]
    payees = [_name("C", draw) for _ in range(payments // 3)]
    steps = [sum(pair) for pair in zip([24 * d for d in range(days) for _ in HOURS], [*range(24)] * days, strict=True)]
    frauds = sorted(draw.choices(steps, k=FRAUDS))
    actions, weights = list(ACTIONS), [share for share, _ in ACTIONS.values()]
    for step in sorted(draw.choices(steps, HOURS * days, k=payments)):
        while frauds and frauds[0] <= step:
            frauds.pop(0)
            yield from _fraud(step, draw.choice(clients) if returning else Client(_name("C", draw), draw), draw)
        client = draw.choice(clients) if returning else Client(_name("C", draw), draw)
        action = draw.choices(actions, weights)[0]
        amount, before = client.amount(action, draw), client.balance
        if action == "CASH_IN":
            client.balance = round(before + amount, 2)
        elif amount <= before:
            client.balance = round(before - amount, 2)
        elif not returning:
            client.balance = 0.0  # the extract shows what was asked, and nothing left
        payee = draw.choice(merchants) if action in ("PAYMENT", "DEBIT") else draw.choice(payees)
        yield Row(step, action, amount, client.name, before, client.balance, payee, 0.0, 0.0, fraud=False)


def _fraud(step: int, victim: Client, draw: Random) -> Iterator[Row]:
    mule, sum_ = _name("C", draw), victim.balance
    if sum_ < LEAST_BALANCE:
        victim.balance = sum_ = round(exp(draw.uniform(log(10_000), log(MOST_BALANCE))), 2)
    victim.balance = 0.0
    yield Row(step, "TRANSFER", sum_, victim.name, sum_, 0.0, mule, 0.0, sum_, fraud=True)
    yield Row(step, "CASH_OUT", sum_, mule, sum_, 0.0, _name("C", draw), 0.0, sum_, fraud=True)


def _name(letter: str, draw: Random) -> str:
    return f"{letter}{draw.randrange(10**10)}"


EXTRACT = (
    *("step", "type", "amount", "nameOrig", "oldbalanceOrg", "newbalanceOrig", "nameDest", "oldbalanceDest"),
    *("newbalanceDest", "isFraud", "isFlaggedFraud"),
)
RAW = (
    *("step", "action", "amount", "nameOrig", "oldBalanceOrig", "newBalanceOrig", "nameDest", "oldBalanceDest"),
    *("newBalanceDest", "isFraud", "isFlaggedFraud", "isUnauthorizedOverdraft"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paysim", description=__doc__.split("\n")[0])
    parser.add_argument("--payments", type=int, default=150_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layout", choices=("extract", "raw"), default="extract")
    chosen = parser.parse_args(arguments)
    raw = chosen.layout == "raw"
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(RAW if raw else EXTRACT)
    for row in simulate(chosen.payments, chosen.days, chosen.seed, returning=raw):
        flagged = int(row.action == "TRANSFER" and row.amount > 200_000)
        refused = int(row.action != "CASH_IN" and row.amount > row.before)
        sums = (f"{sum_:.2f}" for sum_ in (row.before, row.after))
        theirs = (f"{sum_:.2f}" for sum_ in (row.payee_before, row.payee_after))
        values = (row.step + 1, row.action, f"{row.amount:.2f}", row.payer, *sums, row.payee, *theirs)
        out.writerow((*values, int(row.fraud), flagged, *((refused,) if raw else ())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
