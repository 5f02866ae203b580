"""What a benchmark gives: figures, and a plain baseline measured in the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Figures: TypeAlias = Mapping[str, tuple[float, str]]
"""Name -> (value, unit)."""


@dataclass(frozen=True)
class Benchmark:
    figures: Figures
    baseline: Figures


def percentile(values: Sequence[float], per_cent: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * per_cent / 100))]
