"""The stack with its real services: start, share, die, come back, stop, and what it says when it cannot."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from core.stack import postgres
from core.stack.client import Step, ensure_stack, rejoin, stack_status, stop_stack
from core.stack.errors import StackError
from core.stack.paths import StackPaths
from core.stack.state import DOWN, RESTARTING, UP
from ksqldb.client import KsqlClient
from tests.contracts.kafka import producer
from tests.core.stack.homes import NOWHERE, StackFlags, alive, make_home, remove, until, until_gone

pytestmark = pytest.mark.xdist_group("stack")  # each starts PostgreSQL: one after the other


@pytest.fixture
async def home() -> AsyncIterator[Path]:
    folder = make_home()
    yield folder
    await stop_stack(folder)
    remove(folder)


@pytest.fixture(scope="module")
def made_cluster() -> Iterator[Path]:
    """A database cluster to copy: making one takes seconds of processor time."""
    folder = make_home()
    postgres.initialise(folder / "postgres")
    yield folder / "postgres"
    remove(folder)


@pytest.fixture
def settings(home: Path, made_cluster: Path) -> StackFlags:
    shutil.copytree(made_cluster, home / "postgres")
    user = postgres.identity()
    if user is not None:
        for path in [home / "postgres", *(home / "postgres").rglob("*")]:
            os.chown(path, *user)
    return StackFlags(home)


async def select_one(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("select 1"))
    finally:
        await connection.close()


class TestLife:
    async def test_a_new_home_comes_up_step_by_step_and_ends_with_its_client(self, home: Path) -> None:
        steps: list[Step] = []
        stack = await ensure_stack(StackFlags(home), steps.append)
        assert await select_one(stack.addresses.postgres) == 1
        async with producer(stack.addresses.kafka) as out:
            assert (await out.send_and_wait("t", b"x")).offset == 0
        assert stack.addresses.ksqldb == NOWHERE
        assert ("postgres", "starting", "makes its data folder (once)") in [(s.service, s.state, s.text) for s in steps]
        assert {s.service for s in steps if s.state == UP} == {"postgres", "kafka"}
        assert [s.elapsed for s in steps] == sorted(s.elapsed for s in steps)
        assert stack.status is not None
        pids = [stack.status.pid, *(service.pid or 0 for service in stack.status.services)]
        await stack.close()
        await until_gone(*pids)
        assert await stack_status(home) is None

    async def test_two_clients_that_start_at_once_share_one_stack(self, settings: StackFlags) -> None:
        one, two = await asyncio.gather(ensure_stack(settings), ensure_stack(settings))
        assert one.status is not None
        assert two.status is not None
        assert one.status.pid == two.status.pid
        assert one.addresses == two.addresses
        await one.close()
        assert await select_one(two.addresses.postgres) == 1
        await two.close()
        assert await stack_status(settings.home) is None

    async def test_kept_it_outlives_its_clients_and_its_data_outlives_it(self, settings: StackFlags) -> None:
        stack = await ensure_stack(settings, keep=True)
        connection = await asyncpg.connect(stack.addresses.postgres)
        await connection.execute("create table kept (n int); insert into kept values (42)")
        await connection.close()
        await stack.close()
        status = await stack_status(settings.home)
        assert status is not None
        assert [service.state for service in status.services] == [UP, UP]
        assert not status.on_demand
        holding = await ensure_stack(settings)
        assert await stop_stack(settings.home)
        last = [status async for status in holding.changes()][-1]
        assert last.stopping
        await holding.close()
        assert await stack_status(settings.home) is None
        again = await ensure_stack(settings)
        connection = await asyncpg.connect(again.addresses.postgres)
        assert await connection.fetchval("select n from kept") == 42
        await connection.close()
        await again.close()

    async def test_who_holds_a_stack_that_was_stopped_waits_until_it_is_started(self, settings: StackFlags) -> None:
        holding = await ensure_stack(settings)
        await stop_stack(settings.home, wipe=True)
        assert [status async for status in holding.changes()][-1].stopping
        rejoining = asyncio.create_task(rejoin(settings, holding))
        with pytest.raises(StackError, match="not running"):
            await ensure_stack(settings, start=False)
        assert not (settings.home / "kafka").exists()
        started = await ensure_stack(settings)
        rejoined = await rejoining
        assert rejoined.addresses == started.addresses
        joined = await ensure_stack(settings, start=False)
        for stack in (started, rejoined, joined):
            await stack.close()
        assert await stack_status(settings.home) is None

    async def test_a_stack_that_is_just_stopped_is_not_started_by_who_would_only_join(
        self, settings: StackFlags, home: Path
    ) -> None:
        paths = StackPaths(home)
        paths.make()

        async def turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            paths.socket.unlink()  # as a supervisor does when it was asked to stop
            writer.close()

        async with await asyncio.start_unix_server(turn_away, paths.socket):
            with pytest.raises(StackError, match="not running"):
                await ensure_stack(settings, start=False)
        assert await stack_status(home) is None

    async def test_a_wipe_deletes_the_data_and_nothing_else(self, settings: StackFlags) -> None:
        (settings.home / "streamguard.toml").write_text("")
        (settings.home / "seals.jsonl").write_text("")
        await (await ensure_stack(settings)).close()
        assert not await stop_stack(settings.home, wipe=True)
        assert not (settings.home / "postgres").exists()
        assert not (settings.home / "kafka").exists()
        assert not (settings.home / "seals.jsonl").exists()
        assert (settings.home / "streamguard.toml").exists()

    async def test_it_ends_when_its_starter_is_killed(self, settings: StackFlags) -> None:
        starter = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _HOLD, str(settings.home)), stdout=asyncio.subprocess.PIPE, start_new_session=True
        )
        assert starter.stdout is not None
        pids = [int(pid) for pid in (await starter.stdout.readline()).split()]
        assert len(pids) == 3
        assert all(alive(pid) for pid in pids)
        starter.kill()
        await starter.wait()
        await until_gone(*pids)


_HOLD = f"""
import asyncio, sys
from pathlib import Path
from core.stack.client import ensure_stack
from tests.core.stack.homes import StackFlags

