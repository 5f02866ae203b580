"""CREATE OR REPLACE of a source: what may take the place of what."""

from __future__ import annotations

from collections.abc import Sequence

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.metastore import Column, FormatInfo, Source, WindowInfo
from ksqldb.engine.types import quote


def check_replace_source(old: Source, new: Source) -> None:
    """Same kind, topic, key and formats; columns may only be added behind the old ones."""
    if old.kind is not new.kind:
        raise _not_upgradeable(new, "type", f"K{old.kind.value}", f"K{new.kind.value}")
    if old.schema.key != new.schema.key:
        changed = _changed(old.schema.key, new.schema.key)
        reason = (
            f"Key columns must be identical. The following key columns are changed, missing or reordered: {changed}"
        )
        raise _not_upgradeable(new, "schema", old.schema, new.schema, reason)
    if new.schema.value[: len(old.schema.value)] != old.schema.value:
        changed = _changed(old.schema.value, new.schema.value)
        reason = f"The following columns are changed, missing or reordered: {changed}"
        raise _not_upgradeable(new, "schema", old.schema, new.schema, reason)
    before, after = _topic(old), _topic(new)
    if before != after:
        raise _not_upgradeable(new, "topic", before, after)


def _not_upgradeable(new: Source, what: str, before: object, after: object, reason: str = "") -> KsqlError:
    tail = f". ({reason})" if reason else ""
    shown = f"DataSource '{quote(new.name)}' has {what} = {before} which is not upgradeable to {after}"
    return KsqlError(f"Cannot upgrade data source: {shown}{tail}")


def _changed(before: Sequence[Column], after: Sequence[Column]) -> str:
    changed = (str(column) for index, column in enumerate(before) if index >= len(after) or after[index] != column)
    return f"[{', '.join(changed)}]"


def _topic(source: Source) -> str:
    """A source's topic and formats, as the server prints them."""
    key = f"KeyFormat{{format={_format(source.key_format)}, features=[], window={_window(source.window)}}}"
    features = {True: "[WRAP_SINGLES]", False: "[UNWRAP_SINGLES]", None: "[]"}[source.wrap_value]
    value = f"ValueFormat{{format={_format(source.value_format)}, features={features}}}"
    return f"KsqlTopic{{kafkaTopicName='{source.topic}', keyFormat={key}, valueFormat={value}}}"


def _format(info: FormatInfo) -> str:
    properties = ", ".join(f"{name}={value}" for name, value in info.properties)
    return f"FormatInfo{{format={info.name}, properties={{{properties}}}}}"


def _window(window: WindowInfo | None) -> str:
    if window is None:
        return "Optional.empty"
    size = "Optional.empty" if window.size_ms is None else f"Optional[{window.size_ms}]"
    return f"Optional[WindowInfo{{type={window.kind.value}, size={size}, emitStrategy=CHANGES}}]"
