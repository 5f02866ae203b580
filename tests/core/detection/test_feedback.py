"""The feedback loop works by labels that are known, and by nothing else."""

from __future__ import annotations

import random

from core.detection.lists import Lists, Told, epoch_of, lists_of
from core.detection.payment import Payment
from core.detection.state import PartitionState

DAY = 86_400_000
T0 = 1_700_006_400_000
DELAY = 7 * DAY


def payments() -> list[tuple[Payment, bool]]:
    """Thirty days of sixty shops with two payments a day; four of them are compromised from the fifth day on."""
    chooser = random.Random(4)
    made = []
    for day in range(30):
        for shop in range(60):
            for k in range(2):
                time = T0 + day * DAY + chooser.randrange(DAY)
                payment = Payment(
                    f"t{day}-{shop}-{k}", f"a{chooser.randrange(500)}", 5_000, time, merchant_id=f"m{shop}"
                )
                made.append((payment, shop < 4 and day >= 5))
    return sorted(made, key=lambda item: item[0].time)


def recall(stream: list[tuple[Payment, bool]], labels: dict[str, bool], delay: int = DELAY) -> float:
    """Share of fraudulent payments that detection stops when it is told ``labels``."""
    told = [
        Told("merchant", p.merchant_id or "", p.time + delay, p.transaction_id, p.time, labels[p.transaction_id])
        for p, _ in stream
    ]
    state = PartitionState(0, {})
    lists: dict[int, Lists] = {}
    for payment, _ in stream:
        boundary = epoch_of(payment.time)
        if boundary not in lists:
            lists = {boundary: lists_of(t for t in told if t.known_at <= boundary)}
        state.on_payment(payment, lists[boundary])
    stopped = {d.transaction_id for d in state.flush().decisions if d.decision != "approve"}
    frauds = [payment.transaction_id for payment, bad in stream if bad]
    return sum(name in stopped for name in frauds) / len(frauds)


def test_true_labels_find_the_shops_a_week_late_and_shuffled_ones_find_nothing() -> None:
    stream = payments()
    truth = {payment.transaction_id: bad for payment, bad in stream}
    shuffled = dict(zip(truth, random.Random(1).sample(list(truth.values()), len(truth)), strict=True))
    assert recall(stream, dict.fromkeys(truth, False)) == 0.0
    assert recall(stream, truth) > 0.6
    assert recall(stream, shuffled) < 0.1


def test_no_label_counts_before_it_is_known() -> None:
    stream = payments()
    truth = {payment.transaction_id: bad for payment, bad in stream}
    assert recall(stream, truth, delay=40 * DAY) == 0.0
    assert recall(stream, truth, delay=0) > recall(stream, truth)
    first = min(payment.time for payment, bad in stream if bad)
    early = [(payment, bad) for payment, bad in stream if payment.time < first + DELAY]
    assert recall(early, {payment.transaction_id: bad for payment, bad in early}) == 0.0
