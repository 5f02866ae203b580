"""Health and metrics of a worker process over HTTP, for orchestrators and Prometheus.

``GET /healthz``: 200 while the process answers; restarting it would not help. ``GET /readyz``: 200 while every task is
at work, else 503. Both name the tasks' states. ``GET /metrics``: Prometheus text.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from time import time
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.workers.measures import BUCKETS_S, Measures
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


def chosen(asked: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Where to serve: what ``--http`` says, else every interface at ``$PORT`` (containers that are given one)."""
    if asked is not None:
        return parse(asked)
    port = environment.get("PORT")
    return parse(f"0.0.0.0:{port}") if port else None


def application(tasks: Sequence[Task]) -> Starlette:
    """The pages over the tasks' statuses."""
    registry = CollectorRegistry()
    registry.register(_Tasks(tasks))

    def states() -> dict[str, str]:
        return {task.name: task.status.state for task in tasks}

    async def health(request: Request) -> Response:
        return JSONResponse({"ok": True, "tasks": states()})

    async def ready(request: Request) -> Response:
        well = all(state in AT_WORK for state in states().values())
        return JSONResponse({"ok": well, "tasks": states()}, 200 if well else 503)

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(registry), media_type=_TEXT)

    return Starlette(routes=[Route("/healthz", health), Route("/readyz", ready), Route("/metrics", metrics)])


class _Tasks(Collector):
    """Reads the tasks' statuses whenever the page is asked for."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("streamguard_task_up", "1 while the task is at work", labels=["task"])
        restarts = CounterMetricFamily("streamguard_task_restarts", "times the task began anew", labels=["task"])
        for task in self._tasks:
            up.add_metric([task.name], task.status.state in AT_WORK)
            restarts.add_metric([task.name], task.status.restarts)
        yield from (up, restarts)
        for task in self._tasks:
            measures = getattr(task, "measures", None)
            if isinstance(measures, Measures):
                yield from _consumed(measures, task.status.detail)
            elif task.name == "projector":
                yield _gauge("projection_lag_events", "events not yet folded into tables", task.status.detail, "lag")
            elif task.name == "producer":
                yield _counter("sent_payments", "payments sent", task.status.detail.get("sent", 0))


def _consumed(measures: Measures, detail: Mapping[str, Any]) -> Iterable[Metric]:
    yield _counter("records", "records taken in", detail.get("records", 0))
    yield _counter("dead_letters", "records refused", detail.get("dead_letters", 0))
    yield _counter("duplicate_payments", "payments sent twice, counted once", detail.get("duplicates", 0))
    yield _counter("recoveries", "times the partitions were claimed anew", detail.get("recoveries", 0))
    yield _counter(
        "incomplete_lists", "lists drawn up without all that they are made of", detail.get("incomplete_lists", 0)
    )
    yield _counter("payments", "payments decided", measures.payments)
    yield _counter("alerts", "alerts raised", measures.alerts)
    decisions = CounterMetricFamily("streamguard_decisions", "decisions, revised ones as well", labels=["decision"])
    for decision in ("approve", "review", "block"):
        decisions.add_metric([decision], measures.decisions[decision])
    yield decisions
    yield _gauge("lag_records", "records the consumer has still to read", detail, "lag")
    behind = measures.lag_s(int(detail.get("lag", 0)), time() * 1000)
    if behind is not None:
        yield GaugeMetricFamily("streamguard_lag_seconds", "seconds the consumer is behind", value=behind)
    partitions = len(detail.get("partitions", ()))
    yield GaugeMetricFamily("streamguard_partitions", "partitions this worker holds", value=partitions)
    latency = HistogramMetricFamily("streamguard_decision_latency_seconds", "from the producer's clock to the decision")
    total, buckets = 0, []
    for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), measures.latency, strict=True):
        total += count
        buckets.append((bound, float(total)))
    latency.add_metric([], buckets, measures.latency_sum_s)
    yield latency


def _counter(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(f"streamguard_{name}", about, value=value)


def _gauge(name: str, about: str, detail: Mapping[str, Any], figure: str) -> Metric:
    return GaugeMetricFamily(f"streamguard_{name}", about, value=float(detail.get(figure, 0)))


async def publish(address: str, tasks: Sequence[Task], stop: asyncio.Event) -> None:
    """Serve until ``stop``; raises ``OSError`` when the address is taken."""
    config = Config()
    config.bind = [address]
    config.accesslog = None
    app: Any = application(tasks)
    await serve(app, config, shutdown_trigger=stop.wait)
