"""The embedded ksqlDB engine in a process of its own, for tests and benchmarks."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from ksqldb.client import KsqlClient


class EngineProcess:
    """An engine that can be killed and started again on the same data."""

    def __init__(
        self, bootstrap: str, data: Path, properties: tuple[str, ...] = (), flags: tuple[str, ...] = ()
    ) -> None:
        self._bootstrap = bootstrap
        self._data = data
        self._properties = properties
        self._flags = flags
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Start it and wait until it answers statements."""
        options = [*self._flags, *(word for text in self._properties for word in ("--property", text))]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ksqldb.engine", "--listen", "127.0.0.1:0", "--bootstrap", self._bootstrap,
             "--data", str(self._data), *options],
            stdout=subprocess.PIPE,
            stderr=(self._data.parent / f"{self._data.name}.log").open("a"),
            text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert " ready on " in line, f"the engine did not start: {line!r}"
        self.url = line.split()[-1]

    def client(self) -> KsqlClient:
        return KsqlClient(self.url)

    @property
    def process(self) -> psutil.Process:
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def rss(self) -> int:
        """Resident memory in bytes."""
        return int(self.process.memory_info().rss)

    def kill(self, signum: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signum)
            self._process.wait(20)
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None


@contextmanager
def running(bootstrap: str, data: Path, *properties: str) -> Iterator[EngineProcess]:
    engine = EngineProcess(bootstrap, data, properties)
    engine.start()
    try:
        yield engine
    finally:
        engine.kill(signal.SIGTERM)
