"""Python source for arithmetic and comparisons, given the source of both sides."""

from __future__ import annotations

from dataclasses import dataclass

from ksqldb.engine.ast import ArithmeticOp, ComparisonOp, LogicalOp
from ksqldb.engine.compile import runtime
from ksqldb.engine.compile.code import Code, Names
from ksqldb.engine.compile.rules import TIMES
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.types import BOOLEAN, Base, DecimalType, SqlType
from ksqldb.engine.values import (
    DAY_MS,
    INT_MAX,
    INT_MIN,
    LONG_MAX,
    LONG_MIN,
    parse_date,
    parse_time,
    parse_timestamp,
    wrap_int,
    wrap_long,
)

_PARSERS = {Base.TIME: parse_time, Base.DATE: parse_date, Base.TIMESTAMP: parse_timestamp}
_PYTHON = {
    ComparisonOp.EQUAL: "==",
    ComparisonOp.NOT_EQUAL: "!=",
    ComparisonOp.LESS: "<",
    ComparisonOp.LESS_EQUAL: "<=",
    ComparisonOp.GREATER: ">",
    ComparisonOp.GREATER_EQUAL: ">=",
    ComparisonOp.IS_DISTINCT_FROM: "!=",
    ComparisonOp.IS_NOT_DISTINCT_FROM: "==",
}
_DISTINCT = (ComparisonOp.IS_DISTINCT_FROM, ComparisonOp.IS_NOT_DISTINCT_FROM)


@dataclass(frozen=True, slots=True)
class Bound:
    """A value that may be named more than once: ``check`` (empty when it is never NULL) must be evaluated first."""

    check: str
    ref: str
    type: SqlType
    safe: bool


def bind(code: Code, names: Names) -> Bound:
    """Gives a value a name, unless its source is as good as one."""
    assert code.type is not None
    if code.simple:
        return Bound(f"{code.source} is not None" if code.nullable else "", code.source, code.type, code.safe)
    name = names.temporary()
    check = f"({name} := {code.source}) is not None"
    return Bound(check, name, code.type, code.safe)


# ---------------------------------------------------------------------------------------------- arithmetic


def arithmetic(op: ArithmeticOp, left: Code, right: Code, result: SqlType, names: Names) -> Code:
    """``left op right`` of type ``result``. A None on either side raises, except in text, where it reads ``null``."""
    match result.base:
        case Base.STRING:
            return Code(f"({_text(left, names)} + {_text(right, names)})", result, nullable=False, safe=True)
        case Base.DOUBLE:
            source = _double(op, _as_double(left, names), _as_double(right, names), names)
        case Base.DECIMAL:
            assert isinstance(result, DecimalType)
            source = f"{_decimal_function(op, result, names)}({left.source}, {right.source})"
        case _:
            source = _whole(op, left.source, right.source, result, names)
    return Code(source, result, nullable=False)


def _text(code: Code, names: Names) -> str:
    if not code.nullable:
        return code.source
    bound = bind(code, names)
    return f"({bound.ref} if {bound.check} else 'null')"


def _as_double(code: Code, names: Names) -> str:
    return f"float({code.source})" if code.type is not None and code.type.base is Base.DECIMAL else code.source


def _double(op: ArithmeticOp, left: str, right: str, names: Names) -> str:
    if op is ArithmeticOp.DIVIDE:
        return f"{names.helper('_divide_double', runtime.divide_double)}({left}, {right})"
    if op is ArithmeticOp.MODULUS:
        return f"{names.helper('_remainder_double', runtime.remainder_double)}({left}, {right})"
    return f"({left} {op.value} {right})"


def _decimal_function(op: ArithmeticOp, result: DecimalType, names: Names) -> str:
    context = runtime.exact_context(result.precision)
    match op:
        case ArithmeticOp.ADD:
            return names.constant(context.add)
        case ArithmeticOp.SUBTRACT:
            return names.constant(context.subtract)
        case ArithmeticOp.MULTIPLY:
            return names.constant(context.multiply)
        case ArithmeticOp.DIVIDE:
            return names.constant(runtime.decimal_divider(result.precision, result.scale))
    return names.constant(context.remainder)


def _whole(op: ArithmeticOp, left: str, right: str, result: SqlType, names: Names) -> str:
    small = result.base is Base.INTEGER
    if op is ArithmeticOp.DIVIDE:
        divide = (
            names.helper("_divide_int", runtime.divide_int)
            if small
            else names.helper("_divide_long", runtime.divide_long)
        )
        return f"{divide}({left}, {right})"
    if op is ArithmeticOp.MODULUS:
        return f"{names.helper('_remainder_int', runtime.remainder_int)}({left}, {right})"
    return wrapped(f"{left} {op.value} {right}", result, names)


