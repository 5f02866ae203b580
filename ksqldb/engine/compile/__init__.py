"""Expressions to Python source, with ksqlDB's types, conversions and treatment of NULL.

Generated sources are Python expressions over what a ``Scope`` says columns look like; ``env`` collects everything else
they name. Code that raises stands for NULL in a projection and for false in a filter.
"""

from ksqldb.engine.compile.code import Code, Scope, Slot
from ksqldb.engine.compile.compiler import ExpressionCompiler
from ksqldb.engine.compile.infer import Typing, infer_type

__all__ = ["Code", "ExpressionCompiler", "Scope", "Slot", "Typing", "infer_type"]
