"""SQL text to syntax trees and back, with ksqlDB's own error texts."""

from ksqldb.engine.parse.parser import parse, parse_expression, parse_type

__all__ = ["parse", "parse_expression", "parse_type"]
