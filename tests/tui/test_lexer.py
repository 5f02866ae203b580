"""Colours and statement ends of ksqlDB text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.screens.ksqldb.lexer import statements, tokens


def kinds(sql: str) -> list[tuple[str, str]]:
    return [(kind, sql[begin:end]) for kind, begin, end in tokens(sql)]


def test_words_are_coloured_by_what_they_are() -> None:
    assert kinds("SELECT COUNT(*) FROM t WHERE a > 3.5 -- why") == [
        ("keyword", "SELECT"),
        ("function", "COUNT"),
        ("keyword", "FROM"),
        ("keyword", "WHERE"),
        ("number", "3.5"),
        ("comment", "-- why"),
    ]


def test_ksqldbs_own_words_are_keywords() -> None:
    assert {kind for kind, _ in kinds("WINDOW HOPPING SIZE ADVANCE EMIT CHANGES GRACE PERIOD")} == {"keyword"}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("", []),
        (" -- nothing\n", []),
        ("SHOW TOPICS", ["SHOW TOPICS;"]),
        ("SHOW TOPICS;\nSHOW STREAMS;", ["SHOW TOPICS;", "SHOW STREAMS;"]),
        ("SELECT ';' FROM `a;b`;", ["SELECT ';' FROM `a;b`;"]),
        ("SELECT 'it''s; fine' FROM t", ["SELECT 'it''s; fine' FROM t;"]),
        (";;", []),
    ],
)
def test_statements_end_at_their_semicolons(sql: str, expected: list[str]) -> None:
    assert statements(sql) == expected


@given(st.text(alphabet="aS'`;-/* \n1.(", max_size=60))
def test_tokens_never_overlap(sql: str) -> None:
    last = 0
    for _, begin, end in tokens(sql):
        assert last <= begin < end <= len(sql)
        last = end
