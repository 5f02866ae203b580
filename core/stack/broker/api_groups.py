"""Consumer groups: joining and staying, committed offsets, and looking at groups from outside."""

import asyncio
from collections.abc import Awaitable

from core.stack.broker.api_cluster import GROUP_OPERATIONS
from core.stack.broker.broker import Broker
from core.stack.broker.errors import Code, KafkaError
from core.stack.broker.groups import DEAD, STABLE, Group, Joined, JoinRequest, Member
from core.stack.broker.log import LEADER_EPOCH
from core.stack.broker.offsets import Committed
from core.stack.broker.request import Request, no_throttle
from core.stack.broker.wire import Writer

_TopicOffsets = tuple[str, list[tuple[int, Committed]]]
_LONGEST_METADATA = 4096  # bytes a committer may note beside an offset


def join_group(broker: Broker, request: Request, out: Writer) -> Awaitable[None] | None:
    body, version = request.body, request.version
    group_id, session_timeout = body.string(), body.i32()
    rebalance_timeout = body.i32() if version >= 1 else session_timeout
    wanted = JoinRequest(
        group_id=group_id,
        member_id=body.string(),
        client_id=request.client_id,
        client_host=request.client_host,
        protocol_type=body.string(),
        protocols=body.array(lambda: (body.string(), body.blob())),
        session_timeout=session_timeout,
        rebalance_timeout=rebalance_timeout,
        id_must_be_known=version >= 4,
    )
    try:
        joined = broker.groups.join(wanted)
    except KafkaError as error:
        _refuse_join(request, out, error, wanted.member_id)
        return None
    return _answer_joined(request, out, joined, wanted.member_id)


async def _answer_joined(request: Request, out: Writer, waiting: "asyncio.Future[Joined]", member_id: str) -> None:
    try:
        joined = await asyncio.shield(waiting)  # a client that hangs up does not take the group's future with it
    except KafkaError as error:
        _refuse_join(request, out, error, member_id)
        return
    no_throttle(request, out, since=2)
    out.i16(Code.NONE)
    out.i32(joined.generation)
    out.string(joined.protocol)
    out.string(joined.leader)
    out.string(joined.member_id)

    def write_member(member: tuple[str, bytes]) -> None:
        out.string(member[0])
        out.blob(member[1])

    out.array(joined.members, write_member)


def _refuse_join(request: Request, out: Writer, error: KafkaError, member_id: str) -> None:
    no_throttle(request, out, since=2)
    out.i16(error.code)
    out.i32(-1)
    out.string("")
    out.string("")
    out.string(error.message if error.code == Code.MEMBER_ID_REQUIRED else member_id)
    out.array([], out.string)


def sync_group(broker: Broker, request: Request, out: Writer) -> Awaitable[None] | None:
    body = request.body
    group_id, generation, member_id = body.string(), body.i32(), body.string()
    assignments = body.array(lambda: (body.string(), body.blob()))
    try:
        waiting = broker.groups.sync(group_id, generation, member_id, assignments)
    except KafkaError as error:
        _write_sync(request, out, error.code, b"")
        return None
    return _answer_synced(request, out, waiting)


async def _answer_synced(request: Request, out: Writer, waiting: "asyncio.Future[bytes]") -> None:
    try:
        _write_sync(request, out, Code.NONE, await asyncio.shield(waiting))
    except KafkaError as error:
        _write_sync(request, out, error.code, b"")


def _write_sync(request: Request, out: Writer, code: Code, assignment: bytes) -> None:
    no_throttle(request, out, since=1)
    out.i16(code)
    out.blob(assignment)


def heartbeat(broker: Broker, request: Request, out: Writer) -> None:
    body = request.body
    code = Code.NONE
    try:
        broker.groups.heartbeat(body.string(), body.i32(), body.string())
    except KafkaError as error:
        code = error.code
    no_throttle(request, out, since=1)
    out.i16(code)


def leave_group(broker: Broker, request: Request, out: Writer) -> None:
    code = Code.NONE
    try:
        broker.groups.leave(request.body.string(), request.body.string())
    except KafkaError as error:
        code = error.code
    no_throttle(request, out, since=1)
    out.i16(code)


def offset_commit(broker: Broker, request: Request, out: Writer) -> None:
    body, version = request.body, request.version
    group_id, generation, member_id = body.string(), body.i32(), body.string()
    if version <= 4:
        body.i64()  # retention: offsets stay until their group or topic is deleted

    def partition() -> tuple[int, Committed]:
        index, offset = body.i32(), body.i64()
        epoch = body.i32() if version >= 6 else LEADER_EPOCH
        return index, Committed(offset, epoch, body.string_or_none())

    topics = body.array(lambda: (body.string(), body.array(partition)))
    refusal = _commit(broker, group_id, generation, member_id, topics)

    def code_of(topic: str, index: int, committed: Committed) -> Code:
        return refusal or _commit_code(broker, topic, index, committed)

    def write_topic(topic: _TopicOffsets) -> None:
        out.string(topic[0])
        out.array([(index, code_of(topic[0], index, committed)) for index, committed in topic[1]], write_partition)

    def write_partition(result: tuple[int, Code]) -> None:
        out.i32(result[0])
        out.i16(result[1])

    no_throttle(request, out, since=3)
    out.array(topics, write_topic)


