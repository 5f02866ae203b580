from __future__ import annotations

import pytest

from ksqldb.sqltext import Piece, split, without_comments


def test_statements_are_found_with_their_places() -> None:
    text = "-- first; comment\nSHOW STREAMS;\n\n  SELECT ';', `a;b` /* ; */ FROM x\nEMIT CHANGES; SELECT"
    assert split(text) == [
        Piece("SHOW STREAMS;", 2, 1, complete=True),
        Piece("SELECT ';', `a;b` /* ; */ FROM x\nEMIT CHANGES;", 4, 3, complete=True),
        Piece("SELECT", 5, 15, complete=False),
    ]


@pytest.mark.parametrize("text", ["", "  \n", "-- only this", "/* and\nthis */"])
def test_comments_alone_are_no_statement(text: str) -> None:
    assert split(text) == []


@pytest.mark.parametrize("text", ["SELECT 'a;", 'SELECT "a;', "SELECT `a;", "SELECT 1 /* a;"])
def test_what_is_begun_and_not_ended_is_incomplete(text: str) -> None:
    (piece,) = split(text)
    assert (piece.text, piece.complete) == (text, False)


def test_a_quote_in_a_text_does_not_end_it() -> None:
    assert [piece.text for piece in split("SELECT 'it''s;'; SELECT 2;")] == ["SELECT 'it''s;';", "SELECT 2;"]


def test_a_lone_semicolon_is_a_statement_of_its_own() -> None:
    assert split(";") == [Piece(";", 1, 1, complete=True)]


def test_comments_and_white_space_do_not_count() -> None:
    assert without_comments("SELECT  1, -- one\n  '-- x'\n/* two */ FROM y ;") == "SELECT 1, '-- x' FROM y ;"
