"""``python -m tests.commandline``: runs lines of the guides as a shell would, each command in a fork of one process
that has everything imported, so that fifty commands do not import it fifty times.

A JSON object a line on stdin, ``{"line": ..., "endless": bool}``; ``{"code", "said"}`` back on stdout. What is endless
is interrupted as soon as it has said something. Pipes and ``> FILE`` are understood; ``streamguard`` is the only
command.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PATIENCE_S = 100.0
_IMPORTED = (
    "aiokafka",
    "asyncpg",
    "httpx",
    "structlog",
    "core.workers.session",
    "core.stack.commands",
    "ksqldb.client",
)


def _stage(words: list[str], source: int, sink: int, complaints: int) -> int:
    """Start one command of a pipeline; its process id."""
    pid = os.fork()
    if pid:
        return pid
    for number, descriptor in enumerate((source, sink, complaints)):
        os.dup2(descriptor, number)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setpgid(0, 0)
    code = 70
    try:
        from core.cli import main

        code = main(words)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _start(line: str, said: int) -> list[int]:
    nothing = os.open(os.devnull, os.O_RDONLY)
    source, pids = nothing, []
    stages = line.split(" | ")
    for number, stage in enumerate(stages):
        words = shlex.split(stage)
        sink, following = said, nothing
        if words[-2:-1] == [">"]:
            sink = os.open(words[-1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            words = words[:-2]
        elif number < len(stages) - 1:
            following, sink = os.pipe()
        assert words.pop(0) == "streamguard", line
        pids.append(_stage(words, source, sink, said))
        for descriptor in {source, sink} - {said, nothing}:
            os.close(descriptor)
        source = following
    os.close(nothing)
    return pids


def run(line: str, endless: bool) -> dict[str, Any]:
    """The line's exit code (the worst of a pipeline's) and what it printed."""
    reading, said = os.pipe()
    pids = _start(line, said)
    os.close(said)
    deadline, text = time.monotonic() + PATIENCE_S, b""
    while select.select([reading], [], [], max(0.0, deadline - time.monotonic()))[0]:
        data = os.read(reading, 65536)
        if not data:
            break
        if endless and not text:
            for pid in pids:
                os.kill(pid, signal.SIGINT)
        text += data
    else:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        text += b"\n(it took too long)"
    os.close(reading)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    return {"code": max(codes, key=abs), "said": text.decode(errors="replace")}


class CommandLine:
    """Such a process, in a folder and with an environment of its own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.commandline"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent), **environment},
            text=True,
        )

    def run(self, line: str, *, endless: bool = False) -> tuple[int, str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"line": line, "endless": endless}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return int(answer["code"]), str(answer["said"])

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()


def main() -> int:
    for name in _IMPORTED:
        importlib.import_module(name)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for asked in sys.stdin:
        answer = run(**json.loads(asked))
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
