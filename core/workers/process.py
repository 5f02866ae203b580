"""The worker process: signals, its parent's end, exit codes."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from core.redact import without_secrets
from core.settings import Settings
from core.stack.client import Stack, ensure_stack
from core.workers.host import Services, host
from core.workers.names import TASKS, UnknownTask

_DRAIN_S = 8.0


def serve(
    settings: Settings, only: Sequence[str] | None = None, *, hosted: bool = False, http: str | None = None
) -> int:
    """Run the tasks (all by default) until SIGTERM, SIGINT or, when hosted, the end of standard input; returns 0.

    Raises ``UnknownTask``, ``StackError`` or what the first connection raised.
    """
    # Detection keeps tens of thousands of small objects that never form cycles; looking through all of them for some
    # would cost more than deciding does.
    gc.set_threshold(200_000, 50, 100)
    chosen = list(only or TASKS)
    if unknown := [name for name in chosen if name not in TASKS]:
        raise UnknownTask(f"there is no worker task {unknown[0]!r}; there are {', '.join(TASKS)}")
    os.umask(0o077)  # seals are its user's alone
    _log_to_stderr()
    _run(_serve(settings, chosen, hosted, http))
    return 0


def _log_to_stderr() -> None:
    """Structured lines without colour: the supervisor puts them into a file."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_secrets,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.getLogger("aiokafka").setLevel(logging.ERROR)


def _without_secrets(logger: Any, method: str, line: Any) -> Any:
    return {name: without_secrets(value) if isinstance(value, str) else value for name, value in line.items()}


def _run(main: Coroutine[Any, Any, None]) -> None:
    try:
        import uvloop
    except ImportError:  # it does not exist for Windows
        asyncio.run(main)
    else:
        uvloop.run(main)


async def _serve(settings: Settings, only: Sequence[str], hosted: bool, http: str | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask() -> None:
        stop.set()
        # What does not drain in time is cut off: leases run out and the next worker goes on from the last commit.
        loop.call_later(_DRAIN_S, os._exit, 0)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    if hosted:
        threading.Thread(target=_wait_for_end, args=(loop, ask), daemon=True).start()
    # Whoever hosts has the stack up. A hosted worker does not start one again that was stopped.
    stack = await ensure_stack(settings, start=not hosted)
    watching = loop.create_task(_end_with(stack, ask)) if hosted and stack.status is not None else None
    try:
        addresses = stack.addresses
        witness = settings.home / "seals.jsonl"
        services = Services(settings.cluster(addresses.kafka), addresses.ksqldb, addresses.postgres, witness)
        await host(services, only, stop, http)
    finally:
        if watching is not None:
            watching.cancel()
            await asyncio.wait([watching])
        await stack.close()


async def _end_with(stack: Stack, ask: Callable[[], None]) -> None:
    """A hosted worker ends with the stack: the next one may have another database, which its successor migrates."""
    async for _ in stack.changes():
        pass
    ask()


def _wait_for_end(loop: asyncio.AbstractEventLoop, ask: Callable[[], None]) -> None:
    while os.read(sys.stdin.fileno(), 4096):  # not the buffered reader: its lock would stop the interpreter's own end
        pass
    loop.call_soon_threadsafe(ask)
