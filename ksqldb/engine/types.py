"""SQL types of ksqlDB 0.29 and how their values look in Python.

| SQL                | Python value                                             |
|--------------------|----------------------------------------------------------|
| BOOLEAN            | bool                                                     |
| INTEGER, BIGINT    | int (wraps at 32 / 64 bits where ksqlDB's does)          |
| DOUBLE             | float                                                    |
| DECIMAL(p, s)      | decimal.Decimal with exactly s fractional digits         |
| STRING             | str                                                      |
| BYTES              | bytes                                                    |
| DATE               | int, days since 1970-01-01                               |
| TIME               | int, milliseconds since midnight                         |
| TIMESTAMP          | int, milliseconds since 1970-01-01T00:00Z                |
| ARRAY<T>           | list                                                     |
| MAP<K, V>          | dict                                                     |
| STRUCT<...>        | dict with every field present, in the declared order     |

SQL NULL is None everywhere. Values carry no type: types are static and known to whoever renders a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Base(Enum):
    """The families of SQL types; the value is the name ksqlDB prints."""

    BOOLEAN = "BOOLEAN"
    INTEGER = "INTEGER"
    BIGINT = "BIGINT"
    DOUBLE = "DOUBLE"
    DECIMAL = "DECIMAL"
    STRING = "STRING"
    BYTES = "BYTES"
    DATE = "DATE"
    TIME = "TIME"
    TIMESTAMP = "TIMESTAMP"
    ARRAY = "ARRAY"
    MAP = "MAP"
    STRUCT = "STRUCT"


@dataclass(frozen=True, slots=True)
class SqlType:
    """A type by its family alone; families with parameters have a class of their own."""

    base: Base

    def __str__(self) -> str:
        return self.base.value

    @property
    def is_number(self) -> bool:
        return self.base in NUMBERS


@dataclass(frozen=True, slots=True, init=False)
class DecimalType(SqlType):
    """DECIMAL(precision, scale); 1 <= precision <= 38, 0 <= scale <= precision (checked where a statement names it)."""

    precision: int
    scale: int

    def __init__(self, precision: int, scale: int) -> None:
        object.__setattr__(self, "base", Base.DECIMAL)
        object.__setattr__(self, "precision", precision)
        object.__setattr__(self, "scale", scale)

    def __str__(self) -> str:
        return f"DECIMAL({self.precision}, {self.scale})"


@dataclass(frozen=True, slots=True, init=False)
class ArrayType(SqlType):
    element: SqlType

    def __init__(self, element: SqlType) -> None:
        object.__setattr__(self, "base", Base.ARRAY)
        object.__setattr__(self, "element", element)

    def __str__(self) -> str:
        return f"ARRAY<{self.element}>"


@dataclass(frozen=True, slots=True, init=False)
class MapType(SqlType):
    key: SqlType
    value: SqlType

    def __init__(self, key: SqlType, value: SqlType) -> None:
        object.__setattr__(self, "base", Base.MAP)
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "value", value)

    def __str__(self) -> str:
        return f"MAP<{self.key}, {self.value}>"


@dataclass(frozen=True, slots=True)
class Field:
    """A named field of a struct."""

    name: str
    type: SqlType


@dataclass(frozen=True, slots=True, init=False)
class StructType(SqlType):
    fields: tuple[Field, ...]

    def __init__(self, fields: tuple[Field, ...]) -> None:
        object.__setattr__(self, "base", Base.STRUCT)
        object.__setattr__(self, "fields", fields)

    def __str__(self) -> str:
        return "STRUCT<" + ", ".join(f"{quote(f.name)} {f.type}" for f in self.fields) + ">"


BOOLEAN = SqlType(Base.BOOLEAN)
INTEGER = SqlType(Base.INTEGER)
BIGINT = SqlType(Base.BIGINT)
DOUBLE = SqlType(Base.DOUBLE)
STRING = SqlType(Base.STRING)
BYTES = SqlType(Base.BYTES)
DATE = SqlType(Base.DATE)
TIME = SqlType(Base.TIME)
TIMESTAMP = SqlType(Base.TIMESTAMP)

NUMBERS = frozenset({Base.INTEGER, Base.BIGINT, Base.DECIMAL, Base.DOUBLE})


def quote(name: str) -> str:
    """An identifier as ksqlDB prints it in schemas: always in back-ticks."""
    return "`" + name.replace("`", "``") + "`"
