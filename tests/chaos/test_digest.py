"""Workers killed in the middle of a replay change no decision."""

from __future__ import annotations

from pathlib import Path

from tests.brokers import Broker
from tests.core.workers.test_digest import compare


async def test_killed_workers_change_no_decision(broker: Broker, postgres_server: Path, postgres_template: str) -> None:
    await compare(broker, postgres_server, postgres_template, kills=2)
