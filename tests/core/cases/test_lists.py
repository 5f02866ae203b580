"""Block and allow lists, four eyes, and the time limit of cases, on a real log."""

from __future__ import annotations

from typing import Any

import pytest

from core.cases import lists
from core.cases.acting import Refused
from core.cases.policy import policy, set_policy
from core.eventlog import EventLog, Meta, Recorded
from core.projections.alert import ALERT
from core.projections.runner import advance
from core.workers.clerk import ACTOR, close_overdue
from schema.events import (
    AccountBlocked,
    AlertRaised,
    BlockProposed,
    BlockRefused,
    CaseConfirmed,
    CaseDismissed,
    CaseEscalated,
    CasePolicySet,
    Event,
    PartyListed,
    PartyUnlisted,
    PaymentDecided,
)

FOUR_EYES = CasePolicySet(four_eyes=True, operator="boss")


async def test_one_operator_blocks_while_nobody_asks_for_two(log: EventLog) -> None:
    assert await lists.block(log, "account", "a1", "ana", "stolen", 5) == "blocked"
    assert await lists.block(log, "device", "d1", "ana", "emulator") == "blocked"
    await lists.unblock(log, "device", "d1", "bia", "it was ours")
    await lists.allow(log, "merchant", "m1", "ana", "the canteen")
    await lists.disallow(log, "merchant", "m1", "ana", "it is closed")
    assert [recorded.event for recorded in await log.read(1)] == [
        AccountBlocked(account_id="a1", reason="stolen", until=5),
        PartyListed(list="block", kind="device", party="d1", operator="ana", reason="emulator"),
        PartyUnlisted(list="block", kind="device", party="d1", operator="bia", reason="it was ours"),
        PartyListed(list="allow", kind="merchant", party="m1", operator="ana", reason="the canteen"),
        PartyUnlisted(list="allow", kind="merchant", party="m1", operator="ana", reason="it is closed"),
    ]
    told = [recorded.meta for recorded in await log.read(1)]
    assert all(meta.correlation_id == str(meta.command_id) for meta in told), "each is a command and a story of its own"
    assert len({meta.command_id for meta in told}) == len(told)


@pytest.mark.parametrize("kind", ["account", "merchant"])
async def test_only_an_entry_that_stands_is_lifted(log: EventLog, kind: str) -> None:
    with pytest.raises(Refused, match=f"{kind} x is not blocked"):
        await lists.unblock(log, kind, "x", "ana", "an error")
    await lists.block(log, kind, "x", "ana", "stolen")
    with pytest.raises(Refused, match=f"{kind} x is not on the allow list"):
        await lists.disallow(log, kind, "x", "ana", "an error")
    await lists.allow(log, kind, "x", "ana", "ours")
    await lists.unblock(log, kind, "x", "ana", "an error")
    with pytest.raises(Refused, match="is not blocked"):
        await lists.unblock(log, kind, "x", "ana", "an error")
    await lists.disallow(log, kind, "x", "ana", "no longer")


async def test_under_four_eyes_a_block_waits_for_another_operator(log: EventLog) -> None:
    await set_policy(log, FOUR_EYES)
    assert await lists.block(log, "merchant", "m1", "ana", "skimmer", 9) == "proposed"
    with pytest.raises(Refused, match="ana has proposed to block this merchant already"):
        await lists.block(log, "merchant", "m1", "bia", "skimmer")
    with pytest.raises(Refused, match="somebody else must approve"):
        await lists.approve(log, "merchant", "m1", "ana")
    await lists.approve(log, "merchant", "m1", "bia")
    proposed, approved = await log.read_stream("merchant-m1")
    assert approved.meta.causation_id == f"event-{proposed.pos}"
    assert approved.meta.correlation_id == proposed.meta.correlation_id
    assert [proposed.event, approved.event] == [
        BlockProposed(kind="merchant", party="m1", operator="ana", reason="skimmer", until=9),
        PartyListed(
            list="block", kind="merchant", party="m1", operator="ana", reason="skimmer", until=9, approver="bia"
        ),
    ]
    with pytest.raises(Refused, match="nobody has proposed"):
        await lists.approve(log, "merchant", "m1", "bia")


