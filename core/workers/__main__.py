"""``python -m core.workers``: the worker process. ``--hosted``: it ends with its parent, when standard input closes."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable

import structlog

from core.kafka.connection import Kafka
from core.settings import SettingsError, load
from core.stack.client import ensure_stack
from core.stack.errors import StackError
from core.workers.host import Services, host
from core.workers.names import TASKS

_DRAIN_S = 8.0


def main() -> int:
    """Exit codes: 0 stopped when asked, 2 usage, 3 a service cannot be reached."""
    parser = argparse.ArgumentParser(prog="python -m core.workers")
    parser.add_argument("--only", default=",".join(TASKS), help=f"tasks, comma-separated: {', '.join(TASKS)}")
    parser.add_argument("--hosted", action="store_true", help="stop when standard input closes")
    options = parser.parse_args()
    only = options.only.split(",")
    if unknown := [name for name in only if name not in TASKS]:
        parser.error(f"there is no task {unknown[0]!r}; there are {', '.join(TASKS)}")
    log_to_stderr()
    try:
        run(only, hosted=options.hosted)
    except (SettingsError, StackError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 3
    except OSError as error:
        print(f"a service cannot be reached: {error}", file=sys.stderr)
        return 3
    return 0


def log_to_stderr() -> None:
    """Structured lines on standard error, without colour: the supervisor puts them into a file."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.getLogger("aiokafka").setLevel(logging.ERROR)


def run(only: list[str], *, hosted: bool) -> None:
    """Run the tasks on uvloop until SIGTERM, SIGINT or, when hosted, the end of standard input."""
    try:
        import uvloop
    except ImportError:  # Windows
        asyncio.run(_serve(only, hosted))
    else:
        uvloop.run(_serve(only, hosted))


async def _serve(only: list[str], hosted: bool) -> None:
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
    stack = await ensure_stack(load())
    try:
        addresses = stack.addresses
        await host(Services(Kafka(addresses.kafka), addresses.ksqldb, addresses.postgres), only, stop)
    finally:
        await stack.close()


def _wait_for_end(loop: asyncio.AbstractEventLoop, ask: Callable[[], None]) -> None:
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(ask)


if __name__ == "__main__":
    sys.exit(main())
