"""The functions a statement may name: what they accept, return and do, and how they are described.

A family file declares a function and decorates one Python function per overload::

    INSTR = scalar("INSTR", "STRING", "Position of a text in another.")

    @INSTR.overload("VARCHAR str, VARCHAR substring", "INT")
    def instr(text: str, part: str) -> int:
        '''The position of the first occurrence, from 1.

        str: The text to search.
        substring: The text to find.
        '''
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.functions.aggregator import Aggregator, NotLiteral
from ksqldb.engine.functions.resolve import Match, Overload, choose
from ksqldb.engine.functions.signature import (
    ArgType,
    LambdaOf,
    Parameter,
    ParamType,
    apply_generics,
    cast_target,
    param_type_of,
    parameters_of,
)
from ksqldb.engine.types import SqlType

ReturnRule: TypeAlias = Callable[[Sequence[ArgType]], SqlType]
Properties: TypeAlias = Mapping[str, object]
AggregatorFactory: TypeAlias = Callable[[Sequence[ArgType], Sequence[Any], Properties], Aggregator]
Fn = TypeVar("Fn", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ScalarVariant:
    """An overload chosen for given arguments.

    ``param_types`` has one type per argument, to which it must be converted before the call where it differs (None for
    the literal NULL). ``fn`` takes the arguments in order; unless ``handles_null`` a None among them means that the
    result is None, without a call. It may raise FunctionError (or any exception): the result is then NULL and the
    processing log gets an entry.
    """

    param_types: tuple[ArgType, ...]
    return_type: SqlType
    fn: Callable[..., Any]
    handles_null: bool


@dataclass(frozen=True, slots=True)
class TableVariant:
    """A table function chosen for given arguments; ``fn`` returns the list of values, one per output row."""

    param_types: tuple[ArgType, ...]
    return_type: SqlType
    fn: Callable[..., list[Any]]


@dataclass(frozen=True, slots=True)
class Form:
    """What belongs to one overload beyond its parameters."""

    returns: ParamType | ReturnRule
    returns_text: str
    documentation: str
    make: Callable[[tuple[ArgType, ...]], Callable[..., Any]]
    handles_null: bool

    def return_type(self, match: Match[Form], args: Sequence[ArgType]) -> SqlType:
        if callable(self.returns):
            return self.returns(args)
        found = apply_generics(self.returns, match.generics)
        if found is None:
            raise KsqlError(f"Could not find mapping for generic type: {self.returns}")
        return found


@dataclass(slots=True)
class Function:
    """A scalar or table function: its overloads in the order ksqlDB lists them.

    ``name`` is upper case; ``spelled`` is how error texts name it.
    """

    name: str
    category: str
    description: str
    kind: str = "SCALAR"
    author: str = "Confluent"
    version: str = ""
    spelled: str = ""
    overloads: list[Overload[Form]] = field(default_factory=list)

    def overload(
        self,
        parameters: str,
        returns: str | ReturnRule,
        *,
        null: bool = False,
        typed: bool = False,
        shown_returns: str = "",
    ) -> Callable[[Fn], Fn]:
        """Adds the decorated function as an overload.

        ``null``: it is called with None arguments too. ``typed``: it takes the argument types and returns the function
        to call. ``shown_returns``: the return type in descriptions where a rule computes it.
        """
        declared = tuple(parameters_of(parameters))

        def add(fn: Fn) -> Fn:
            make = fn if typed else lambda _types: fn
            form = Form(
                returns if callable(returns) else param_type_of(returns),
                shown_returns or (returns if isinstance(returns, str) else "DECIMAL"),
                fn.__doc__ or "",
                make,
                null,
            )
            listed = self.name if self.kind == "SCALAR" else self.spelled
            self.overloads.append(Overload(listed, declared, form))
            return fn

        return add

    def choose(self, args: Sequence[ArgType]) -> Match[Form]:
        return choose(self.spelled, self.overloads, args, casts=True)


@dataclass(frozen=True, slots=True)
class AggregateForm:
    """An overload of an aggregate: ``make`` gets the column types, the literals after them, and the properties."""

    inputs: int  # how many leading declared parameters are columns; the others are literals
    make: AggregatorFactory
    returns_text: str
    documentation: str


@dataclass(slots=True)
class Aggregate:
    name: str
    description: str
    category: str = "AGGREGATE"
    kind: str = "AGGREGATE"
    author: str = "Confluent"
    version: str = ""
    spelled: str = ""
    overloads: list[Overload[AggregateForm]] = field(default_factory=list)

    def overload(
        self, parameters: str, returns: str, *, literals: str = ""
    ) -> Callable[[AggregatorFactory], AggregatorFactory]:
        """Adds a factory for these column parameters and literal ones."""
        columns = [replace(p, name=p.name or f"val{i}") for i, p in enumerate(parameters_of(parameters), start=1)]
        declared = (*columns, *parameters_of(literals))

        def add(make: AggregatorFactory) -> AggregatorFactory:
            form = AggregateForm(len(columns), make, returns, make.__doc__ or "")
            self.overloads.append(Overload(self.spelled, declared, form))
            return make

        return add


class Registry:
    """All functions by name, in any case."""

    def __init__(self) -> None:
        self.functions: dict[str, Function | Aggregate] = {}

    def add(self, function: Function | Aggregate) -> None:
        self.functions[function.name] = function

    def copy(self) -> Registry:
        """A registry that may grow without this one noticing."""
        other = Registry()
        other.functions.update(self.functions)
        return other

    def find(self, name: str) -> Function | Aggregate:
        """KsqlError when there is no function of that name."""
        found = self.functions.get(name.upper())
        if found is None:
            raise KsqlError(f"Can't find any functions with the name '{name}'")
        return found

    def scalar(self, name: str) -> Function | None:
        return self._of_kind(name, "SCALAR")

    def table(self, name: str) -> Function | None:
        return self._of_kind(name, "TABLE")

    def _of_kind(self, name: str, kind: str) -> Function | None:
        found = self.functions.get(name.upper())
        return found if isinstance(found, Function) and found.kind == kind else None

    def aggregate(self, name: str) -> Aggregate | None:
        found = self.functions.get(name.upper())
        return found if isinstance(found, Aggregate) else None

    def resolve_scalar(self, name: str, args: Sequence[ArgType]) -> ScalarVariant:
        """The overload of a scalar function for these argument types; KsqlError where there is none."""
        function = self.find(name)
        if not isinstance(function, Function) or function.kind != "SCALAR":
            raise KsqlError(f"Can't find any functions with the name '{name}'")
        match = function.choose(args)
        form = match.overload.value
        targets = _targets(match, args)
        return ScalarVariant(
            targets, form.return_type(match, targets), _callable(match, form.make(targets)), form.handles_null
        )

    def lambda_inputs(self, name: str, args: Sequence[ArgType]) -> tuple[tuple[SqlType, ...] | None, ...]:
        """For each argument that is a lambda (given as ``LambdaArity``) the types of its parameters, else None.

        Parameters whose type depends on an earlier lambda's result are resolved once that one is given as
        ``LambdaType``; until then such a lambda has None.
        """
        function = self.find(name)
        if not isinstance(function, Function):
            raise KsqlError(f"Function '{name}' does not take lambdas.")
        match = function.choose(args)
        found: list[tuple[SqlType, ...] | None] = []
        for declared in match.types:
            inputs = declared.inputs if isinstance(declared, LambdaOf) else ()
            types = [apply_generics(one, match.generics) for one in inputs]
            found.append(tuple(t for t in types if t is not None) if types and None not in types else None)
        return tuple(found)

    def resolve_table(self, name: str, args: Sequence[ArgType]) -> TableVariant:
        """The overload of a table function for these argument types; KsqlError where there is none."""
        function = self.find(name)
        if not isinstance(function, Function) or function.kind != "TABLE":
            raise KsqlError(f"No matching user-defined table function '{name}'")
        match = function.choose(args)
        form = match.overload.value
        targets = _targets(match, args)
        return TableVariant(targets, form.return_type(match, targets), _callable(match, form.make(targets)))

    def resolve_aggregate(
        self,
        name: str,
        args: Sequence[ArgType],
        literal_args: Sequence[object],
        properties: Properties = MappingProxyType({}),
    ) -> Aggregator:
        """The aggregator for a call. ``literal_args`` is aligned with ``args``: the value of each argument that is a
        literal, ``NotLiteral(text)`` for the others. ``properties`` are the engine's (``ksql.functions...``).
        KsqlError where no overload fits, or a parameter must be a literal and is not."""
        function = self.find(name)
        if not isinstance(function, Aggregate):
            raise KsqlError(f"No aggregate function with name {name} exists!")
        match = choose(function.spelled, function.overloads, args, casts=False)
        form = match.overload.value
        spread = len(args) - len(match.overload.parameters) if match.overload.variadic_at < form.inputs else 0
        inputs = form.inputs + spread
        for at in range(inputs, len(args)):
            literal = literal_args[at]
            if isinstance(literal, NotLiteral):
                raise KsqlError(
                    f"Parameter {at + 1} passed to function {name} must be a literal constant, "
                    f"but was expression: '{literal.text}'"
                )
        aggregator = form.make(args[:inputs], literal_args[inputs:], properties)
        return replace(aggregator, name=function.name, inputs=inputs)


def _targets(match: Match[Form], args: Sequence[ArgType]) -> tuple[ArgType, ...]:
    return tuple(cast_target(declared, arg) for declared, arg in zip(match.types, args, strict=True))


def _callable(match: Match[Form], fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn`` for arguments as they were given: an array in the place of the variadic ones is spread."""
    if not match.as_array:
        return fn
    at = match.overload.variadic_at
    return lambda *args: fn(*args[:at], *(args[at] or ()), *args[at + 1 :])


