"""The screens by name, loaded when they are first wanted: the first frame does not wait for any but its own."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from textual.screen import Screen

CLASSES = {
    "boot": "BootScreen",
    "overview": "OverviewScreen",
    "alerts": "AlertsScreen",
    "ksqldb": "KsqlScreen",
    "scenarios": "ScenariosScreen",
    "accounts": "AccountsScreen",
    "rules": "RulesScreen",
    "kafka": "KafkaScreen",
    "eventlog": "EventLogScreen",
    "health": "HealthScreen",
}
"""Package below ``tui.screens`` -> class in its module ``screen``."""


def make(name: str) -> Screen[Any]:
    """A new screen; raises KeyError for a name that is none."""
    screen: Screen[Any] = getattr(importlib.import_module(f"tui.screens.{name}.screen"), CLASSES[name])()
    return screen


async def load(name: str) -> None:
    """Load one screen beside the loop: importing what it needs takes up to 60 ms."""
    await asyncio.to_thread(importlib.import_module, f"tui.screens.{name}.screen")


async def load_all() -> None:
    """Load every screen, one after the other, so that none makes the first key to it wait."""
    for name in CLASSES:
        await load(name)
