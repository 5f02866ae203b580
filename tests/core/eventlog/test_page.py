"""``docs/event-log.md`` names a test for each of its promises, and each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "event-log.md").read_text().splitlines()
HEADER = "| promise | mechanism | limit | test |"


def promises() -> list[list[str]]:
    """The cells of each row of the tables of promises."""
    rows = []
    inside = False
    for line in PAGE:
        inside = line == HEADER or (inside and line.startswith("|"))
        if inside and line != HEADER and not line.startswith("|---"):
            rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def test_each_promise_names_tests_that_are_there() -> None:
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    rows = promises()
    assert len(rows) > 35
    for promise, mechanism, limit, tests in rows:
        named = re.findall(r"`(test_\w+)`", tests)
        assert named, f"no test holds: {promise}"
        assert set(named) <= there, f"{promise}: {set(named) - there}"
        assert mechanism
        assert limit


def test_each_table_of_promises_says_how_to_observe_and_how_to_recover() -> None:
    sections = "\n".join(PAGE).split("\n## ")
    for section in sections:
        if HEADER in section:
            for word in ("Observe: ", "Recover: "):
                assert word in section, f"{section.splitlines()[0]}: {word}"
