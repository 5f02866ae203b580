"""INSERT INTO ... VALUES: the row a statement writes, with the few conversions ksqlDB allows."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.ddl import did_you_mean
from ksqldb.engine.analyse.names import known_types
from ksqldb.engine.analyse.serdes import source_key_codec, source_value_codec
from ksqldb.engine.compile import ExpressionCompiler, Slot
from ksqldb.engine.errors import KsqlError, ServerError
from ksqldb.engine.metastore import Namespace, Source
from ksqldb.engine.metastore.model import ROWOFFSET, ROWPARTITION, ROWTIME
from ksqldb.engine.parse import format_expression
from ksqldb.engine.types import (
    BIGINT,
    ArrayType,
    Base,
    DecimalType,
    MapType,
    SqlType,
    StructType,
    quote,
)
from ksqldb.engine.values.numbers import INT_MAX, INT_MIN
from ksqldb.engine.values.times import parse_date, parse_time, parse_timestamp

_NUMBERS = {Base.INTEGER: 0, Base.BIGINT: 1, Base.DECIMAL: 2, Base.DOUBLE: 3}


@dataclass(frozen=True, slots=True)
class InsertedRow:
    """A record for a topic; ``timestamp`` in ms, -1 where it is the time of writing."""

    source: str
    topic: str
    key: bytes | None
    value: bytes | None
    timestamp: int


class _NoColumns:
    """Values may not name columns."""

    def resolve(self, ref: ast.ColumnRef) -> Slot:
        raise KsqlError(f"Unsupported column reference in insert value: {ref.name}")


def target_of_values(name: str, catalog: Catalog) -> Source:
    """The source a row can be inserted into by its values."""
    if not catalog.flag("ksql.insert.into.values.enabled"):
        raise KsqlError(
            "The server has disabled INSERT INTO ... VALUES functionality. To enable it, restart your ksqlDB server "
            "with 'ksql.insert.into.values.enabled'=true"
        )
    source = catalog.metastore.source(name)
    if source is None:
        raise KsqlError(
            f"Cannot insert values into an unknown stream/table: {quote(name)}{did_you_mean(name, catalog)}"
        )
    if source.window is not None:
        raise KsqlError("Cannot insert values into windowed stream/table!")
    if source.is_source:
        raise KsqlError(f"Cannot insert values into read-only {source.type_name}: {source.name}")
    return source


def insert_values(statement: ast.InsertValues, catalog: Catalog, now_ms: int) -> InsertedRow:
    source = target_of_values(statement.target, catalog)
    columns = list(statement.columns)
    if columns and len(columns) != len(statement.values):
        raise KsqlError(
            "Failed to prepare statement: Expected number columns and values to match: "
            f"{len(columns)}, {len(statement.values)}"
        )
    implicit = not columns
    headers = [c.name for c in source.schema.headers if implicit or c.name in columns]
    if headers:
        raise KsqlError(f"Cannot insert into HEADER columns: {', '.join(headers)}")
    try:
        values = _evaluate(columns, [known_types(value, catalog) for value in statement.values], source)
        return row_of(source, values, now_ms)
    except KsqlError as error:
        raise KsqlError(f"Failed to insert values into '{source.name}'. {error}") from error


def _evaluate(columns: Sequence[str], exprs: Sequence[ast.Expression], source: Source) -> dict[str, Any]:
    for name in (ROWPARTITION, ROWOFFSET):
        if name in columns:
            raise KsqlError(f"Inserting into column {quote(name)} is not allowed.")
    names = columns or [c.name for c in source.schema]
    if len(names) != len(exprs):
        listed = ", ".join(map(quote, columns))
        given = ", ".join(map(format_expression, exprs))
        raise KsqlError(f"Expected a value for each column. Expected Columns: [{listed}]. Got [{given}]")
    values: dict[str, Any] = {}
    for name, expr in zip(names, exprs, strict=True):
        column = source.schema.find(name)
        if column is None and name != ROWTIME:
            raise KsqlError(f"Column name {quote(name)} does not exist.")
        target = BIGINT if column is None else column.type
        values[name] = evaluate(expr, target, name)
    return values


def evaluate(expr: ast.Expression, target: SqlType, name: str) -> Any:
    """A value without columns, as a ``target``; KsqlError where it may not become one."""
    if isinstance(expr, ast.NullLiteral):
        return None
    env: dict[str, object] = {}
    try:
        code = ExpressionCompiler(_NoColumns(), env).compile(expr)
    except KsqlError as error:
        if str(error).startswith("Can't find any functions"):
            raise KsqlError(f"Invalid insert value: {error}.") from error
        raise
    try:
        value = eval(code.source, env)
    except KsqlError:
        raise
    except ArithmeticError:
        raise KsqlError("") from None  # a real server quotes its own null message
    except Exception as error:
        raise KsqlError(str(error)) from error
    if value is None or code.type is None:
        return None
    fitted = _fit(value, code.type, target)
    if fitted is _MISFIT:
        raise KsqlError(_misfit_text(value, code.type, target, name))
    return fitted


_MISFIT = object()
_LAYOUTS = {
    Base.TIMESTAMP: "Timestamp format must be yyyy-mm-ddThh:mm:ss[.S]",
    Base.DATE: "Date format must be yyyy-mm-dd",
    Base.TIME: "Time format must be hh:mm:ss[.S]",
}


def _misfit_text(value: Any, source: SqlType, target: SqlType, name: str) -> str:
    shown = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else value
    layout = f". {_LAYOUTS[target.base]}" if source.base is Base.STRING and target.base in _LAYOUTS else ""
    return f"Expected type {target} for field {quote(name)} but got {source.base.value}({shown}){layout}"


def _fit(value: Any, source: SqlType, target: SqlType) -> Any:
    if value is None:
        return None
    if isinstance(target, DecimalType) and source.base in (Base.INTEGER, Base.BIGINT, Base.DECIMAL):
        return _decimal(Decimal(value), target)
    if source == target:
        return value
    if source.base in _NUMBERS and target.base in _NUMBERS:
        if _NUMBERS[source.base] > _NUMBERS[target.base]:
            return _MISFIT
        return float(value) if target.base is Base.DOUBLE else value
    match source, target:
        case ArrayType(), ArrayType():
            items = [_fit(item, source.element, target.element) for item in value]
            return _MISFIT if _MISFIT in items else items
        case MapType(), MapType():
            made = {k: _fit(v, source.value, target.value) for k, v in value.items()}
            return _MISFIT if _MISFIT in made.values() or source.key != target.key else made
        case StructType(), StructType():
            return _struct(value, source, target)
    return _time(value, source, target)


def _struct(value: Any, source: StructType, target: StructType) -> Any:
    types = {f.name: f.type for f in source.fields}
    if not types.keys() <= {f.name for f in target.fields}:
        return _MISFIT
    made = {f.name: _fit(value.get(f.name), types[f.name], f.type) if f.name in types else None for f in target.fields}
    return _MISFIT if _MISFIT in made.values() else made


def _time(value: Any, source: SqlType, target: SqlType) -> Any:
    if source.base is not Base.STRING:
        return _MISFIT
    parse = {Base.DATE: parse_date, Base.TIME: parse_time, Base.TIMESTAMP: parse_timestamp}.get(target.base)
    if parse is None:
        return _MISFIT
    try:
        return parse(value)
    except KsqlError:
        return _MISFIT


def _decimal(value: Decimal, target: DecimalType) -> Any:
    scale = max(0, -int(value.as_tuple().exponent))
    fitted = value.quantize(Decimal(1).scaleb(-target.scale)) if scale <= target.scale else None
    if fitted is None or len(fitted.as_tuple().digits) > target.precision:
        return _MISFIT
    return fitted


def row_of(source: Source, values: Mapping[str, Any], now_ms: int) -> InsertedRow:
    """The record of a row by column names; columns left out are null."""
    keys = source.schema.key
    if source.is_table:
        missing = [c.name for c in keys if c.name not in values]
        if missing:
            raise KsqlError(f"Value for primary key column(s) {', '.join(missing)} is required for tables")
    key_values = tuple(values.get(c.name) for c in keys)
    value_columns = [c for c in source.schema if c.namespace is Namespace.VALUE]
    row = tuple(values.get(c.name) for c in value_columns)
    no_key = all(part is None for part in key_values) and (
        len(key_values) == 1 or not any(c.name in values for c in keys)
    )
    try:
        key = None if not keys or no_key else source_key_codec(source).encode(key_values)
        value = source_value_codec(source).encode(row)
    except Exception as error:
        raise KsqlError(f"Could not serialize row: {error}") from error
    ts = values.get(ROWTIME)
    return InsertedRow(source.name, source.topic, key, value, now_ms if ts is None else ts)


def json_row(source: Source, row: Mapping[str, Any], now_ms: int) -> InsertedRow:
    """The record of a JSON object of /inserts-stream: names in any case, values converted where they can be."""
    values: dict[str, Any] = {}
    for name, value in row.items():
        place = _json_name(name)
        column = source.schema.find(place)
        if column is not None:
            values[place] = from_json(value, column.type, place)
    keys = [c.name for c in source.schema.key if values.get(c.name) is None]
    if keys:
        raise KsqlError(f"Key field must be specified: {', '.join(keys)}")
    return row_of(source, values, now_ms)


_PROCESSING = "Error in processing inserts. Check server logs for details."


def _json_name(name: str) -> str:
    if len(name) > 1 and name[0] == name[-1] == "`":
        return name[1:-1]
    return name.upper()


def from_json(value: Any, target: SqlType, name: str) -> Any:
    """A parsed JSON value as a column's; KsqlError where it cannot be one."""
    made = _from_json(value, target)
    if made is _MISFIT:
        raise KsqlError(f"Can't coerce a field of type {_java_class(value)} into type {target}")
    return made


