"""Hostile text in every field of Kafka, Log and Health: no crash, and nothing of it acts on the terminal."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

import pytest

from tests.tui.fakes import NOW_MS, Fakes, FakeStack
from tests.tui.fakes_cluster import FakeCluster, message
from tests.tui.fakes_eventlog import FakeEventLog, entry, standing
from tests.tui.fakes_health import FakeLogs, FakeWatchdog
from tests.tui.harness import Session, running
from tests.tui.test_hostile_text import HARMLESS, TEXTS
from tui.ports import ServiceState
from tui.screens.health.port import Stall
from tui.screens.kafka.port import Behind, DeadLetter, Group, LetterContent

ACTS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]")


def _hostile(value: Any, text: str) -> Any:
    """A dataclass with every string field replaced."""
    return replace(value, **{f.name: text for f in fields(value) if isinstance(getattr(value, f.name), str)})


def _fakes(text: str) -> Fakes:
    raw = text.encode("utf-8", "replace")
    letter = _hostile(DeadLetter(1, NOW_MS, "t", 0, 1, "c", "r", "open", 3), text)
    group = Group(text, text, (text,), (Behind(text, 0, 1, 2, 1),))
    return Fakes(
        stack=FakeStack(services=[_hostile(ServiceState("x", "up", pid=1), text)]),
        cluster=FakeCluster(
            counts={text: 4},
            described={text: group, "refused": text},
            past=[message(1, key=raw, value=raw, headers=((text, raw),)), message(2, value=raw + b"\xff")],
            settings=(("retention.ms", text), (text, text)),
            content=LetterContent(raw, raw, ((text, raw),)),
            letters=[replace(letter, status="open"), replace(letter, id=2)],
        ),
        eventlog=FakeEventLog(
            entries=[_hostile(entry(1), text)],
            rows=[replace(_hostile(standing("x"), text), failed_position=3)],
            findings=text,
        ),
        logs=FakeLogs(
            texts={"worker.log": [text, f"timestamp='{text}' level='info' event={text}"]}, reports={"c": text}
        ),
        watchdog=FakeWatchdog([Stall(NOW_MS, 900, 800, text)]),
    )


class Camera:
    """Takes every frame and looks at it for bytes that would act."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def look(self, *keys: str, wait: str = "") -> None:
        await self._session.press(*keys)
        if wait:
            await self._session.shows(wait)
        app = self._session.app
        compositor = app.screen._compositor
        frame = compositor.render_full_update().render_segments(app.console)
        assert not ACTS.search(HARMLESS.sub("", frame))


@pytest.mark.parametrize("name", TEXTS)
async def test_nothing_of_it_acts(name: str) -> None:
    async with running(_fakes(TEXTS[name]), size=(120, 40)) as session:
        camera = Camera(session)
        await camera.look("7", wait="1 topic")
        await session.shows("dead letters, 1 open")
        await camera.look("i", wait="retention.ms")
        await camera.look("escape", "tab", "j", "enter", wait="members")
        await camera.look("escape", "tab", "enter", wait="value")
        await camera.look("escape", "R", wait="Type yes")
        await camera.look("escape", "shift+tab", "shift+tab", "enter", wait="2 read, tail")
        await camera.look("P", "v", "enter", "k", "enter", wait="Type yes")
        await camera.look("escape", "k", "enter", wait="head")
        await camera.look("escape", "y", "q")
        await camera.look("8", wait="projections")
        await camera.look("V", wait="seals")
        await camera.look("enter", wait="chain of 1")
        await camera.look("q", "9", wait="loop 1 stall")
        await camera.look("t", wait="newest first")
        await camera.look("escape", "c", wait="crash reports, newest first")
        await camera.look("1")
        await camera.look("escape", "tab", "enter")
