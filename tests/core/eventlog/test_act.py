"""What somebody does is a command: named in its metadata, and obeyed once whatever becomes of the answer."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from core.eventlog import Appended, Duplicate, EventLog, Meta, Verdict
from core.eventlog.act import command, of_operator, perform
from schema.events import CaseNoted

NOTE = CaseNoted(case_id="c", operator="ana", text="seen")


class LosesAnswers(EventLog):
    """The connection breaks after the commit, so many times."""

    def __init__(self, pool: Any, times: int) -> None:
        super().__init__(pool)
        self._times = times

    async def append(self, *arguments: Any, **named: Any) -> Verdict:
        verdict = await super().append(*arguments, **named)
        if self._times:
            self._times -= 1
            raise ConnectionResetError("the answer was lost")
        return verdict


async def test_an_act_whose_answer_was_lost_is_not_done_twice(pool: Any) -> None:
    log = LosesAnswers(pool, 2)
    verdict = await perform(log, command("case-c", [NOTE], "ana", expected_version=0))
    assert isinstance(verdict, Duplicate)
    assert [recorded.event for recorded in await log.read(1)] == [NOTE]
    await log.close()


async def test_an_act_that_is_lost_again_and_again_is_given_up(pool: Any) -> None:
    log = LosesAnswers(pool, 100)
    with pytest.raises(ConnectionResetError):
        await perform(log, command("case-c", [NOTE], "ana"))
    assert await log.head() == 1
    await log.close()


async def test_an_act_names_its_command_its_story_and_its_cause(log: EventLog) -> None:
    await perform(log, of_operator("ana", [NOTE], cause="transactions/1@7"))
    await perform(log, command("case-c", [NOTE], "ana", story="c", cause="event-1"))
    alone, told = (recorded.meta for recorded in await log.read(1))
    assert (alone.actor, alone.correlation_id, alone.causation_id) == ("ana", str(alone.command_id), "transactions/1@7")
    assert (told.actor, told.correlation_id, told.causation_id) == ("ana", "c", "event-1")
    assert told.command_id is not None
    assert told.command_id != alone.command_id


async def test_the_command_of_an_append_stands_in_its_metadata(log: EventLog) -> None:
    number = uuid4()
    verdict = await log.append("case-c", [NOTE], meta=Meta(actor="ana"), command_id=number)
    assert isinstance(verdict, Appended)
    assert [recorded.meta.command_id for recorded in await log.read(1)] == [number]
