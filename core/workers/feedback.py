"""The lists in force, brought from PostgreSQL: suspects by epoch, lists and snoozes from the log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from time import time
from typing import Any

from core.detection.decision import REVIEW_FROM
from core.detection.lists import (
    ACCOUNT,
    EPOCH_MS,
    LIVE_EPOCH_MS,
    SUSPECT_MS,
    Block,
    Lists,
    Suspect,
    epoch_of,
)
from core.eventlog import EventLog, Recorded
from schema.events import AccountBlocked, AccountUnblocked, PartyListed, PartyUnlisted, RuleSnoozed

LISTING = ("AccountBlocked", "AccountUnblocked", "PartyListed", "PartyUnlisted", "RuleSnoozed")
_KEPT_EPOCHS = 64
_LIVE_MS = 3_600_000
_Epoch = tuple[int, int]
"""A boundary and the width of its grid."""
# Nobody is suspect for longer than that after a fraud, and no standing is older than its fraud.
_SUSPECTS = """
select kind, party, run, (extract(epoch from since) * 1000)::bigint as since
from (
    select distinct on (kind, party) kind, party, run, since from detection.suspect
    where frozen > $1 and frozen <= $2
    order by kind, party, frozen desc
) s
where run > 0
"""


class Feedback:
    """What the consumer judges by. ``lists_at`` answers from memory once ``know`` has fetched the epochs."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._suspects: dict[_Epoch, dict[tuple[str, str], Suspect]] = {}
        self._lists: dict[_Epoch, Lists] = {}
        self._blocks: dict[tuple[str, str], Block] = {}
        self._allowed: dict[tuple[str, str], Block] = {}
        self._snoozes: dict[tuple[str, str], int] = {}
        self._now = 0

    async def know(self, times: Iterable[int]) -> None:
        """Fetch the epochs of these event times, drawing up those that nobody has asked for yet."""
        self._now = int(time() * 1000)
        wanted = sorted({_epoch(when, self._now) for when in times} - self._suspects.keys())
        for epoch, width in wanted:
            # A transaction of its own: the lists stand from here on, whatever becomes of the batch that asked.
            await self._pool.execute("select detection.freeze($1, $2)", _instant(epoch), REVIEW_FROM)
            rows = await self._pool.fetch(_SUSPECTS, _instant(epoch - SUSPECT_MS), _instant(epoch))
            self._suspects[epoch, width] = {(r["kind"], r["party"]): Suspect(r["run"], r["since"]) for r in rows}
        for stale in sorted(self._suspects)[: max(0, len(self._suspects) - max(_KEPT_EPOCHS, len(wanted)))]:
            del self._suspects[stale]
            self._lists.pop(stale, None)

    def lists_at(self, when: int) -> Lists:
        """The lists in force at an event time whose epoch is known."""
        epoch = _epoch(when, self._now)
        lists = self._lists.get(epoch)
        if lists is None:
            lists = self._lists[epoch] = Lists(self._suspects[epoch], self._blocks, self._allowed, self._snoozes)
        return lists

    def standing(self) -> Lists:
        """What operators listed, without suspects: all that a rule's row is judged by."""
        return Lists({}, self._blocks, self._allowed, self._snoozes)

    async def load(self, log: EventLog) -> int:
        """Take in the entries that stand; returns the position to follow from."""
        head = await log.head()
        position = 1
        while position <= head:
            batch = await log.read(position, 1000, types=LISTING, upto=head)
            self._take(batch)
            position = batch[-1].pos + 1 if len(batch) == 1000 else head + 1
        return head + 1

    async def follow(self, log: EventLog, position: int) -> None:
        """Keep the entries as the log has them, for ever."""
        async for batch in log.subscribe(position, types=LISTING):
            self._take(batch)

    def _take(self, batch: Iterable[Recorded]) -> None:
        blocks, allowed, snoozes = dict(self._blocks), dict(self._allowed), dict(self._snoozes)
        for recorded in batch:
            event = recorded.event
            since = int(recorded.at.timestamp() * 1000)
            if isinstance(event, AccountBlocked):
                blocks[ACCOUNT, event.account_id] = Block(event.reason, since, event.until)
            elif isinstance(event, AccountUnblocked):
                blocks.pop((ACCOUNT, event.account_id), None)
            elif isinstance(event, PartyListed):
                entries = allowed if event.list == "allow" else blocks
                entries[event.kind, event.party] = Block(event.reason, since, event.until)
            elif isinstance(event, PartyUnlisted):
                entries = allowed if event.list == "allow" else blocks
                entries.pop((event.kind, event.party), None)
            elif isinstance(event, RuleSnoozed):
                snoozes[event.rule_id, event.account_id] = event.until
        self._blocks, self._allowed, self._snoozes = blocks, allowed, snoozes
        self._lists.clear()


def _epoch(when: int, now: int) -> _Epoch:
    """What happened within the last hour is judged by lists drawn up every ten seconds."""
    width = LIVE_EPOCH_MS if now - when < _LIVE_MS else EPOCH_MS
    return epoch_of(when, width), width


def _instant(when: int) -> datetime:
    return datetime.fromtimestamp(when / 1000, UTC)
