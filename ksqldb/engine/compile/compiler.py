"""Expressions to Python source."""

from __future__ import annotations

from collections.abc import Sequence

from ksqldb.engine import ast
from ksqldb.engine.compile import operators, rules, runtime
from ksqldb.engine.compile.casts import converter
from ksqldb.engine.compile.code import Code, Names, Scope
from ksqldb.engine.compile.coercion import common_type
from ksqldb.engine.compile.infer import LambdaTypes, Typing, cast_target, element_type, field_type, searched
from ksqldb.engine.compile.literals import coerced_literal, coerced_value, literal_code
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.functions import REGISTRY
from ksqldb.engine.functions.registry import Registry
from ksqldb.engine.parse import format_expression
from ksqldb.engine.parse.format_expressions import UNIT_NAMES
from ksqldb.engine.types import BOOLEAN, STRING, MapType, SqlType, quote


class ExpressionCompiler:
    """Compiles expressions over one scope. What the sources name is collected in ``env``.

    ``on_error`` hears of errors in inner expressions (arguments, casts, elements), which make just those NULL.
    """

    def __init__(
        self,
        scope: Scope,
        env: dict[str, object],
        registry: Registry = REGISTRY,
        on_error: runtime.OnError = runtime.ignore_error,
    ) -> None:
        self.typing = Typing(scope, registry)
        self.names = Names(env)
        self.on_error = on_error
        self._lambda_names: dict[str, str] = {}

    def compile(self, expr: ast.Expression) -> Code:
        """KsqlError with ksqlDB's text where the expression cannot be evaluated."""
        if isinstance(expr, rules.LITERALS):
            return literal_code(expr, self.names)
        match expr:
            case ast.ColumnRef():
                slot = self.typing.scope.resolve(expr)
                return Code(slot.source, slot.type, safe=True, simple=True)
            case ast.LambdaVariable(name=name):
                return Code(self._lambda_names[name], self.typing.of(expr), safe=True, simple=True)
            case ast.Arithmetic(op=op, left=left, right=right):
                a, b = self.compile(left), self.compile(right)
                result = rules.arithmetic_type(expr, a.type, b.type)
                return operators.arithmetic(op, a, b, result, self.names)
            case ast.Unary(op=sign, operand=operand):
                code = self.compile(operand)
                return operators.negated(code, self.names) if sign is ast.UnaryOp.MINUS else code
            case ast.Comparison():
                return self._comparison(expr)
            case ast.Logical(op=op, left=left, right=right):
                a, b = self._boolean(left, expr), self._boolean(right, expr)
                return operators.logical(op, a, b, self.names)
            case ast.Not(operand=operand):
                return operators.negation(self._boolean(operand, expr), self.names)
            case ast.IsNull(operand=operand, negated=negated):
                return self._null_test(self.compile(operand), negated)
        return self._predicate(expr)

    def coerce(self, code: Code, target: SqlType) -> Code:
        """The value as ``target``; raises in the generated code where it does not fit."""
        if code.type is None or code.type == target:
            return Code(code.source, target, code.nullable, code.safe, code.simple)
        convert = converter(code.type, target)
        if convert is None:
            return Code(code.source, target, code.nullable, code.safe, code.simple)
        function = self.names.constant(convert)
        if not code.nullable:
            return Code(f"{function}({code.source})", target, nullable=False)
        bound = operators.bind(code, self.names)
        return Code(f"({function}({bound.ref}) if {bound.check} else None)", target)

    # ------------------------------------------------------------------------------------------ predicates

    def _predicate(self, expr: ast.Expression) -> Code:
        match expr:
            case ast.Between():
                return self._between(expr)
            case ast.InList():
                return self._in(expr)
            case ast.Like():
                return self._like(expr)
            case ast.SearchedCase():
                return self._case(expr)
            case ast.SimpleCase():
                return self._case(searched(expr))
            case ast.Cast(operand=operand, type=ref):
                return self._cast(self.compile(operand), cast_target(ref))
            case ast.FunctionCall():
                return self._call(expr)
        return self._structure(expr)

    def _null_test(self, code: Code, negated: bool) -> Code:
        if code.simple and not code.nullable:
            return Code(str(negated), BOOLEAN, nullable=False, safe=True, simple=True)
        test = "is not" if negated else "is"
        return Code(f"({code.source} {test} None)", BOOLEAN, nullable=False, safe=code.safe)

    def _boolean(self, expr: ast.Expression, whole: ast.Expression) -> Code:
        code = self.compile(expr)
        if code.type != BOOLEAN:
            raise KsqlError(f"Not a boolean expression: {format_expression(expr)} in {format_expression(whole)}")
        return code

    def _condition(self, expr: ast.Expression, whole: ast.Expression) -> Code:
        """A boolean that raises where it is NULL."""
        code = self._boolean(expr, whole)
        if not code.nullable:
            return code
        require = self.names.helper("_require", runtime.require)
        return Code(f"{require}({code.source})", BOOLEAN, nullable=False)

    def _comparison(self, expr: ast.Comparison) -> Code:
        left, right = self.compile(expr.left), self.compile(expr.right)
        rules.check_comparison(expr, left.type, right.type)
        left, right = self._as_time(expr.left, left, right), self._as_time(expr.right, right, left)
        return operators.comparison(expr.op, left, right, self.names)

    def _as_time(self, expr: ast.Expression, code: Code, other: Code) -> Code:
        """A text literal beside a time is read once, now."""
        if isinstance(expr, ast.StringLiteral) and other.type is not None and other.type.base in rules.TIMES:
            return coerced_literal(expr, other.type, self.names) or code
        return code

    def _between(self, expr: ast.Between) -> Code:
        operand = operators.bind(self._typed(expr.operand), self.names)
        conditions = [operand.check] if operand.check else []
        safe = operand.safe
        for op, limit in ((ast.ComparisonOp.GREATER_EQUAL, expr.low), (ast.ComparisonOp.LESS_EQUAL, expr.high)):
            code = self.compile(limit)
            rules.check_comparison(ast.Comparison(op, expr.operand, limit), operand.type, code.type)
            code = self._as_time(limit, code, Code("", operand.type))
            bound = operators.bind(code, self.names)
            conditions += [bound.check] if bound.check else []
            conditions.append(operators.compared(op, operand, bound, self.names))
            safe = safe and bound.safe and operand.type == bound.type
        code = Code("(" + " and ".join(conditions) + ")", BOOLEAN, nullable=False, safe=safe)
        return operators.negation(code, self.names) if expr.negated else code

    def _typed(self, expr: ast.Expression) -> Code:
        code = self.compile(expr)
        if code.type is None:
            raise KsqlError(f"Comparison with NULL not supported: {format_expression(expr)}")
        return code

    def _in(self, expr: ast.InList) -> Code:
        items = [item for item in expr.items if not isinstance(item, ast.NullLiteral)]
        value, *candidates = self._alike([expr.operand, *items])
        constants = [coerced_value(item, value.type) for item in items if isinstance(item, rules.LITERALS)]
        if len(constants) == len(items) and None not in constants:
            values = self.names.constant(frozenset(constants))
            found = Code(f"({value.source} in {values})", BOOLEAN, nullable=False, safe=value.safe)
        else:
            is_in = self.names.helper("_is_in", runtime.is_in)
            listed = "".join(f"{c.source}, " for c in candidates)
            safe = value.safe and all(c.safe for c in candidates)
            found = Code(f"{is_in}({value.source}, ({listed}))", BOOLEAN, nullable=False, safe=safe)
        return operators.negation(found, self.names) if expr.negated else found

    def _like(self, expr: ast.Like) -> Code:
        text, pattern = self.compile(expr.operand), self.compile(expr.pattern)
        for side, code in ((expr.operand, text), (expr.pattern, pattern)):
            if code.type not in (STRING, None):
                raise KsqlError(f"LIKE works on STRING, but {format_expression(side)} is {code.type}")
        if isinstance(expr.pattern, ast.StringLiteral) and not expr.pattern.value.endswith(expr.escape or "\0"):
            matcher = self.names.constant(runtime.like_matcher(expr.pattern.value, expr.escape))
            source = f"{matcher}({text.source})"
        else:
            like = self.names.helper("_like", runtime.like)
            source = f"{like}({text.source}, {pattern.source}, {expr.escape!r})"
        code = Code(source, BOOLEAN, nullable=False)
        return operators.negation(code, self.names) if expr.negated else code

    def _case(self, expr: ast.SearchedCase) -> Code:
        result = self.typing.of(expr)
        default = self.compile(expr.default) if expr.default is not None else Code("None", None, safe=True)
        branches = [(self._condition(w.condition, expr), self.compile(w.result)) for w in expr.whens]
        source = "".join(f"{value.source} if {condition.source} else " for condition, value in branches)
        parts = [*(code for pair in branches for code in pair), default]
        nullable = any(value.nullable for _, value in branches) or default.nullable
        return Code(f"({source}{default.source})", result, nullable, all(part.safe for part in parts))

    # ------------------------------------------------------------------------------------------ calls

    def _cast(self, code: Code, target: SqlType) -> Code:
        """A conversion whose failure gives NULL."""
        if code.type is None or code.type == target:
            return Code(code.source, target, code.nullable, code.safe, code.simple)
        convert = converter(code.type, target)
        if convert is None:
            return Code(code.source, target, code.nullable, code.safe, code.simple)
        function = self.names.constant(runtime.null_on_error(convert, self.on_error))
        return self._guarded(Code(f"{function}({code.source})", target, safe=code.safe))

    def _guarded(self, code: Code) -> Code:
        """The value, or NULL where its evaluation fails."""
        if code.safe:
            return code
        guard = self.names.helper("_guard", runtime.guarded(self.on_error))
        return Code(f"{guard}(lambda: {code.source})", code.type, safe=True)

    def _call(self, call: ast.FunctionCall) -> Code:
        variant, lambdas = self.typing.resolve(call)
        if call.name != call.name.upper():
            # 0.29 looks the function up by its name in capitals here, and so refuses every `||`. What it refuses must
            # not run here either: a rule would pass its tests and fail in production.
            raise KsqlError(f"Cannot get name for {quote(call.name)} 0 times")
        function = self.names.constant(variant.fn)
        sources: list[str] = []
        checks: list[str] = []
        for at, arg in enumerate(call.args):
            if isinstance(arg, ast.Lambda):
                sources.append(self._lambda(arg, lambdas[at]))
                continue
            if isinstance(arg, ast.IntervalUnit):
                sources.append(repr(UNIT_NAMES.get(arg.unit, arg.unit)))
                continue
            code = self._argument(arg, variant.param_types[at])
            if variant.handles_null or not code.nullable:
                sources.append(code.source)
            elif code.type is None:
                return Code("None", variant.return_type, safe=True)
            else:
                bound = operators.bind(code, self.names)
                checks.append(bound.check)
                sources.append(bound.ref)
        result = f"{function}({', '.join(sources)})"
        if checks:
            result = f"({result} if {' and '.join(checks)} else None)"
        return Code(result, variant.return_type)

    def _argument(self, arg: ast.Expression, target: object) -> Code:
        code = self.compile(arg)
        if isinstance(target, SqlType) and code.type is not None and target != code.type:
            return self._cast(code, target)
        return self._guarded(code) if isinstance(arg, (ast.FunctionCall, ast.Dereference)) else code

    def _lambda(self, arg: ast.Lambda, types: LambdaTypes) -> str:
        outer_typing, outer_names = self.typing, self._lambda_names
        own = {name: self.names.temporary() for name in arg.params}
        self.typing = Typing(outer_typing.scope, outer_typing.registry, types)
        self._lambda_names = {**outer_names, **own}
        body = self.compile(arg.body)
        self.typing, self._lambda_names = outer_typing, outer_names
        return f"(lambda {', '.join(own.values())}: {body.source})"

    # ------------------------------------------------------------------------------------------ structures

    def _structure(self, expr: ast.Expression) -> Code:
        result: SqlType | None
        match expr:
            case ast.Dereference(base=base, field_name=field):
                code = self.compile(base)
                result = field_type(expr, code.type)
                bound = operators.bind(code, self.names)
                access = f"{bound.ref}[{field!r}]"
                return Code(f"({access} if {bound.check} else None)" if bound.check else access, result, safe=code.safe)
            case ast.Subscript():
                return self._subscript(expr)
            case ast.CreateArray(items=items):
                result = self.typing.of(expr)
                elements = [self._guarded(code).source for code in self._alike(items)]
                return Code(f"[{', '.join(elements)}]", result, nullable=False, safe=True)
            case ast.CreateMap(entries=entries):
                result = self.typing.of(expr)
                keys = self._alike([key for key, _ in entries])
                values = self._alike([value for _, value in entries])
                pairs = zip(map(self._guarded, keys), map(self._guarded, values), strict=True)
                source = ", ".join(f"{key.source}: {value.source}" for key, value in pairs)
                return Code(f"{{{source}}}", result, nullable=False, safe=True)
            case ast.CreateStruct(fields=fields):
                result = self.typing.of(expr)
                source = ", ".join(f"{name!r}: {self._guarded(self.compile(value)).source}" for name, value in fields)
                return Code(f"{{{source}}}", result, nullable=False, safe=True)
        raise KsqlError(f"{format_expression(expr)} cannot stand here")

    def _subscript(self, expr: ast.Subscript) -> Code:
        base, index = self.compile(expr.base), self.compile(expr.index)
        result = element_type(expr, base.type)
        if isinstance(base.type, MapType):
            value_of = self.names.helper("_value_of", runtime.value_of)
            return Code(f"{value_of}({base.source}, {index.source})", result, safe=base.safe and index.safe)
        if index.type is None or not index.type.is_number:
            raise KsqlError(f"The index of an ARRAY must be a number: {format_expression(expr)}")
        element_at = self.names.helper("_element_at", runtime.element_at)
        whole = index.source if index.type.base.value in ("INTEGER", "BIGINT") else f"int({index.source})"
        return Code(f"{element_at}({base.source}, {whole})", result, safe=base.safe and not index.nullable)

    def _alike(self, items: Sequence[ast.Expression]) -> list[Code]:
        """The expressions, all of their common type."""
        target = common_type(items, self.typing.of)
        codes: list[Code] = []
        for item in items:
            if target is not None and isinstance(item, rules.LITERALS) and not isinstance(item, ast.NullLiteral):
                constant = coerced_literal(item, target, self.names)
                codes.append(constant or self._cast(self.compile(item), target))
            else:
                code = self.compile(item)
                codes.append(self._cast(code, target) if target is not None else code)
        return codes
