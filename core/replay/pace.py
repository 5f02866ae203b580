"""How fast a replay goes: as fast as it is taken in, or N times real time; and how far ahead it may run."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping

AHEAD = 20_000


class SpeedError(ValueError):
    """A speed that is neither ``max`` nor a positive factor."""


def speed(text: str) -> float | None:
    """``max`` -> None; ``60``, ``60x`` -> 60.0: event time runs sixty times as fast as the clock."""
    if text == "max":
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)x?", text)
    if found is None or float(found[1]) <= 0:
        raise SpeedError(f"--speed {text!r}: write max, or a factor such as 60")
    return float(found[1])


class Window:
    """Counts what was sent and not yet taken in, chunk by chunk."""

    def __init__(self) -> None:
        self._chunks: deque[tuple[int, int, dict[tuple[str, int], int]]] = deque()
        self._sent = 0
        self._last: dict[tuple[str, int], int] = {}

    def add(self, payments: int, last_time: int, last_offsets: Mapping[tuple[str, int], int]) -> None:
        """A chunk was acknowledged: its payments, the greatest event time so far, the last offset of each lane."""
        self._sent += payments
        self._last.update(last_offsets)
        self._chunks.append((payments, last_time, dict(self._last)))

    def ahead(self, committed: Mapping[tuple[str, int], int]) -> int:
        """Payments sent in chunks not wholly taken in yet."""
        while self._chunks and _covers(committed, self._chunks[0][2]):
            self._sent -= self._chunks.popleft()[0]
        return self._sent

    def marks_before(self, time: int) -> dict[tuple[str, int], int]:
        """Last offsets that cover every payment up to ``time``; nothing if all such chunks were taken in."""
        found: dict[tuple[str, int], int] = {}
        for _, last_time, offsets in self._chunks:
            found = offsets
            if last_time >= time:
                break
        return found

    @property
    def last(self) -> Mapping[tuple[str, int], int]:
        """Last offset sent on every lane."""
        return self._last


def _covers(committed: Mapping[tuple[str, int], int], offsets: Mapping[tuple[str, int], int]) -> bool:
    return all(committed.get(lane, 0) > offset for lane, offset in offsets.items())
