"""Amounts by channel and card category, as tables of 4,096 quantiles, in centavos.

Pix by persons: 93.1 % log-normal below R$ 200 (mu 4.63, sigma 1.0), the rest Pareto from R$ 200 (alpha 1.127), so that
61 % lie below R$ 100. Cards: gamma by category, scaled to the mean tickets R$ 138 (credit) and R$ 60 (debit). Boletos
and TEDs of persons: log-normal, medians R$ 190 and R$ 900 (the published means are those of firms).
"""

from __future__ import annotations

from math import exp, log
from random import Random
from statistics import NormalDist

SIZE = 4096
_NORMAL = NormalDist()

# category: (share of card purchases, mean and deviation relative to the channel's mean ticket)
CATEGORIES: dict[str, tuple[float, float, float]] = {
    "supermarket": (0.26, 1.45, 0.60),
    "pharmacy": (0.12, 0.65, 0.40),
    "restaurant": (0.17, 0.55, 0.37),
    "fuel": (0.11, 1.10, 0.24),
    "convenience": (0.14, 0.35, 0.25),
    "shopping": (0.12, 1.60, 1.60),
    "entertainment": (0.05, 0.80, 0.60),
    "travel": (0.03, 3.20, 2.80),
}
CARD_TICKET = {"CREDIT": 138_00, "DEBIT": 60_00}


def _truncated_log_normal(u: float, mu: float, sigma: float, below: float) -> float:
    top = _NORMAL.cdf((log(below) - mu) / sigma)
    return exp(mu + sigma * _NORMAL.inv_cdf(max(1e-9, u * top)))


def pix(u: float) -> int:
    """Quantile ``u`` of Pix payments by persons, before the account's limit."""
    share = 0.931
    if u < share:
        return round(100 * _truncated_log_normal(u / share, 4.63, 1.0, 200.0))
    rest = (1 - u) / (1 - share)
    tail: float = max(rest, 1e-6) ** (-1 / 1.127)
    return round(100 * 200.0 * tail)


def _log_normal(median: float, sigma: float) -> list[int]:
    return [max(100, round(100 * exp(log(median) + sigma * _NORMAL.inv_cdf((i + 0.5) / SIZE)))) for i in range(SIZE)]


def _gamma(mean: float, deviation: float, seed: int) -> list[int]:
    """Quantiles of a gamma law by a sorted sample of fixed seed: the standard library has no inverse."""
    shape, scale = (mean / deviation) ** 2, deviation**2 / mean
    random = Random(seed)
    sample = sorted(random.gammavariate(shape, scale) for _ in range(SIZE * 4))
    return [max(100, round(value)) for value in sample[2::4]]


PIX = [pix((i + 0.5) / SIZE) for i in range(SIZE)]
BOLETO = _log_normal(190.0, 1.0)
TED = _log_normal(900.0, 0.9)


def card_tables() -> dict[tuple[str, str], list[int]]:
    """``(channel, category)`` -> quantiles."""
    scale = sum(share * mean for share, mean, _ in CATEGORIES.values())
    return {
        (channel, category): _gamma(ticket * mean / scale, ticket * deviation / scale, 7 * index + len(channel))
        for channel, ticket in CARD_TICKET.items()
        for index, (category, (_, mean, deviation)) in enumerate(CATEGORIES.items())
    }
