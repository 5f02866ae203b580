"""What the names in an expression over a step's rows mean: where the generated code finds them, and their types.

Generated code sees a row as ``k`` (key tuple), ``v`` (value tuple), ``ts`` (record time, ms) and ``w`` (window bounds).
"""

from __future__ import annotations

from ksqldb.engine import ast
from ksqldb.engine.ast import Expression
from ksqldb.engine.compile import Slot, infer_type
from ksqldb.engine.errors import KsqlError, StatementError, told
from ksqldb.engine.functions.registry import Registry
from ksqldb.engine.metastore import WINDOW_BOUNDS, Schema
from ksqldb.engine.metastore.model import ROWTIME
from ksqldb.engine.plan.steps import Step
from ksqldb.engine.types import BIGINT, BOOLEAN, SqlType


class StepScope:
    def __init__(self, schema: Schema, windowed: bool, functions: Registry) -> None:
        self.functions = functions
        self.slots: dict[str, Slot] = {ROWTIME: Slot("ts", BIGINT)}
        if windowed:
            for index, name in enumerate(WINDOW_BOUNDS):
                self.slots[name] = Slot(f"w[{index}]", BIGINT)
        for index, column in enumerate(schema.value):
            self.slots[column.name] = Slot(f"v[{index}]", column.type)
        for index, column in enumerate(schema.key):
            self.slots[column.name] = Slot(f"k[{index}]", column.type)

    def resolve(self, ref: ast.ColumnRef) -> Slot:
        slot = self.slots.get(ref.name)
        if slot is None:
            raise KsqlError(f"Unknown column {ref.name}.")
        return slot


def scope_of(step: Step, functions: Registry) -> StepScope:
    return StepScope(step.schema, step.window is not None, functions)


def type_of(expr: Expression, scope: StepScope) -> SqlType:
    """The type of an expression that becomes a column; KsqlError for a bare null."""
    found = infer_type(expr, scope, scope.functions)
    if found is None:
        raise KsqlError(
            "Can't infer a type of null. Please explicitly cast it to a required type, e.g. CAST(null AS VARCHAR)."
        )
    return found


def check_filter(expr: Expression, scope: StepScope, clause: str, text: str) -> None:
    """A WHERE or HAVING expression must be boolean."""
    try:
        found = infer_type(expr, scope, scope.functions)
    except KsqlError as error:
        raise StatementError(f"Error in {clause} expression: {told(error)}", text) from error
    if found != BOOLEAN:
        raise StatementError(
            f"Type error in {clause} expression: Should evaluate to boolean but is {text} ({found}) instead.", text
        )