def _commit(
    broker: Broker,
    group_id: str,
    generation: int,
    member_id: str,
    topics: list[tuple[str, list[tuple[int, Committed]]]],
) -> Code:
    """Keep what can be kept; the code says why nothing was, NONE otherwise."""
    try:
        broker.groups.check_commit(group_id, generation, member_id)
        good = {
            (topic, index): committed
            for topic, partitions in topics
            for index, committed in partitions
            if _commit_code(broker, topic, index, committed) == Code.NONE
        }
        broker.offsets.commit(group_id, good)
    except KafkaError as error:
        return error.code
    except OSError:
        return Code.COORDINATOR_NOT_AVAILABLE  # clients retry it; the disk may have room again
    return Code.NONE


def _commit_code(broker: Broker, topic: str, index: int, committed: Committed) -> Code:
    known = broker.topics.get(topic)
    if known is None or not 0 <= index < len(known.partitions):
        return Code.UNKNOWN_TOPIC_OR_PARTITION
    if len(committed.metadata or "") > _LONGEST_METADATA:
        return Code.OFFSET_METADATA_TOO_LARGE
    return Code.NONE


def offset_fetch(broker: Broker, request: Request, out: Writer) -> None:
    body, version = request.body, request.version
    committed = broker.offsets.of(body.string())
    topics = body.array_or_none(lambda: (body.string(), body.array(body.i32)))
    if topics is None:
        everything: dict[str, list[int]] = {}
        for topic, index in committed:
            everything.setdefault(topic, []).append(index)
        topics = list(everything.items())

    def write_partition(topic: str, index: int) -> None:
        found = committed.get((topic, index))
        out.i32(index)
        out.i64(found.offset if found else -1)
        if version >= 5:
            out.i32(found.leader_epoch if found else -1)
        out.string(found.metadata if found else "")
        out.i16(Code.NONE)

    def write_topic(topic: tuple[str, list[int]]) -> None:
        out.string(topic[0])
        out.array(topic[1], lambda index: write_partition(topic[0], index))

    no_throttle(request, out, since=3)
    out.array(topics, write_topic)
    if version >= 2:
        out.i16(Code.NONE)


def _known_groups(broker: Broker) -> list[Group]:
    """Groups with members, and those that only have committed offsets."""
    known = {group_id: Group(group_id, protocol_type="consumer") for group_id in broker.offsets.groups()}
    known.update(broker.groups.groups)
    return [known[group_id] for group_id in sorted(known)]


def describe_groups(broker: Broker, request: Request, out: Writer) -> None:
    version = request.version
    known = {group.id: group for group in _known_groups(broker)}
    names = request.body.array(request.body.string)
    wants_operations = request.body.boolean() if version >= 3 else False

    def write_group(name: str) -> None:
        group = known.get(name) or Group(name, state=DEAD)
        settled = group.state == STABLE
        out.i16(Code.NONE)
        out.string(name)
        out.string(group.state)
        out.string(group.protocol_type)
        out.string(group.protocol if settled else "")
        out.array(group.members.values(), lambda member: write_member(member, group.protocol if settled else ""))
        if version >= 3:
            out.i32(GROUP_OPERATIONS if wants_operations else -(2**31))

    def write_member(member: Member, protocol: str) -> None:
        out.string(member.id)
        out.string(member.request.client_id)
        out.string(f"/{member.request.client_host}")
        out.blob(member.metadata(protocol))
        out.blob(member.assignment)

    no_throttle(request, out, since=1)
    out.array(names, write_group)


def list_groups(broker: Broker, request: Request, out: Writer) -> None:
    body, version = request.body, request.version
    states = {state.lower() for state in body.array(body.string)} if version >= 4 else set()

    def write_group(group: Group) -> None:
        out.string(group.id)
        out.string(group.protocol_type)
        if version >= 4:
            out.string(group.state)
        out.tags()

    no_throttle(request, out, since=1)
    out.i16(Code.NONE)
    out.array([g for g in _known_groups(broker) if not states or g.state.lower() in states], write_group)
    out.tags()


def delete_groups(broker: Broker, request: Request, out: Writer) -> None:
    def delete(group_id: str) -> Code:
        if group_id not in {group.id for group in _known_groups(broker)}:
            return Code.GROUP_ID_NOT_FOUND
        try:
            broker.groups.delete(group_id)
            broker.offsets.forget_group(group_id)
        except KafkaError as error:
            return error.code
        except OSError:
            return Code.COORDINATOR_NOT_AVAILABLE
        return Code.NONE

    no_throttle(request, out)

    def write(name: str) -> None:
        out.string(name)
        out.i16(delete(name))

    out.array(request.body.array(request.body.string), write)
