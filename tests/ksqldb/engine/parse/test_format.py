"""Printing statements, and that what is printed reads back the same."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ksqldb.engine import ast
from ksqldb.engine import types as t
from ksqldb.engine.parse import format_expression, format_statement, parse, parse_expression, type_text
from tests.ksqldb.engine.parse.corpus import STATEMENTS


def test_a_query_prints_one_clause_a_line() -> None:
    (parsed,) = parse(
        "create table velocity with (partitions=1, kafka_topic='v') as select s.account_id, count(*) n, `mixed` from s "
        "window tumbling (size 1 minute, grace period 10 seconds) where not a between 1 and 2.50 group by account_id "
        "having count(*) > 3;"
    )
    assert format_statement(parsed.statement) == (
        "CREATE TABLE VELOCITY WITH (KAFKA_TOPIC='v', PARTITIONS=1) AS SELECT\n"
        "  S.ACCOUNT_ID,\n"
        "  COUNT(*) N,\n"
        "  `mixed`\n"
        "FROM S S\n"
        "WINDOW TUMBLING ( SIZE 1 MINUTES , GRACE PERIOD 10 SECONDS ) \n"
        "WHERE (NOT (A BETWEEN 1 AND 2.50))\n"
        "GROUP BY ACCOUNT_ID\n"
        "HAVING (COUNT(*) > 3)\n"
        "EMIT CHANGES;"
    )


def test_a_source_prints_on_one_line() -> None:
    (parsed,) = parse(
        "CREATE STREAM `s` (id VARCHAR KEY, `select` INT, st STRUCT<a INT, `b` INT>) "
        "WITH (VALUE_FORMAT='JSON', KAFKA_TOPIC='s');"
    )
    assert format_statement(parsed.statement) == (
        "CREATE STREAM `s` (ID STRING KEY, `select` INTEGER, ST STRUCT<A INTEGER, `b` INTEGER>) "
        "WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');"
    )


def test_a_join_prints_its_window() -> None:
    (parsed,) = parse("SELECT l.a FROM l LEFT JOIN r WITHIN 10 SECONDS GRACE PERIOD 1 HOUR ON l.k = r.k EMIT CHANGES;")
    assert format_statement(parsed.statement) == (
        "SELECT L.A\n"
        "FROM L L\n"
        "LEFT OUTER JOIN R R WITHIN 10 SECONDS GRACE PERIOD 1 HOURS ON ((L.K = R.K))\n"
        "EMIT CHANGES;"
    )


@pytest.mark.parametrize("sql", STATEMENTS)
def test_every_kind_of_statement_reads_back(sql: str) -> None:
    (parsed,) = parse(sql)
    printed = format_statement(parsed.statement)
    (again,) = parse(printed)
    assert format_statement(again.statement) == printed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1000.0, "1E3"),
        (1.5, "1.5E0"),
        (-2e-7, "-2E-7"),
        (0.0, "0E0"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
    ],
)
def test_doubles_print_in_scientific_form(value: float, text: str) -> None:
    assert format_expression(ast.DoubleLiteral(value)) == text


def test_names_in_types_are_quoted_where_they_must_be() -> None:
    struct = t.StructType((t.Field("A", t.INTEGER), t.Field("select", t.STRING), t.Field("KEY", t.BYTES)))
    assert type_text(t.MapType(t.STRING, struct)) == "MAP<STRING, STRUCT<A INTEGER, `select` STRING, KEY BYTES>>"


_names = st.one_of(st.sampled_from(["A", "KEY", "select", "x y", "SELECT", "MAP", "Q`", "1A"]))
_literals: st.SearchStrategy[ast.Expression] = st.one_of(
    st.builds(ast.NullLiteral),
    st.builds(ast.BooleanLiteral, st.booleans()),
    st.builds(ast.IntegerLiteral, st.integers(-(2**63), 2**63 - 1)),
    st.builds(ast.DecimalLiteral, st.decimals("-1e6", "1e6", places=3)),
    st.builds(ast.DoubleLiteral, st.floats(allow_nan=False, allow_infinity=False)),
    st.builds(ast.StringLiteral, st.text(max_size=5)),
    st.builds(ast.ColumnRef, _names),
)


def _compound(inner: st.SearchStrategy[ast.Expression]) -> st.SearchStrategy[ast.Expression]:
    some = st.lists(inner, min_size=1, max_size=3).map(tuple)
    whens = st.lists(st.builds(ast.When, inner, inner), min_size=1, max_size=2).map(tuple)
    default = st.one_of(st.none(), inner)
    comparisons = [op for op in ast.ComparisonOp if op is not ast.ComparisonOp.IS_NOT_DISTINCT_FROM]
    return st.one_of(
        st.builds(ast.Arithmetic, st.sampled_from(ast.ArithmeticOp), inner, inner),
        st.builds(ast.Comparison, st.sampled_from(comparisons), inner, inner),
        st.builds(ast.Logical, st.sampled_from(ast.LogicalOp), inner, inner),
        st.builds(ast.Not, inner),
        st.builds(ast.IsNull, inner, st.booleans()),
        st.builds(ast.Between, inner, inner, inner),
        st.builds(ast.InList, inner, some),
        st.builds(ast.Like, inner, inner, st.one_of(st.none(), st.just("!"))),
        st.builds(ast.SearchedCase, whens, default),
        st.builds(ast.SimpleCase, inner, whens, default),
        st.builds(ast.Cast, inner, st.just(ast.TypeRef("DECIMAL(4, 2)", t.DecimalType(4, 2)))),
        st.builds(ast.FunctionCall, _names.filter(lambda name: name != "COUNT"), some),
        st.builds(ast.Subscript, inner, inner),
        st.builds(ast.Dereference, inner, _names),
        st.builds(ast.CreateArray, some),
        st.builds(ast.CreateMap, st.lists(st.tuples(inner, inner), min_size=1, max_size=2).map(tuple)),
        st.builds(ast.CreateStruct, st.lists(st.tuples(_names, inner), min_size=1, max_size=2).map(tuple)),
    )


@settings(max_examples=300, deadline=None)
@given(st.recursive(_literals, _compound, max_leaves=12))
def test_expressions_read_back_as_they_were(expr: ast.Expression) -> None:
    printed = format_expression(expr, quoted=True)
    assert parse_expression(printed) == expr


def test_decimals_keep_their_scale() -> None:
    assert format_expression(ast.DecimalLiteral(Decimal("2.50"))) == "2.50"
