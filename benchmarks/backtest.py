"""A backtest: a rule's own SQL over generated payments on the engine, without a broker, and the join into incidents.

The baseline is the least that it could cost: the same payments decoded from their bytes and nothing else.
"""

from __future__ import annotations

import gc
import time

import msgspec

from benchmarks.figures import Benchmark
from core.rules.outcome import Accounts, flagged
from core.rules.payments import Known
from core.scenarios.population import Population
from core.scenarios.traffic import Traffic
from ksqldb import rulebook
from ksqldb.rulebook import Sent
from schema.transaction import Transaction, centavos

_PAYMENTS = 100_000
_START = 1_750_000_000_000


def measure() -> Benchmark:
    gc.disable()  # as the backtest's own process does
    encoder = msgspec.json.Encoder(decimal_format="number")
    payments = [
        Known(
            Sent(tx.account_id.encode(), encoder.encode(tx), tx.event_time),
            tx.transaction_id,
            tx.account_id,
            centavos(tx.amount),
            tx.channel,
            None,
        )
        for tx in Traffic(Population(1, 20_000), 1).stream(_PAYMENTS, _START, 2.0)
    ]
    accounts = Accounts(payments)
    book = rulebook.load()
    figures = {}
    for name in ("high_amount", "high_velocity", "fan_out"):
        began = time.process_time()
        flagged(rulebook.rows_of(book.rule(name), book, (p.sent for p in payments)), accounts)
        figures[name] = (_PAYMENTS / (time.process_time() - began), "payments/s of a core")
    decoder = msgspec.json.Decoder(Transaction)
    began = time.process_time()
    for payment in payments:
        decoder.decode(payment.sent.value)
    decoded = time.process_time() - began
    gc.enable()
    return Benchmark(figures, {"read_only": (_PAYMENTS / decoded, "payments/s of a core")})
