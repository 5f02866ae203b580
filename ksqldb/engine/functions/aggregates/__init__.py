"""The aggregate functions, by family; importing this package registers them."""

from ksqldb.engine.functions.aggregates import by_offset, collecting, statistics, totals, uniqueness

__all__ = ["by_offset", "collecting", "statistics", "totals", "uniqueness"]
