"""What a begun word may become: names that the server knows, and ksqlDB's own words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tui.ports import SqlObject, Vocabulary
from tui.screens.ksqldb import lexer

MOST = 40
_BEGUN = re.compile(r"[\w`]+$")
_KIND_AFTER = (
    (re.compile(r"\bPRINT\s+[\w`]*$", re.IGNORECASE), ("topic",)),
    (re.compile(r"\b(?:TERMINATE|PAUSE|RESUME)\s+[\w`]*$", re.IGNORECASE), ("query",)),
    (re.compile(r"\b(?:FROM|JOIN|INTO|DESCRIBE|STREAM|TABLE|EXISTS)\s+[\w`]*$", re.IGNORECASE), ("stream", "table")),
)
_NAMED = re.compile(r"\b(?:FROM|JOIN|INTO)\s+`?(\w+)", re.IGNORECASE)


def begun(before: str) -> str:
    """The word that ends at the cursor; empty when there is none."""
    found = _BEGUN.search(before)
    return found[0] if found else ""


def candidates(before: str, whole: str, vocabulary: Vocabulary, objects: Sequence[SqlObject]) -> list[str]:
    """Words that the one before the cursor may become, the most likely first; ``whole`` is the statement around it."""
    word = begun(before).strip("`").casefold()
    found = dict.fromkeys(
        name
        for name in _offers(before, whole, vocabulary, objects)
        if name.casefold().startswith(word) and name.casefold() != word
    )
    return list(found)[:MOST] if word else []


def _offers(before: str, whole: str, vocabulary: Vocabulary, objects: Sequence[SqlObject]) -> Iterator[str]:
    for pattern, kinds in _KIND_AFTER:
        if pattern.search(before):
            yield from sorted(entry.name for entry in objects if entry.kind in kinds)
            return
    known = {name.upper(): columns for name, columns in vocabulary.columns.items()}
    named = [known[name.upper()] for name in _NAMED.findall(whole) if name.upper() in known]
    for columns in named or known.values():
        yield from sorted(column.name for column in columns)
    yield from vocabulary.functions
    yield from sorted(lexer.KEYWORDS | lexer.TYPES)
    yield from sorted(known)
