"""One hash over every standing decision: two runs that decided alike have the same one."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from schema.events import Signal


def decisions_digest(decisions: Iterable[tuple[str, str, int, Iterable[Signal]]]) -> str:
    """SHA-256 over ``(transaction_id, decision, score, ids of signals that gave points)``, sorted by payment."""
    lines = sorted(
        f"{transaction_id}\t{decision}\t{points}\t{','.join(sorted(s.id for s in signals if s.points))}\n"
        for transaction_id, decision, points, signals in decisions
    )
    digest = sha256()
    for line in lines:
        digest.update(line.encode())
    return digest.hexdigest()
