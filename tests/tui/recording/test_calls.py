"""Every method of every port is recorded, is a command, or opens a stream: a replay has an answer to each."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import get_type_hints

from core.rules.backtest import Backtest
from tui.ports import Ports, Verdict
from tui.recording.calls import FEEDS, KEYED, PROTOCOLS, SNAPSHOTS, SYNCHRONOUS, answer_type

STREAMS = {"ksql.run", "cluster.browse"}
"""Have recorders of their own."""
QUIET = {"watchdog.start", "watchdog.stop"}


def _methods() -> list[tuple[str, object]]:
    return [
        (f"{port}.{name}", method)
        for port, protocol in PROTOCOLS.items()
        for name, method in inspect.getmembers(protocol, inspect.isfunction)
        if not name.startswith("_")
    ]


def test_every_port_is_known() -> None:
    others = {"stack", "commands", "environment", "operator", "now", "color", "mode"}
    assert set(PROTOCOLS) | others == set(Ports.__dataclass_fields__)


def test_every_method_is_classified() -> None:
    known = SNAPSHOTS | KEYED | FEEDS | STREAMS | QUIET
    commands = {
        name
        for name, method in _methods()
        if get_type_hints(method, localns={"Backtest": Backtest}).get("return") == Verdict
    }
    names = {name for name, _ in _methods()}
    assert names - known - commands == set(), "a replay would not know what to answer"
    assert known <= names
    assert not commands & known


def test_what_answers_at_once_is_not_awaited() -> None:
    waiting = {name for name, method in _methods() if inspect.iscoroutinefunction(method)}
    assert SYNCHRONOUS & waiting == set()
    assert {name for name in SNAPSHOTS | KEYED if name not in waiting} == SYNCHRONOUS


def test_every_answer_has_a_type() -> None:
    for name in SNAPSHOTS | KEYED:
        assert answer_type(name) is not None
    assert answer_type("flow.seconds").__origin__ is Sequence
