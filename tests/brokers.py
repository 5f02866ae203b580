"""The embedded broker in a process of its own, for tests and benchmarks."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.kafka.connection import Kafka


class Broker:
    """A broker that can be killed and started again on the same data and port."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._process: subprocess.Popen[str] | None = None
        self.address = "127.0.0.1:0"

    @property
    def kafka(self) -> Kafka:
        return Kafka(self.address)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "core.stack.broker", "--listen", self.address, "--data", str(self._data)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("ready "), f"the broker did not start: {line!r}"
        self.address = line.split()[1]

    def kill(self, signum: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signum)
            self._process.wait(10)
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None


@contextmanager
def running(data: Path) -> Iterator[Broker]:
    broker = Broker(data)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill(signal.SIGTERM)