async def hold() -> None:
    stack = await ensure_stack(StackFlags(Path(sys.argv[1]), ksqldb_url={NOWHERE!r}))
    print(stack.status.pid, *(service.pid for service in stack.status.services), flush=True)
    await asyncio.Event().wait()

asyncio.run(hold())
"""


class TestDeath:
    @pytest.mark.parametrize("name", ["postgres", "kafka"])
    async def test_a_killed_service_is_noticed_and_started_again(self, settings: StackFlags, name: str) -> None:
        stack = await ensure_stack(settings)
        assert stack.status is not None
        before = stack.status.service(name)
        assert before is not None
        assert before.pid is not None
        os.kill(before.pid, signal.SIGKILL)
        async with asyncio.timeout(2.0):  # the promise, not the time it takes
            died = await until(stack, name, lambda service: service.state == RESTARTING)
        assert died.detail == "ended by SIGKILL"
        after = await until(stack, name, lambda service: service.state == UP)
        assert after.pid != before.pid
        assert after.restarts == 1
        assert after.address == before.address
        await stack.close()

    async def test_a_service_that_hangs_is_shown_and_left_to_come_round(self, settings: StackFlags) -> None:
        stack = await ensure_stack(settings)
        assert stack.status is not None
        broker = stack.status.service("kafka")
        assert broker is not None
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            hung = await until(stack, "kafka", lambda service: service.state == DOWN)
            assert "does not answer" in hung.detail
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        again = await until(stack, "kafka", lambda service: service.state == UP)
        assert again.pid == broker.pid
        await stack.close()

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
    async def test_a_killed_supervisor_takes_its_services_with_it(self, settings: StackFlags) -> None:
        stack = await ensure_stack(settings)
        assert stack.status is not None
        os.kill(stack.status.pid, signal.SIGKILL)
        assert [status async for status in stack.changes()] == []
        again = await rejoin(settings, stack)
        assert again.addresses == stack.addresses
        assert await select_one(again.addresses.postgres) == 1
        await until_gone(*(service.pid or 0 for service in stack.status.services))
        await again.close()

    async def test_what_a_dead_postgres_left_is_cleared(self, settings: StackFlags) -> None:
        sleeper = await asyncio.create_subprocess_exec(sys.executable, "-c", "import signal; signal.pause()")
        try:
            stale = settings.home / "postgres" / "postmaster.pid"
            stale.write_text(f"{sleeper.pid}\n{settings.home / 'postgres'}\n1\n5432\n\n\n")
            paths = StackPaths(settings.home)
            paths.make()
            paths.socket.touch()
            stack = await ensure_stack(settings)
            assert await select_one(stack.addresses.postgres) == 1
            await stack.close()
            assert sleeper.returncode is None
        finally:
            sleeper.kill()
            await sleeper.wait()

    async def test_the_engine_comes_back_and_still_has_its_streams(self, settings: StackFlags) -> None:
        flags = StackFlags(settings.home, ksqldb_url=None)
        stack = await ensure_stack(flags)
        client = KsqlClient(stack.addresses.ksqldb)
        async with client:
            await client.execute(
                "CREATE STREAM kept (id STRING KEY) WITH (kafka_topic='kept', partitions=1, value_format='JSON');"
            )
            assert stack.status is not None
            engine = stack.status.service("ksqldb")
            assert engine is not None
            assert engine.pid is not None
            os.kill(engine.pid, signal.SIGKILL)
            await until(stack, "ksqldb", lambda service: service.state == RESTARTING)
            again = await until(stack, "ksqldb", lambda service: service.state == UP)
            assert again.address == engine.address
            (streams,) = await client.execute("SHOW STREAMS;")
            assert "KEPT" in {stream["name"] for stream in streams["streams"]}
        await stack.close()
        assert await stack_status(settings.home) is None


class TestCannot:
    async def test_a_taken_port_that_was_asked_for(self, home: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(StackError, match=rf"port {port} of 127\.0\.0\.1.*STREAMGUARD_KAFKA_PORT"):
                await ensure_stack(StackFlags(home, kafka_port=port))
        assert await stack_status(home) is None

    async def test_a_taken_port_that_was_not_asked_for_is_avoided(self, settings: StackFlags) -> None:
        with socket.socket() as usual:
            usual.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                usual.bind(("127.0.0.1", 9092))
                usual.listen()
            except OSError:
                pass  # somebody else has it, which serves as well
            stack = await ensure_stack(settings)
            address = stack.addresses.kafka
            assert address != "127.0.0.1:9092"
            await stack.close()
        again = await ensure_stack(settings)
        assert again.addresses.kafka == address
        await again.close()

    async def test_a_home_that_cannot_be_made(self, home: Path) -> None:
        (home / "file").write_text("in the way")
        with pytest.raises(StackError, match="STREAMGUARD_HOME"):
            await ensure_stack(StackFlags(home / "file" / "home"))

    async def test_a_full_disk(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("core.stack.paths._LEAST_FREE", 1 << 60)
        paths = StackPaths(home)
        with pytest.raises(StackError, match=r"MB are free on the disk of .*: free some, or set STREAMGUARD_HOME"):
            paths.check_space()

    async def test_data_of_another_postgres(self, settings: StackFlags) -> None:
        (settings.home / "postgres" / "PG_VERSION").write_text("12\n")
        with pytest.raises(StackError, match=r"made by PostgreSQL 12.*down --wipe"):
            await ensure_stack(settings)

    async def test_a_service_that_cannot_start_says_why(self, settings: StackFlags) -> None:
        (settings.home / "kafka").write_text("in the way")
        with pytest.raises(
            StackError, match=r"kafka cannot start: ended with exit code 1: the broker cannot run: .*kafka"
        ):
            await ensure_stack(settings)

    async def test_a_running_stack_that_serves_less(self, settings: StackFlags) -> None:
        stack = await ensure_stack(settings)
        with pytest.raises(StackError, match="serves postgres, kafka and not ksqldb"):
            await ensure_stack(StackFlags(settings.home, ksqldb_url=None))
        await stack.close()

    async def test_a_home_too_deep_for_a_socket_still_works(self, settings: StackFlags) -> None:
        deep = settings.home / ("d" * 60) / ("e" * 60)
        deep.mkdir(parents=True)
        (settings.home / "postgres").rename(deep / "postgres")
        stack = await ensure_stack(StackFlags(deep))
        run = StackPaths(deep).run
        try:
            assert await select_one(stack.addresses.postgres) == 1
            assert not run.is_relative_to(deep)
        finally:
            await stack.close()
            await stop_stack(deep)
            shutil.rmtree(run)


async def test_with_every_address_given_nothing_is_started(home: Path) -> None:
    flags = StackFlags(home, kafka="k:1", ksqldb_url="http://q:2", postgres_dsn="postgresql://p/3")
    stack = await ensure_stack(flags)
    assert (stack.addresses.kafka, stack.addresses.ksqldb, stack.addresses.postgres) == (
        "k:1",
        "http://q:2",
        "postgresql://p/3",
    )
    assert [status async for status in stack.changes()] == []
    await stack.close()
    assert not StackPaths(home).run.exists()
