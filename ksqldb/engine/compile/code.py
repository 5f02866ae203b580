"""What goes into the compiler and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ksqldb.engine import ast
from ksqldb.engine.types import SqlType


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a column's value is found: ``source`` is a Python expression like ``r[3]``, cheap and without effects."""

    source: str
    type: SqlType


class Scope(Protocol):
    """The columns an expression may name."""

    def resolve(self, ref: ast.ColumnRef) -> Slot:
        """The column's place; KsqlError when it is unknown or ambiguous."""
        ...


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled expression.

    ``source`` is a Python expression in parentheses where it needs them. ``type`` None is the literal NULL.
    ``nullable``: it may yield None. ``safe``: it never raises; other code may raise any exception, which stands for
    NULL in a projection and for false in a filter. ``simple``: evaluating it twice costs nothing.
    """

    source: str
    type: SqlType | None
    nullable: bool = True
    safe: bool = False
    simple: bool = False


@dataclass(slots=True)
class Names:
    """Hands out Python names: constants that go into ``env`` and temporaries of the generated function."""

    env: dict[str, object]
    _count: int = field(default=0)

    def constant(self, value: object) -> str:
        """A name under which generated code finds ``value``."""
        name = f"_c{len(self.env)}"
        self.env[name] = value
        return name

    def helper(self, name: str, value: object) -> str:
        """The same, under a name of its own."""
        self.env[name] = value
        return name

    def temporary(self) -> str:
        self._count += 1
        return f"_t{self._count}"
