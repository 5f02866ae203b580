"""A broker and an engine of one's own, in processes of their own and a folder that goes with them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_STOP_PATIENCE = 10.0


class NotStarted(Exception):
    """A service said something else than that it is ready; the message is its last output."""


@contextmanager
def embedded() -> Iterator[tuple[str, str]]:
    """``(URL, bootstrap)`` of a fresh engine and its broker."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dialogues-")))
        broker = _service("core.stack.broker", "--data", str(folder / "broker"))
        bootstrap = stack.enter_context(broker).split()[1]
        engine = _service("ksqldb.engine", "--bootstrap", bootstrap, "--data", str(folder / "engine"))
        yield stack.enter_context(engine).split()[-1], bootstrap


@contextmanager
def _service(module: str, *arguments: str) -> Iterator[str]:
    """Run a module that listens on a free port; its ready line."""
    command = [sys.executable, "-m", module, "--listen", "127.0.0.1:0", *arguments]
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if "ready" not in line:
                errors.seek(0)
                raise NotStarted(f"{module} did not start: {(line + errors.read())[-2000:].strip()}")
            yield line
        finally:
            process.terminate()
            try:
                process.wait(_STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
            process.stdout.close()
