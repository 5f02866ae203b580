"""What the server's Java compiler refuses, in its words.

The server turns expressions into Java and lets a compiler find what its own type check let pass: a NOT of a number, a
text as the index of an array. Such a refusal names a column of that Java text, which is therefore written out here, as
far as what can be refused needs it. Nothing of it is ever run.
"""

from __future__ import annotations

from dataclasses import dataclass

from ksqldb.engine import ast
from ksqldb.engine.analyse.rewrite import columns
from ksqldb.engine.ast import ComparisonOp, LogicalOp
from ksqldb.engine.compile.code import Scope
from ksqldb.engine.types import ArrayType, Base, MapType, SqlType

_CLASSES = {
    Base.BOOLEAN: "java.lang.Boolean",
    Base.INTEGER: "java.lang.Integer",
    Base.BIGINT: "java.lang.Long",
    Base.DOUBLE: "java.lang.Double",
    Base.DECIMAL: "java.math.BigDecimal",
    Base.STRING: "java.lang.String",
    Base.BYTES: "java.nio.ByteBuffer",
    Base.DATE: "java.sql.Date",
    Base.TIME: "java.sql.Time",
    Base.TIMESTAMP: "java.sql.Timestamp",
    Base.ARRAY: "java.util.List",
    Base.MAP: "java.util.Map",
    Base.STRUCT: "org.apache.kafka.connect.data.Struct",
}
_TEXT = _CLASSES[Base.STRING]
_NUMBERS = {"int", "long", "double", *(_CLASSES[b] for b in (Base.INTEGER, Base.BIGINT, Base.DOUBLE))}
_BOOLEANS = {"boolean", _CLASSES[Base.BOOLEAN]}
_LIKE = "io.confluent.ksql.execution.codegen.helpers.LikeEvaluator.matches"
_NO_LIKE = (
    f'candidates are: "default static boolean {_LIKE}({_TEXT}, {_TEXT}, java.util.Optional)", '
    f'"public static boolean {_LIKE}({_TEXT}, {_TEXT}, char)", "public static boolean {_LIKE}({_TEXT}, {_TEXT})"'
)
_MARK = "\0"


class _Unwritten(Exception):
    """An expression whose Java is not known here."""


@dataclass(frozen=True, slots=True)
class _Java:
    """``type``: its static type; ``at``: how much of the text lies before the place the compiler gives for it."""

    text: str
    type: str
    at: int


def refusal(expr: ast.Expression, scope: Scope) -> str | None:
    """Why the Java of an expression does not compile; None where it does, or its Java is not known."""
    writer = _Writer(expr, scope)
    try:
        java = writer.write(expr)
    except _Unwritten:
        return None
    if writer.problem is None:
        return None
    return f"Line 1, Column {java.text.index(_MARK) + 1}: {writer.problem}"


