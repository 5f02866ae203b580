"""Hostile text in every field of cases, payments, proposals, scenarios, their parameters and runs: none of it acts."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from core.rules.quality import Quality
from tests.tui.fakes import ALERT_TEXTS, NOW_MS, FakeAlerts, FakeCommands, Fakes, FakeScenarios, alert, payment, run
from tests.tui.fakes_accounts import FakeAccounts, profile
from tests.tui.fakes_rules import FakeRules
from tests.tui.harness import running
from tests.tui.test_hostile_records import Camera
from tests.tui.test_hostile_text import TEXTS
from tui.ports import Account, CaseEvent, Knob, Listed, ScenarioInfo, Signal, Source


def _hostile(value: Any, text: str) -> Any:
    """A dataclass with every string field replaced."""
    return replace(value, **{f.name: text for f in fields(value) if isinstance(getattr(value, f.name), str)})


def _fakes(text: str) -> Fakes:
    signals = (Signal(text, 1, text, 1.0, 0.5, (text,)), Signal(text, 0, text))
    row = alert(
        1,
        **{**dict.fromkeys(ALERT_TEXTS, text), "status": "open"},
        assignee=text,
        transactions=(text,),
        signals=signals,
        sources=(Source(text, 1, 2), Source("transactions", 1, 2)),
    )
    standing = [Listed("account", text, effect, text, NOW_MS, NOW_MS, text) for effect in ("proposed", "snooze", text)]
    knob = Knob(text, True, 1, 0, 2, text)
    made = replace(_hostile(run(1), text), parameters={text: text}, caught_by={text: 1}, reason=text)
    return Fakes(
        alerts=FakeAlerts(
            rows=[row],
            payments=(replace(_hostile(payment(1), text), source=Source(text, 1, 2), transaction_id=text),),
            history=(CaseEvent(1, text, NOW_MS, text, text), CaseEvent(2, "CaseDismissed", NOW_MS, text, text)),
            rule_title=text,
            account=Account(text, 1, 1, 1.0, 1, 1, None),
            standing=standing,
        ),
        rules=FakeRules(found=[Quality(text, 1, 1, 1, 1)]),
        accounts=FakeAccounts(
            rows=[replace(_hostile(profile(2), text), blocked="", proposed=text)],
            listed=[Listed("account", text, "proposed", text, NOW_MS, None, text)],
        ),
        scenarios=FakeScenarios(
            infos=(ScenarioInfo(text, text, text, "h", text, (knob,)),),
            history=[replace(made, status="sent"), replace(made, run_id="2"), replace(made, run_id="3", reason="")],
        ),
        commands=FakeCommands(refusal=text),
    )


SMALL = "".join(text for name, text in TEXTS.items() if name != "megabyte")
"""All at once: each screen is looked at twice, not nine times."""


@pytest.mark.parametrize("text", [SMALL, TEXTS["megabyte"]], ids=["all", "megabyte"])
async def test_nothing_of_it_acts(text: str) -> None:
    async with running(_fakes(text), size=(120, 40)) as session:
        camera = Camera(session)
        await camera.look("2", wait="alerts following")
        await camera.look("x", wait="take the case")
        await camera.look("escape", "c", wait="1 undecided")
        await camera.look("enter", wait="lag then")
        for key, question in (("x", "confirm fraud"), ("d", "not fraud"), ("e", "To whom"), ("w", "note for")):
            await camera.look(key, wait=question)
            await camera.look("escape")
        for key, question in (("z", "for an hour"), ("Z", "again. Reason"), ("B", "until it is"), ("Y", "Type yes")):
            await camera.look(key, wait=question)
            await camera.look("escape")
        await camera.look("R", wait="Reason")
        await camera.look("r", "enter")
        await session.until(
            lambda: len(session.fakes.commands.asked) == 0 and bool(session.app.notices.said), "a refusal"
        )
        await camera.look("p", wait="payments")
        await camera.look("escape", "escape", "escape", "5", wait="lists: 1")
        await camera.look("enter", wait="timeline")
        await camera.look("escape", "tab", "Y", wait="Type yes")
        await camera.look("escape", "4", wait="normal traffic")
        await camera.look("enter", wait="enter launches")
        await camera.look("9", wait="takes a whole number")
        await camera.look("escape", "tab", "space", "space", wait="asked")
        await camera.look("c", wait="comparison")
        await camera.look("escape", "enter", wait="one run")
        await camera.look("escape", "h", wait="asked")
