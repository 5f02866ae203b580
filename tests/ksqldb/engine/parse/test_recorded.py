"""Every syntax error a real server was recorded with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ksqldb.engine.errors import ParseFailed
from ksqldb.engine.parse import parse
from tests.shared_data import shared


def recorded(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Statements that a server refused as syntax errors: text, message, the statement it named."""
    for path in sorted(folder.glob("*.json")):
        for step in json.loads(path.read_text()).get("steps", ()):
            sent = (step.get("request") or {}).get("body")
            answer = (step.get("expect") or {}).get("body")
            if not isinstance(sent, dict) or not isinstance(answer, dict):
                continue
            sql, message = sent.get("ksql"), str(answer.get("message", ""))
            if isinstance(sql, str) and message.startswith("line "):
                yield sql, message, str(answer.get("statementText"))


def test_recorded_syntax_errors_are_told_alike() -> None:
    cases = list(recorded(shared("conformance/rest-dialogues")))
    assert cases
    for sql, message, statement in cases:
        try:
            parse(sql)
        except ParseFailed as error:
            told = (str(error), error.statement)
        else:
            told = ("accepted", "")
        assert told == (message, statement), sql


def test_all_statements_of_the_functional_tests_are_read() -> None:
    folder = shared("conformance/ksqldb/query-validation")
    count = 0
    for path in sorted(folder.glob("*.json")):
        for case in json.loads(path.read_text())["tests"]:
            if "expectedException" not in case:
                parse("\n".join(case["statements"]))
                count += 1
    assert count > 500