class _Writer:
    """Writes one expression; the first problem found is marked in the text."""

    def __init__(self, expr: ast.Expression, scope: Scope) -> None:
        self.scope = scope
        self.problem: str | None = None
        # A column gets a variable each time it is met, and is read from the last.
        self.variables = {ref.name: number for number, ref in enumerate(columns(expr))}

    def write(self, expr: ast.Expression) -> _Java:
        match expr:
            case ast.ColumnRef():
                found = _CLASSES[self.scope.resolve(expr).type.base]
                text = f'(({found}) arguments.get("var{self.variables[expr.name]}"))'
                return _Java(text, found, text.index(".get"))
            case ast.Not(operand=operand):
                return _of(f"(!{self.condition(operand)})", "boolean")
            case ast.Logical(op=op, left=left, right=right):
                sign = "&&" if op is LogicalOp.AND else "||"
                return _of(f"({self.condition(left)}  {sign}  {self.condition(right)})", "boolean")
            case ast.Unary(op=sign, operand=operand):
                return self.signed(sign.value, self.write(operand))
            case ast.Comparison(op=op, left=left, right=right):
                return self.comparison(op, self.write(left), self.write(right))
            case ast.Between(operand=operand, low=low, high=high, negated=negated):
                value = self.write(operand)
                least = self.comparison(ComparisonOp.GREATER_EQUAL, value, self.write(low))
                most = self.comparison(ComparisonOp.LESS_EQUAL, value, self.write(high))
                return self.maybe_not(f"({least.text} && {most.text})", negated)
            case ast.Like(operand=operand, pattern=pattern, escape=escape, negated=negated):
                return self.maybe_not(self.like(self.write(operand), self.write(pattern), escape), negated)
            case ast.IsNull(operand=operand, negated=negated):
                return _of(f"(({self.write(operand).text}) {'!=' if negated else '=='} null )", "boolean")
            case ast.Subscript(base=base, index=index):
                return self.subscript(base, self.write(base), self.write(index))
        return _literal(expr)

    def mark(self, problem: str) -> str:
        """The mark of a problem, where none has been found before."""
        if self.problem is not None:
            return ""
        self.problem = problem
        return _MARK

    def condition(self, expr: ast.Expression) -> str:
        java = self.write(expr)
        if java.type in _BOOLEANS:
            return java.text
        return java.text[: java.at] + self.mark("Not a boolean expression") + java.text[java.at :]

    def maybe_not(self, text: str, negated: bool) -> _Java:
        return _of(f"(!{text})" if negated else text, "boolean")

    def signed(self, sign: str, java: _Java) -> _Java:
        mark = ""
        if java.type not in _NUMBERS:
            mark = self.mark(f'Object of type "{java.type}" cannot be converted to a numeric type')
        gap = " " if sign == "-" and java.text.startswith("-") else ""
        return _Java(f"{sign}{mark}{gap}{java.text}", java.type, len(sign))

    def comparison(self, op: ComparisonOp, left: _Java, right: _Java) -> _Java:
        """Texts are compared by methods, numbers by operators."""
        nothing = f"((Object)({left.text})) == null || ((Object)({right.text})) == null"
        head = f"(({nothing}) ? false : "
        if op in (ComparisonOp.IS_DISTINCT_FROM, ComparisonOp.IS_NOT_DISTINCT_FROM):
            raise _Unwritten
        if left.type == _TEXT == right.type:
            called = {ComparisonOp.EQUAL: "({0}.equals({1}))", ComparisonOp.NOT_EQUAL: "(!{0}.equals({1}))"}
            form = called.get(op, f"({{0}}.compareTo({{1}}) {op.value} 0)")
            return _of(head + form.format(left.text, right.text) + ")", "boolean")
        if left.type not in _NUMBERS:
            raise _Unwritten
        forms = {
            ComparisonOp.EQUAL: "(({0} <= {1}) && ({0} >= {1}))",
            ComparisonOp.NOT_EQUAL: "(({0} < {1}) || ({0} > {1}))",
        }
        form = forms.get(op, f"({{0}} {op.value} {{1}})")
        if right.type not in _NUMBERS:  # seen once the right side and the bracket behind it are read
            form += self.mark(f'Operator "{op.value}" not allowed on reference operands')
        return _of(head + form.format(left.text, right.text) + ")", "boolean")

    def like(self, value: _Java, pattern: _Java, escape: str | None) -> str:
        mark = ""
        if value.type != _TEXT or pattern.type != _TEXT:
            given = ", ".join([value.type, pattern.type, *(["char"] if escape else [])])
            mark = self.mark(f'No applicable constructor/method found for actual parameters "{given}"; {_NO_LIKE}')
        tail = f", '{escape}'" if escape else ""
        return f"LikeEvaluator.matches({mark}{value.text}, {pattern.text}{tail})"

    def subscript(self, base: ast.Expression, value: _Java, index: _Java) -> _Java:
        held = self.scope.resolve(base).type if isinstance(base, ast.ColumnRef) else None
        if isinstance(held, MapType):
            found = f"((java.util.Map){value.text}).get({index.text})"
            return self.element(value, held.value, found)
        if not isinstance(held, ArrayType):
            raise _Unwritten
        fits = index.type in ("int", "long", "double", _CLASSES[Base.INTEGER])
        mark = "" if fits else self.mark(f'Cannot cast "{index.type}" to "int"')
        found = f"(ArrayAccess.arrayAccess((java.util.List) {value.text}, ((int){mark} {index.text})))"
        return self.element(value, held.element, found)

    def element(self, value: _Java, kind: SqlType, found: str) -> _Java:
        name = _CLASSES[kind.base]
        head = f"(({name.rpartition('.')[2]}) ("
        return _Java(f"{head}{value.text} == null ? null : {found}))", name, len(head))


def _of(text: str, kind: str) -> _Java:
    """A text whose place is behind it."""
    return _Java(text, kind, len(text))


def _literal(expr: ast.Expression) -> _Java:
    match expr:
        case ast.BooleanLiteral(value=flag):
            return _of(str(flag).lower(), "boolean")
        case ast.IntegerLiteral(value=whole) if -(2**31) <= whole < 2**31:
            return _of(str(whole), "int")
        case ast.IntegerLiteral(value=whole):
            return _of(f"{whole}L", "long")
        case ast.StringLiteral(value=text) if text.isascii() and text.isprintable():
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
            return _of(f'"{quoted}"', _TEXT)
    raise _Unwritten
