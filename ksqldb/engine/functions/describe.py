"""Functions as SHOW FUNCTIONS and DESCRIBE FUNCTION list them (the entities' own fields, without ``@type``)."""

from __future__ import annotations

from typing import Any

from ksqldb.engine.functions.registry import Aggregate, Function, Registry, parameter_docs
from ksqldb.engine.functions.resolve import Overload


def function_names(registry: Registry) -> list[dict[str, str]]:
    """Name, type (SCALAR, TABLE, AGGREGATE) and category of every function, by name."""
    functions = sorted(registry.functions.values(), key=lambda function: function.name)
    return [{"name": f.name, "type": f.kind, "category": f.category} for f in functions]


def function_description(registry: Registry, name: str) -> dict[str, Any]:
    """The payload of DESCRIBE FUNCTION; KsqlError when there is no function of that name."""
    function: Function | Aggregate = registry.find(name)
    return {
        "name": function.name,
        "description": function.description,
        "author": function.author,
        "version": function.version,
        "path": "internal",
        "functions": [_form(overload) for overload in function.overloads],
        "type": function.kind,
    }


def _form(overload: Overload[Any]) -> dict[str, Any]:
    description, texts = parameter_docs(overload.value.documentation, overload.parameters)
    arguments = [
        {
            "name": parameter.name,
            "type": str(parameter.type),
            "description": text,
            "isVariadic": parameter.variadic,
        }
        for parameter, text in zip(overload.parameters, texts, strict=True)
    ]
    return {
        "arguments": arguments,
        "returnType": overload.value.returns_text,
        "description": description,
        "argumentTypes": [str(parameter.type) for parameter in overload.parameters],
    }
