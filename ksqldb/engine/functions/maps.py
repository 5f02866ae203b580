"""Map functions, and those that take lambdas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ksqldb.engine.functions.registry import Function, scalar
from ksqldb.engine.values.hashing import map_items

K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S")
T = TypeVar("T")

AS_MAP = scalar("as_map", "MAP", "Makes a map of an array of keys and an array of values.", author="")
MAP_KEYS = scalar("MAP_KEYS", "MAP", "The keys of a map as an array.", author="")
MAP_VALUES = scalar("MAP_VALUES", "MAP", "The values of a map as an array.", author="")
MAP_UNION = scalar("MAP_UNION", "MAP", "The entries of two maps.", author="")


@AS_MAP.overload("ARRAY<VARCHAR> keys, ARRAY<T> values", "MAP<VARCHAR, T>")
def as_map(keys: list[str], values: list[T]) -> dict[str, T]:
    """Makes a map; what one of the arrays has too much is left out.

    keys: The keys.
    values: The values, in the same order.
    """
    return dict(zip(keys, values, strict=False))


@MAP_KEYS.overload("MAP<VARCHAR, T> input", "ARRAY<VARCHAR>")
def map_keys(entries: dict[str, Any]) -> list[str]:
    """The keys, in no order to rely on.

    input: The map.
    """
    return [key for key, _ in map_items(entries)]


@MAP_VALUES.overload("MAP<VARCHAR, T> input", "ARRAY<T>")
def map_values(entries: dict[str, T]) -> list[T]:
    """The values, in no order to rely on.

    input: The map.
    """
    return [value for _, value in map_items(entries)]


@MAP_UNION.overload("MAP<VARCHAR, T> map1, MAP<VARCHAR, T> map2", "MAP<VARCHAR, T>", null=True)
def map_union(first: dict[str, T] | None, second: dict[str, T] | None) -> dict[str, T] | None:
    """The entries of both maps; of equal keys the second map's counts. A NULL map counts as empty, two give NULL.

    map1: The first map.
    map2: The second map.
    """
    return None if first is None and second is None else {**(first or {}), **(second or {})}


# ---------------------------------------------------------------------------------------------- ENTRIES

ENTRIES = scalar("ENTRIES", "MAP", "The entries of a map as an array of structs with the fields K and V.")


def entries(pairs: dict[str, Any], in_order: bool) -> list[dict[str, Any]]:
    """The entries as structs.

    map: The map.
    sorted: Whether to put them in the order of their keys.
    """
    items = sorted(pairs.items()) if in_order else map_items(pairs)
    return [{"K": key, "V": value} for key, value in items]


def _declare_entries(function: Function) -> None:
    for type_ in ("INT", "BIGINT", "DOUBLE", "BOOLEAN", "VARCHAR", "STRUCT<>"):
        function.overload(f"MAP<VARCHAR, {type_}> map, BOOLEAN sorted", f"ARRAY<STRUCT<K VARCHAR, V {type_}>>")(entries)


_declare_entries(ENTRIES)

# ---------------------------------------------------------------------------------------------- lambdas

TRANSFORM = scalar("transform", "LAMBDA", "Puts the result of a lambda in the place of every element.")
FILTER = scalar("filter", "LAMBDA", "Keeps the elements for which a lambda is true.")
REDUCE = scalar("reduce", "LAMBDA", "Folds a collection into one value, starting from a first one.")


@TRANSFORM.overload("ARRAY<T> array, LAMBDA (T) => R function", "ARRAY<R>")
def transform_array(array: list[T], function: Callable[[T], V]) -> list[V]:
    """The lambda's result for every element.

    array: The array.
    function: The lambda, of an element.
    """
    return [function(element) for element in array]


@TRANSFORM.overload("MAP<K, V> map, LAMBDA (K, V) => R keyFunction, LAMBDA (K, V) => S valueFunction", "MAP<R, S>")
def transform_map(
    entries_: dict[K, V], key_function: Callable[[K, V], Any], value_function: Callable[[K, V], S]
) -> dict[Any, S]:
    """A map of the lambdas' results for every entry.

    map: The map.
    keyFunction: The lambda, of key and value, that gives the new key.
    valueFunction: The lambda, of key and value, that gives the new value.
    """
    return {key_function(key, value): value_function(key, value) for key, value in map_items(entries_)}


@FILTER.overload("ARRAY<T> array, LAMBDA (T) => BOOLEAN function", "ARRAY<T>")
def filter_array(array: list[T], function: Callable[[T], bool]) -> list[T]:
    """The elements for which the lambda is true.

    array: The array.
    function: The lambda, of an element.
    """
    return [element for element in array if function(element)]


@FILTER.overload("MAP<K, V> map, LAMBDA (K, V) => BOOLEAN function", "MAP<K, V>")
def filter_map(entries_: dict[K, V], function: Callable[[K, V], bool]) -> dict[K, V]:
    """The entries for which the lambda is true.

    map: The map.
    function: The lambda, of key and value.
    """
    return {key: value for key, value in entries_.items() if function(key, value)}


@REDUCE.overload("ARRAY<T> list, S initialState, LAMBDA (S, T) => S function", "S", null=True)
def reduce_array(array: list[T] | None, state: S | None, function: Callable[[S | None, T], S]) -> S | None:
    """What is left when the lambda has taken in every element; the first value for a NULL array.

    list: The array.
    initialState: The value to start from; NULL gives NULL.
    function: The lambda, of the value so far and an element.
    """
    if state is None or array is None:
        return state
    for element in array:
        state = function(state, element)
    return state


@REDUCE.overload("MAP<K, V> map, S initialState, LAMBDA (S, K, V) => S function", "S", null=True)
def reduce_map(entries_: dict[K, V] | None, state: S | None, function: Callable[[S | None, K, V], S]) -> S | None:
    """What is left when the lambda has taken in every entry; the first value for a NULL map.

    map: The map.
    initialState: The value to start from; NULL gives NULL.
    function: The lambda, of the value so far, a key and its value.
    """
    if state is None or entries_ is None:
        return state
    for key, value in map_items(entries_):
        state = function(state, key, value)
    return state
