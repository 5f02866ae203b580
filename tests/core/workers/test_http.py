from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from core.workers.http import AddressError, application, parse
from core.workers.task import Status


class Idle:
    """A task that is only looked at."""

    def __init__(self, name: str, state: str, detail: dict[str, Any] | None = None) -> None:
        self.name = name
        self.status = Status(state, detail or {}, restarts=2)

    async def run(self, stop: asyncio.Event) -> None:
        await stop.wait()


def client(*tasks: Idle) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(application(tasks)), base_url="http://worker")


async def test_health_is_503_while_one_task_is_not_at_work() -> None:
    async with client(Idle("consumer", "running"), Idle("producer", "idle")) as web:
        answer = await web.get("/health")
        assert (answer.status_code, answer.json()["ok"]) == (200, True)
    async with client(Idle("consumer", "halted"), Idle("producer", "idle")) as web:
        answer = await web.get("/health")
        assert answer.status_code == 503
        assert answer.json()["tasks"] == {"consumer": "halted", "producer": "idle"}


async def test_metrics_are_prometheus_text() -> None:
    async with client(Idle("consumer", "running", {"lag": 7, "error": None, "partitions": [1]})) as web:
        text = (await web.get("/metrics")).text
    assert 'streamguard_task_up{task="consumer"} 1.0' in text
    assert 'streamguard_task_restarts{task="consumer"} 2.0' in text
    assert 'streamguard_task_figure{figure="lag",task="consumer"} 7.0' in text
    assert "partitions" not in text


@pytest.mark.parametrize("wrong", ["9100", "host:", "host:port", ":9100", "host:99999"])
def test_an_address_is_host_and_port(wrong: str) -> None:
    assert parse("127.0.0.1:9100") == "127.0.0.1:9100"
    with pytest.raises(AddressError, match="expected HOST:PORT"):
        parse(wrong)
