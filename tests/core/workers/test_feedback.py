"""The lists that the database draws up boundary by boundary are those that the labels come to, read naively."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.detection.lists import EPOCH_MS, MERCHANT, Told, epoch_of, lists_of
from core.workers.feedback import Feedback
from schema.transaction import Transaction

T0 = epoch_of(1_700_000_000_000)
HOUR = 3_600_000


def when(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)


async def test_suspects_and_repeats_of_every_boundary_are_those_of_the_labels_known_by_then(pool: Any) -> None:
    draw = random.Random(3)
    told = []
    for n in range(300):
        time = T0 + n * HOUR // 4
        shop = draw.choice("abcdef")
        bad = draw.random() < (0.7 if shop < "c" else 0.2)
        known_at = time + draw.choice((0, HOUR, 9 * HOUR, 20 * HOUR))
        told.append(Told(MERCHANT, shop, known_at, f"t{n:03}", time, bad))
    await pool.executemany(
        'insert into read.payment (transaction_id, account_id, amount, merchant_id, event_time, partition, "offset",'
        " decision, score) values ($1, 'a', 1, $2, $3, 0, $4, 'approve', 0)",
        [(label.transaction_id, label.party, when(label.time), n) for n, label in enumerate(told)],
    )
    await pool.executemany(
        "insert into detection.label (transaction_id, account_id, is_fraud, known_at) values ($1, 'a', $2, $3)",
        [(label.transaction_id, label.is_fraud, when(label.known_at)) for label in told],
    )
    feedback = Feedback(pool)
    for boundary in range(T0, T0 + 100 * HOUR, EPOCH_MS):
        tx = Transaction(transaction_id="x", account_id="a", amount=Decimal(1), event_time=boundary + 1)
        await feedback.know([tx])
        lists, expected = feedback.lists_at(tx), lists_of(label for label in told if label.known_at <= boundary)
        assert lists.suspects == expected.suspects
        assert lists.repeats == expected.repeats
    assert expected.repeats[MERCHANT].followed > 50