def wrapped(source: str, result: SqlType, names: Names) -> str:
    """A whole number brought into the range of its type, as Java overflows."""
    name = names.temporary()
    if result.base is Base.INTEGER:
        wrap = names.helper("_wrap_int", wrap_int)
        return f"({name} if {INT_MIN} <= ({name} := {source}) <= {INT_MAX} else {wrap}({name}))"
    wrap = names.helper("_wrap_long", wrap_long)
    return f"({name} if {LONG_MIN} <= ({name} := {source}) <= {LONG_MAX} else {wrap}({name}))"


def negated(code: Code, names: Names) -> Code:
    """``-x``."""
    kind = code.type
    if kind is None or not kind.is_number:
        raise KsqlError(f"{kind or 'null'} cannot be converted to a numeric type")
    match kind.base:
        case Base.DECIMAL:
            minus = names.helper("_negate_decimal", runtime.negate_decimal)
            return Code(f"{minus}({code.source})", kind, nullable=False)
        case Base.DOUBLE:
            return Code(f"(-{code.source})", kind, nullable=False)
    return Code(wrapped(f"-{code.source}", kind, names), kind, nullable=False)


# ---------------------------------------------------------------------------------------------- comparisons


def comparison(op: ComparisonOp, left: Code, right: Code, names: Names) -> Code:
    """``left op right`` of comparable types: false where a side is NULL, or as DISTINCT has it."""
    if op in _DISTINCT:
        return _distinct(op, left, right, names)
    a, b = bind(left, names), bind(right, names)
    conditions = [check for check in (a.check, b.check) if check]
    conditions.append(compared(op, a, b, names))
    safe = left.safe and right.safe and _never_raises(a, b)
    return Code("(" + " and ".join(conditions) + ")", BOOLEAN, nullable=False, safe=safe)


def compared(op: ComparisonOp, a: Bound, b: Bound, names: Names) -> str:
    """The comparison itself, of values known not to be NULL."""
    left, right = _alike(a, b, names), _alike(b, a, names)
    if op is ComparisonOp.NOT_EQUAL and Base.DOUBLE in (a.type.base, b.type.base):
        return f"({left} < {right} or {left} > {right})"  # NaN is not even unequal
    return f"{left} {_PYTHON[op]} {right}"


def _never_raises(a: Bound, b: Bound) -> bool:
    bases = {a.type.base, b.type.base}
    return bases != {Base.DECIMAL, Base.DOUBLE} and not (Base.STRING in bases and bases & TIMES)


def _alike(value: Bound, other: Bound, names: Names) -> str:
    """``value`` in the form in which it compares to ``other``."""
    mine, theirs = value.type.base, other.type.base
    if mine is Base.DOUBLE and theirs is Base.DECIMAL:
        return f"{names.helper('_decimal_of_double', runtime.decimal_of_double)}({value.ref})"
    if mine is Base.BIGINT and theirs is Base.DOUBLE:
        return f"float({value.ref})"
    if mine is Base.DATE and theirs is Base.TIMESTAMP:
        return f"{value.ref} * {DAY_MS}"
    if mine is Base.STRING and theirs in TIMES:
        return f"{names.helper(f'_parse_{theirs.value.lower()}', _PARSERS[theirs])}({value.ref})"
    return value.ref


def _distinct(op: ComparisonOp, left: Code, right: Code, names: Names) -> Code:
    a, b = bind(left, names), bind(right, names)
    # Both tests must run, whatever the first finds: they also name the values.
    both = " & ".join(f"({check})" for check in (a.check, b.check) if check)
    value = compared(op, a, b, names)
    if both:
        nulls = [f"({bound.ref} is None)" if bound.check else "False" for bound in (a, b)]
        value = f"{value} if {both} else {nulls[0]} {_PYTHON[op]} {nulls[1]}"
    return Code(f"({value})", BOOLEAN, nullable=False, safe=left.safe and right.safe and _never_raises(a, b))


def logical(op: LogicalOp, left: Code, right: Code, names: Names) -> Code:
    """AND or OR, where NULL means unknown: ``NULL AND FALSE`` is false, ``NULL AND TRUE`` is NULL."""
    safe = left.safe and right.safe
    if not left.nullable:
        source = f"({left.source} {op.value.lower()} {right.source})"
        return Code(source, BOOLEAN, right.nullable, safe)
    decides = str(op is LogicalOp.OR)
    a, b = names.temporary(), names.temporary()
    source = (
        f"({decides} if ({a} := {left.source}) is {decides} or ({b} := {right.source}) is {decides} "
        f"else None if {a} is None or {b} is None else {op is LogicalOp.AND})"
    )
    return Code(source, BOOLEAN, safe=safe)


def negation(code: Code, names: Names) -> Code:
    """NOT; of NULL it is NULL."""
    if not code.nullable:
        return Code(f"(not {code.source})", BOOLEAN, nullable=False, safe=code.safe)
    bound = bind(code, names)
    return Code(f"(not {bound.ref} if {bound.check} else None)", BOOLEAN, safe=code.safe)
