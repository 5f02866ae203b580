"""SQL text to syntax trees and back, with ksqlDB's own error texts."""

from ksqldb.engine.parse.format_expressions import format_expression, name_text, needs_quotes, type_text
from ksqldb.engine.parse.format_statements import format_query, format_statement
from ksqldb.engine.parse.parser import parse, parse_expression, parse_type

__all__ = [
    "format_expression",
    "format_query",
    "format_statement",
    "name_text",
    "needs_quotes",
    "parse",
    "parse_expression",
    "parse_type",
    "type_text",
]
