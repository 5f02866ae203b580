"""One supervised process: start it, wait until it answers, notice its end at once, start it again after a pause."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from core.stack.errors import StackError
from core.stack.logfile import LogFile
from core.stack.probes import Probe
from core.stack.state import DOWN, FAILED, RESTARTING, STARTING, UP, Service

_PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds before the next attempt
_STEADY_AFTER = 30.0  # seconds up after which earlier failures are forgotten
_PROBE_EVERY = 2.0
_POLL = 0.02
_LEASH = Path(__file__).with_name("leash.py")

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Spec:
    """How one service is run. `prepare` gets a function to tell its steps with and raises StackError."""

    name: str
    address: str
    command: Callable[[], list[str]]
    probe: Probe
    prepare: Callable[[Report], Coroutine[None, None, None]]
    stop_signal: signal.Signals = signal.SIGTERM
    ready_within: float = 30.0
    stop_within: float = 8.0
    user: tuple[int, int] | None = None
    listener: socket.socket | None = None  # inherited by every run of it: the port is never free for another meanwhile
    environment: Mapping[str, str] = field(default_factory=dict)


class Runner:
    """Keeps one service running until `stop`; `service` is its state, and every change of it calls `on_change`."""

    def __init__(self, spec: Spec, log: LogFile, on_change: Callable[[], None]) -> None:
        self.spec = spec
        self.log = log
        self.is_up = asyncio.Event()
        self.service = Service(spec.name, DOWN, spec.address, None, "", time.time(), None, restarts=0, failures=0)
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._printing: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def _set(self, state: str, detail: str = "") -> None:
        since = self.service.since if state == self.service.state else time.time()
        pid = self._process.pid if self._process is not None else None
        before = self.service
        self.service = replace(before, state=state, detail=detail, since=since, pid=pid)
        if state == UP:
            self.is_up.set()
        else:
            self.is_up.clear()
        if self.service != before:
            self._on_change()

    async def _run(self) -> None:
        state = STARTING
        while True:
            try:
                await self._bring_up(partial(self._step, state))
                up_since = time.time()
                self.service = replace(self.service, up_since=up_since)
                self._set(UP)
                reason = await self._until_it_ends()
                steady = time.time() - up_since >= _STEADY_AFTER
                failures, state = 1 if steady else self.service.failures + 1, RESTARTING
            except StackError as error:
                await self._end(signal.SIGKILL, within=1.0)
                reason, failures, state = str(error), self.service.failures + 1, FAILED
            pause = _PAUSES[min(failures, len(_PAUSES)) - 1]
            restarts = self.service.restarts + 1
            self.service = replace(self.service, failures=failures, restarts=restarts, up_since=None)
            self._set(state, reason)
            await asyncio.sleep(pause)

    def _step(self, state: str, step: str) -> None:
        """Show a step of the first start; later starts show why there has to be another."""
        self._set(state, step if state == STARTING else self.service.detail)

    async def _bring_up(self, report: Report) -> None:
        """Raises StackError where the service cannot be started or does not answer in time."""
        report("starts")
        await self.spec.prepare(report)
        self.log.begin()
        await self._spawn()
        report("waits until it answers")
        assert self._process is not None
        deadline = time.monotonic() + self.spec.ready_within
        while not await self.spec.probe():
            if self._process.returncode is not None:
                raise StackError(await self._epitaph())
            if time.monotonic() > deadline:
                raise StackError(f"it did not answer within {self.spec.ready_within:.0f} s; its log is {self.log.path}")
            await asyncio.sleep(_POLL)
        if self._process.returncode is not None:  # somebody else answered at its address
            raise StackError(await self._epitaph())

    async def _spawn(self) -> None:
        user = "-" if self.spec.user is None else f"{self.spec.user[0]}:{self.spec.user[1]}"
        leash = [sys.executable, "-S", "-E", str(_LEASH), str(os.getpid()), str(int(self.spec.stop_signal)), user]
        try:
            self._process = await asyncio.create_subprocess_exec(
                *leash,
                *self.spec.command(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **self.spec.environment},
                pass_fds=[] if self.spec.listener is None else [self.spec.listener.fileno()],
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise StackError(f"it cannot be started: {error}") from None
        assert self._process.stdout is not None
        self._printing = asyncio.create_task(self._print(self._process.stdout))

    async def _print(self, output: asyncio.StreamReader) -> None:
        while data := await output.read(1 << 16):
            self.log.write(data)

    async def _until_it_ends(self) -> str:
        """Why. Meanwhile a process that lives but does not answer is shown as down; it is left to come round."""
        assert self._process is not None
        ended = asyncio.ensure_future(self._process.wait())
        silent_since = None
        while True:
            await asyncio.wait([ended], timeout=_PROBE_EVERY)
            if ended.done():
                return await self._epitaph()
            if await self.spec.probe():
                if silent_since is not None:
                    silent_since = None
                    self._set(UP)
            elif not ended.done():
                silent_since = silent_since or time.time()
                self._set(DOWN, f"does not answer for {time.time() - silent_since:.0f} s, though its process lives")

    async def _epitaph(self) -> str:
        assert self._process is not None
        code = self._process.returncode or 0
        await self._finish_printing()
        how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        said = self.log.reason() if code > 0 else ""
        self._process = None
        return f"{how}: {said}" if said else how

    async def _finish_printing(self) -> None:
        if self._printing is not None:
            await asyncio.wait([self._printing], timeout=1.0)  # a grandchild may hold the pipe open
            self._printing.cancel()
            self._printing = None

    async def _end(self, how: signal.Signals, within: float) -> None:
        process = self._process
        if process is None:
            return
        for attempt, patience in ((how, within), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 3.0)):
            if process.returncode is not None:
                break
            try:
                process.send_signal(attempt)
                async with asyncio.timeout(patience):
                    await process.wait()
            except (ProcessLookupError, TimeoutError):
                continue
        await self._finish_printing()
        self._process = None

    async def stop(self) -> None:
        """End the service in its own way, and the hard way where it takes too long."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._process is not None:
            self._set(self.service.state, "stops")
            await self._end(self.spec.stop_signal, self.spec.stop_within)
        if self.spec.listener is not None:
            self.spec.listener.close()
        self._set(DOWN)
        self.log.close()
