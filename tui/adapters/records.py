"""Log files and crash reports in the home folder, read in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tui.ports import Unavailable
from tui.screens.health.port import CrashReport, LogChunk, LogFile, LogLine

FIRST_BYTES = 64 * 1024
"""How much of a file's end is read when it is opened."""
MOST_BYTES = 256 * 1024
"""How much is read at once; what lies before it is skipped, and said."""
REPORT_CHARS = 200_000


class HomeRecords:
    """``open`` says where the home folder is; before that nothing is there."""

    def __init__(self) -> None:
        self._home: Path | None = None

    def open(self, home: Path) -> None:
        self._home = home

    def _folder(self, name: str) -> Path:
        if self._home is None:
            raise Unavailable("the logs: the home folder is not known yet")
        return self._home / name

    async def files(self) -> Sequence[LogFile]:
        return await asyncio.to_thread(_files, self._folder("logs"))

    async def read(self, name: str, position: int | None) -> LogChunk:
        return await asyncio.to_thread(read_lines, self._folder("logs"), name, position)

    async def crashes(self) -> Sequence[CrashReport]:
        return await asyncio.to_thread(_crashes, self._folder("crashes"))

    async def crash(self, name: str) -> str:
        return await asyncio.to_thread(_text, self._folder("crashes") / Path(name).name)


def _files(folder: Path) -> list[LogFile]:
    try:
        found = [(path, path.stat()) for path in sorted(folder.glob("*.log"))]
    except OSError as error:
        raise Unavailable(f"the logs in {folder}: {error.strerror}") from error
    return [LogFile(path.name, stat.st_size, round(stat.st_mtime * 1000)) for path, stat in found]


def read_lines(folder: Path, name: str, position: int | None) -> LogChunk:
    """Whole lines after ``position``. A file that shrank was begun anew, and is read from its start."""
    path = folder / Path(name).name
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = max(0, size - FIRST_BYTES) if position is None else position if position <= size else 0
            skipped = 0 if position is None else max(0, size - start - MOST_BYTES)
            file.seek(start + skipped)
            data = file.read(MOST_BYTES)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from error
    begin = start + skipped
    if skipped or (position is None and begin):  # the first line is a torn one
        torn = data.find(b"\n") + 1
        data, begin = data[torn:], begin + torn
    end = data.rfind(b"\n") + 1
    if not end and len(data) >= MOST_BYTES // 2:  # one endless line
        end = len(data)
    lines = []
    at = begin
    for raw in data[:end].splitlines(keepends=True):
        text = raw.rstrip(b"\r\n")
        if text:
            lines.append(LogLine(name, at, text.decode("utf-8", "replace")))
        at += len(raw)
    return LogChunk(tuple(lines), begin + end, skipped)


def _crashes(folder: Path) -> list[CrashReport]:
    reports = []
    for path in sorted(folder.glob("crash-*.txt"), reverse=True):
        try:
            with path.open("r", encoding="utf-8", errors="replace") as file:
                summary = file.readline(500).removeprefix("error:").strip()
            reports.append(CrashReport(path.name, round(path.stat().st_mtime * 1000), summary))
        except FileNotFoundError:
            continue  # dropped meanwhile, being the oldest
        except OSError as error:
            raise Unavailable(f"{path}: {error.strerror}") from error
    return reports


def _text(path: Path) -> str:
    try:
        with path.open("r", encoding="utf-8", errors="replace") as file:
            return file.read(REPORT_CHARS)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from error
