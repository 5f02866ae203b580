"""The group coordinator without a network: who joins, who waits, who is thrown out."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from core.stack.broker.errors import Code, KafkaError
from core.stack.broker.groups import COMPLETING, EMPTY, PREPARING, STABLE, Coordinator, Joined, JoinRequest

_JOIN = JoinRequest(
    group_id="g",
    member_id="",
    client_id="c",
    client_host="127.0.0.1",
    protocol_type="consumer",
    protocols=[("range", b"r"), ("roundrobin", b"rr")],
    session_timeout=30_000,
    rebalance_timeout=30_000,
    id_must_be_known=False,
)


@pytest.fixture
async def groups() -> AsyncIterator[Coordinator]:
    made = Coordinator()
    yield made
    made.close()


async def settled(groups: Coordinator, count: int) -> list[Joined]:
    """`count` members of a stable group, the leader first."""
    first = await groups.join(_JOIN)
    ids = [first.member_id]
    waiting = [groups.join(_JOIN) for _ in range(count - 1)]
    joined = (
        [first] if count == 1 else list(await asyncio.gather(groups.join(replace(_JOIN, member_id=ids[0])), *waiting))
    )
    generation = joined[0].generation
    syncs = [groups.sync("g", generation, one.member_id, []) for one in joined[1:]]
    given = [(one.member_id, one.member_id.encode()) for one in joined]
    assert await groups.sync("g", generation, joined[0].member_id, given) == joined[0].member_id.encode()
    assert await asyncio.gather(*syncs) == [one.member_id.encode() for one in joined[1:]]
    assert groups.groups["g"].state == STABLE
    return joined


def code_of(error: pytest.ExceptionInfo[KafkaError]) -> Code:
    return error.value.code


async def test_one_member_leads_and_is_assigned(groups: Coordinator) -> None:
    joined = await groups.join(_JOIN)
    assert (joined.generation, joined.protocol, joined.leader) == (1, "range", joined.member_id)
    assert joined.members == [(joined.member_id, b"r")]
    assert groups.groups["g"].state == COMPLETING
    assert await groups.sync("g", 1, joined.member_id, [(joined.member_id, b"all")]) == b"all"
    groups.heartbeat("g", 1, joined.member_id)


async def test_a_second_member_has_everyone_meet_again(groups: Coordinator) -> None:
    first, second = await settled(groups, 2)
    assert first.generation == second.generation == 2
    assert first.leader == second.leader == first.member_id
    assert {member for member, _ in first.members} == {first.member_id, second.member_id}
    assert second.members == []


async def test_a_heartbeat_tells_that_a_rebalance_waits(groups: Coordinator) -> None:
    (first,) = await settled(groups, 1)
    waiting = groups.join(_JOIN)
    with pytest.raises(KafkaError) as caught:
        groups.heartbeat("g", first.generation, first.member_id)
    assert code_of(caught) == Code.REBALANCE_IN_PROGRESS
    assert not waiting.done()
    groups.leave("g", first.member_id)
    assert (await waiting).leader != first.member_id


async def test_a_newcomer_gets_its_id_first(groups: Coordinator) -> None:
    with pytest.raises(KafkaError) as caught:
        groups.join(replace(_JOIN, id_must_be_known=True))
    assert code_of(caught) == Code.MEMBER_ID_REQUIRED
    member_id = caught.value.message
    joined = await groups.join(replace(_JOIN, member_id=member_id, id_must_be_known=True))
    assert joined.member_id == member_id
    with pytest.raises(KafkaError) as caught:
        groups.join(replace(_JOIN, member_id="never given out"))
    assert code_of(caught) == Code.UNKNOWN_MEMBER_ID


async def test_who_is_silent_is_thrown_out(groups: Coordinator) -> None:
    await groups.join(replace(_JOIN, session_timeout=100))
    waiting = groups.join(_JOIN)
    joined = await asyncio.wait_for(waiting, 10)
    assert list(groups.groups["g"].members) == [joined.member_id]


async def test_who_does_not_come_back_in_time_is_left_behind(groups: Coordinator) -> None:
    late = await groups.join(replace(_JOIN, rebalance_timeout=100))
    joined = await asyncio.wait_for(groups.join(replace(_JOIN, rebalance_timeout=50)), 10)
    assert joined.leader == joined.member_id
    with pytest.raises(KafkaError) as caught:
        groups.heartbeat("g", joined.generation, late.member_id)
    assert code_of(caught) == Code.UNKNOWN_MEMBER_ID


async def test_leaving_hands_over(groups: Coordinator) -> None:
    first, second = await settled(groups, 2)
    groups.leave("g", first.member_id)
    assert groups.groups["g"].state == PREPARING
    joined = await groups.join(replace(_JOIN, member_id=second.member_id))
    assert (joined.leader, joined.generation) == (second.member_id, 3)
    groups.leave("g", second.member_id)
    assert groups.groups["g"].state == EMPTY
    groups.delete("g")
    assert groups.groups == {}


async def test_a_follower_that_asks_again_gets_the_same_answer(groups: Coordinator) -> None:
    first, second = await settled(groups, 2)
    again = await groups.join(replace(_JOIN, member_id=second.member_id))
    assert again == second
    assert await groups.sync("g", 2, second.member_id, []) == second.member_id.encode()
    groups.heartbeat("g", 2, first.member_id)


async def test_a_leader_that_joins_again_has_everyone_meet(groups: Coordinator) -> None:
    first, second = await settled(groups, 2)
    waiting = groups.join(replace(_JOIN, member_id=first.member_id))
    assert not waiting.done()
    await groups.join(replace(_JOIN, member_id=second.member_id))
    assert (await waiting).generation == 3


async def test_an_old_generation_may_neither_sync_nor_commit(groups: Coordinator) -> None:
    first, second = await settled(groups, 2)
    for act in (
        lambda: groups.sync("g", 1, first.member_id, []),
        lambda: groups.heartbeat("g", 1, second.member_id),
        lambda: groups.check_commit("g", 1, second.member_id),
    ):
        with pytest.raises(KafkaError) as caught:
            act()
        assert code_of(caught) == Code.ILLEGAL_GENERATION
    groups.check_commit("g", 2, second.member_id)
    with pytest.raises(KafkaError) as caught:
        groups.check_commit("g", -1, "")
    assert code_of(caught) == Code.UNKNOWN_MEMBER_ID
    groups.check_commit("nobody's", -1, "")


async def test_the_protocol_is_one_that_all_know(groups: Coordinator) -> None:
    (first,) = await settled(groups, 1)
    with pytest.raises(KafkaError) as caught:
        groups.join(replace(_JOIN, protocols=[("sticky", b"")]))
    assert code_of(caught) == Code.INCONSISTENT_GROUP_PROTOCOL
    waiting = groups.join(replace(_JOIN, protocols=[("sticky", b""), ("roundrobin", b"")]))
    groups.join(replace(_JOIN, member_id=first.member_id))
    assert (await waiting).protocol == "roundrobin"


async def test_a_sync_that_waits_ends_when_the_group_meets_again(groups: Coordinator) -> None:
    first = await groups.join(_JOIN)
    second = groups.join(_JOIN)
    await groups.join(replace(_JOIN, member_id=first.member_id))
    waiting = groups.sync("g", 2, (await second).member_id, [])
    groups.leave("g", first.member_id)
    with pytest.raises(KafkaError) as caught:
        await waiting
    assert code_of(caught) == Code.REBALANCE_IN_PROGRESS


async def test_impossible_requests_are_refused(groups: Coordinator) -> None:
    for request, code in (
        (replace(_JOIN, group_id=""), Code.INVALID_GROUP_ID),
        (replace(_JOIN, session_timeout=1), Code.INVALID_SESSION_TIMEOUT),
        (replace(_JOIN, protocols=[]), Code.INCONSISTENT_GROUP_PROTOCOL),
    ):
        with pytest.raises(KafkaError) as caught:
            groups.join(request)
        assert code_of(caught) == code
    await settled(groups, 1)
    with pytest.raises(KafkaError) as caught:
        groups.delete("g")
    assert code_of(caught) == Code.NON_EMPTY_GROUP
