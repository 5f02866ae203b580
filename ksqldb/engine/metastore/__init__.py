"""What the engine knows: sources, custom types and which query reads or writes what."""

from ksqldb.engine.metastore.model import (
    PSEUDO_COLUMNS,
    WINDOW_BOUNDS,
    Column,
    FormatInfo,
    Namespace,
    Schema,
    Source,
    TimestampColumn,
    WindowInfo,
    is_system_column,
)
from ksqldb.engine.metastore.store import MetaStore

__all__ = [
    "PSEUDO_COLUMNS",
    "WINDOW_BOUNDS",
    "Column",
    "FormatInfo",
    "MetaStore",
    "Namespace",
    "Schema",
    "Source",
    "TimestampColumn",
    "WindowInfo",
    "is_system_column",
]
