"""What statements and expressions parse to."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ksqldb.engine import ast
from ksqldb.engine import types as t
from ksqldb.engine.errors import ParseFailed
from ksqldb.engine.parse import format_expression, parse, parse_expression, parse_type


def only(sql: str, variables: dict[str, str] | None = None) -> ast.Statement:
    (parsed,) = parse(sql, variables)
    return parsed.statement


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a OR b AND NOT c = 1", "(A OR (B AND (NOT (C = 1))))"),
        ("1 + 2 * -3 % 4 - 5", "((1 + ((2 * -3) % 4)) - 5)"),
        ("-a * b", "(-A * B)"),
        ("- - a", "- -A"),
        ("a - 1", "(A - 1)"),
        ("a || b + c", "concat(A, (B + C))"),
        ("x->y->z[1]['k']", "X->Y->Z[1]['k']"),
        ("NOT a BETWEEN 1 AND 2 AND b", "((NOT (A BETWEEN 1 AND 2)) AND B)"),
        ("a NOT IN (1, 'b', null)", "(NOT (A IN (1, 'b', null)))"),
        ("a LIKE 'x!%' ESCAPE '!'", "(A LIKE 'x!%' ESCAPE '!')"),
        ("a IS NOT DISTINCT FROM b", "(NOT (A IS DISTINCT FROM B))"),
        ("case x when 1 then 'a' else 'b' end", "(CASE X WHEN 1 THEN 'a' ELSE 'b' END)"),
        ("cast(a as map<string, array<decimal(4, 2)>>)", "CAST(A AS MAP<STRING, ARRAY<DECIMAL(4, 2)>>)"),
        ("reduce(m, 0, (s, k) => s + k)", "REDUCE(M, 0, (S, K) => (S + K))"),
        ("'it''s'", "'it''s'"),
        ("`a``b`", "a`b"),
        ("year + date", "(YEAR + DATE)"),
        ("count(*)", "COUNT(*)"),
        ("map('a' := 1)", "MAP('a':=1)"),
        ("struct(a := 1, `b` := x)", "STRUCT(A:=1, b:=X)"),
        ("timestampadd(minutes, 5, ts)", "TIMESTAMPADD(MINUTES, 5, TS)"),
    ],
)
def test_precedence_and_forms(text: str, meaning: str) -> None:
    assert format_expression(parse_expression(text)) == meaning


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("2147483648", ast.IntegerLiteral(2147483648)),
        ("-9223372036854775808", ast.IntegerLiteral(-(2**63))),
        ("0002", ast.IntegerLiteral(2)),
        ("3.50", ast.DecimalLiteral(Decimal("3.50"))),
        (".5", ast.DecimalLiteral(Decimal("0.5"))),
        ("1e3", ast.DoubleLiteral(1000.0)),
        ("TRUE", ast.BooleanLiteral(True)),
        ("null", ast.NullLiteral()),
    ],
)
def test_literals(text: str, literal: ast.Expression) -> None:
    assert parse_expression(text) == literal


def test_lambda_parameters_are_variables_only_inside_the_body() -> None:
    call = parse_expression("f(x, x => x + y)")
    assert isinstance(call, ast.FunctionCall)
    assert call.args[0] == ast.ColumnRef("X")
    body = ast.Arithmetic(ast.ArithmeticOp.ADD, ast.LambdaVariable("X"), ast.ColumnRef("Y"))
    assert call.args[1] == ast.Lambda(("X",), body)


def test_types() -> None:
    assert parse_type("STRUCT<a INT, `b c` VARCHAR(STRING)>") == t.StructType(
        (t.Field("A", t.INTEGER), t.Field("b c", t.STRING))
    )
    assert parse_type("INT ARRAY") == t.ArrayType(t.INTEGER)
    with pytest.raises(ParseFailed, match="Cannot resolve unknown type: FOO"):
        parse_type("foo")


def test_a_custom_type_keeps_its_shape() -> None:
    created = only("CREATE STREAM s (a ARRAY<address>) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');")
    assert isinstance(created, ast.CreateSource)
    ref = created.columns[0].type
    assert ref.known is None
    assert ref.shape == ast.TypeShape("ARRAY", (ast.TypeRef("ADDRESS", None, ast.TypeShape("ADDRESS")),))


def test_create_source() -> None:
    assert only(
        "CREATE OR REPLACE STREAM IF NOT EXISTS s (k STRING KEY, h BYTES HEADER('x')) "
        "WITH (kafka_topic='t', PARTITIONS=4);"
    ) == ast.CreateSource(
        ast.SourceKind.STREAM,
        "S",
        (
            ast.ColumnDef("K", ast.TypeRef("STRING", t.STRING), ast.ColumnKind.KEY),
            ast.ColumnDef("H", ast.TypeRef("BYTES", t.BYTES), ast.ColumnKind.HEADER, "x"),
        ),
        (("KAFKA_TOPIC", ast.StringLiteral("t")), ("PARTITIONS", ast.IntegerLiteral(4))),
        or_replace=True,
        if_not_exists=True,
    )


def test_window_and_emit() -> None:
    created = only(
        "CREATE TABLE t AS SELECT k, COUNT(*) FROM s WINDOW HOPPING (SIZE 60 SECONDS, ADVANCE BY 10 SECONDS, "
        "GRACE PERIOD 1 MINUTE) GROUP BY k EMIT FINAL;"
    )
    assert isinstance(created, ast.CreateAsSelect)
    assert created.query.window == ast.Window(
        ast.WindowKind.HOPPING,
        ast.Duration(60, "SECONDS", 60_000),
        ast.Duration(10, "SECONDS", 10_000),
        grace=ast.Duration(1, "MINUTE", 60_000),
    )
    assert created.query.emit is ast.Refinement.FINAL


def test_emit_changes_is_the_default_only_of_persistent_queries() -> None:
    created, pull = only("CREATE STREAM t AS SELECT * FROM s;"), only("SELECT * FROM s;")
    assert isinstance(created, ast.CreateAsSelect)
    assert isinstance(pull, ast.Query)
    assert created.query.emit is ast.Refinement.CHANGES
    assert pull.emit is None


def test_joins_and_aliases() -> None:
    query = only("SELECT * FROM a JOIN b bb WITHIN 1 HOUR ON a.k = bb.k FULL OUTER JOIN c AS emit ON a.k = emit.k;")
    assert isinstance(query, ast.Query)
    first, second = query.source.joins
    hour = ast.Duration(1, "HOUR", 3_600_000)
    assert (first.type, first.right, first.within) == (
        ast.JoinType.INNER,
        ast.AliasedTable("B", "BB"),
        ast.Within(hour, hour),
    )
    assert (second.type, second.right.alias) == (ast.JoinType.FULL, "EMIT")


def test_statements_keep_their_own_text() -> None:
    texts = [p.text for p in parse("-- first\nSHOW STREAMS; /* and */ SHOW TABLES /* x */;\n")]
    assert texts == ["SHOW STREAMS;", "SHOW TABLES /* x */;"]


def test_no_statement_is_no_error() -> None:
    assert parse(" -- nothing\n") == []


def test_variables_are_put_in_as_names_literals_and_text() -> None:
    variables = {"s": "src", "c": "col", "n": "5", "q": "'text'"}
    (parsed,) = parse("SELECT s.a FROM ${s} AS s WHERE a = ${n} AND b = 'x${c}y' AND d = ${q};", variables)
    assert parsed.text == "SELECT s.a FROM src AS s WHERE a = 5 AND b = 'xcoly' AND d = 'text';"


def test_define_changes_variables_for_what_follows() -> None:
    texts = [p.text for p in parse("DEFINE t = 'one'; DESCRIBE ${t}; UNDEFINE t; PRINT '${t}';")]
    assert texts == ["DEFINE t = 'one';", "DESCRIBE one;", "UNDEFINE t;", "PRINT '${t}';"]


def test_a_variable_cannot_smuggle_sql_into_a_literal() -> None:
    with pytest.raises(ParseFailed, match="Illegal argument at Line: 1, Col: 30"):
        parse("SELECT * FROM s WHERE name = ${v};", {"v": "1 OR true"})
    (parsed,) = parse("SELECT * FROM s WHERE name = '${v}';", {"v": "x' OR 'a'='a"})
    assert isinstance(parsed.statement, ast.Query)
    assert parsed.statement.where == ast.Comparison(
        ast.ComparisonOp.EQUAL, ast.ColumnRef("NAME"), ast.StringLiteral("x' OR 'a'='a")
    )


def test_statements_of_test_scripts_are_known_only_there() -> None:
    (parsed,) = parse("ASSERT NULL VALUES t (k) KEY (1);", test_script=True)
    assert parsed.statement == ast.AssertValues("T", ("K",), (ast.IntegerLiteral(1),), tombstone=True)
    with pytest.raises(ParseFailed):
        parse("ASSERT NULL VALUES t (k) KEY (1);")
