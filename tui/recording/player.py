"""A recording being played: a clock that can be stopped, hurried and set, and the answers that stood at its time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from tui.ports import Unavailable
from tui.recording.file import Record, RecordingError, read

T = TypeVar("T")
S = TypeVar("S")

SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class Clock:
    """Time of the recording in epoch ms, from ``first`` to ``last``. ``real`` gives seconds that pass by themselves."""

    def __init__(self, first: int, last: int, real: Callable[[], float]) -> None:
        self.first = first
        self.last = last
        self._real = real
        self._base = float(first)
        self._since = real()
        self.speed = 1.0
        self.paused = False

    def now_ms(self) -> int:
        passed = 0.0 if self.paused else (self._real() - self._since) * 1000 * self.speed
        return min(self.last, int(self._base + passed))

    def _anchor(self, at: float) -> None:
        self._base, self._since = at, self._real()

    def seek(self, at: int) -> None:
        self._anchor(float(max(self.first, min(self.last, at))))

    def pause(self, paused: bool) -> None:
        self._anchor(float(self.now_ms()))
        self.paused = paused

    def hurry(self, direction: int) -> None:
        """The next faster or slower of ``SPEEDS``."""
        self._anchor(float(self.now_ms()))
        index = SPEEDS.index(self.speed) if self.speed in SPEEDS else SPEEDS.index(1.0)
        self.speed = SPEEDS[max(0, min(len(SPEEDS) - 1, index + direction))]

    @property
    def ended(self) -> bool:
        return self.now_ms() >= self.last


class Track:
    """The answers to one question, in order."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.records: list[Record] = []
        self._decoded: tuple[int, object] | None = None

    def add(self, record: Record) -> None:
        self.times.append(record.at)
        self.records.append(record)

    def count(self, at: int) -> int:
        """How many had come by a time."""
        return bisect_right(self.times, at)

    def newest(self, at: int, kind: type[T]) -> T | None:
        """The answer that stood; None before the first. Raises ``Unavailable`` where the port did then."""
        index = self.count(at) - 1
        if index < 0:
            return None
        if self._decoded is None or self._decoded[0] != index:
            self._decoded = index, self._decode(index, kind)
        value: Any = self._decoded[1]
        if self.records[index].failed:
            raise Unavailable(str(value))
        return value  # type: ignore[no-any-return]

    def _decode(self, index: int, kind: Any) -> object:
        record = self.records[index]
        try:
            return msgspec.msgpack.decode(record.answer, type=str if record.failed else kind)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise Unavailable(f"the recording cannot be read: {record.name}: {error}") from error

    def between(self, begin: int, at: int, kind: Any) -> Iterator[Any]:
        """Answers from the one with index ``begin`` on that had come by a time."""
        for index in range(begin, self.count(at)):
            if not self.records[index].failed:
                yield self._decode(index, kind)


class Grown(Generic[S]):
    """What a feed had grown to: each answer is folded once, until the clock is set back."""

    def __init__(
        self, tracks: Sequence[Track], kind: Any, new: Callable[[], S], fold: Callable[[S, Any], None]
    ) -> None:
        self._tracks = tracks
        self._kind = kind
        self._new = new
        self._fold = fold
        self._state = new()
        self._folded = [0] * len(tracks)

    def at(self, time: int) -> S:
        counts = [track.count(time) for track in self._tracks]
        if any(count < folded for count, folded in zip(counts, self._folded, strict=True)):
            self._state, self._folded = self._new(), [0] * len(counts)
        for index, track in enumerate(self._tracks):
            for answer in track.between(self._folded[index], time, self._kind):
                self._fold(self._state, answer)
        self._folded = counts
        return self._state


class Recording:
    """All of a file in memory, by question."""

    def __init__(self, path: Path) -> None:
        self.header, records = read(path)
        self._tracks: dict[tuple[str, bytes], Track] = {}
        self.first = self.last = self.header.started
        for record in records:
            self._tracks.setdefault((record.name, record.key), Track()).add(record)
            self.last = max(self.last, record.at)
        if not self._tracks:
            raise RecordingError(f"{path} holds nothing: the control center was left before anything answered")

    def track(self, name: str, key: bytes = b"") -> Track:
        return self._tracks.get((name, key)) or Track()
