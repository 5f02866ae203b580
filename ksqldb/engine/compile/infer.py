"""The type of an expression, found without compiling it.

Looks no deeper than ksqlDB does at this stage: what is inside NOT, LIKE, BETWEEN, IN and CAST is only checked when the
expression is compiled, with another wording around the error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ksqldb.engine import ast
from ksqldb.engine.compile import rules
from ksqldb.engine.compile.code import Scope
from ksqldb.engine.compile.coercion import common_type
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.functions import REGISTRY
from ksqldb.engine.functions.aggregator import NotLiteral
from ksqldb.engine.functions.registry import Registry, ScalarVariant
from ksqldb.engine.functions.signature import ArgType, IntervalUnitType, LambdaArity, LambdaType
from ksqldb.engine.parse import format_expression
from ksqldb.engine.parse.format_expressions import when_text
from ksqldb.engine.types import BIGINT, BOOLEAN, ArrayType, Field, MapType, SqlType, StructType

_ISSUE = "(see https://github.com/confluentinc/ksql/issues/4239)."
_BOOLEANS = (ast.Not, ast.IsNull, ast.Between, ast.InList, ast.Like)
LambdaTypes = Mapping[str, SqlType]


def infer_type(expr: ast.Expression, scope: Scope, registry: Registry = REGISTRY) -> SqlType | None:
    """The type of an expression; None for the literal NULL. KsqlError with ksqlDB's text where it has none."""
    return Typing(scope, registry).of(expr)


class Typing:
    """Infers types in one scope; inside a lambda, ``lambdas`` has the types of its parameters."""

    def __init__(self, scope: Scope, registry: Registry, lambdas: LambdaTypes | None = None) -> None:
        self.scope = scope
        self.registry = registry
        self.lambdas: LambdaTypes = lambdas or {}

    def of(self, expr: ast.Expression) -> SqlType | None:
        if isinstance(expr, rules.LITERALS):
            return rules.literal_type(expr)
        if isinstance(expr, _BOOLEANS):
            return BOOLEAN
        match expr:
            case ast.ColumnRef():
                return self.scope.resolve(expr).type
            case ast.LambdaVariable(name=name):
                return self.lambdas.get(name)
            case ast.Arithmetic(left=left, right=right):
                return rules.arithmetic_type(expr, self.of(left), self.of(right))
            case ast.Unary(operand=operand):
                return self.of(operand)
            case ast.Comparison(left=left, right=right):
                rules.check_comparison(expr, self.of(left), self.of(right))
                return BOOLEAN
            case ast.Logical(left=left, right=right):
                self.of(left)
                return self.of(right)
            case ast.Cast(type=ref):
                return cast_target(ref)
            case ast.FunctionCall():
                return self.of_call(expr)
            case ast.Dereference(base=base):
                return field_type(expr, self.of(base))
            case ast.Subscript(base=base):
                return element_type(expr, self.of(base))
            case ast.SearchedCase():
                return self.of_case(expr)
            case ast.SimpleCase():
                return self.of_case(searched(expr))
        return self.of_constructor(expr)

    def of_constructor(self, expr: ast.Expression) -> SqlType | None:
        match expr:
            case ast.CreateArray(items=items):
                return ArrayType(self.common(items, "Array", "element", "an array", "elements"))
            case ast.CreateMap(entries=entries):
                keys = self.common([k for k, _ in entries], "Map", "key value pair", "a map", "keys")
                return MapType(keys, self.common([v for _, v in entries], "Map", "key value pair", "a map", "values"))
            case ast.CreateStruct(fields=fields):
                return self.of_struct(fields)
        raise KsqlError(f"Expression {format_expression(expr)} has no type of its own.")

    def common(self, items: Sequence[ast.Expression], kind: str, unit: str, article: str, parts: str) -> SqlType:
        if not items:
            raise KsqlError(f"{kind} constructor cannot be empty. Please supply at least one {unit} {_ISSUE}")
        found = common_type(items, self.of)
        if found is None:
            raise KsqlError(
                f"Cannot construct {article} with all NULL {parts} {_ISSUE} As a workaround, you may cast a NULL "
                f"{'value' if parts != 'keys' else 'key'} to the desired type."
            )
        return found

    def of_struct(self, fields: tuple[tuple[str, ast.Expression], ...]) -> SqlType:
        names = [name for name, _ in fields]
        if len(set(names)) != len(names):
            shown = ", ".join(f"{name}:={format_expression(value)}" for name, value in fields)
            raise KsqlError(f"Duplicate field names found in STRUCT: STRUCT({shown})")
        typed: list[Field] = []
        for name, value in fields:
            found = self.of(value)
            if found is None:
                raise KsqlError(f"Field {name} of the STRUCT has no type. Please cast the NULL to the desired type.")
            typed.append(Field(name, found))
        return StructType(tuple(typed))

    def of_case(self, node: ast.SearchedCase) -> SqlType:
        branch: SqlType | None = None
        for when in node.whens:
            condition = self.of(when.condition)
            if condition != BOOLEAN:
                raise KsqlError(
                    "WHEN operand type should be boolean.\n"
                    f"Type for '{format_expression(when.condition)}' is {condition or 'null'}"
                )
            result = self.of(when.result)
            if branch is not None and result is not None and branch != result:
                raise KsqlError(
                    "Invalid Case expression. Type for all 'THEN' clauses should be the same.\n"
                    f"THEN expression '{when_text(when)}' has type: {result}.\n"
                    f"Previous THEN expression(s) type: {branch}."
                )
            branch = branch or result
        default = self.of(node.default) if node.default is not None else None
        if branch is not None and default is not None and branch != default:
            raise KsqlError(
                "Invalid Case expression. Type for the default clause should be the same as for 'THEN' clauses.\n"
                f"THEN type: {branch}.\nDEFAULT type: {default}."
            )
        found = branch or default
        if found is None:
            raise KsqlError("Invalid Case expression. All case branches have NULL type")
        return found

    # ------------------------------------------------------------------------------------------ functions

    def of_call(self, call: ast.FunctionCall) -> SqlType:
        if self.registry.aggregate(call.name) is not None:
            args = [self.of(arg) for arg in call.args] or [BIGINT]
            literals = [literal_value(arg) for arg in call.args] or [NotLiteral("*")]
            return self.registry.resolve_aggregate(call.name, args, literals).return_type
        if self.registry.table(call.name) is not None:
            return self.registry.resolve_table(call.name, [self.of(arg) for arg in call.args]).return_type
        return self.resolve(call)[0].return_type

    def resolve(self, call: ast.FunctionCall) -> tuple[ScalarVariant, dict[int, LambdaTypes]]:
        """The overload a call means, and for each lambda argument (by position) the types of its parameters."""
        types: list[ArgType] = [self.argument_type(arg) for arg in call.args]
        inputs: dict[int, LambdaTypes] = {}
        for at, arg in enumerate(call.args):
            if not isinstance(arg, ast.Lambda):
                continue
            found = self.registry.lambda_inputs(call.name, types)[at]
            if found is None:
                raise KsqlError(f"Cannot infer the parameter types of '{format_expression(arg)}'.")
            inputs[at] = {**self.lambdas, **dict(zip(arg.params, found, strict=True))}
            returns = Typing(self.scope, self.registry, inputs[at]).of(arg.body)
            types[at] = LambdaType(found, returns)
        return self.registry.resolve_scalar(call.name, types), inputs

    def argument_type(self, arg: ast.Expression) -> ArgType:
        if isinstance(arg, ast.Lambda):
            return LambdaArity(len(arg.params))
        return IntervalUnitType() if isinstance(arg, ast.IntervalUnit) else self.of(arg)


