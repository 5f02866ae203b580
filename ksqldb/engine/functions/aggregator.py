"""What an aggregation needs of an aggregate function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ksqldb.engine.types import SqlType


@dataclass(frozen=True, slots=True)
class NotLiteral:
    """An argument that is no literal: the text of its expression."""

    text: str


def identity(state: Any) -> Any:
    """The result of aggregates whose state is their result."""
    return state


@dataclass(frozen=True, slots=True)
class Aggregator:
    """One aggregate call, ready to run.

    States are plain values (None, bool, int, float, str, bytes, Decimal, list, dict of these) that may be snapshotted.
    ``add`` returns the next state and may change and return the one it got; ``result`` never changes it, and shares no
    mutable part with it. ``merge`` joins the states of two sessions, the earlier one first. ``undo`` takes a value out
    again, None where the function cannot be used on tables. ``state_type`` is what ksqlDB stores (a format must be able
    to hold it). ``inputs`` is how many leading arguments of the call are columns: ``add`` takes that many values.
    ``inline`` says in Python what ``add`` does with state ``{s}`` and value ``{a}``, for loops where a call for each
    record counts; ``inline_names`` are what else it names in braces.
    """

    initialize: Callable[[], Any]
    add: Callable[..., Any]
    result: Callable[[Any], Any]
    merge: Callable[[Any, Any], Any]
    return_type: SqlType
    state_type: SqlType
    undo: Callable[..., Any] | None = None
    name: str = ""
    inputs: int = 1
    inline: str = ""
    inline_names: Mapping[str, object] = field(default_factory=dict)
