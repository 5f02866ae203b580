"""Comparing an answer with what a dialogue expects.

Numbers are compared by their literal text: 1, 1.0 and 1.00 differ. A literal that is not the shortest form of its
double is written ``"<num 1.00>"``. Wildcards: ``<any>`` (anything), ``<int>`` (a JSON integer, or digits inside a
text), ``<queryId>`` (an identifier), ``{"unordered": [...]}``, ``{"contains": subset}``. ``${NAME}`` stands for a
value saved before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_WILD = {"<any>": r".*", "<int>": r"-?\d+", "<queryId>": r"[A-Za-z][\w.-]*"}
_WILD_PLACE = re.compile("(" + "|".join(_WILD) + ")")
_SAVED = re.compile(r"\$\{(\w+)\}")


def _number(literal: str) -> float | str:
    return float(literal) if repr(float(literal)) == literal else f"<num {literal}>"


def loads(text: str) -> Any:
    """JSON with the literal text of its numbers kept."""
    return json.loads(text, parse_float=_number, parse_constant=lambda name: f"<num {name}>")


DECODER = json.JSONDecoder(parse_float=_number)


def expand(value: Any, saved: Mapping[str, str]) -> Any:
    """``value`` with saved values in place of their names; unknown names stay."""
    if isinstance(value, str):
        return _SAVED.sub(lambda m: saved.get(m[1], m[0]), value)
    if isinstance(value, list):
        return [expand(item, saved) for item in value]
    if isinstance(value, dict):
        return {expand(key, saved): expand(item, saved) for key, item in value.items()}
    return value


def show(value: Any, limit: int = 600) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= limit else text[:limit] + "..."


def difference(expected: Any, actual: Any, at: str = "", *, subset: bool = False) -> str | None:
    """None where ``actual`` fits, else the first difference with its place. ``subset`` lets objects have more keys
    and lists more elements, in any order."""
    if isinstance(expected, dict):
        if set(expected) == {"contains"}:
            return _contains(expected["contains"], actual, at)
        if set(expected) == {"unordered"}:
            return _bag(expected["unordered"], actual, at, subset=subset, more=False)
    if expected == "<any>" or (expected == "<int>" and type(actual) is int):
        return None
    if isinstance(expected, str) and isinstance(actual, str) and (expected == actual or _fits(expected, actual)):
        return None
    if isinstance(expected, dict) and isinstance(actual, dict):
        return _objects(expected, actual, at, subset=subset)
    if isinstance(expected, list) and isinstance(actual, list):
        return _bag(expected, actual, at, subset=True, more=True) if subset else _lists(expected, actual, at)
    if type(expected) is type(actual) and expected == actual:
        return None
    return f"{at}: expected {show(expected)}, got {show(actual)}"


def _fits(pattern: str, text: str) -> bool:
    parts = (_WILD.get(part) or re.escape(part) for part in _WILD_PLACE.split(pattern))
    return re.fullmatch("".join(parts), text, re.S) is not None


def _contains(expected: Any, actual: Any, at: str) -> str | None:
    if isinstance(expected, str) and isinstance(actual, str):
        return None if expected in actual else f"{at}: {show(expected)} not in {show(actual)}"
    return difference(expected, actual, at, subset=True)


def _objects(expected: dict[str, Any], actual: dict[str, Any], at: str, *, subset: bool) -> str | None:
    for key, value in expected.items():
        if key not in actual:
            return f"{at}/{key}: missing, expected {show(value)}"
    for key, value in actual.items():
        if key not in expected and not subset:
            return f"{at}/{key}: unexpected {show(value)}"
    found = (difference(expected[key], actual[key], f"{at}/{key}", subset=subset) for key in expected)
    return next(filter(None, found), None)


def _lists(expected: list[Any], actual: list[Any], at: str) -> str | None:
    for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
        if problem := difference(one, other, f"{at}/{index}"):
            return problem
    if len(expected) > len(actual):
        return f"{at}/{len(actual)}: missing, expected {show(expected[len(actual)])}"
    if len(actual) > len(expected):
        return f"{at}/{len(expected)}: unexpected {show(actual[len(expected)])}"
    return None


def _bag(expected: list[Any], actual: Any, at: str, *, subset: bool, more: bool) -> str | None:
    if not isinstance(actual, list):
        return f"{at}: expected a list, got {show(actual)}"
    left = list(actual)
    for item in expected:
        hit = next((i for i, other in enumerate(left) if difference(item, other, subset=subset) is None), None)
        if hit is None:
            return f"{at}: nothing fits {show(item)} in {show(left)}"
        del left[hit]
    return f"{at}: unexpected {show(left[0])}" if left and not more else None
