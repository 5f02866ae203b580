"""Functions that choose among values, and AS_VALUE."""

from __future__ import annotations

from typing import TypeVar

from ksqldb.engine.functions.registry import scalar

T = TypeVar("T")

COALESCE = scalar("COALESCE", "CONDITIONAL", "The first of several values that is not NULL.")
IFNULL = scalar("IFNULL", "CONDITIONAL", "A value, or another in the place of NULL.")
NULLIF = scalar("NULLIF", "CONDITIONAL", "A value, or NULL where it equals another.")
AS_VALUE = scalar("AS_VALUE", "OTHER", "Copies a key column into the value of a row.", author="")


@COALESCE.overload("T first, T... others", "T", null=True)
def coalesce(*values: T | None) -> T | None:
    """The first value that is not NULL; NULL where all are.

    first: The value to try first.
    others: The values to try then.
    """
    return next((value for value in values if value is not None), None)


@IFNULL.overload("T expression, T altValue", "T", null=True)
def ifnull(value: T | None, instead: T | None) -> T | None:
    """The first value unless it is NULL, then the second.

    expression: The value.
    altValue: What to take in the place of NULL.
    """
    return instead if value is None else value


@NULLIF.overload("T expression1, T expression2", "T", null=True)
def nullif(value: T | None, other: T | None) -> T | None:
    """NULL where both values are equal, else the first.

    expression1: The value.
    expression2: What to compare it with.
    """
    return None if value == other else value


@AS_VALUE.overload("T keyColumn", "T")
def as_value(value: T) -> T:
    """The value itself.

    keyColumn: The column to copy.
    """
    return value
