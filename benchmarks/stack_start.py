"""The embedded stack: from nothing to all services answering, again on existing data, its end, and a kill of each.

The baseline is PostgreSQL alone by its own tools, `initdb` and `pg_ctl`: the largest part of it all.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Benchmark, Figures
from core.settings import Settings
from core.stack import postgres
from core.stack.client import Stack, ensure_stack, stop_stack
from core.stack.state import RESTARTING, SERVICES, UP


def measure() -> Benchmark:
    home = Path(tempfile.mkdtemp(prefix="sg-"))
    try:
        figures = asyncio.run(_stack(Settings(home=home)))
    finally:
        asyncio.run(stop_stack(home))
        shutil.rmtree(home)
    return Benchmark(figures, _postgres_alone())


async def _stack(settings: Settings) -> Figures:
    figures: dict[str, tuple[float, str]] = {}
    for name in ("first", "again"):
        began = time.perf_counter()
        stack = await ensure_stack(settings)
        up = time.perf_counter()
        await stack.close()
        figures[f"start_{name}"] = (up - began, "s")
        figures[f"stop_{name}"] = (time.perf_counter() - up, "s")
    stack = await ensure_stack(settings)
    for service in SERVICES:
        figures |= await _kill(stack, service)
    await stack.close()
    return figures


async def _kill(stack: Stack, name: str) -> dict[str, tuple[float, str]]:
    """Seconds from `kill -9` until the end is told, and until the service answers again."""
    assert stack.status is not None
    service = stack.status.service(name)
    assert service is not None
    assert service.pid is not None
    began = time.perf_counter()
    os.kill(service.pid, signal.SIGKILL)
    noticed = 0.0
    async for status in stack.changes():
        now = status.service(name)
        assert now is not None
        if now.state == RESTARTING and not noticed:
            noticed = time.perf_counter() - began
        if noticed and now.state == UP:
            break
    return {
        f"{name}_death_noticed": (noticed * 1000, "ms"),
        f"{name}_up_again": (time.perf_counter() - began, "s"),
    }


def _postgres_alone() -> Figures:
    folder = Path(tempfile.mkdtemp(prefix="sg-"))
    folder.chmod(0o755)
    control = [str(postgres.binaries() / "pg_ctl"), "-D", str(folder / "data"), "-w", "-s"]
    options = f"-c listen_addresses= -c unix_socket_directories={folder / 'run'}"
    begins: dict[str, tuple[float, str]] = {}
    try:
        postgres.make_socket_dir(folder / "run")
        for name in ("first", "again"):
            began = time.perf_counter()
            postgres.initialise(folder / "data")
            for action in (["start", "-o", options, "-l", str(folder / "run" / "log")], ["stop"]):
                subprocess.run([*control, *action], check=True, cwd="/", **postgres.run_as(postgres.identity()))
                if action[0] == "start":
                    begins[f"start_{name}"] = (time.perf_counter() - began, "s")
    finally:
        shutil.rmtree(folder)
    return begins
