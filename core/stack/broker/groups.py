"""The group coordinator: join, sync, heartbeat, leave (Kafka's "classic" group protocol, without static members).

A group is `Empty`, then `PreparingRebalance` while its members join, `CompletingRebalance` until the leader hands in
the assignment, then `Stable`. Members live in memory; after a restart they are told UNKNOWN_MEMBER_ID and join again.
"""

import asyncio
import uuid
from collections import Counter
from dataclasses import dataclass, field

from core.stack.broker.errors import Code, KafkaError

EMPTY, PREPARING, COMPLETING, STABLE, DEAD = "Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead"
_SESSION_MS = range(100, 1_800_001)


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Times in ms; `protocols` in the member's order of preference, each with its opaque metadata."""

    group_id: str
    member_id: str
    client_id: str
    client_host: str
    protocol_type: str
    protocols: list[tuple[str, bytes]]
    session_timeout: int
    rebalance_timeout: int
    id_must_be_known: bool  # KIP-394: a newcomer first gets its id, then joins with it


@dataclass(frozen=True, slots=True)
class Joined:
    generation: int
    protocol: str
    leader: str
    member_id: str
    members: list[tuple[str, bytes]]  # for the leader alone: everyone's metadata


@dataclass(slots=True)
class Member:
    id: str
    request: JoinRequest
    assignment: bytes = b""
    joining: "asyncio.Future[Joined] | None" = None
    syncing: "asyncio.Future[bytes] | None" = None
    session: asyncio.TimerHandle | None = None

    def metadata(self, protocol: str) -> bytes:
        return next((data for name, data in self.request.protocols if name == protocol), b"")


@dataclass(slots=True)
class Group:
    id: str
    state: str = EMPTY
    generation: int = 0
    protocol_type: str = ""
    protocol: str = ""
    leader: str = ""
    members: dict[str, Member] = field(default_factory=dict)
    announced: dict[str, asyncio.TimerHandle] = field(default_factory=dict)  # ids given out, not joined yet
    rebalance: asyncio.TimerHandle | None = None


