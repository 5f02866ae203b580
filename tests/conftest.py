from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from core.eventlog import EventLog
from tests import brokers, database

# On a busy machine an example may take any time; how long says nothing of what is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Path]:
    """The socket folder of the session's PostgreSQL: the embedded one, or that of STREAMGUARD_TEST_POSTGRES_BIN."""
    elsewhere = os.environ.get("STREAMGUARD_TEST_POSTGRES_BIN")
    with database.server(None if elsewhere is None else Path(elsewhere)) as socket_dir:
        yield socket_dir


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Path) -> str:
    return asyncio.run(database.make_template(postgres_server))


@pytest.fixture
def empty_postgres_dsn(postgres_server: Path) -> Iterator[str]:
    """The address of a database without anything in it."""
    dsn = asyncio.run(database.make_database(postgres_server))
    yield dsn
    asyncio.run(database.drop_database(postgres_server, dsn))


@pytest.fixture
def postgres_dsn(postgres_server: Path, postgres_template: str) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    dsn = asyncio.run(database.make_database(postgres_server, postgres_template))
    yield dsn
    asyncio.run(database.drop_database(postgres_server, dsn))


@pytest.fixture
async def pool(postgres_dsn: str) -> AsyncIterator[Any]:
    async with asyncpg.create_pool(postgres_dsn, min_size=1, max_size=10) as made:
        yield made


@pytest.fixture
async def log(pool: Any) -> AsyncIterator[EventLog]:
    made = EventLog(pool)
    yield made
    await made.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[brokers.Broker]:
    """A Kafka-protocol broker of one's own in a process of its own."""
    with brokers.running(tmp_path / "broker") as made:
        yield made
