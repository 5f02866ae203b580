"""Functions over regular expressions, written as Java has them."""

from __future__ import annotations

import re
from functools import lru_cache

from ksqldb.engine.errors import FunctionError
from ksqldb.engine.functions.registry import scalar

_POSSESSIVE = re.compile(r"\(\?<([A-Za-z][A-Za-z0-9]*)>")
_POSIX = {
    r"\p{Alpha}": "[A-Za-z]",
    r"\p{Digit}": "[0-9]",
    r"\p{Alnum}": "[A-Za-z0-9]",
    r"\p{Upper}": "[A-Z]",
    r"\p{Lower}": "[a-z]",
    r"\p{Punct}": r"[!-/:-@\[-`{-~]",
    r"\p{Space}": r"[ \t\n\x0b\f\r]",
    r"\h": r"[ \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    r"\z": r"\Z",
}


@lru_cache(512)
def compiled(pattern: str) -> re.Pattern[str]:
    """A Java pattern as Python's; FunctionError when it is malformed. Classes such as \\d mean ASCII, as in Java."""
    text = _POSSESSIVE.sub(r"(?P<\1>", pattern)
    for java, python in _POSIX.items():
        text = text.replace(java, python)
    try:
        return re.compile(text, re.ASCII)
    except re.error as error:
        raise FunctionError(f"Invalid regular expression pattern: {pattern}: {error}") from None


REGEXP_EXTRACT = scalar("regexp_extract", "REGULAR EXPRESSION", "The first part of a text that matches.")
REGEXP_EXTRACT_ALL = scalar("regexp_extract_all", "REGULAR EXPRESSION", "All parts of a text that match.")
REGEXP_REPLACE = scalar("regexp_replace", "REGULAR EXPRESSION", "Replaces all parts of a text that match.")
REGEXP_SPLIT_TO_ARRAY = scalar("regexp_split_to_array", "REGULAR EXPRESSION", "Cuts a text at every match.")


@REGEXP_EXTRACT.overload("VARCHAR pattern, VARCHAR input", "VARCHAR")
def regexp_extract(pattern: str, text: str) -> str | None:
    """The first part of a text that matches; NULL where none does.

    pattern: The regular expression.
    input: The text to search.
    """
    return regexp_extract_group(pattern, text, 0)


@REGEXP_EXTRACT.overload("VARCHAR pattern, VARCHAR input, INT group", "VARCHAR")
def regexp_extract_group(pattern: str, text: str, group: int) -> str | None:
    """A group of the first match; NULL where nothing matches, or there is no such group.

    pattern: The regular expression.
    input: The text to search.
    group: The number of the group, from 1; 0 is the whole match.
    """
    regex = compiled(pattern)
    match = regex.search(text)
    return match[group] if match is not None and 0 <= group <= regex.groups else None


@REGEXP_EXTRACT_ALL.overload("VARCHAR pattern, VARCHAR input", "ARRAY<VARCHAR>")
def regexp_extract_all(pattern: str, text: str) -> list[str] | None:
    """All parts of a text that match.

    pattern: The regular expression.
    input: The text to search.
    """
    return regexp_extract_all_groups(pattern, text, 0)


@REGEXP_EXTRACT_ALL.overload("VARCHAR pattern, VARCHAR input, INT group", "ARRAY<VARCHAR>")
def regexp_extract_all_groups(pattern: str, text: str, group: int) -> list[str] | None:
    """A group of every match; NULL where there is no such group.

    pattern: The regular expression.
    input: The text to search.
    group: The number of the group, from 1; 0 is the whole match.
    """
    regex = compiled(pattern)
    if not 0 <= group <= regex.groups:
        return None
    return [match[group] for match in regex.finditer(text)]


@REGEXP_REPLACE.overload("VARCHAR str, VARCHAR regexp, VARCHAR newStr", "VARCHAR")
def regexp_replace(text: str, pattern: str, replacement: str) -> str:
    """Replaces all parts of a text that match; $1 in the replacement is the first group.

    str: The text; NULL gives NULL.
    regexp: The regular expression; NULL gives NULL.
    newStr: What to put in the place of matches; NULL gives NULL.
    """
    regex = compiled(pattern)
    return regex.sub(_replacement(replacement, regex.groups), text)


def _replacement(text: str, groups: int) -> str:
    """A Java replacement ($1, ${name}, \\-escapes) as a Python one; a digit belongs to $n while such a group exists."""
    out: list[str] = []
    at = 0
    while at < len(text):
        sign = text[at]
        if sign == "\\":
            at += 1
            if at == len(text):
                raise FunctionError("character to be escaped is missing")
            out.append("\\\\" if text[at] == "\\" else text[at])
        elif sign == "$":
            named = re.compile(r"\{(\w+)\}").match(text, at + 1)
            number = re.compile(r"\d").match(text, at + 1)
            if named:
                out.append(rf"\g<{named[1]}>")
                at = named.end() - 1
            elif number:
                end = at + 2
                while end < len(text) and text[end].isdigit() and int(text[at + 1 : end + 1]) <= groups:
                    end += 1
                if int(text[at + 1 : end]) > groups:
                    raise FunctionError(f"No group {text[at + 1 : end]}")
                out.append(rf"\g<{text[at + 1 : end]}>")
                at = end - 1
            else:
                raise FunctionError("Illegal group reference")
        else:
            out.append(sign)
        at += 1
    return "".join(out)


@REGEXP_SPLIT_TO_ARRAY.overload("VARCHAR string, VARCHAR regexp", "ARRAY<VARCHAR>")
def regexp_split_to_array(text: str, pattern: str) -> list[str]:
    """Cuts a text at every match; a pattern that matches nothing but the empty text gives single characters.

    string: The text; NULL gives NULL.
    regexp: The regular expression; NULL gives NULL.
    """
    regex = compiled(pattern)
    parts: list[str] = []
    start = 0
    matches_nothing = regex.fullmatch("") is not None
    for match in regex.finditer(text):
        if matches_nothing and match.end() == 0:
            continue
        parts.append(text[start : match.start()])
        start = match.end()
    parts.append(text[start:])
    if matches_nothing:  # such a pattern is split by as String.split does: without empty texts at the end
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
    return parts