async def test_a_proposal_can_be_refused_and_made_again(log: EventLog) -> None:
    await set_policy(log, FOUR_EYES)
    await lists.block(log, "account", "a1", "ana", "odd")
    await lists.refuse(log, "account", "a1", "bia", "it is his brother")
    assert isinstance((await log.read_stream("account-a1"))[-1].event, BlockRefused)
    assert await lists.block(log, "account", "a1", "ana", "odd again") == "proposed"
    await lists.approve(log, "account", "a1", "bia")
    blocked = (await log.read_stream("account-a1"))[-1].event
    assert blocked == AccountBlocked(account_id="a1", reason="odd again", approver="bia")


class Busy(EventLog):
    """A log in which the account pays, or somebody acts, between the look at it and the act."""

    def __init__(self, pool: Any, between: list[Event]) -> None:
        super().__init__(pool)
        self.between = between

    async def read_stream(self, stream: str, from_version: int = 0) -> list[Recorded]:
        history = await super().read_stream(stream, from_version)
        if self.between and stream.startswith("account-"):
            await self.append(stream, [self.between.pop()], meta=Meta(actor="bia"))
        return history


async def test_payments_do_not_come_between_an_approval_and_its_proposal(log: EventLog, pool: Any) -> None:
    await set_policy(log, FOUR_EYES)
    paid = PaymentDecided(
        transaction_id="t", account_id="a1", amount=1, decision="approve", score=0, event_time=1_784_556_134_000
    )
    assert await lists.block(Busy(pool, [paid]), "account", "a1", "ana", "odd") == "proposed"
    await lists.approve(Busy(pool, [paid, paid]), "account", "a1", "bia")
    kinds = [type(recorded.event) for recorded in await log.read_stream("account-a1")]
    assert kinds == [PaymentDecided, BlockProposed, PaymentDecided, PaymentDecided, AccountBlocked]


async def test_of_two_who_decide_at_once_the_second_is_refused(log: EventLog, pool: Any) -> None:
    await set_policy(log, FOUR_EYES)
    await lists.block(log, "account", "a1", "ana", "odd")
    refused = BlockRefused(kind="account", party="a1", operator="bia", reason="his brother")
    with pytest.raises(Refused, match="nobody has proposed"):
        await lists.approve(Busy(pool, [refused]), "account", "a1", "eva")


async def test_what_makes_no_sense_is_refused_in_words(log: EventLog) -> None:
    with pytest.raises(Refused, match="'shop' is none of account, merchant, payee, device"):
        await lists.block(log, "shop", "s", "ana", "why")
    with pytest.raises(Refused, match="to allow an account takes a reason"):
        await lists.allow(log, "account", "a", "ana", " ")
    with pytest.raises(Refused, match="'forget' is none of escalate, dismiss"):
        await set_policy(log, CasePolicySet(default="forget"))
    with pytest.raises(Refused, match="less than a minute"):
        await set_policy(log, CasePolicySet(limit_ms=10))
    assert await policy(log) == CasePolicySet()


@pytest.mark.parametrize(("default", "kind"), [("escalate", CaseEscalated), ("dismiss", CaseDismissed)])
async def test_a_case_nobody_closed_in_time_gets_the_default_action_once(
    log: EventLog, pool: Any, default: str, kind: type[CaseEscalated | CaseDismissed]
) -> None:
    for name in ("old", "closed"):
        await log.append(f"alert-{name}", [raised(name)], meta=Meta(actor="consumer"))
    await log.append("case-closed", [CaseConfirmed(case_id="closed", operator="o")], meta=Meta(actor="o"))
    await project(pool)
    assert await close_overdue(pool, log, CasePolicySet(limit_ms=86_400_000, default=default)) == 0
    standing = CasePolicySet(limit_ms=0, default=default)
    assert await close_overdue(pool, log, standing) == 1
    (acted,) = await log.read_stream("case-old")
    assert (acted.meta.actor, acted.meta.correlation_id, acted.meta.causation_id) == (ACTOR, "old", "event-1")
    assert acted.event == kind(case_id="old", operator=ACTOR, reason="nobody closed it within 0 h")
    await project(pool)
    assert await close_overdue(pool, log, standing) == 0


async def project(pool: Any) -> None:
    async with pool.acquire() as conn:
        while (step := await advance(conn, ALERT)).pos < step.head:
            assert step.running


def raised(name: str) -> AlertRaised:
    return AlertRaised(
        alert_id=name,
        rule_id="r",
        account_id="a",
        incident_start=1,
        incident_end=2,
        event_time=1,
        score=500,
        decision="review",
        severity="warning",
    )
