"""Signals -> score 0-1000 -> approve, review or block.

The score of a payment is a function of the *set* of its signals, so the order in which they arrive cannot change it.
"""

from __future__ import annotations

from collections.abc import Iterable

from schema.events import Signal

APPROVE, REVIEW, BLOCK = "approve", "review", "block"
REVIEW_FROM = 400
BLOCK_FROM = 800
MAX_SCORE = 1000

_RANK = {APPROVE: 0, REVIEW: 1, BLOCK: 2}


def score(signals: Iterable[Signal]) -> int:
    """Sum of the signals' points, capped at 1000."""
    return min(MAX_SCORE, sum([signal.points for signal in signals]))


def decide(points: int) -> str:
    """The decision that a score stands for."""
    if points >= BLOCK_FROM:
        return BLOCK
    return REVIEW if points >= REVIEW_FROM else APPROVE


def severity(points: int) -> str:
    """A word for a score: info (approved), warning (a person looks), critical (stopped)."""
    return ("info", "warning", "critical")[_RANK[decide(points)]]
