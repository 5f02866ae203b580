"""STDDEV_SAMP, STDDEV_SAMPLE and CORRELATION."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ksqldb.engine.functions.aggregates.totals import sql_type
from ksqldb.engine.functions.aggregator import Aggregator
from ksqldb.engine.functions.registry import AggregatorFactory, Properties, aggregate
from ksqldb.engine.functions.signature import ArgType
from ksqldb.engine.types import BIGINT, DOUBLE, Base, Field, StructType

Moments = list[Any]  # [count, sum, m2: the sum of squared distances from the mean]


def _spread(result: Callable[[float], float]) -> AggregatorFactory:
    """Sample variance by the update of Youngs and Cramer, given to ``result``."""

    def make(args: Sequence[ArgType], _literals: Sequence[Any], _properties: Properties) -> Aggregator:
        type_ = sql_type(args[0])
        # Means of two sessions are compared as ksqlDB does: whole numbers for whole columns.
        mean: Callable[[Any, int], Any] = (
            (lambda total, count: total / count)
            if type_.base is Base.DOUBLE
            else lambda total, count: int(total / count)
        )

        def add(state: Moments, value: Any) -> Moments:
            if value is None:
                return state
            count, total, m2 = state
            if count:
                delta = float(value * (count + 1) - (total + value))
                m2 += delta * delta / ((count + 1) * count)
            return [count + 1, total + value, m2]

        def undo(state: Moments, value: Any) -> Moments:
            if value is None:
                return state
            count, total, m2 = state
            if count > 1:
                delta = float(value * (count + 1) - (total + value))
                m2 -= delta * delta / ((count - 1) * count)
            return [count - 1, total - value, m2]

        def merge(a: Moments, b: Moments) -> Moments:
            m2 = a[2] + b[2]
            if a[0] and b[0]:
                apart = float(mean(a[1], a[0]) - mean(b[1], b[0]))
                m2 += a[0] * b[0] * apart * apart / (a[0] + b[0])
            return [a[0] + b[0], a[1] + b[1], m2]

        return Aggregator(
            initialize=lambda: [0, 0.0 if type_.base is Base.DOUBLE else 0, 0.0],
            add=add,
            undo=undo,
            result=lambda state: result(state[2] / (state[0] - 1)) if state[0] > 1 else 0.0,
            merge=merge,
            return_type=DOUBLE,
            state_type=StructType((Field("SUM", type_), Field("COUNT", BIGINT), Field("M2", DOUBLE))),
        )

    return make


STDDEV_SAMP = aggregate("STDDEV_SAMP", "The sample variance of a column's values (kept for old statements).")
STDDEV_SAMPLE = aggregate("STDDEV_SAMPLE", "The sample standard deviation of a column's values.")
for _type in ("DOUBLE", "INT", "BIGINT"):
    STDDEV_SAMP.overload(_type, "DOUBLE")(_spread(lambda variance: variance))
    STDDEV_SAMPLE.overload(_type, "DOUBLE")(
        _spread(lambda variance: math.sqrt(variance) if variance >= 0 else math.nan)
    )

# ---------------------------------------------------------------------------------------------- CORRELATION

CORRELATION = aggregate("correlation", "Pearson's coefficient of correlation between two columns.")
_SUMS = ("X_SUM", "Y_SUM", "X_SQUARED_SUM", "Y_SQUARED_SUM", "XY_SUM")


def correlation(_args: Sequence[ArgType], _literals: Sequence[Any], _properties: Properties) -> Aggregator:
    """Pearson's coefficient of correlation between two columns; rows with a NULL in either do not count."""

    def shift(state: list[Any], x: Any, y: Any, sign: int) -> list[Any]:
        if x is None or y is None:
            return state
        x, y = float(x), float(y)
        return [a + sign * b for a, b in zip(state, (x, y, x * x, y * y, x * y, 1), strict=True)]

    def result(state: list[Any]) -> float:
        x, y, xx, yy, xy, count = state
        spread = (count * xx - x * x) * (count * yy - y * y)
        scale = math.sqrt(spread) if spread >= 0 else math.nan
        top = count * xy - x * y
        if scale == 0.0:
            return math.nan if top == 0.0 else math.copysign(math.inf, top)
        return float(top / scale)

    return Aggregator(
        initialize=lambda: [0.0, 0.0, 0.0, 0.0, 0.0, 0],
        add=lambda state, x, y: shift(state, x, y, 1),
        undo=lambda state, x, y: shift(state, x, y, -1),
        result=result,
        merge=lambda a, b: [p + q for p, q in zip(a, b, strict=True)],
        return_type=DOUBLE,
        state_type=StructType((*(Field(name, DOUBLE) for name in _SUMS), Field("COUNT", BIGINT))),
    )


for _type in ("DOUBLE", "INT", "BIGINT"):
    CORRELATION.overload(f"{_type}, {_type}", "DOUBLE")(correlation)
