"""What of the machine itself endangers a stack: a disk that is full, a clock that was moved."""

import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

_LOW_SPACE = 100 << 20  # bytes
_STEP = 5.0  # seconds; what keeps a clock right moves it by less at once
_REMEMBERED = 60.0  # seconds that a moved clock is told of


class Machine:
    """Looked at every few seconds. `folders` may lie on disks of their own; one that is not there yet is left out."""

    def __init__(
        self,
        folders: Iterable[Path],
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._folders = tuple(folders)
        self._wall, self._steady, self._free = wall, steady, free
        self._ahead = wall() - steady()
        self._moved: tuple[float, str] | None = None

    def problems(self) -> tuple[str, ...]:
        """A sentence for each thing that is wrong now."""
        return (*self._disks(), *self._clock())

    def _disks(self) -> list[str]:
        told: dict[int, str] = {}
        for folder in self._folders:
            try:
                disk, free = folder.stat().st_dev, self._free(folder)
            except OSError:  # not made yet
                continue
            if free < _LOW_SPACE:
                told.setdefault(disk, f"only {free >> 20} MB are free on the disk of {folder}")
        return list(told.values())

    def _clock(self) -> list[str]:
        now, ahead = self._steady(), self._wall() - self._steady()
        step, self._ahead = ahead - self._ahead, ahead
        if abs(step) > _STEP:
            self._moved = now, f"the clock of this machine went {abs(step):.0f} s {'forward' if step > 0 else 'back'}"
        if self._moved is None or now - self._moved[0] > _REMEMBERED:
            return []
        return [self._moved[1]]
