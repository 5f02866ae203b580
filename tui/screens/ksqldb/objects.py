"""The object list: streams, tables, topics and running queries, with DESCRIBE, EXPLAIN and TERMINATE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType

from tui import keymap
from tui.ports import SqlObject
from tui.widgets.canvas import Cell
from tui.widgets.columns import Column
from tui.widgets.feed import Feed

if TYPE_CHECKING:
    from tui.screens.ksqldb.screen import KsqlScreen

_KINDS = ("stream", "table", "query", "topic")
_SIGNS = {"stream": "≈", "table": "▦", "query": "▶", "topic": "▤"}


def quoted(name: str) -> str:
    """A name as a statement needs it."""
    return name if name.isupper() and name.replace("_", "A").isalnum() else "`" + name.replace("`", "``") + "`"


def _cells(entry: SqlObject) -> Sequence[Cell]:
    style = "accent" if entry.kind == "query" else "text"
    return (_SIGNS.get(entry.kind, " "), "dim"), (entry.name, style), (entry.detail, "dim")


class Objects(Feed[SqlObject]):
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("objects")]

    def __init__(self) -> None:
        super().__init__(
            "objects",
            (Column("", 1), Column("name", 18, grow=3, limit=60), Column("detail", 9, grow=1, limit=24, rank=1)),
            _cells,
            lambda entry: (entry.kind, entry.name),
            live=False,
            heads=False,
            empty="none known yet",
            id="objects",
        )

    @property
    def _panel(self) -> KsqlScreen:
        return cast("KsqlScreen", self.screen)

    def list_up(self, entries: Sequence[SqlObject]) -> None:
        """Show the objects, running queries between tables and topics."""
        self.replace(sorted(entries, key=lambda entry: (_KINDS.index(entry.kind), entry.name)))

    def action_describe(self) -> None:
        entry = self.selected
        if entry is None:
            return
        if entry.kind == "query":
            self._panel.run_sql(f"EXPLAIN {entry.name};")
        elif entry.kind == "topic":
            self._panel.run_sql(f"PRINT {quoted(entry.name)} FROM BEGINNING;")
        else:
            self._panel.run_sql(f"DESCRIBE {quoted(entry.name)};")

    def action_select(self) -> None:
        entry = self.selected
        if entry is not None and entry.kind in ("stream", "table"):
            self._panel.put(f"SELECT * FROM {quoted(entry.name)} EMIT CHANGES;")

    def action_terminate(self) -> None:
        entry = self.selected
        if entry is None or entry.kind != "query":
            self._panel.say("only a running query can be ended")
            return
        self.screen.run_worker(self._panel.terminate(entry.name), group="terminate", exclusive=True)
