"""The object tree: streams, tables, topics and running queries, with DESCRIBE, EXPLAIN and TERMINATE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType

from tui import keymap
from tui.ports import SqlColumn, SqlObject
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


@dataclass(frozen=True, slots=True)
class Leaf:
    """A line of the tree: an object, or (with ``column``) a column below it."""

    entry: SqlObject
    column: SqlColumn | None = None
    is_open: bool = False


def _cells(leaf: Leaf) -> Sequence[Cell]:
    entry, column = leaf.entry, leaf.column
    if column is not None:
        return ("", "dim"), (f"  {column.name}", "text"), (f"{column.type} {column.role}".rstrip(), "dim")
    style = "accent" if entry.kind == "query" else "strong" if leaf.is_open else "text"
    return (_SIGNS.get(entry.kind, " "), "dim"), (entry.name, style), (entry.detail, "dim")


class Objects(Feed[Leaf]):
    """The tree: streams and tables open to their columns."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("objects")]

    def __init__(self) -> None:
        super().__init__(
            "objects",
            (Column("", 1), Column("name", 14, grow=3, limit=60), Column("detail", 8, grow=1, limit=24, rank=1)),
            _cells,
            lambda leaf: (leaf.entry.kind, leaf.entry.name, "" if leaf.column is None else leaf.column.name),
            live=False,
            heads=False,
            empty="none known yet",
            id="objects",
        )
        self._entries: Sequence[SqlObject] = ()
        self._columns_of: Mapping[str, tuple[SqlColumn, ...]] = {}
        self._open: set[str] = set()

    @property
    def _panel(self) -> KsqlScreen:
        return cast("KsqlScreen", self.screen)

    def list_up(self, entries: Sequence[SqlObject], columns: Mapping[str, tuple[SqlColumn, ...]]) -> None:
        """Show the objects, running queries between tables and topics."""
        self._entries = sorted(entries, key=lambda entry: (_KINDS.index(entry.kind), entry.name))
        self._columns_of = columns
        leaves: list[Leaf] = []
        for entry in self._entries:
            is_open = entry.kind in ("stream", "table") and entry.name in self._open
            leaves.append(Leaf(entry, None, is_open))
            if is_open:
                leaves += [Leaf(entry, column) for column in columns.get(entry.name, ())]
        self.replace(leaves)

    def action_columns(self) -> None:
        """Open a stream or a table to its columns; what has none is described."""
        leaf = self.selected
        if leaf is None:
            return
        if leaf.entry.kind not in ("stream", "table"):
            self.action_describe()
            return
        self._open ^= {leaf.entry.name}
        self.list_up(self._entries, self._columns_of)

    def action_describe(self) -> None:
        leaf = self.selected
        if leaf is None:
            return
        name = leaf.entry.name
        if leaf.entry.kind == "query":
            self._panel.look_at(f"EXPLAIN {name};")
        elif leaf.entry.kind == "topic":
            self._panel.run_in_new_tab(f"PRINT {quoted(name)} FROM BEGINNING;")
        else:
            self._panel.look_at(f"DESCRIBE {quoted(name)};")

    def action_select(self) -> None:
        leaf = self.selected
        if leaf is not None and leaf.entry.kind in ("stream", "table"):
            self._panel.put(f"SELECT * FROM {quoted(leaf.entry.name)} EMIT CHANGES;")

    def action_terminate(self) -> None:
        leaf = self.selected
        if leaf is None or leaf.entry.kind != "query":
            self._panel.say("only a running query can be ended")
            return
        self._panel.talk(self._panel.terminate(leaf.entry.name), "terminate")
