"""The pieces of a java.time.format.DateTimeFormatter pattern."""

from __future__ import annotations

from dataclasses import dataclass

DATE_FIELDS = frozenset("GuyDMLdQqYwWEecF")
TIME_FIELDS = frozenset("ahKkHmsSAnN")
ZONE_FIELDS = frozenset("VvzOXxZ")


@dataclass(frozen=True, slots=True)
class Element:
    """One piece of a pattern: a literal, or ``count`` times ``letter``. ``reserve``: digits that belong to the numbers
    right behind it."""

    letter: str
    count: int
    literal: str = ""
    reserve: int = 0


@dataclass(frozen=True, slots=True)
class Optional_:
    """``[...]``."""

    elements: tuple[Element | Optional_, ...]


_NUMERIC = frozenset("uyDdQqYwWecFhKkHmsSAnNM L".replace(" ", ""))


def compile_pattern(text: str) -> tuple[Element | Optional_, ...]:
    stack: list[list[Element | Optional_]] = [[]]
    at = 0
    while at < len(text):
        sign = text[at]
        if sign == "'":
            literal, at = _quoted(text, at)
            stack[-1].append(Element("", 0, literal))
        elif sign.isascii() and sign.isalpha():
            end = at
            while end < len(text) and text[end] == sign:
                end += 1
            stack[-1].append(_field(sign, end - at))
            at = end
        elif sign == "[":
            stack.append([])
            at += 1
        elif sign == "]":
            if len(stack) == 1:
                raise ValueError("Pattern invalid as it contains ] without previous [")
            inner = Optional_(_reserved(stack.pop()))
            stack[-1].append(inner)
            at += 1
        elif sign in "{}#":
            raise ValueError(f"Pattern includes reserved character: '{sign}'")
        else:
            stack[-1].append(Element("", 0, sign))
            at += 1
    while len(stack) > 1:
        inner = Optional_(_reserved(stack.pop()))
        stack[-1].append(inner)
    return _reserved(stack[0])


def _quoted(text: str, at: int) -> tuple[str, int]:
    """The literal that starts with a quote at ``at``, and the index behind it; ``''`` is a quote."""
    end = at + 1
    literal = ""
    while end < len(text):
        if text[end] == "'":
            if text[end + 1 : end + 2] != "'":
                return literal or "'", end + 1
            end += 1
        literal += text[end]
        end += 1
    raise ValueError(f"Pattern ends with an incomplete string literal: {text}")


_MOST = {"d": 2, "H": 2, "h": 2, "K": 2, "k": 2, "m": 2, "s": 2, "D": 3, "S": 9, "G": 5, "M": 5, "L": 5, "E": 5, "a": 1}
_MOST |= {"e": 5, "c": 5, "Q": 5, "q": 5, "w": 2, "W": 1, "F": 1, "u": 19, "y": 19, "Y": 19, "A": 19, "n": 19, "N": 19}
_MOST |= {"V": 2, "z": 4, "O": 4, "X": 5, "x": 5, "Z": 5}


def _field(letter: str, count: int) -> Element:
    most = _MOST.get(letter)
    if most is None:
        raise ValueError(f"Unknown pattern letter: {letter}")
    if count > most or (letter == "V" and count != 2) or (letter == "O" and count not in (1, 4)):
        raise ValueError(
            f"Too many pattern letters: {letter}" if letter not in "VO" else f"Pattern letter count: {letter}"
        )
    return Element(letter, count)


def _reserved(elements: list[Element | Optional_]) -> tuple[Element | Optional_, ...]:
    """Gives every number of open width the digits of the fixed numbers that follow it directly."""
    done: list[Element | Optional_] = []
    reserve = 0
    for element in reversed(elements):
        if isinstance(element, Optional_) or not is_number(element):
            reserve = 0
            done.append(element)
            continue
        low, high = widths(element)
        if low == high:
            reserve += low
            done.append(element)
        else:
            done.append(Element(element.letter, element.count, reserve=reserve))
            reserve = 0
    return tuple(reversed(done))


def is_number(element: Element) -> bool:
    return (
        element.letter in _NUMERIC and not (element.letter in "MLQqec" and element.count > 2) and element.letter != ""
    )


def widths(element: Element) -> tuple[int, int]:
    """The fewest and most digits of a number."""
    letter, count = element.letter, element.count
    if letter == "S":
        return count, count
    if letter in "uyY":
        return (2, 2) if count == 2 else (count, 19)
    if letter in "AnN":
        return count, 19
    if letter == "D":
        return {1: (1, 19), 2: (2, 3), 3: (3, 3)}[count]
    return (1, 19) if count == 1 else (2, 2)


def letters_of(elements: tuple[Element | Optional_, ...]) -> frozenset[str]:
    found: set[str] = set()
    for element in elements:
        found |= letters_of(element.elements) if isinstance(element, Optional_) else {element.letter}
    return frozenset(found)
