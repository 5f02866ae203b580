"""Table functions: one row in, several out."""

from __future__ import annotations

import itertools
from typing import Any, TypeVar

from ksqldb.engine.functions.registry import table
from ksqldb.engine.functions.signature import ArgType
from ksqldb.engine.types import ArrayType, SqlType

T = TypeVar("T")

EXPLODE = table("explode", "A row for every element of an array.")
CUBE_EXPLODE = table("cube_explode", "A row for every combination of an array's elements and NULL in their place.")


def _element(args: list[ArgType] | tuple[ArgType, ...]) -> SqlType:
    array = args[0]
    assert isinstance(array, ArrayType)
    return array.element


def explode(array: list[T] | None) -> list[T]:
    """The elements of an array; none for a NULL array.

    list: The array.
    input: The array.
    """
    return array or []


EXPLODE.overload("ARRAY<DECIMAL> input", lambda args: _element(tuple(args)))(explode)
EXPLODE.overload("ARRAY<T> list", "T")(explode)


@CUBE_EXPLODE.overload("ARRAY<T> columns", "ARRAY<T>")
def cube_explode(columns: list[Any] | None) -> list[list[Any]]:
    """Every combination of the elements and NULL in their place; elements that are NULL already have no second form.

    columns: The array.
    """
    if columns is None:
        return []
    choices = [(None,) if column is None else (None, column) for column in columns]
    return [list(combination) for combination in itertools.product(*choices)]