class Coordinator:
    """Every method runs on the broker's loop and answers at once, or with a future where the group must meet first."""

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}

    def _member(self, group_id: str, member_id: str, generation: int | None = None) -> tuple[Group, Member]:
        """Raises KafkaError(UNKNOWN_MEMBER_ID | ILLEGAL_GENERATION)."""
        group = self.groups.get(group_id)
        member = group.members.get(member_id) if group else None
        if group is None or member is None:
            raise KafkaError(Code.UNKNOWN_MEMBER_ID)
        if generation is not None and generation != group.generation:
            raise KafkaError(Code.ILLEGAL_GENERATION)
        return group, member

    # --- joining -------------------------------------------------------------------------------------------------

    def join(self, request: JoinRequest) -> "asyncio.Future[Joined]":
        """Resolved when the group has met. Raises KafkaError; MEMBER_ID_REQUIRED carries the id in its message."""
        if not request.group_id:
            raise KafkaError(Code.INVALID_GROUP_ID)
        if request.session_timeout not in _SESSION_MS:
            raise KafkaError(Code.INVALID_SESSION_TIMEOUT)
        group = self.groups.get(request.group_id) or Group(request.group_id)
        if not self._fits(group, request):
            raise KafkaError(Code.INCONSISTENT_GROUP_PROTOCOL)
        member = self._newcomer(group, request) if not request.member_id else self._returning(group, request)
        self.groups[group.id] = group
        _fail(member.joining, KafkaError(Code.REBALANCE_IN_PROGRESS))  # asked twice: only the later waits
        answer = member.joining = asyncio.get_running_loop().create_future()
        rebalance = self._needs_rebalance(group, member, request)
        member.request = request
        if rebalance:
            self._prepare(group)
            self._complete_join_if_all_here(group)
        else:
            self._answer_join(group, member)
        return answer

    def _fits(self, group: Group, request: JoinRequest) -> bool:
        if not request.protocol_type or not request.protocols:
            return False
        others = [member for member in group.members.values() if member.id != request.member_id]
        if not others:
            return True
        common = set.intersection(*({name for name, _ in other.request.protocols} for other in others))
        return request.protocol_type == group.protocol_type and any(name in common for name, _ in request.protocols)

    def _newcomer(self, group: Group, request: JoinRequest) -> Member:
        member_id = f"{request.client_id or 'member'}-{uuid.uuid4()}"
        if request.id_must_be_known:
            self.groups[group.id] = group
            forget = asyncio.get_running_loop().call_later(
                request.session_timeout / 1000, self._forget_announced, group, member_id
            )
            group.announced[member_id] = forget
            raise KafkaError(Code.MEMBER_ID_REQUIRED, member_id)
        return self._add(group, member_id, request)

    def _returning(self, group: Group, request: JoinRequest) -> Member:
        member = group.members.get(request.member_id)
        if member is not None:
            return member
        announced = group.announced.pop(request.member_id, None)
        if announced is None:
            raise KafkaError(Code.UNKNOWN_MEMBER_ID)
        announced.cancel()
        return self._add(group, request.member_id, request)

    def _forget_announced(self, group: Group, member_id: str) -> None:
        group.announced.pop(member_id, None)
        self._drop_if_unused(group)

    def _add(self, group: Group, member_id: str, request: JoinRequest) -> Member:
        if not group.members:
            group.protocol_type = request.protocol_type
        member = group.members[member_id] = Member(member_id, request)
        return member

    @staticmethod
    def _needs_rebalance(group: Group, member: Member, request: JoinRequest) -> bool:
        if group.state in (EMPTY, PREPARING) or member.request is request:  # the same request: a newcomer's
            return True
        # A leader that joins again wants a new assignment (it saw new partitions); a follower only missed its answer.
        leads_anew = group.state == STABLE and member.id == group.leader
        return leads_anew or member.request.protocols != request.protocols

    def _prepare(self, group: Group) -> None:
        """Have everyone join anew. Who does not within the longest rebalance timeout is out."""
        if group.state == PREPARING:
            return
        for member in group.members.values():
            _fail(member.syncing, KafkaError(Code.REBALANCE_IN_PROGRESS))
            member.syncing = None
        group.state = PREPARING
        patience = max((member.request.rebalance_timeout for member in group.members.values()), default=0)
        group.rebalance = asyncio.get_running_loop().call_later(patience / 1000, self._complete_join, group)

    def _complete_join_if_all_here(self, group: Group) -> None:
        if group.state == PREPARING and all(member.joining is not None for member in group.members.values()):
            self._complete_join(group)

    def _complete_join(self, group: Group) -> None:
        if group.rebalance is not None:
            group.rebalance.cancel()
            group.rebalance = None
        for member in [member for member in group.members.values() if member.joining is None]:
            self._forget(group, member)
        group.generation += 1
        if not group.members:
            self._empty(group)
            return
        if group.leader not in group.members:
            group.leader = next(iter(group.members))
        group.protocol = _elect(group)
        group.state = COMPLETING
        for member in group.members.values():
            member.assignment = b""
            self._answer_join(group, member)

    def _answer_join(self, group: Group, member: Member) -> None:
        everyone = [(other.id, other.metadata(group.protocol)) for other in group.members.values()]
        members = everyone if member.id == group.leader else []
        if member.joining is not None and not member.joining.done():
            member.joining.set_result(Joined(group.generation, group.protocol, group.leader, member.id, members))
        member.joining = None
        self._touch(group, member)

    # --- the assignment ------------------------------------------------------------------------------------------

    def sync(
        self, group_id: str, generation: int, member_id: str, assignments: list[tuple[str, bytes]]
    ) -> "asyncio.Future[bytes]":
        """The member's assignment, once the leader has handed in everyone's. Raises KafkaError."""
        group, member = self._member(group_id, member_id, generation)
        if group.state == PREPARING:
            raise KafkaError(Code.REBALANCE_IN_PROGRESS)
        if group.state == EMPTY:
            raise KafkaError(Code.UNKNOWN_MEMBER_ID)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if group.state == STABLE:
            answer.set_result(member.assignment)
            return answer
        member.syncing = answer
        if member_id == group.leader:
            given = dict(assignments)
            group.state = STABLE
            for other in group.members.values():
                other.assignment = given.get(other.id, b"")
                if other.syncing is not None and not other.syncing.done():
                    other.syncing.set_result(other.assignment)
                other.syncing = None
                self._touch(group, other)
        return answer

    # --- staying and leaving -------------------------------------------------------------------------------------

    def heartbeat(self, group_id: str, generation: int, member_id: str) -> None:
        """Raises KafkaError; REBALANCE_IN_PROGRESS tells the member to join again."""
        group, member = self._member(group_id, member_id, generation)
        self._touch(group, member)
        if group.state == PREPARING:
            raise KafkaError(Code.REBALANCE_IN_PROGRESS)

    def leave(self, group_id: str, member_id: str) -> None:
        """Raises KafkaError(UNKNOWN_MEMBER_ID)."""
        group = self.groups.get(group_id)
        if group is not None and (announced := group.announced.pop(member_id, None)) is not None:
            announced.cancel()
            self._drop_if_unused(group)
            return
        group, member = self._member(group_id, member_id)
        self._remove(group, member)

    def check_commit(self, group_id: str, generation: int, member_id: str) -> None:
        """Whether this member may commit offsets. Raises KafkaError. Generation -1 is a client outside any group."""
        group = self.groups.get(group_id)
        if generation < 0 and (group is None or not group.members):
            return
        found, member = self._member(group_id, member_id, generation)
        if found.state == COMPLETING:
            raise KafkaError(Code.REBALANCE_IN_PROGRESS)
        self._touch(found, member)

    def delete(self, group_id: str) -> None:
        """Raises KafkaError(NON_EMPTY_GROUP)."""
        group = self.groups.get(group_id)
        if group is not None and group.members:
            raise KafkaError(Code.NON_EMPTY_GROUP)
        if group is not None:
            for handle in group.announced.values():
                handle.cancel()
            del self.groups[group_id]

    def close(self) -> None:
        """Stop every timer and end every wait, at the end of the process."""
        for group in self.groups.values():
            handles = [group.rebalance, *group.announced.values(), *(m.session for m in group.members.values())]
            for handle in handles:
                if handle is not None:
                    handle.cancel()
            for member in group.members.values():
                _fail(member.joining, KafkaError(Code.COORDINATOR_NOT_AVAILABLE))
                _fail(member.syncing, KafkaError(Code.COORDINATOR_NOT_AVAILABLE))

    def _touch(self, group: Group, member: Member) -> None:
        """The member was heard of: its session starts anew."""
        if member.session is not None:
            member.session.cancel()
        loop = asyncio.get_running_loop()
        member.session = loop.call_later(member.request.session_timeout / 1000, self._expire, group, member)

    def _expire(self, group: Group, member: Member) -> None:
        if member.joining is None and group.members.get(member.id) is member:  # who waits to join is alive
            self._remove(group, member)

    def _remove(self, group: Group, member: Member) -> None:
        self._forget(group, member)
        if not group.members:
            group.generation += 1
            self._empty(group)
        elif group.state == PREPARING:
            self._complete_join_if_all_here(group)
        else:
            self._prepare(group)
            self._complete_join_if_all_here(group)

    @staticmethod
    def _forget(group: Group, member: Member) -> None:
        del group.members[member.id]
        if member.session is not None:
            member.session.cancel()
        _fail(member.joining, KafkaError(Code.UNKNOWN_MEMBER_ID))
        _fail(member.syncing, KafkaError(Code.UNKNOWN_MEMBER_ID))

    def _empty(self, group: Group) -> None:
        if group.rebalance is not None:
            group.rebalance.cancel()
            group.rebalance = None
        group.state, group.leader, group.protocol = EMPTY, "", ""

    def _drop_if_unused(self, group: Group) -> None:
        if not group.members and not group.announced and group.generation == 0:
            self.groups.pop(group.id, None)


def _elect(group: Group) -> str:
    """The protocol all members know that most of them prefer."""
    common = set.intersection(*({name for name, _ in m.request.protocols} for m in group.members.values()))
    votes = Counter(
        next(name for name, _ in member.request.protocols if name in common) for member in group.members.values()
    )
    return votes.most_common(1)[0][0]


def _fail(waiting: "asyncio.Future[Joined] | asyncio.Future[bytes] | None", error: KafkaError) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_exception(error)
