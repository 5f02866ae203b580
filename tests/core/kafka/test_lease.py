from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kafka import lease
from core.kafka.lease import Fenced, Position, quota

TOPICS = ("a", "b")
EXPIRE = "update ops.koff set lease_until = '-infinity'"


@given(st.sets(st.text("abc", min_size=1, max_size=4), min_size=1, max_size=9), st.integers(0, 64))
def test_shares_add_up_and_differ_by_one_at_most(members: set[str], partitions: int) -> None:
    shares = [quota(member, members, partitions) for member in members]
    assert sum(shares) == partitions
    assert max(shares) - min(shares) <= 1


def test_a_worker_not_yet_among_the_members_counts_itself() -> None:
    assert quota("b", ["a"], 4) == 2


@pytest.fixture
async def sessions(postgres_dsn: str) -> AsyncIterator[tuple[Any, Any]]:
    one, two = await asyncpg.connect(postgres_dsn), await asyncpg.connect(postgres_dsn)
    await lease.ensure_rows(one, "k", {(topic, part): 0 for topic in TOPICS for part in range(2)})
    yield one, two
    await one.close()
    await two.close()


async def claim(conn: Any, worker: str, wanted: int = 9, held: tuple[int, ...] = ()) -> lease.Owned:
    async with conn.transaction():
        return await lease.claim(conn, "k", worker, TOPICS, wanted, held)


async def test_a_lease_covers_a_partition_of_every_topic(sessions: tuple[Any, Any]) -> None:
    one, two = sessions
    assert await claim(one, "one", 1) == {0: {"a": Position(0, 1), "b": Position(0, 1)}}
    assert await claim(two, "two") == {1: {"a": Position(0, 1), "b": Position(0, 1)}}
    assert await claim(two, "three") == {}


async def test_a_worker_that_wants_more_does_not_claim_what_it_holds(sessions: tuple[Any, Any]) -> None:
    """Else it would claim the same partition for ever while another is free."""
    one, _ = sessions
    assert set(await claim(one, "one", 1)) == {0}
    assert set(await claim(one, "one", 1, held=(0,))) == {1}
    assert set(await claim(one, "one", 2)) == {0, 1}  # it forgot what it held: its own, at once


async def test_a_batch_of_an_older_epoch_is_fenced(sessions: tuple[Any, Any]) -> None:
    one, two = sessions
    await claim(one, "one")
    await one.execute(EXPIRE)
    assert (await claim(two, "two"))[0]["a"].epoch == 2
    with pytest.raises(Fenced):
        await lease.advance(one, "k", [("a", 0, 1, 0, 5)])
    await lease.advance(two, "k", [("a", 0, 2, 0, 5), ("b", 0, 2, 0, 1)])
    with pytest.raises(Fenced):
        await lease.advance(two, "k", [("a", 0, 2, 0, 5)])


async def test_partitions_inside_a_transaction_are_not_claimed_until_it_ends(sessions: tuple[Any, Any]) -> None:
    one, two = sessions
    await claim(one, "one")
    transaction = one.transaction()
    await transaction.start()
    await lease.advance(one, "k", [("a", 0, 1, 0, 7)])
    await two.execute(EXPIRE + " where partition = 1 or topic = 'b'")
    assert set(await claim(two, "two")) == {1}
    await transaction.commit()
    await two.execute(EXPIRE + " where partition = 0")
    assert (await claim(two, "two"))[0]["a"] == Position(7, 2)


async def test_a_renewal_tells_what_was_lost(sessions: tuple[Any, Any]) -> None:
    one, two = sessions
    owned = await claim(one, "one")
    await one.execute(EXPIRE + " where partition = 1")
    await claim(two, "two")
    assert await lease.renew(one, "k", "one", owned) == {1}


async def test_the_session_of_a_zombie_inside_a_transaction_is_ended(
    sessions: tuple[Any, Any], postgres_dsn: str
) -> None:
    _, two = sessions
    zombie = await asyncpg.connect(postgres_dsn, server_settings={"application_name": lease.session_name("zombie")})
    await claim(zombie, "zombie")
    await zombie.execute("begin")
    await lease.advance(zombie, "k", [("a", 0, 1, 0, 7)])
    assert await lease.end_zombies(two, "k", "two") == 0, "its lease still runs"
    await two.execute(EXPIRE + " where partition = 1")
    assert await lease.end_zombies(two, "k", "two") == 0, "its transaction is young"
    while await lease.end_zombies(two, "k", "two", over_s=0.1) == 0:
        pass
    while not (taken := (await claim(two, "two")).get(0)):
        await two.execute(EXPIRE)
    assert taken["a"] == Position(0, 2), "what the zombie did is undone"
    zombie.terminate()