def searched(node: ast.SimpleCase) -> ast.SearchedCase:
    """``CASE x WHEN a`` as ``CASE WHEN x = a``."""
    whens = tuple(
        ast.When(ast.Comparison(ast.ComparisonOp.EQUAL, node.operand, when.condition), when.result)
        for when in node.whens
    )
    return ast.SearchedCase(whens, node.default, at=node.at)


def literal_value(arg: ast.Expression) -> object:
    """What an aggregate gets for an argument that must be a literal."""
    if isinstance(arg, ast.NullLiteral):
        return None
    if isinstance(arg, rules.LITERALS):
        return arg.value
    return NotLiteral(format_expression(arg))


def cast_target(ref: ast.TypeRef) -> SqlType:
    """The type a CAST names. Custom types must have been replaced before."""
    if ref.known is None:
        raise KsqlError(f"Cannot resolve unknown type: {ref.text}")
    return ref.known


def field_type(node: ast.Dereference, base: SqlType | None) -> SqlType:
    """The type of ``base->field``."""
    if not isinstance(base, StructType):
        raise KsqlError(f"Expected STRUCT type, got: {base or 'null'}")
    for field in base.fields:
        if field.name == node.field_name:
            return field.type
    raise KsqlError(f"Could not find field '{node.field_name}' in '{format_expression(node.base)}'.")


def element_type(node: ast.Subscript, base: SqlType | None) -> SqlType:
    """The type of ``base[index]``."""
    if isinstance(base, ArrayType):
        return base.element
    if isinstance(base, MapType):
        return base.value
    hint = ""
    if isinstance(base, StructType):
        access = f"{format_expression(node.base)}->{format_expression(node.index)}"
        hint = f" Use the dereference operator for STRUCTS: {access}"
    raise KsqlError(f"Subscript expression ({format_expression(node)}) do not apply to {base or 'null'}.{hint}")
