"""The MASK functions: characters replaced by their kind."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from ksqldb.engine.errors import FunctionError
from ksqldb.engine.functions.registry import Function, scalar

_RULES = "By default capitals become X, small letters x, digits n and everything else -."


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands for a character of each kind; None leaves it as it is."""

    upper: str | None = "X"
    lower: str | None = "x"
    digit: str | None = "n"
    other: str | None = "-"

    def __post_init__(self) -> None:
        for mark in (self.upper, self.lower, self.digit, self.other):
            if mark is not None and len(mark) != 1:
                raise FunctionError(f"Invalid mask character. Must be only single character, but was '{mark}'")

    def mask(self, text: str) -> str:
        by_kind = {"Lu": self.upper, "Ll": self.lower, "Nd": self.digit}
        return "".join(by_kind.get(unicodedata.category(c), self.other) or c for c in text)


_DEFAULT = Marks()
Cut = Callable[[str, int], tuple[str, str, str]]  # what stays before, what is masked, what stays behind

MASK = scalar("mask", "STRING", f"Masks every character of a text. {_RULES}")


@MASK.overload("VARCHAR input", "VARCHAR")
def mask(text: str) -> str:
    """Masks every character by the default rules.

    input: The text to mask.
    """
    return _DEFAULT.mask(text)


@MASK.overload("VARCHAR input, VARCHAR upper, VARCHAR lower, VARCHAR digit, VARCHAR other", "VARCHAR", null=True)
def mask_with(
    text: str | None, upper: str | None, lower: str | None, digit: str | None, other: str | None
) -> str | None:
    """Masks every character by given marks; a NULL mark leaves its kind as it is.

    input: The text to mask.
    upper: The mark of capitals.
    lower: The mark of small letters.
    digit: The mark of digits.
    other: The mark of everything else.
    """
    marks = Marks(upper, lower, digit, other)
    return None if text is None else marks.mask(text)


def _declare(name: str, what: str, cut: Cut) -> Function:
    function = scalar(name, "STRING", f"Masks {what} of a text. {_RULES}")

    def apply(marks: Marks, text: str | None, count: int | None) -> str | None:
        if count is None:
            raise FunctionError("Can't coerce argument from null to a primitive type")
        if count < 0:
            raise FunctionError(f"function {name} requires a non-negative number of characters to mask or skip")
        if text is None:
            return None
        before, masked, behind = cut(text, min(count, len(text)))
        return before + marks.mask(masked) + behind

    def plain(text: str | None, count: int | None) -> str | None:
        return apply(_DEFAULT, text, count)

    def marked(
        text: str | None,
        count: int | None,
        upper: str | None,
        lower: str | None,
        digit: str | None,
        other: str | None,
    ) -> str | None:
        return apply(Marks(upper, lower, digit, other), text, count)

    plain.__doc__ = (
        f"Masks {what} by the default rules.\n\ninput: The text to mask.\nnumChars: The number of characters."
    )
    marked.__doc__ = (
        f"Masks {what} by given marks; a NULL mark leaves its kind as it is.\n\n"
        "input: The text to mask.\nnumChars: The number of characters.\nupper: The mark of capitals.\n"
        "lower: The mark of small letters.\ndigit: The mark of digits.\nother: The mark of everything else."
    )
    function.overload("VARCHAR input, INT numChars", "VARCHAR", null=True)(plain)
    function.overload(
        "VARCHAR input, INT numChars, VARCHAR upper, VARCHAR lower, VARCHAR digit, VARCHAR other", "VARCHAR", null=True
    )(marked)
    return function


MASK_LEFT = _declare("mask_left", "the first n characters", lambda text, n: ("", text[:n], text[n:]))
MASK_RIGHT = _declare(
    "mask_right", "the last n characters", lambda text, n: (text[: len(text) - n], text[len(text) - n :], "")
)
MASK_KEEP_LEFT = _declare("mask_keep_left", "all but the first n characters", lambda text, n: (text[:n], text[n:], ""))
MASK_KEEP_RIGHT = _declare(
    "mask_keep_right",
    "all but the last n characters",
    lambda text, n: ("", text[: len(text) - n], text[len(text) - n :]),
)
