"""Array functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ksqldb.engine.errors import FunctionError
from ksqldb.engine.functions.registry import scalar
from ksqldb.engine.functions.signature import ArgType, unescaped
from ksqldb.engine.types import ArrayType, Base
from ksqldb.engine.values import wrap_int, wrap_long
from ksqldb.engine.values.text import nullable_text

T = TypeVar("T")
_ARRAY = "ARRAY"

# ---------------------------------------------------------------------------------------------- looking into one array

ARRAY_LENGTH = scalar("ARRAY_LENGTH", _ARRAY, "The number of elements of an array.")
ARRAY_CONTAINS = scalar("ARRAY_CONTAINS", _ARRAY, "Whether an array has a value among its elements.")
ARRAY_MAX = scalar("ARRAY_MAX", _ARRAY, "The greatest element of an array.", author="")
ARRAY_MIN = scalar("ARRAY_MIN", _ARRAY, "The least element of an array.", author="")
ARRAY_JOIN = scalar("ARRAY_JOIN", _ARRAY, "The elements of an array as one text.")


@ARRAY_LENGTH.overload("ARRAY<T> array", "INT")
def array_length(array: list[Any]) -> int:
    """The number of elements; NULL for a NULL array.

    array: The array.
    """
    return len(array)


@ARRAY_CONTAINS.overload("ARRAY<T> array, T val", "BOOLEAN", null=True)
def array_contains(array: list[Any] | None, value: Any) -> bool:
    """Whether the array has the value, which may be NULL; false for a NULL array.

    array: The array to search.
    val: The value to find.
    """
    return array is not None and value in array


@ARRAY_MAX.overload("ARRAY<T> array", "T")
def array_max(array: list[Any]) -> Any:
    """The greatest element; NULL elements do not count, an array without others gives NULL.

    array: The array.
    """
    return max((element for element in array if element is not None), default=None)


@ARRAY_MIN.overload("ARRAY<T> array", "T")
def array_min(array: list[Any]) -> Any:
    """The least element; NULL elements do not count, an array without others gives NULL.

    array: The array.
    """
    return min((element for element in array if element is not None), default=None)


_JOINABLE = frozenset({Base.BOOLEAN, Base.INTEGER, Base.BIGINT, Base.DOUBLE, Base.DECIMAL, Base.STRING})


def _joiner(types: tuple[ArgType, ...]) -> Callable[[list[Any] | None, str | None], str | None]:
    array_type = types[0]
    element = array_type.element if isinstance(array_type, ArrayType) else None
    text = nullable_text(element) if element is not None and element.base in _JOINABLE else None

    def join(array: list[Any] | None, separator: str | None) -> str | None:
        if array is None:
            return None
        if text is None:
            if any(item is not None for item in array):
                raise FunctionError(f"error: hit element of type {unescaped(element)} which is currently not supported")
            return (separator or "").join("null" for _ in array)
        return (separator or "").join(map(text, array))

    return join


@ARRAY_JOIN.overload("ARRAY<T> array", "VARCHAR", typed=True)
def array_join(types: tuple[ArgType, ...]) -> Callable[..., str | None]:
    """The elements with commas between them.

    array: The array to join.
    """
    join = _joiner(types)
    return lambda array: join(array, ",")


@ARRAY_JOIN.overload("ARRAY<T> array, VARCHAR delimiter", "VARCHAR", null=True, typed=True)
def array_join_by(types: tuple[ArgType, ...]) -> Callable[..., str | None]:
    """The elements with a separator between them; NULL separates by nothing.

    array: The array to join.
    delimiter: What stands between two elements.
    """
    return _joiner(types)


# ---------------------------------------------------------------------------------------------- another array of it

ARRAY_DISTINCT = scalar("ARRAY_DISTINCT", _ARRAY, "The different elements of an array.", author="")
ARRAY_REMOVE = scalar("ARRAY_REMOVE", _ARRAY, "An array without the elements that equal a value.")
ARRAY_SORT = scalar("ARRAY_SORT", _ARRAY, "The elements of an array in order.", author="")
SLICE = scalar("slice", _ARRAY, "A part of an array.")


def _distinct(array: list[T]) -> list[T]:
    found: list[T] = []
    try:
        return list(dict.fromkeys(array))
    except TypeError:  # elements that cannot be hashed
        for element in array:
            if element not in found:
                found.append(element)
        return found


@ARRAY_DISTINCT.overload("ARRAY<T> array", "ARRAY<T>")
def array_distinct(array: list[T]) -> list[T]:
    """The different elements, NULL too, in the order they first come.

    array: The array.
    """
    return _distinct(array)


@ARRAY_REMOVE.overload("ARRAY<T> array, T element", "ARRAY<T>", null=True)
def array_remove(array: list[T] | None, value: T) -> list[T] | None:
    """The array without the elements that equal a value, which may be NULL.

    array: The array.
    element: The value to leave out.
    """
    return None if array is None else [element for element in array if element != value]


@ARRAY_SORT.overload("ARRAY<T> array", "ARRAY<T>")
def array_sort(array: list[Any]) -> list[Any]:
    """The elements in rising order, NULL last.

    array: The array.
    """
    return _sorted(array, False)


@ARRAY_SORT.overload("ARRAY<T> array, VARCHAR direction", "ARRAY<T>")
def array_sort_by(array: list[Any], direction: str) -> list[Any] | None:
    """The elements in rising or falling order, NULL last; NULL for any other direction.

    array: The array.
    direction: ASC, ASCENDING, DESC or DESCENDING.
    """
    match direction.upper():
        case "ASC" | "ASCENDING":
            return _sorted(array, False)
        case "DESC" | "DESCENDING":
            return _sorted(array, True)
    return None


def _sorted(array: list[Any], falling: bool) -> list[Any]:
    there = sorted((element for element in array if element is not None), reverse=falling)
    return there + [None] * (len(array) - len(there))


@SLICE.overload("ARRAY<T> in, INT from, INT to", "ARRAY<T>", null=True)
def slice_(array: list[T] | None, first: int | None, last: int | None) -> list[T] | None:
    """The elements from one position to another, both included; NULL where the array has no such part.

    in: The array.
    from: The first position, from 1; NULL is the start.
    to: The last position; NULL is the end.
    """
    if array is None:
        return None
    start, end = 0 if first is None else first - 1, len(array) if last is None else last
    return array[start:end] if 0 <= start <= end <= len(array) else None


# ---------------------------------------------------------------------------------------------- two arrays

ARRAY_CONCAT = scalar("ARRAY_CONCAT", _ARRAY, "The elements of two arrays, one after the other.", author="")
ARRAY_EXCEPT = scalar("ARRAY_EXCEPT", _ARRAY, "The different elements of an array that another has not.", author="")
ARRAY_INTERSECT = scalar("ARRAY_INTERSECT", _ARRAY, "The different elements that two arrays have both.", author="")
ARRAY_UNION = scalar("ARRAY_UNION", _ARRAY, "The different elements of two arrays.", author="")


@ARRAY_CONCAT.overload("ARRAY<T> left, ARRAY<T> right", "ARRAY<T>", null=True)
def array_concat(left: list[T] | None, right: list[T] | None) -> list[T] | None:
    """All elements of both arrays; a NULL array counts as an empty one, two give NULL.

    left: The first array.
    right: The second array.
    """
    return None if left is None and right is None else [*(left or ()), *(right or ())]


@ARRAY_EXCEPT.overload("ARRAY<T> left, ARRAY<T> right", "ARRAY<T>")
def array_except(left: list[T], right: list[T]) -> list[T]:
    """The different elements of the first array that are not in the second.

    left: The array to take from.
    right: The array of what to leave out.
    """
    return [element for element in _distinct(left) if element not in right]


@ARRAY_INTERSECT.overload("ARRAY<T> left, ARRAY<T> right", "ARRAY<T>")
def array_intersect(left: list[T], right: list[T]) -> list[T]:
    """The different elements that are in both arrays, in the order of the first.

    left: The first array.
    right: The second array.
    """
    return [element for element in _distinct(left) if element in right]


@ARRAY_UNION.overload("ARRAY<T> left, ARRAY<T> right", "ARRAY<T>")
def array_union(left: list[T], right: list[T]) -> list[T]:
    """The different elements of both arrays, in the order they first come.

    left: The first array.
    right: The second array.
    """
    return _distinct(left + right)


# ---------------------------------------------------------------------------------------------- GENERATE_SERIES

GENERATE_SERIES = scalar("GENERATE_SERIES", _ARRAY, "The whole numbers of a range as an array.")


def _series(start: int, end: int, step: int | None, wrap: Callable[[int], int]) -> list[int]:
    apart = wrap(end - start)
    by = step if step is not None else 1 if apart > 0 else -1
    if by == 0:
        raise FunctionError("GENERATE_SERIES step cannot be zero")
    if (apart > 0 > by) or (apart < 0 < by):
        raise FunctionError("GENERATE_SERIES step has wrong sign")
    return [wrap(start + by * i) for i in range(1 + abs(apart) // abs(by))]


@GENERATE_SERIES.overload("INT start, INT end", "ARRAY<INT>")
def series_int(start: int, end: int) -> list[int]:
    """The numbers from one to another, both included, up or down.

    start: The first number.
    end: The last number.
    """
    return _series(start, end, None, wrap_int)


@GENERATE_SERIES.overload("INT start, INT end, INT step", "ARRAY<INT>")
def series_int_step(start: int, end: int, step: int) -> list[int]:
    """The numbers from one towards another by a step.

    start: The first number.
    end: Where the numbers end.
    step: How far apart they are; its sign must lead to the end.
    """
    return _series(start, end, step, wrap_int)


@GENERATE_SERIES.overload("BIGINT start, BIGINT end", "ARRAY<BIGINT>")
def series_long(start: int, end: int) -> list[int]:
    """The numbers from one to another, both included, up or down.

    start: The first number.
    end: The last number.
    """
    return _series(start, end, None, wrap_long)


@GENERATE_SERIES.overload("BIGINT start, BIGINT end, INT step", "ARRAY<BIGINT>")
def series_long_step(start: int, end: int, step: int) -> list[int]:
    """The numbers from one towards another by a step.

    start: The first number.
    end: Where the numbers end.
    step: How far apart they are; its sign must lead to the end.
    """
    return _series(start, end, step, wrap_long)
