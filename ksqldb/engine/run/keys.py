"""Keys as dict keys."""

from __future__ import annotations

from typing import Any

REMEMBERED = 500
"""Keys whose bytes or partition a query remembers: those met again soon, as by one record in several windows. A key for
each account ever seen would be memory that grows with time."""


def hashable(key: tuple[Any, ...]) -> Any:
    """A key as a dict key; lists, dicts and such inside become tuples."""
    try:
        hash(key)
    except TypeError:
        return freeze(key)
    return key


def freeze(value: Any) -> Any:
    """Lists as tuples, maps and structs as tuples of their pairs."""
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    if isinstance(value, dict):
        return tuple((name, freeze(item)) for name, item in value.items())
    return value
