"""The worker process as a child: started, watched, started again, stopped with its parent.

The child holds the reading end of a pipe as its standard input. When the parent goes, however it goes, the pipe closes
and the child stops.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

import structlog

from core.workers.names import TASKS

_BACKOFF_S = (0.2, 1.0, 3.0, 10.0)
_STEADY_S = 30.0
STOP_WITHIN_S = 10.0
_log = structlog.get_logger(__name__)


class Supervisor:
    """Keeps one worker process running; use as ``async with Supervisor(...)``.

    ``environment`` is added to this process's own (addresses as ``STREAMGUARD_*``); the child's messages go to
    ``log_file``.
    """

    def __init__(
        self, environment: Mapping[str, str], log_file: Path, only: Sequence[str] = TASKS, *, restart: bool = True
    ) -> None:
        self.pid: int | None = None
        self.restarts = 0
        self.exit_code: int | None = None
        """Of the last process that ended by itself."""
        self._environment = {**os.environ, **environment}
        self._log_file = log_file
        self._only = only
        self._restart = restart
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Supervisor:
        await self._start()
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self, within: float = STOP_WITHIN_S) -> None:
        """Let the child finish its batch and end; what has not ended in time is killed."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
            self._watching = None
        process, self._process, self.pid = self._process, None, None
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(within):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _start(self) -> None:
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        with self._log_file.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "core.workers",
                "--hosted",
                "--only",
                ",".join(self._only),
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=self._environment,
                start_new_session=True,
            )
        self.pid = self._process.pid

    async def _watch(self) -> None:
        faults = 0
        while True:
            assert self._process is not None
            began = monotonic()
            self.exit_code = await self._process.wait()
            self.pid = None
            if not self._restart:
                return
            if monotonic() - began > _STEADY_S:
                faults = 0
            _log.warning("the worker process ended and is started again", exit_code=self.exit_code)
            await asyncio.sleep(_BACKOFF_S[min(faults, len(_BACKOFF_S) - 1)])
            faults += 1
            self.restarts += 1
            await self._start()
