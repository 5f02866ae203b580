"""Rule files: what is read from them, and what is wrong with those that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from ksqldb.rulebook import RuleFileError, load, parse

HEADER = """\
-- id: big
-- title: Big payment
-- severity: warning
-- score: 300
-- catches: One payment
--   that is big.
"""
INSERT = "INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}') SELECT * FROM transactions EMIT CHANGES;\n"


def test_a_header_and_its_statements() -> None:
    rule = parse("big.sql", HEADER + "\nCREATE TABLE IF NOT EXISTS big_counts AS SELECT 1;\n" + INSERT)
    assert (rule.id, rule.title, rule.severity, rule.score) == ("big", "Big payment", "warning", 300)
    assert rule.catches == "One payment that is big."
    assert rule.creates == ("BIG_COUNTS",)
    create, insert = rule.statements()
    assert create == "CREATE TABLE IF NOT EXISTS big_counts AS SELECT 1;"
    assert f"QUERY_ID = '{rule.query_id}'" in insert
    assert rule.query_id == f"RULE_BIG_{rule.version}"


def test_a_threshold_may_be_given() -> None:
    assert parse("big.sql", HEADER + INSERT).threshold is None
    assert (
        parse("big.sql", HEADER.replace("-- catches", "-- threshold: 3000.5\n-- catches") + INSERT).threshold == 3000.5
    )


def test_the_version_is_that_of_the_statements_alone() -> None:
    plain = parse("big.sql", HEADER + INSERT)
    spaced = INSERT.replace(" SELECT", "\n  SELECT /* all */")
    commented = parse("big.sql", HEADER.replace("300", "500") + "\n-- why\n" + spaced)
    changed = parse("big.sql", HEADER + INSERT.replace("SELECT *", "SELECT x"))
    assert plain.version == commented.version
    assert plain.version != changed.version


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("big.sql", INSERT, "lacks id, title, severity, score, catches"),
        ("big.sql", HEADER.replace("-- score: 300\n", "") + INSERT, "lacks score; expected '-- score: ...'"),
        ("small.sql", HEADER + INSERT, "the id 'big' must be the file's name"),
        ("big.sql", HEADER.replace("warning", "loud") + INSERT, "severity 'loud' is none of info, warning, critical"),
        ("big.sql", HEADER.replace("300", "1001") + INSERT, "score '1001' is not a whole number"),
        ("big.sql", HEADER.replace("-- catches", "-- threshold: lots\n-- catches") + INSERT, "'lots' is not a number"),
        ("big.sql", HEADER + "-- nonsense\n" + INSERT, "line 7: not a header field"),
        ("big.sql", HEADER, "the last statement must be INSERT INTO fraud_alerts"),
        ("big.sql", HEADER + INSERT.rstrip(";\n"), "line 7: the statement does not end with ';'"),
        ("big.sql", HEADER + INSERT + "\nSHOW STREAMS;", "line 7: INSERT INTO fraud_alerts must be the last"),
        ("big.sql", HEADER + "DROP STREAM x;" + INSERT, "expected CREATE STREAM or CREATE TABLE, found 'DROP'"),
        ("big.sql", HEADER + "CREATE TABLE big AS SELECT 1;" + INSERT, "write CREATE TABLE IF NOT EXISTS"),
        ("big.sql", HEADER + "\nCREATE TABLE IF NOT EXISTS t AS SELECT 1;" + INSERT, "line 8: t must be named big"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(name: str, text: str, message: str) -> None:
    with pytest.raises(RuleFileError) as caught:
        parse(name, text)
    assert message in str(caught.value)
    assert str(caught.value).startswith(name)


def test_a_folder_needs_its_sources(tmp_path: Path) -> None:
    (tmp_path / "big.sql").write_text(HEADER + INSERT)
    with pytest.raises(RuleFileError, match=r"00_sources\.sql is missing"):
        load(tmp_path)


def test_one_rule_may_not_be_named_after_another(tmp_path: Path) -> None:
    (tmp_path / "00_sources.sql").write_text("CREATE STREAM IF NOT EXISTS s (a INT) WITH (KAFKA_TOPIC='s');")
    (tmp_path / "big.sql").write_text(HEADER + INSERT)
    (tmp_path / "big_one.sql").write_text(HEADER.replace("id: big", "id: big_one") + INSERT)
    with pytest.raises(RuleFileError, match="the id begins with that of rule 'big'"):
        load(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError, match="cannot be read"):
        load(tmp_path / "none")


def test_the_products_own_rules() -> None:
    book = load()
    assert set(book.rules) >= {"high_amount", "high_velocity"}
    assert len(book.sources) == 2
    with pytest.raises(RuleFileError, match=r"no rule 'x'; known rules: .*high_amount"):
        book.rule("x")
