"""Acting on a case, on a real log: against the version seen, in the alert's story, because of the alert."""

from __future__ import annotations

from typing import Any

import pytest

from core.cases.acting import Refused, act
from core.eventlog import EventLog, Meta
from core.projections.alert import ALERT
from core.projections.runner import advance
from schema.events import AlertRaised


@pytest.fixture
async def raised(log: EventLog, pool: Any) -> None:
    """Alert ``a`` at position 1."""
    event = AlertRaised(
        alert_id="a",
        rule_id="high_amount",
        account_id="acc",
        incident_start=0,
        incident_end=0,
        event_time=0,
        txn_count=1,
        amount=100,
        score=70,
        decision="review",
        severity="high",
        transactions=("t",),
        signals=(),
        sources=(),
    )
    await log.append("alert-a", [event], meta=Meta(actor="consumer"))
    async with pool.acquire() as conn:
        await advance(conn, ALERT)


@pytest.mark.usefixtures("raised")
async def test_each_act_names_the_alert_as_its_story_and_its_cause(log: EventLog, pool: Any) -> None:
    await act(pool, log, "claim", "a", "ana", "")
    async with pool.acquire() as conn:
        await advance(conn, ALERT)
    await act(pool, log, "confirm", "a", "ana", "the holder says so", ["t"])
    claimed, confirmed = (recorded.meta for recorded in await log.read_stream("case-a"))
    assert (claimed.actor, claimed.correlation_id, claimed.causation_id) == ("ana", "a", "event-1")
    assert (confirmed.correlation_id, confirmed.causation_id) == ("a", "event-2")
    assert None not in (claimed.command_id, confirmed.command_id)
    assert claimed.command_id != confirmed.command_id


@pytest.mark.usefixtures("raised")
async def test_what_does_not_fit_the_case_is_refused_in_words(log: EventLog, pool: Any) -> None:
    for action, case, text, transactions, said in (
        ("claim", "b", "", (), "there is no alert 'b'"),
        ("reopen", "a", "", (), "open already"),
        ("dismiss", "a", " ", (), "takes a reason"),
        ("confirm", "a", "", ("x",), "payment 'x' is not part"),
        ("burn", "a", "", (), "'burn'"),
    ):
        with pytest.raises(Refused, match=said):
            await act(pool, log, action, case, "ana", text, transactions)
    assert await log.read_stream("case-a") == []


@pytest.mark.usefixtures("raised")
async def test_what_is_closed_is_reopened_before_it_is_decided_otherwise(log: EventLog, pool: Any) -> None:
    await act(pool, log, "claim", "a", "ana", "")
    with pytest.raises(Refused, match="claimed by ana already"):
        await act(pool, log, "claim", "a", "ben", "")
    await act(pool, log, "dismiss", "a", "ana", "his own")
    for action in ("claim", "confirm", "dismiss", "escalate"):
        with pytest.raises(Refused, match="ana has dismissed the case; reopening it undoes that first"):
            await act(pool, log, action, "a", "ben", "reason")
    await act(pool, log, "note", "a", "ben", "he called again")
    await act(pool, log, "reopen", "a", "ben", "")
    with pytest.raises(Refused, match="open already"):
        await act(pool, log, "reopen", "a", "ben", "")
    await act(pool, log, "confirm", "a", "ben", "", ["t"])
    await act(pool, log, "confirm", "a", "ben", "", ["t"])  # more of its payments
    with pytest.raises(Refused, match="ben has confirmed the case"):
        await act(pool, log, "confirm", "a", "ana", "")
    kinds = [recorded.type.removeprefix("Case") for recorded in await log.read_stream("case-a")]
    assert kinds == ["Claimed", "Dismissed", "Noted", "Reopened", "Confirmed", "Confirmed"]
