"""PostgreSQL 15 over TLS: the address asks for verification, and what does not verify is refused."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from core.eventlog import EventLog, Meta
from core.settings import load
from core.stack import postgres
from core.stack.external import External, external
from core.stack.state import DOWN, UP
from core.workers.host import connect
from schema.events import AccountBlocked
from tests import database
from tests.real.apache_kafka import free_ports, missing
from tests.real.certificates import Authority
from tests.real.test_postgres15 import BINARIES

PASSWORD = "planted-postgres-password"
_HBA = """local all all trust
hostssl all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True)
class Server:
    port: int
    folder: Path
    authority: Authority

    def address(self, **parameters: str) -> str:
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"postgresql://guard:{PASSWORD}@127.0.0.1:{self.port}/postgres?{query}"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if not (BINARIES / "postgres").exists():
        missing(f"there is no PostgreSQL in {BINARIES}")
    home = Path(tempfile.mkdtemp(prefix="sg-tls-"))
    home.chmod(0o755)
    authority = Authority(home)
    files = authority.sign("postgres")
    (port,) = free_ports(1)
    process = None
    try:
        postgres.initialise(home / "data", BINARIES)
        (home / "data" / "pg_hba.conf").write_text(_HBA)
        user = postgres.identity()
        for file in files:
            file.chmod(0o600)
            if user is not None:
                os.chown(file, *user)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "ssl": "on",
            "ssl_cert_file": str(files[0]),
            "ssl_key_file": str(files[1]),
            "fsync": "off",
        }
        process = postgres.start(home / "data", home / "run", home / "log", settings, BINARIES)
        inside = f"postgresql://postgres@/postgres?host={home / 'run'}&port={port}"
        asyncio.run(_prepare(inside, home / "log"))
        yield Server(port, home, authority)
    finally:
        if process is not None:
            process.send_signal(signal.SIGQUIT)
            process.wait(20)
        shutil.rmtree(home, ignore_errors=True)


async def _prepare(dsn: str, log: Path) -> None:
    await database.ready(dsn, log)
    conn = await asyncpg.connect(dsn)
    await conn.execute(f"create role guard login superuser password '{PASSWORD}'")
    await conn.close()


async def _ask(address: str, home: Path) -> External:
    (found,) = await external(load(home=home, postgres=address))
    assert PASSWORD not in repr(found)
    return found


async def test_the_log_works_over_a_verified_connection(server: Server, tmp_path: Path) -> None:
    address = server.address(sslmode="verify-full", sslrootcert=str(server.authority.ca))
    assert (await _ask(address, tmp_path)).state == UP
    pool = await connect(address)
    log = EventLog(pool)
    try:
        event = AccountBlocked(account_id="acc-1", reason="a test")
        await log.append("account-acc-1", [event], meta=Meta(actor="ana"))
        (read,) = await log.read_stream("account-acc-1")
        assert read.event == event
        conn = await asyncpg.connect(address)  # the pool's own role may not look
        assert await conn.fetchval("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
        await conn.close()
    finally:
        await log.close()
        await pool.close()


async def test_what_does_not_verify_is_refused(server: Server, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    ca = str(server.authority.ca)
    refused = {
        "another authority": server.address(sslmode="verify-full", sslrootcert=str(Authority(stranger).ca)),
        "another name": server.address(sslmode="verify-full", sslrootcert=ca).replace("127.0.0.1", "localhost"),
        "no TLS": server.address(sslmode="disable"),
        "another password": server.address(sslmode="verify-full", sslrootcert=ca).replace(PASSWORD, "wrong"),
    }
    for why, address in refused.items():
        found = await _ask(address, tmp_path)
        assert found.state == DOWN, why
        assert found.detail, why
