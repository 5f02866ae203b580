"""Which answers of the ports are recorded, and how a replay finds the one it wants.

A *snapshot* is answered by the newest answer to the same question; ``keyed`` questions differ by their arguments. A
*feed* grows: every answer adds rows, and a replay answers any position from all rows by then. A *stream* is what an
open query or a tail brought, batch by batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_type_hints

import msgspec

from core.redact import without_secrets
from core.rules.backtest import Backtest
from tui import ports
from tui.screens.accounts.port import AccountsPort
from tui.screens.eventlog.port import EventLogPort
from tui.screens.health.port import LogsPort, WatchdogPort, WorkersPort
from tui.screens.kafka.port import ClusterPort
from tui.screens.rules.port import RulesPort

PROTOCOLS: Mapping[str, type[Any]] = {
    "alerts": ports.AlertsPort,
    "flow": ports.FlowPort,
    "scenarios": ports.ScenariosPort,
    "ksql": ports.KsqlPort,
    "kafka": ports.KafkaPort,
    "cluster": ClusterPort,
    "accounts": AccountsPort,
    "rules": RulesPort,
    "eventlog": EventLogPort,
    "workers": WorkersPort,
    "logs": LogsPort,
    "watchdog": WatchdogPort,
}

SNAPSHOTS = frozenset(
    (
        *("flow.seconds", "flow.totals", "flow.workers", "scenarios.runs", "scenarios.traffic_rate"),
        *(
            "scenarios.catalogue",
            "kafka.lag",
            "ksql.objects",
            "ksql.vocabulary",
            "cluster.topics",
            "cluster.messages",
            "cluster.groups",
        ),
        *("cluster.dead_letters", "accounts.lists", "rules.catalogue", "rules.activity", "rules.quality"),
        *("rules.overlap", "eventlog.standings", "eventlog.seals", "logs.files", "logs.crashes", "workers.hosted"),
        "watchdog.stalls",
    )
)
"""One answer at a time, whatever was asked: arguments are limits and times, which a replay does not know."""
KEYED = frozenset(
    (
        *("alerts.story", "cluster.facts", "cluster.group", "cluster.letter", "accounts.riskiest", "accounts.find"),
        *("accounts.profile", "accounts.timeline", "accounts.as_of", "accounts.position_at", "rules.backtest"),
        *("eventlog.entry", "eventlog.related", "logs.crash"),
    )
)
"""An answer a question."""
FEEDS = frozenset(("alerts.newest", "alerts.changed_after", "eventlog.newest", "eventlog.after", "logs.read"))
SYNCHRONOUS = frozenset(("scenarios.catalogue", "workers.hosted", "watchdog.stalls"))


@dataclass(frozen=True, slots=True)
class Opened:
    """A push query as it began."""

    query_id: str
    columns: tuple[str, ...]
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What the server said against a statement."""

    message: str
    line: int | None
    column: int | None


def statement_key(sql: str) -> bytes:
    """What tells one statement from another, without the passwords in it."""
    return msgspec.msgpack.encode(without_secrets(sql))


def key_of(name: str, arguments: tuple[object, ...]) -> bytes:
    """What tells one question from another; functions among the arguments are listeners, not questions."""
    if name not in KEYED:
        return b""
    return msgspec.msgpack.encode([argument for argument in arguments if not callable(argument)])


@cache
def answer_type(name: str) -> Any:
    """The type of a call's answers."""
    port, _, method = name.partition(".")
    hints = get_type_hints(getattr(PROTOCOLS[port], method), localns={"Backtest": Backtest})
    return hints["return"]
