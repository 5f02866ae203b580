"""The words of syntax errors, and that no text makes the parser fail otherwise."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ksqldb.engine.errors import ParseFailed
from ksqldb.engine.parse import parse, parse_expression, parse_type
from ksqldb.engine.parse.cursor import Cursor, NotInGrammar
from ksqldb.engine.parse.diagnose import fits_grammar
from ksqldb.engine.parse.lexer import EOF, KEYWORDS, SIGNS, SIGNS_WITHOUT_NAME, tokenize
from ksqldb.engine.parse.statements import statement
from tests.ksqldb.engine.parse.corpus import STATEMENTS


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEC * FROM x;", "line 1:1: Syntax Error\nUnknown statement 'SELEC'\nDid you mean 'SELECT'?"),
        ("SHOW STREAMS; UPDATE x;", "line 1:15: Syntax Error\nUnknown statement 'UPDATE'\nDid you mean 'CREATE'?"),
        ("SHOW STREEMS;", "line 1:6: Syntax Error\nSyntax error at or near 'STREEMS' at line 1:6"),
        ("SHOW STREAMS", "line 1:13: Syntax Error\nmissing ';' at '<EOF>'"),
        ("SELECT *\nFORM x;", "line 2:1: Syntax Error\nExpecting {',', 'FROM'}"),
        (
            "SELECT FROM x;",
            'line 1:8: Syntax Error\n"FROM" is a reserved keyword and it can\'t be used as an identifier. '
            "You can use it as an identifier by escaping it as 'FROM' ",
        ),
        ("EXPLAIN", "line 1:8: Syntax Error\nSyntax error at or near \";\"\n'}', ']', or ')' is missing"),
        ("SELECT 'abc FROM x;", "line 1:8: Syntax Error\n"),
        ("SELECT * FROM x WHERE a ==1;", "line 1:26: Syntax Error\n"),
        (
            "SELECT COUNT(*) FROM y WINDOW TUMBLING SIZE 1 MINUTE GROUP BY a;",
            "line 1:40: Syntax Error\nmissing '(' at 'SIZE'",
        ),
        ("SELECT COUNT(*) FROM y GROUP BY a, (b, c);", "line 1:38: Syntax Error\nmissing ')' at ','"),
        ("CREATE STREAM x (k BIGINT (y));", "line 1:28: Syntax Error\nExpecting {'STRING', INTEGER_VALUE}"),
    ],
)
def test_syntax_errors_are_told_as_ksqldb_does(sql: str, message: str) -> None:
    with pytest.raises(ParseFailed) as failure:
        parse(sql)
    assert str(failure.value) == message


def test_the_statement_of_a_syntax_error_is_the_line_it_is_in() -> None:
    with pytest.raises(ParseFailed) as failure:
        parse("SHOW STREAMS;\nCREATE STREAM x AS\n  SELECT FROM y;")
    assert failure.value.statement == "  SELECT FROM y;"
    assert (failure.value.line, failure.value.column) == (3, 10)


@pytest.mark.parametrize(
    ("sql", "message", "about"),
    [
        (
            "SELECT u.a FROM s;",
            "Failed to prepare statement: 'U' is not a valid stream/table name or alias.",
            "SELECT u.a FROM s;",
        ),
        (
            "SHOW TABLES; CREATE STREAM x AS SELECT a FROM s LIMIT 1;",
            "Failed to prepare statement: CREATE STREAM AS SELECT statements don't support LIMIT clause.",
            "CREATE STREAM x AS SELECT a FROM s LIMIT 1;",
        ),
        (
            "SELECT 9223372036854775808 FROM s;",
            "Failed to prepare statement: line 1:9: Invalid numeric literal: 9223372036854775808",
            "SELECT 9223372036854775808 FROM s;",
        ),
        (
            "DESCRIBE `a b`;",
            "Illegal argument at Line: 1, Col: 10. Source names may only contain alphanumeric values, '_' or '-'. "
            "Got: 'a b'",
            "a b",
        ),
        (
            "CREATE STREAM x (a DECIMAL(2, 5)) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');",
            "Failed to prepare statement: DECIMAL precision must be >= scale: DECIMAL(2,5)",
            "CREATE STREAM x (a DECIMAL(2, 5)) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON');",
        ),
    ],
)
def test_rules_beyond_the_grammar(sql: str, message: str, about: str) -> None:
    with pytest.raises(ParseFailed) as failure:
        parse(sql)
    assert (str(failure.value), failure.value.statement) == (message, about)


def test_a_syntax_error_comes_before_the_other_rules() -> None:
    with pytest.raises(ParseFailed, match="line 1:28"):
        parse("SELECT u.a FROM s; DESCRIBE;")


@pytest.mark.parametrize("nested", ["(", "ARRAY[", "CASE WHEN ", "f(", "NOT ", "- ", "CAST("])
@pytest.mark.parametrize("depth", [50, 2_000])
def test_deep_nesting_is_an_error_and_not_a_crash(nested: str, depth: int) -> None:
    with pytest.raises(ParseFailed):
        parse(f"SELECT {nested * depth} FROM x;")


_WORDS = (*KEYWORDS, *SIGNS, *SIGNS_WITHOUT_NAME, "x", "'s'", "1", "2.5", "1e3", "`q`", '"z"', "${v}", "§", "'")


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A statement with a few words removed, added or replaced."""
    words = [token.text for token in tokenize(draw(st.sampled_from(STATEMENTS)))[:-1]]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(words) - 1))
        match draw(st.sampled_from(("remove", "add", "replace"))):
            case "remove" if len(words) > 1:
                del words[at]
            case "add":
                words.insert(at, draw(st.sampled_from(_WORDS)))
            case _:
                words[at] = draw(st.sampled_from(_WORDS))
    return " ".join(words)


def place_of_failure(read: Callable[[], object]) -> tuple[int, int] | None:
    """Line and column of the ParseFailed a reader raises; None when it raises nothing."""
    try:
        read()
    except ParseFailed as error:
        return error.line, error.column
    return None


@settings(max_examples=300, deadline=None)
@given(mutated())
def test_mutated_statements_parse_or_fail_with_a_place(sql: str) -> None:
    place = place_of_failure(lambda: parse(sql, {"v": "x"}))
    assert place is None or min(place) >= 1


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_any_text_parses_or_fails_with_a_place(text: str) -> None:
    readers: tuple[Callable[[str], object], ...] = (parse, parse_expression, parse_type)
    for read in readers:
        place = place_of_failure(partial(read, text))
        assert place is None or min(place) >= 1


@settings(max_examples=200, deadline=None)
@given(mutated())
def test_the_parser_accepts_what_the_grammar_accepts(sql: str) -> None:
    cursor = Cursor(tokenize(sql))
    accepted = True
    try:
        while cursor.kind != EOF:
            cursor.begin_statement()
            statement(cursor)
            cursor.expect(";")
    except NotInGrammar:
        accepted = False
    assert accepted == fits_grammar(cursor.tokens, "statements")