def _java_class(value: Any) -> str:
    """What a parsed JSON value is called there."""
    match value:
        case bool():
            return "class java.lang.Boolean"
        case int():
            return f"class java.lang.{'Integer' if INT_MIN <= value <= INT_MAX else 'Long'}"
        case float():
            return "class java.lang.Double"
        case str():
            return "class java.lang.String"
        case list():
            return "class io.vertx.core.json.JsonArray"
        case _:
            return "class io.vertx.core.json.JsonObject"


def _from_json(value: Any, target: SqlType) -> Any:
    if value is None:
        return None
    match target.base:
        case Base.BOOLEAN:
            return value if isinstance(value, bool) else _MISFIT
        case Base.STRING:
            return value if isinstance(value, str) else _MISFIT
        case Base.INTEGER | Base.BIGINT:
            fits = isinstance(value, int) and not isinstance(value, bool)
            return value if fits and (target.base is Base.BIGINT or INT_MIN <= value <= INT_MAX) else _MISFIT
        case Base.DOUBLE:
            return float(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else _MISFIT
        case Base.BYTES:
            return _bytes(value)
        case Base.DATE | Base.TIME | Base.TIMESTAMP:
            return _time(value, SqlType(Base.STRING), target) if isinstance(value, str) else _MISFIT
    return _structured_json(value, target)


def _structured_json(value: Any, target: SqlType) -> Any:
    match target:
        case DecimalType():
            if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
                return _MISFIT
            number = Decimal(str(value)).quantize(Decimal(1).scaleb(-target.scale), "ROUND_HALF_UP")
            return number if len(number.as_tuple().digits) <= target.precision else _MISFIT
        case ArrayType() if isinstance(value, list):
            items = [_from_json(item, target.element) for item in value]
            return _MISFIT if _MISFIT in items else items
        case MapType() if isinstance(value, dict):
            made = {str(k): _from_json(v, target.value) for k, v in value.items()}
            return _MISFIT if _MISFIT in made.values() else made
        case StructType() if isinstance(value, dict):
            given = {_json_name(k): v for k, v in value.items()}
            if len(given) < len(value):
                raise ServerError(_PROCESSING)  # two names that differ in case only
            made = {f.name: _from_json(given.get(f.name), f.type) for f in target.fields}
            return _MISFIT if _MISFIT in made.values() else made
    return _MISFIT


def _bytes(value: Any) -> Any:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else _MISFIT
    except binascii.Error:
        raise ServerError(_PROCESSING) from None
