"""ksqlDB's functions: ``REGISTRY`` resolves calls to Python functions and describes them."""

from ksqldb.engine.functions import (
    aggregates,
    arrays,
    conditional,
    dates,
    encoding,
    geo,
    json_text,
    maps,
    masking,
    math,
    padding,
    regex,
    strings,
    tables,
    urls,
)
from ksqldb.engine.functions.aggregator import Aggregator, NotLiteral
from ksqldb.engine.functions.describe import function_description, function_names
from ksqldb.engine.functions.registry import REGISTRY, Aggregate, Function, Registry, ScalarVariant, TableVariant
from ksqldb.engine.functions.signature import ArgType, IntervalUnitType, LambdaArity, LambdaType

__all__ = [
    "REGISTRY",
    "Aggregate",
    "Aggregator",
    "ArgType",
    "Function",
    "IntervalUnitType",
    "LambdaArity",
    "LambdaType",
    "NotLiteral",
    "Registry",
    "ScalarVariant",
    "TableVariant",
    "aggregates",
    "arrays",
    "conditional",
    "dates",
    "encoding",
    "function_description",
    "function_names",
    "geo",
    "json_text",
    "maps",
    "masking",
    "math",
    "padding",
    "regex",
    "strings",
    "tables",
    "urls",
]
