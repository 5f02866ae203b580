"""Health and metrics of a worker process over HTTP, for orchestrators and Prometheus.

``GET /health``: 200 with every task's state, 503 while one of them is not at work. ``GET /metrics``: Prometheus text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.workers.task import Task

AT_WORK = ("running", "idle", "waiting", "standby")
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class AddressError(ValueError):
    """Not HOST:PORT."""


def parse(address: str) -> str:
    """The address as hypercorn takes it; raises ``AddressError``."""
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdigit() and 0 < int(port) < 65536):
        raise AddressError(f"--http {address!r}: expected HOST:PORT, such as 127.0.0.1:9100")
    return address


def application(tasks: Sequence[Task]) -> Starlette:
    """The two pages over the tasks' statuses."""

    async def health(request: Request) -> Response:
        states = {task.name: task.status.state for task in tasks}
        well = all(state in AT_WORK for state in states.values())
        return JSONResponse({"ok": well, "tasks": states}, 200 if well else 503)

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(_registry(tasks)), media_type=_TEXT)

    return Starlette(routes=[Route("/health", health), Route("/metrics", metrics)])


def _registry(tasks: Sequence[Task]) -> CollectorRegistry:
    registry = CollectorRegistry()
    up = Gauge("streamguard_task_up", "1 while the task is at work", ["task"], registry=registry)
    restarts = Gauge("streamguard_task_restarts", "times the task began anew", ["task"], registry=registry)
    figures = Gauge("streamguard_task_figure", "numbers of the task's status", ["task", "figure"], registry=registry)
    for task in tasks:
        up.labels(task.name).set(task.status.state in AT_WORK)
        restarts.labels(task.name).set(task.status.restarts)
        for name, value in task.status.detail.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                figures.labels(task.name, name).set(value)
    return registry


async def publish(address: str, tasks: Sequence[Task], stop: asyncio.Event) -> None:
    """Serve until ``stop``; raises ``OSError`` when the address is taken."""
    config = Config()
    config.bind = [address]
    config.accesslog = None
    app: Any = application(tasks)
    await serve(app, config, shutdown_trigger=stop.wait)
