from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from core.workers.http import AddressError, application, chosen, parse
from core.workers.measures import Measures
from core.workers.task import Status
from schema.events import PaymentDecided


class Idle:
    """A task that is only looked at."""

    def __init__(
        self, name: str, state: str, detail: dict[str, Any] | None = None, measures: Measures | None = None
    ) -> None:
        self.name = name
        self.status = Status(state, detail or {}, restarts=2)
        self.measures = measures

    async def run(self, stop: asyncio.Event) -> None:
        await stop.wait()


def client(*tasks: Idle) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(application(tasks)), base_url="http://worker")


def decided(number: int, produced_at: int | None, decision: str = "approve", revision: int = 0) -> PaymentDecided:
    return PaymentDecided(
        transaction_id=f"t{number}",
        account_id="a",
        amount=100,
        decision=decision,
        score=0,
        event_time=0,
        produced_at=produced_at,
        revision=revision,
    )


async def test_ready_is_503_while_one_task_is_not_at_work_and_health_is_not() -> None:
    async with client(Idle("consumer", "running"), Idle("producer", "idle")) as web:
        for page in ("/healthz", "/readyz"):
            answer = await web.get(page)
            assert (answer.status_code, answer.json()["ok"]) == (200, True)
    async with client(Idle("consumer", "halted"), Idle("producer", "idle")) as web:
        answer = await web.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["tasks"] == {"consumer": "halted", "producer": "idle"}
        assert (await web.get("/healthz")).status_code == 200


async def test_metrics_are_prometheus_text() -> None:
    measures = Measures()
    measures.add(
        [decided(1, 1_000), decided(2, 700, "block"), decided(3, None), decided(1, 1_000, "review", 1)], 1, 1_030
    )
    detail = {"lag": 7, "error": None, "partitions": [1], "records": 9, "dead_letters": 1}
    async with client(
        Idle("consumer", "running", detail, measures),
        Idle("projector", "running", {"lag": 3}),
        Idle("producer", "idle"),
    ) as web:
        answer = await web.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    for line in (
        'streamguard_task_up{task="consumer"} 1.0',
        'streamguard_task_restarts_total{task="consumer"} 2.0',
        "streamguard_records_total 9.0",
        "streamguard_dead_letters_total 1.0",
        "streamguard_payments_total 3.0",
        "streamguard_alerts_total 1.0",
        'streamguard_decisions_total{decision="block"} 1.0',
        'streamguard_decisions_total{decision="review"} 1.0',
        "streamguard_lag_records 7.0",
        "streamguard_projection_lag_events 3.0",
        "streamguard_partitions 1.0",
        'streamguard_decision_latency_seconds_bucket{le="0.025"} 0.0',
        'streamguard_decision_latency_seconds_bucket{le="0.05"} 1.0',
        'streamguard_decision_latency_seconds_bucket{le="0.5"} 2.0',
        'streamguard_decision_latency_seconds_bucket{le="+Inf"} 2.0',
        "streamguard_decision_latency_seconds_count 2.0",
    ):
        assert line in lines, line


def test_lag_in_seconds_is_the_age_of_what_was_decided_last() -> None:
    measures = Measures()
    assert measures.lag_s(5, 10_000) is None
    measures.add([decided(1, 4_000), decided(2, 3_000)], 0, 5_000)
    assert measures.lag_s(5, 10_000) == 6.0
    assert measures.lag_s(0, 10_000) == 0.0


@pytest.mark.parametrize("wrong", ["9100", "host:", "host:port", ":9100", "host:99999"])
def test_an_address_is_host_and_port(wrong: str) -> None:
    assert parse("127.0.0.1:9100") == "127.0.0.1:9100"
    with pytest.raises(AddressError, match="expected HOST:PORT"):
        parse(wrong)


def test_a_container_is_given_its_port() -> None:
    assert chosen(None, {}) is None
    assert chosen(None, {"PORT": "8080"}) == "0.0.0.0:8080"
    assert chosen("127.0.0.1:9100", {"PORT": "8080"}) == "127.0.0.1:9100"
    with pytest.raises(AddressError):
        chosen(None, {"PORT": "many"})
