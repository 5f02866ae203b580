"""The lists in force, brought from PostgreSQL: suspects by epoch, lists and snoozes from the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from core.detection.decision import REVIEW_FROM
from core.detection.lists import (
    ACCOUNT,
    EPOCH_MS,
    LIVE_EPOCH_MS,
    SUSPECT_MS,
    Block,
    Lists,
    Repeats,
    Suspect,
    epoch_of,
)
from core.eventlog import EventLog, Recorded
from schema.events import AccountBlocked, AccountUnblocked, PartyListed, PartyUnlisted, RuleSnoozed
from schema.transaction import Transaction

LISTING = ("AccountBlocked", "AccountUnblocked", "PartyListed", "PartyUnlisted", "RuleSnoozed")
_KEPT_EPOCHS = 64
_LIVE_MS = 3_600_000
Epoch = tuple[int, int]
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
_REPEATS = """
select distinct on (kind) kind, followed, repeated from detection.repeat where frozen <= $1 order by kind, frozen desc
"""


class Feedback:
    """What the consumer judges by. ``lists_at`` answers from memory once ``know`` has fetched the epochs."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._taught: dict[Epoch, tuple[dict[tuple[str, str], Suspect], dict[str, Repeats]]] = {}
        self._lists: dict[Epoch, Lists] = {}
        self._blocks: dict[tuple[str, str], Block] = {}
        self._allowed: dict[tuple[str, str], Block] = {}
        self._snoozes: dict[tuple[str, str], int] = {}

    async def know(self, payments: Iterable[Transaction]) -> None:
        """Fetch the epochs of these payments, drawing up those that nobody has asked for yet."""
        needed = {_epoch(tx) for tx in payments}
        for epoch in sorted(needed - self._taught.keys()):
            await self.draw(epoch)
        spare = [epoch for epoch in sorted(self._taught) if epoch not in needed]
        for stale in spare[: max(0, len(self._taught) - _KEPT_EPOCHS)]:
            del self._taught[stale]
            self._lists.pop(stale, None)

    def unknown(self, tx: Transaction) -> Epoch | None:
        """The epoch of a payment whose lists were not fetched yet."""
        epoch = _epoch(tx)
        return None if epoch in self._taught else epoch

    async def drawn(self, epochs: Sequence[Epoch]) -> list[Epoch]:
        """Those whose lists somebody has drawn up: they stand."""
        query = "select epoch from detection.list_epoch where epoch = any($1)"
        found = await self._pool.fetch(query, [instant(boundary) for boundary, _ in epochs])
        there = {row["epoch"] for row in found}
        return [epoch for epoch in epochs if instant(epoch[0]) in there]

    async def draw(self, epoch: Epoch) -> None:
        """Fetch the lists of an epoch, drawn up now if nobody has."""
        boundary = instant(epoch[0])
        # A transaction of its own: the lists stand from here on, whatever becomes of the batch that asked.
        await self._pool.execute("select detection.freeze($1, $2)", boundary, REVIEW_FROM)
        rows = await self._pool.fetch(_SUSPECTS, instant(epoch[0] - SUSPECT_MS), boundary)
        suspects = {(r["kind"], r["party"]): Suspect(r["run"], r["since"]) for r in rows}
        told = await self._pool.fetch(_REPEATS, boundary)
        repeats = {r["kind"]: Repeats(r["followed"], r["repeated"]) for r in told}
        self._taught[epoch] = suspects, repeats

    def lists_at(self, tx: Transaction) -> Lists:
        """The lists in force for a payment whose epoch is known."""
        epoch = _epoch(tx)
        lists = self._lists.get(epoch)
        if lists is None:
            lists = self._lists[epoch] = Lists(*self._taught[epoch], self._blocks, self._allowed, self._snoozes)
        return lists

    def standing(self) -> Lists:
        """What operators listed, without suspects: all that a rule's row is judged by."""
        return Lists(blocks=self._blocks, allowed=self._allowed, snoozes=self._snoozes)

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


def _epoch(tx: Transaction) -> Epoch:
    """What was sent within an hour of its event time is judged by lists drawn up every ten seconds, history by those of
    every six hours. The record itself says which: read again years later it is judged by the same."""
    live = tx.produced_at is not None and tx.produced_at - tx.event_time < _LIVE_MS
    width = LIVE_EPOCH_MS if live else EPOCH_MS
    return epoch_of(tx.event_time, width), width


def instant(when: int) -> datetime:
    """Epoch ms as PostgreSQL takes it."""
    return datetime.fromtimestamp(when / 1000, UTC)
