"""Finding one type for a list of expressions: the elements of a constructor, or the two sides of IN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ksqldb.engine import ast
from ksqldb.engine.compile.rules import LITERALS, TIMES, decimal_type_of, widens_to, wider_decimal
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.parse import format_expression
from ksqldb.engine.types import (
    BIGINT,
    DOUBLE,
    INTEGER,
    ArrayType,
    Base,
    Field,
    MapType,
    SqlType,
    StructType,
)
from ksqldb.engine.values import INT_MAX, INT_MIN, LONG_MAX, LONG_MIN

TypeOf = Callable[[ast.Expression], SqlType | None]


class _Incompatible(KsqlError):
    """Two types without a common one."""


@dataclass(frozen=True, slots=True)
class _Typed:
    expression: ast.Expression
    type: SqlType | None


def common_type(expressions: Sequence[ast.Expression], type_of: TypeOf) -> SqlType | None:
    """The widest type among the expressions; literals bend (``'10'`` beside an INTEGER counts as a number).

    None when all are NULL. KsqlError with ksqlDB's text where there is no common type.
    """
    return _Common(type_of).of([_Typed(e, type_of(e)) for e in expressions])


class _Common:
    def __init__(self, type_of: TypeOf) -> None:
        self.type_of = type_of

    def of(self, items: Sequence[_Typed]) -> SqlType | None:
        result: SqlType | None = None
        for item in items:
            if result is None:
                result = item.type
            elif item.type is not None:
                result = self.join(item, item.type, result)
        return result

    def join(self, item: _Typed, source: SqlType, target: SqlType) -> SqlType:
        expression = item.expression
        match expression:
            case ast.CreateArray(items=items):
                return self.structured(item, target, lambda: self.join_array(items, target))
            case ast.CreateMap(entries=entries):
                return self.structured(item, target, lambda: self.join_map(entries, target))
            case ast.CreateStruct(fields=fields):
                return self.structured(item, target, lambda: self.join_struct(fields, target))
            case ast.StringLiteral(value=text):
                if target.is_number:
                    return _number_with_text(text, target)
                if target.base is Base.BOOLEAN:
                    if parse_boolean_exact(text) is None:
                        raise _invalid_syntax(text, target)
                    return target
        lax = isinstance(expression, LITERALS)
        found = _coercible(source, target, lax) or _coercible(target, source, lax)
        if found is None:
            raise _no_operator(item, target)
        return found

    def structured(self, item: _Typed, target: SqlType, join: Callable[[], SqlType | None]) -> SqlType:
        try:
            found = join()
        except _Incompatible:
            found = None
        if found is None:
            raise _no_operator(item, target)
        return found

    def join_array(self, items: tuple[ast.Expression, ...], target: SqlType) -> SqlType | None:
        if not isinstance(target, ArrayType):
            return None
        element = self.with_elements(target.element, items)
        return ArrayType(element) if element is not None else None

    def join_map(self, entries: tuple[tuple[ast.Expression, ast.Expression], ...], target: SqlType) -> SqlType | None:
        if not isinstance(target, MapType):
            return None
        key = self.with_elements(target.key, [k for k, _ in entries])
        value = self.with_elements(target.value, [v for _, v in entries])
        return MapType(key, value) if key is not None and value is not None else None

    def join_struct(self, fields: tuple[tuple[str, ast.Expression], ...], target: SqlType) -> SqlType | None:
        if not isinstance(target, StructType):
            return None
        given = dict(fields)
        known = {f.name: f.type for f in target.fields}
        joined: list[Field] = []
        for name in dict.fromkeys([*given, *known]):
            if name not in given:
                joined.append(Field(name, known[name]))
                continue
            of_given = self.type_of(given[name])
            both = [_Typed(ast.NullLiteral(), known.get(name)), _Typed(given[name], of_given)]
            found = self.of(both)
            if found is None:
                return None
            joined.append(Field(name, found))
        return StructType(tuple(joined))

    def with_elements(self, known: SqlType, elements: Sequence[ast.Expression]) -> SqlType | None:
        typed = [_Typed(e, self.type_of(e)) for e in elements]
        return self.of([_Typed(ast.NullLiteral(), known), *typed])


def _number_with_text(text: str, target: SqlType) -> SqlType:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise _invalid_syntax(text, target)
    source: SqlType = decimal_type_of(value)
    if not any(sign in text for sign in ".eE"):
        if INT_MIN < value < INT_MAX:
            source = INTEGER
        elif LONG_MIN < value < LONG_MAX:
            source = BIGINT
    if target.base is Base.DOUBLE:
        return DOUBLE
    if Base.DECIMAL in (source.base, target.base):
        return wider_decimal(source, target)
    return target if widens_to(source.base, target.base) else source


def _coercible(source: SqlType, target: SqlType, lax: bool) -> SqlType | None:
    """The type both become when a ``source`` is put where a ``target`` is; literals (``lax``) may become text."""
    if source == target:
        return target
    if source.is_number and target.is_number:
        if not widens_to(source.base, target.base):
            return None
        return wider_decimal(source, target) if target.base is Base.DECIMAL else target
    if isinstance(source, ArrayType) and isinstance(target, ArrayType):
        element = _coercible(source.element, target.element, lax)
        return ArrayType(element) if element is not None else None
    if isinstance(source, MapType) and isinstance(target, MapType):
        key, value = _coercible(source.key, target.key, lax), _coercible(source.value, target.value, lax)
        return MapType(key, value) if key is not None and value is not None else None
    if isinstance(source, StructType) and isinstance(target, StructType):
        return _coercible_struct(source, target, lax)
    if source.base is Base.STRING and (target.base in TIMES or target.base is Base.BYTES):
        return target
    if lax and target.base is Base.STRING and (source.is_number or source.base is Base.BOOLEAN):
        return target
    if lax and source.base is Base.STRING and (target.is_number or target.base is Base.BOOLEAN):
        return target
    return None


def _coercible_struct(source: StructType, target: StructType, lax: bool) -> SqlType | None:
    """A struct with the fields of both."""
    sources = {f.name: f.type for f in source.fields}
    targets = {f.name: f.type for f in target.fields}
    fields: list[Field] = []
    for name, kind in {**sources, **targets}.items():
        found = _coercible(sources[name], kind, lax) if name in sources else kind
        if found is None:
            return None
        fields.append(Field(name, found))
    return StructType(tuple(fields))


def _invalid_syntax(text: str, target: SqlType) -> KsqlError:
    return KsqlError(f'invalid input syntax for type {target.base.value}: "{text}".')


def _no_operator(item: _Typed, target: SqlType) -> KsqlError:
    return _Incompatible(
        f"operator does not exist: {target} = {item.type} ({format_expression(item.expression)})\n"
        "Hint: You might need to add explicit type casts."
    )


def parse_boolean_exact(text: str) -> bool | None:
    """``true``/``yes`` and ``false``/``no`` or any beginning of these, in any case; None for other texts."""
    word = text.strip().lower()
    if not word:
        return None
    if "true".startswith(word) or "yes".startswith(word):
        return True
    return False if "false".startswith(word) or "no".startswith(word) else None
