"""Choosing among the overloads of one function, by ksqlDB's order of preference, and its texts when none fits.

An argument list may fit an overload in up to two ways: with its variadic parameter spread over arguments, or given as
one array. Ways that read the same parameter types are one; the best overload stands for it. First without casts, then
(scalar functions) with silent ones: the single best candidate wins, two equally good ones are an ambiguity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.functions.signature import (
    Any_,
    ArgType,
    ArrayOf,
    Parameter,
    ParamType,
    accepts,
    bind_generics,
    has_generics,
    types_text,
)
from ksqldb.engine.types import SqlType

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Overload(Generic[V]):
    """One declared form of a function; ``name`` as alternatives list it, ``value`` whatever its owner keeps with it."""

    name: str
    parameters: tuple[Parameter, ...]
    value: V

    @property
    def variadic_at(self) -> int:
        """Position of the variadic parameter, -1 without one."""
        return next((i for i, parameter in enumerate(self.parameters) if parameter.variadic), -1)

    def __str__(self) -> str:
        shown = (f"{p.type_text} {p.name}".rstrip() for p in self.parameters)
        return f"{self.name}({', '.join(shown)})"


@dataclass(frozen=True, slots=True)
class Match(Generic[V]):
    """An overload with one declared type for every argument; ``as_array``: its variadic arguments come as one array."""

    overload: Overload[V]
    types: tuple[ParamType, ...]
    generics: dict[str, SqlType]
    as_array: bool = False


def choose(function: str, overloads: Sequence[Overload[V]], args: Sequence[ArgType], casts: bool) -> Match[V]:
    """The overload to call for arguments of these types.

    Raises KsqlError with ksqlDB's text when none fits, or when two fit equally well.
    """
    for allow_casts in (False, True) if casts else (False,):
        found = _candidates(overloads, args, allow_casts)
        if len(found) > 1 and _rank(found[-1].overload) == _rank(found[-2].overload):
            raise KsqlError(
                f"Function '{function}' cannot be resolved due to ambiguous method parameters {types_text(args)}.\n"
                "Use CAST() to explicitly cast your parameters to one of the supported function calls.\n"
                f"Valid function calls are:\n{_listed(overloads)}"
            )
        if found:
            return found[-1]
    raise KsqlError(
        f"Function '{function}' does not accept parameters {types_text(args)}.\n"
        f"Valid alternatives are:\n{_listed(overloads)}"
    )


def _listed(overloads: Sequence[Overload[V]]) -> str:
    forms = "\n".join(map(str, overloads))
    return f"{forms}\nFor detailed information on a function run: DESCRIBE FUNCTION <Function-Name>;"


def _candidates(overloads: Sequence[Overload[V]], args: Sequence[ArgType], casts: bool) -> list[Match[V]]:
    """Every way that fits, worst first."""
    best: dict[tuple[ParamType, ...], Match[V]] = {}
    for overload in overloads:
        for as_array in (False, True) if overload.variadic_at >= 0 else (False,):
            types = _declared(overload, len(args), as_array)
            if types is None:
                continue
            generics: dict[str, SqlType] = {}
            if all(_fits(declared, arg, generics, casts) for declared, arg in zip(types, args, strict=True)):
                known = best.get(types)
                if known is None or _rank(overload) > _rank(known.overload):
                    best[types] = Match(overload, types, generics, as_array)
    return sorted(best.values(), key=lambda match: _rank(match.overload))


def _declared(overload: Overload[V], count: int, as_array: bool) -> tuple[ParamType, ...] | None:
    """The declared type of each of ``count`` arguments, None where the number does not fit."""
    at = overload.variadic_at
    types = [parameter.type for parameter in overload.parameters]
    if at < 0:
        return tuple(types) if len(types) == count else None
    if as_array:
        types[at] = ArrayOf(types[at])
        return tuple(types) if len(types) == count else None
    spread = count - len(types) + 1
    return tuple(types[:at] + types[at : at + 1] * spread + types[at + 1 :]) if spread >= 0 else None


def _fits(declared: ParamType, arg: ArgType, generics: dict[str, SqlType], casts: bool) -> bool:
    if has_generics(declared):
        return bind_generics(declared, arg, generics)
    return accepts(declared, arg, casts)


def _rank(overload: Overload[V]) -> tuple[int, int, int, int, int]:
    """Greater is better: no variadic, more parameters, fewer open types, no ``ANY...``, variadic further right."""
    any_variadic = any(p.variadic and isinstance(p.type, Any_) for p in overload.parameters)
    open_types = sum(has_generics(p.type) or (p.variadic and isinstance(p.type, Any_)) for p in overload.parameters)
    at = overload.variadic_at
    return (at < 0, len(overload.parameters), -open_types, not any_variadic, at)
