"""Expressions and types as ksqlDB prints them: every operator in parentheses, nothing left to precedence."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal

from ksqldb.engine import ast
from ksqldb.engine.parse.lexer import ALL_KEYWORDS, DIGIT_IDENTIFIER, IDENTIFIER, NON_RESERVED, tokenize
from ksqldb.engine.types import ArrayType, MapType, SqlType, StructType, quote

UNIT_NAMES = {"MILLISECOND": "MILLISECONDS", "SECOND": "SECONDS", "MINUTE": "MINUTES", "HOUR": "HOURS", "DAY": "DAYS"}


def format_expression(expr: ast.Expression, *, quoted: bool = False) -> str:
    """An expression as text. ``quoted``: names that need it get back-ticks (as in statements); else names are bare
    (as in error messages)."""
    return _Formatter(quoted).text(expr)


def name_text(name: str, quoted: bool = True) -> str:
    """A name, in back-ticks where ``quoted`` and it could not be read back otherwise."""
    return quote(name) if quoted and needs_quotes(name) else name


def needs_quotes(name: str) -> bool:
    """Whether a name is anything but an upper-case identifier that may stand unquoted."""
    if name.upper() != name:
        return True
    tokens = tokenize(name)
    if len(tokens) != 2 or tokens[0].text != name:
        return True
    kind = tokens[0].kind
    return kind not in (IDENTIFIER, DIGIT_IDENTIFIER) and not (kind in ALL_KEYWORDS and kind in NON_RESERVED)


def type_text(sql_type: SqlType, quoted: bool = True) -> str:
    """A type with field names quoted only where they need it."""
    match sql_type:
        case ArrayType(element=element):
            return f"ARRAY<{type_text(element, quoted)}>"
        case MapType(key=key, value=value):
            return f"MAP<{type_text(key, quoted)}, {type_text(value, quoted)}>"
        case StructType(fields=fields):
            inner = (f"{name_text(f.name, quoted)} {type_text(f.type, quoted)}" for f in fields)
            return f"STRUCT<{', '.join(inner)}>"
    return str(sql_type)


def type_ref_text(ref: ast.TypeRef, quoted: bool = True) -> str:
    return type_text(ref.known, quoted) if ref.known is not None else ref.text


def duration_text(duration: ast.Duration) -> str:
    """``10 SECONDS``; units always in the plural."""
    return f"{duration.value} {UNIT_NAMES.get(duration.unit, duration.unit)}"


def string_text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def decimal_literal_text(value: Decimal) -> str:
    """``BigDecimal.toString``: plain unless the exponent is positive or the number very small."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    adjusted = len(digits) - 1 + exponent
    if exponent <= 0 and adjusted >= -6:
        return format(value, "f")
    shown = "".join(map(str, digits))
    mantissa = shown[0] + ("." + shown[1:] if len(shown) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}E{adjusted:+d}"


def double_literal_text(value: float) -> str:
    """Scientific with no more digits than needed: ``1.5E0``, ``-2E-7``."""
    if value == 0:
        return "-0E0" if math.copysign(1, value) < 0 else "0E0"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    shown = "".join(map(str, digits)).rstrip("0")
    mantissa = shown[0] + ("." + shown[1:] if len(shown) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}E{len(digits) - 1 + exponent}"


