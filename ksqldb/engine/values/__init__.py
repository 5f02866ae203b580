"""How values look as text and how text becomes values, the way Java and ksqlDB do it."""

from ksqldb.engine.values.numbers import (
    INT_MAX,
    INT_MIN,
    LONG_MAX,
    LONG_MIN,
    decimal_text,
    double_text,
    fit_decimal,
    parse_double,
    wrap_int,
    wrap_long,
)
from ksqldb.engine.values.text import value_text
from ksqldb.engine.values.times import (
    DAY_MS,
    date_text,
    parse_date,
    parse_time,
    parse_timestamp,
    time_text,
    timestamp_text,
)

__all__ = [
    "DAY_MS",
    "INT_MAX",
    "INT_MIN",
    "LONG_MAX",
    "LONG_MIN",
    "date_text",
    "decimal_text",
    "double_text",
    "fit_decimal",
    "parse_date",
    "parse_double",
    "parse_time",
    "parse_timestamp",
    "time_text",
    "timestamp_text",
    "value_text",
    "wrap_int",
    "wrap_long",
]
