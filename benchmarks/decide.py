"""Deciding alone: life-like payments of 20,000 accounts through one partition's features, score and changes, one core.

The baseline is the least that any decision costs: the same payments read from their bytes and nothing else.
"""

from __future__ import annotations

import gc
import time

import msgspec

from benchmarks.figures import Benchmark, percentile
from core.detection.payment import payment_of
from core.detection.state import PartitionState
from core.scenarios.population import Population
from core.scenarios.traffic import Traffic
from schema.transaction import Transaction

_PAYMENTS = 150_000
_BATCH = 1_000
_START = 1_750_000_000_000


def measure() -> Benchmark:
    gc.set_threshold(200_000, 50, 100)  # as the worker process does
    population = Population(1, 20_000)
    encoder = msgspec.json.Encoder(decimal_format="number")
    began = time.process_time()
    records = [encoder.encode(tx) for tx in Traffic(population, 1).stream(_PAYMENTS, _START, 2.0)]
    generated = time.process_time() - began
    decoder = msgspec.json.Decoder(Transaction)
    began = time.process_time()
    for record in records:
        decoder.decode(record)
    decoded = time.process_time() - began
    state = PartitionState(0, {})
    times: list[float] = []
    began = time.process_time()
    stored = 0.0
    for start in range(0, _PAYMENTS, _BATCH):
        for record in records[start : start + _BATCH]:
            payment = payment_of(decoder.decode(record))
            before = time.perf_counter()
            state.on_payment(payment)
            times.append(time.perf_counter() - before)
        state.flush()
        paused = time.process_time()
        state.touched()
        stored += time.process_time() - paused
    decided = time.process_time() - began
    return Benchmark(
        {
            "decide": (_PAYMENTS / (decided - stored), "payments/s of a core"),
            "decide_and_store": (_PAYMENTS / decided, "payments/s of a core"),
            "decision_p50": (percentile(times, 50) * 1e6, "us"),
            "decision_p99": (percentile(times, 99) * 1e6, "us"),
            "generate": (_PAYMENTS / generated, "payments/s of a core"),
        },
        {"read_only": (_PAYMENTS / decoded, "payments/s of a core")},
    )
