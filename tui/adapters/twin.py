"""Long work through its headless twin: ``streamguard …`` as a child process, so that this one stays quick."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tui.ports import Unavailable

LINES_KEPT = 500
_LINE_BYTES = 1 << 20
UNREACHABLE = 3


@dataclass(frozen=True, slots=True)
class Finished:
    """``code`` 0 is done, 1 means that the answer is no; rows of stdout, and the last sentence of stderr."""

    code: int
    rows: tuple[str, ...]
    note: str


class Twin:
    """``open`` gives the addresses; they travel in the child's environment, never in its arguments."""

    def __init__(self) -> None:
        self._environment: Mapping[str, str] | None = None

    def open(self, environment: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **environment}

    async def run(self, words: Sequence[str], on_note: Callable[[str], None] = lambda note: None) -> Finished:
        """Run a command to its end; ``on_note`` hears its progress. Cancelling ends the child."""
        if self._environment is None:
            raise Unavailable("the stack is not there yet")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "core.cli",
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
            limit=_LINE_BYTES,
        )
        assert process.stdout is not None  # both were asked for
        assert process.stderr is not None
        rows: deque[str] = deque(maxlen=LINES_KEPT)
        notes: deque[str] = deque(maxlen=1)

        def noted(line: str) -> None:
            notes.append(line)
            on_note(line)

        try:
            await asyncio.gather(_lines(process.stdout, rows.append), _lines(process.stderr, noted))
            code = await process.wait()
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.terminate()
        note = notes[-1] if notes else ""
        if code == UNREACHABLE:
            raise Unavailable(note or f"streamguard {words[0]}: a service cannot be reached")
        return Finished(code, tuple(rows), note)


async def _lines(stream: asyncio.StreamReader, take: Callable[[str], None]) -> None:
    with suppress(ValueError):  # a line longer than any of ours; what came before it counts
        async for line in stream:
            if text := line.decode("utf-8", "replace").rstrip():
                take(text)
