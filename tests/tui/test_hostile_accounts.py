"""Hostile text in every field of Accounts, Rules, jump mode and the palette: nothing of it acts on the terminal."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from core.rules.activity import Activity, Busy, Overlap
from core.rules.quality import Quality
from tests.tui.fakes import Fakes
from tests.tui.fakes_accounts import FakeAccounts, moments, profile
from tests.tui.fakes_rules import FakeRules, rules
from tests.tui.harness import running
from tests.tui.test_hostile_records import Camera
from tests.tui.test_hostile_text import TEXTS
from tui.ports import Listed

_KEPT = ("kind", "status")
"""Fields whose values are ours."""


def _hostile(value: Any, text: str) -> Any:
    """A dataclass with every foreign string field replaced."""
    names = [f.name for f in fields(value) if isinstance(getattr(value, f.name), str) and f.name not in _KEPT]
    return replace(value, **dict.fromkeys(names, text))


def _fakes(text: str) -> Fakes:
    return Fakes(
        accounts=FakeAccounts(
            rows=[_hostile(profile(1), text)],
            listed=[Listed("merchant", text, "block", text, 0, None, text)],
            events=[_hostile(moment, text) for moment in moments(text, 10)],
        ),
        rules=FakeRules(
            rows=[replace(_hostile(rule, text), queries=(text,)) for rule in rules()[:1]],
            busy=Busy(0, (Activity(text, (1,) * 24, 1, 1, 1, 1, 1),)),
            found=[Quality(text, 1, 1, 1, 1)],
            shared=Overlap((text, "b"), ((1, 1), (1, 1))),
        ),
    )


@pytest.mark.parametrize("name", TEXTS)
async def test_nothing_of_it_acts(name: str) -> None:
    async with running(_fakes(TEXTS[name]), size=(120, 40)) as session:
        camera = Camera(session)
        await camera.look("5", wait="lists: 1")
        await camera.look("apostrophe")
        await camera.look("escape", "ctrl+p")
        await camera.look("escape", "B", wait="Reason")
        await camera.look("escape", "tab", "enter")
        await camera.look("shift+tab", "enter", wait="as it stood now")
        await camera.look("g", wait="browsing")
        await camera.look("escape", "6", wait="1 rules")
        await camera.look("o", wait="overlap")
        await camera.look("escape", "b", "enter")
        await camera.look("enter", wait="backtest of")
