"""The state of a list that grows while somebody reads it. Pure.

Two states: *following* shows the newest rows; *browsing* is frozen on what was there when it began, counts what is
new and never moves under the reader. A row is known by its key; adding it again changes it in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

SLACK = 16
"""This part of the limit may be held beyond it, so that not every row that comes has the old ones sorted out."""


class Stand(NamedTuple):
    """Where somebody browses: the row under the cursor, the newest row there was when it began, the first one drawn."""

    cursor: str | int | tuple[str | int, ...] | None
    newest: str | int | tuple[str | int, ...] | None
    top: int


class FeedModel(Generic[T]):
    """Rows, filter, cursor and window of a feed (``live``) or of a plain list that is replaced as a whole."""

    def __init__(
        self, key: Callable[[T], Hashable], text: Callable[[T], str], *, live: bool = True, limit: int = 20_000
    ) -> None:
        self._key = key
        self._text = text
        self._live = live
        self._limit = limit
        self._rows: dict[Hashable, T] = {}
        self._matched: dict[Hashable, T] = {}
        self._frozen: list[Hashable] = []
        self._kept: dict[Hashable, T] = {}
        """The frozen rows as they were: what falls out of the buffer meanwhile stays under the reader."""
        self._top = 0
        self._cursor = 0
        self.filter = ""
        self.needle = ""
        """What ``n`` and ``N`` look for: the last filter, also after it was cleared."""
        self.following = live
        self.new = 0
        """Rows that came while browsing."""
        self.forgotten = 0
        """Rows that fell out of the buffer."""

    @property
    def _visible(self) -> dict[Hashable, T]:
        return self._matched if self.filter else self._rows

    def __len__(self) -> int:
        return len(self._visible)

    @property
    def total(self) -> int:
        return len(self._rows)

    def rows(self) -> list[T]:
        """What the filter lets through, oldest first."""
        return list(self._visible.values())

    def all_rows(self) -> list[T]:
        """Every row of the buffer, oldest first, whatever the filter."""
        return list(self._rows.values())

    def add(self, rows: Sequence[T]) -> None:
        """Append new rows and change known ones in place."""
        key = self._key
        pairs = [(key(row), row) for row in rows]
        before = len(self._visible)
        self._rows.update(pairs)
        if self.filter:
            self._matched.update((k, row) for k, row in pairs if k in self._matched or self._matches(row))
        if not self.following:
            self.new += len(self._visible) - before
        self._trim()

    def replace(self, rows: Iterable[T]) -> None:
        """The whole list anew; the cursor stays on its row if that is still there."""
        selected = self._selected_key()
        self._rows = {self._key(row): row for row in rows}
        self._refilter()
        self._frozen = list(self._visible)
        if selected in self._visible:
            self._cursor = self._frozen.index(selected)
        self._cursor = max(0, min(self._cursor, len(self._frozen) - 1))

    def clear(self) -> None:
        self._rows, self._matched, self._frozen, self._kept = {}, {}, [], {}
        self._top = self._cursor = self.new = self.forgotten = 0
        self.following = self._live

    def _trim(self) -> None:
        excess = len(self._rows) - self._limit
        if excess > self._limit // SLACK:
            for old in list(islice(self._rows, excess)):
                self._matched.pop(old, None)
            self._rows = dict(islice(self._rows.items(), excess, None))
            self._matched = dict(self._matched)
            self.forgotten += excess

    def _matches(self, row: T) -> bool:
        return self.filter in self._text(row).casefold()

    def _refilter(self) -> None:
        self._matched = {k: row for k, row in self._rows.items() if self._matches(row)} if self.filter else {}

    def set_filter(self, text: str) -> None:
        """Keep only rows that contain ``text``, in any case; empty shows all."""
        selected = self._selected_key()
        self.filter = text.casefold()
        self.needle = self.filter or self.needle
        self._refilter()
        if not self.following:
            self._keep()
            self.new = 0
            self._cursor = self._frozen.index(selected) if selected in self._visible else len(self._frozen) - 1
            self._cursor = max(0, self._cursor)

    # ------------------------------------------------------------------------------------------ moving about

    def _freeze(self) -> None:
        if self.following:
            self._keep()
            self._cursor = max(0, len(self._frozen) - 1)
            self._top = self._cursor + 1
            self.following = False
            self.new = 0

    def _keep(self) -> None:
        self._kept = dict(self._visible)
        self._frozen = list(self._kept)

    def _row(self, key: Hashable) -> T | None:
        row = self._rows.get(key)
        return row if row is not None else self._kept.get(key)

    def follow(self) -> None:
        """Back to the newest rows (a list that is not live goes to its last row)."""
        if self._live:
            self.following = True
            self.new = 0
            self._frozen, self._kept = [], {}
        else:
            self._cursor = max(0, len(self._frozen) - 1)

    def pause(self) -> None:
        """Freeze, or follow again."""
        if self.following:
            self._freeze()
        else:
            self.follow()

    def move(self, rows: int) -> None:
        self._freeze()
        self._cursor = max(0, min(len(self._frozen) - 1, self._cursor + rows))

    def top(self) -> None:
        self._freeze()
        self._cursor = 0

    def find(self, direction: int) -> bool:
        """To the next (1) or previous (-1) row with the needle; false when there is none that way."""
        if not self.needle:
            return False
        self._freeze()
        index = self._cursor + direction
        while 0 <= index < len(self._frozen):
            row = self._row(self._frozen[index])
            if row is not None and self.needle in self._text(row).casefold():
                self._cursor = index
                return True
            index += direction
        return False

    def select(self, key: Hashable) -> bool:
        """Put the cursor on the row with this key."""
        self._freeze()
        if key not in self._visible:
            return False
        self._cursor = self._frozen.index(key)
        return True

    def stand(self) -> Stand | None:
        """Where it is browsed; None while following."""
        if self.following:
            return None
        return Stand(_plain(self._selected_key()), _plain(next(reversed(self._frozen), None)), self._top)

    def take(self, stand: Stand) -> None:
        """Browse there; nothing changes while the row is not known."""
        keys = list(self._visible)
        names = [_plain(key) for key in keys]
        if stand.cursor not in names:
            return
        end = names.index(stand.newest) + 1 if self._live and stand.newest in names else len(keys)
        self.following = False
        self.new = len(keys) - end
        self._frozen = keys[:end]
        self._kept = {key: self._visible[key] for key in self._frozen} if self._live else {}
        self._cursor = min(names.index(stand.cursor), end - 1)
        self._top = stand.top

    def _selected_key(self) -> Hashable | None:
        if self.following:
            return next(reversed(self._visible), None)
        return self._frozen[self._cursor] if self._frozen else None

    @property
    def selected(self) -> T | None:
        """The row under the cursor; the newest one while following."""
        key = self._selected_key()
        return None if key is None else self._row(key)

    def window(self, height: int) -> tuple[list[T | None], int]:
        """Rows to draw and the index of the selected one (-1: none). ``None`` is a row that fell out of the buffer."""
        if height <= 0:
            return [], -1
        if self.following:
            newest: list[T | None] = list(islice(reversed(self._visible.values()), height))
            newest.reverse()
            return newest, len(newest) - 1
        self._top = max(0, min(self._top, self._cursor, max(0, len(self._frozen) - height)))
        self._top = max(self._top, self._cursor - height + 1)
        keys = self._frozen[self._top : self._top + height]
        return [self._row(k) for k in keys], self._cursor - self._top if keys else -1

    @property
    def place(self) -> tuple[int, int]:
        """Position of the cursor (from 1) and number of rows in the frozen list."""
        return (self._cursor + 1 if self._frozen else 0), len(self._frozen)

    @property
    def scroll(self) -> tuple[int, int]:
        """First drawn row and number of rows, for the scroll bar."""
        return self._top, len(self._frozen)


def _plain(key: Hashable) -> str | int | tuple[str | int, ...] | None:
    """A row's key as it can be written down."""
    if isinstance(key, tuple):
        return tuple(part if isinstance(part, int) else str(part) for part in key)
    return key if key is None or isinstance(key, int) else str(key)