REGISTRY = Registry()


def scalar(name: str, category: str, description: str, *, author: str = "Confluent", version: str = "") -> Function:
    """Declares a scalar function. ``name`` is spelled as error texts have it."""
    function = Function(name.upper(), category, description, "SCALAR", author, version, spelled=name)
    REGISTRY.add(function)
    return function


def table(name: str, description: str, *, author: str = "Confluent", version: str = "") -> Function:
    """Declares a table function."""
    function = Function(name.upper(), "TABLE", description, "TABLE", author, version, spelled=name)
    REGISTRY.add(function)
    return function


def aggregate(name: str, description: str, *, author: str = "Confluent", version: str = "") -> Aggregate:
    """Declares an aggregate function."""
    function = Aggregate(name.upper(), description, author=author, version=version, spelled=name)
    REGISTRY.add(function)
    return function


def parameter_docs(documentation: str, parameters: Sequence[Parameter]) -> tuple[str, list[str]]:
    """A docstring's description (its first paragraph on one line) and its text per parameter (``name: text`` lines)."""
    head, _, tail = documentation.strip().partition("\n\n")
    texts: dict[str, str] = {}
    current = ""
    for line in map(str.strip, tail.splitlines()):
        name, colon, text = line.partition(": ")
        if colon and any(p.name == name for p in parameters):
            current = name
            texts[name] = text.strip()
        elif current and line:
            texts[current] += " " + line
    return " ".join(head.split()), [texts.get(p.name, "") for p in parameters]