class _Formatter:
    """Prints one expression; the only state is whether names are quoted."""

    def __init__(self, quoted: bool) -> None:
        self.quoted = quoted

    def name(self, name: str) -> str:
        return name_text(name, self.quoted)

    def joined(self, items: Iterable[ast.Expression]) -> str:
        return ", ".join(map(self.text, items))

    def negatable(self, text: str, negated: bool) -> str:
        return f"(NOT {text})" if negated else text

    def text(self, expr: ast.Expression) -> str:
        match expr:
            case ast.ColumnRef(name=name, source=source):
                return self.name(name) if source is None else f"{self.name(source)}.{self.name(name)}"
            case ast.Arithmetic(op=op, left=left, right=right):
                return f"({self.text(left)} {op.value} {self.text(right)})"
            case ast.Comparison(op=ast.ComparisonOp.IS_NOT_DISTINCT_FROM, left=left, right=right):
                return f"(NOT ({self.text(left)} IS DISTINCT FROM {self.text(right)}))"
            case ast.Comparison(op=op, left=left, right=right):
                return f"({self.text(left)} {op.value} {self.text(right)})"
            case ast.Logical(op=op, left=left, right=right):
                return f"({self.text(left)} {op.value} {self.text(right)})"
            case ast.Not(operand=operand):
                return f"(NOT {self.text(operand)})"
            case ast.FunctionCall(name=name, args=args):
                inner = "*" if name == "COUNT" and not args else self.joined(args)
                return f"{self.name(name)}({inner})"
            case ast.Dereference(base=base, field_name=field):
                return f"{self.text(base)}->{self.name(field)}"
            case ast.DereferenceAll(base=base):
                return f"{self.text(base)}->*"
            case ast.Subscript(base=base, index=index):
                return f"{self.text(base)}[{self.text(index)}]"
            case ast.Unary(op=op, operand=operand):
                inner = self.text(operand)
                gap = " " if op is ast.UnaryOp.MINUS and inner.startswith("-") else ""
                return f"{op.value}{gap}{inner}"
            case ast.Cast(operand=operand, type=ref):
                return f"CAST({self.text(operand)} AS {type_ref_text(ref, self.quoted)})"
        return self.predicate_text(expr)

    def predicate_text(self, expr: ast.Expression) -> str:
        match expr:
            case ast.IsNull(operand=operand, negated=negated):
                return f"({self.text(operand)} IS {'NOT ' if negated else ''}NULL)"
            case ast.Between(operand=operand, low=low, high=high, negated=negated):
                text = f"({self.text(operand)} BETWEEN {self.text(low)} AND {self.text(high)})"
                return self.negatable(text, negated)
            case ast.InList(operand=operand, items=items, negated=negated):
                return self.negatable(f"({self.text(operand)} IN ({self.joined(items)}))", negated)
            case ast.Like(operand=operand, pattern=pattern, escape=escape, negated=negated):
                tail = f" ESCAPE '{escape}'" if escape is not None else ""
                return self.negatable(f"({self.text(operand)} LIKE {self.text(pattern)}{tail})", negated)
            case ast.SearchedCase(whens=whens, default=default):
                return self.case_text("CASE", whens, default)
            case ast.SimpleCase(operand=operand, whens=whens, default=default):
                return self.case_text(f"CASE {self.text(operand)}", whens, default)
        return self.literal_text(expr)

    def case_text(self, head: str, whens: tuple[ast.When, ...], default: ast.Expression | None) -> str:
        parts = [head, *map(self.when_text, whens)]
        if default is not None:
            parts += ["ELSE", self.text(default)]
        return f"({' '.join(parts)} END)"

    def when_text(self, when: ast.When) -> str:
        return f"WHEN {self.text(when.condition)} THEN {self.text(when.result)}"

    def literal_text(self, expr: ast.Expression) -> str:
        match expr:
            case ast.NullLiteral():
                return "null"
            case ast.BooleanLiteral(value=flag):
                return "true" if flag else "false"
            case ast.IntegerLiteral(value=whole):
                return str(whole)
            case ast.DecimalLiteral(value=decimal):
                return decimal_literal_text(decimal)
            case ast.DoubleLiteral(value=double):
                return double_literal_text(double)
            case ast.StringLiteral(value=text):
                return string_text(text)
            case ast.IntervalUnit(unit=unit):
                return UNIT_NAMES.get(unit, unit)
            case ast.LambdaVariable(name=name):
                return name
            case ast.Lambda(params=params, body=body):
                return f"({', '.join(params)}) => {self.text(body)}"
            case ast.CreateArray(items=items):
                return f"ARRAY[{self.joined(items)}]"
            case ast.CreateMap(entries=entries):
                return "MAP(" + ", ".join(f"{self.text(k)}:={self.text(v)}" for k, v in entries) + ")"
            case ast.CreateStruct(fields=fields):
                return "STRUCT(" + ", ".join(f"{self.name(n)}:={self.text(v)}" for n, v in fields) + ")"
        raise AssertionError(f"not an expression: {expr!r}")


def when_text(when: ast.When) -> str:
    """One WHEN ... THEN ... of a CASE, with bare names."""
    return _Formatter(quoted=False).when_text(when)
