"""All real ports, wired. Nothing is connected before the stack port is opened."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from core.actor import operator_name
from tui.adapters.accounts import LogAccounts
from tui.adapters.alerts import LogAlerts
from tui.adapters.cluster import KafkaCluster
from tui.adapters.commands import LogCommands
from tui.adapters.database import Database
from tui.adapters.eventlog import LogEvents
from tui.adapters.flow import LogFlow
from tui.adapters.kafka import KafkaLag
from tui.adapters.ksql import ClientKsql
from tui.adapters.read_only import ReadOnlyCluster, ReadOnlyCommands, ReadOnlyEvents, ReadOnlyKsql, ReadOnlyWorkers
from tui.adapters.records import HomeRecords
from tui.adapters.rules import LogRules
from tui.adapters.scenarios import LogScenarios
from tui.adapters.stack import StackConnections
from tui.adapters.twin import Twin
from tui.adapters.workers import HostedWorkers
from tui.ports import Ports
from tui.profile import Profile
from tui.terminal.watchdog import Watchdog

if TYPE_CHECKING:
    from core.settings import Settings


def real_ports(settings: Callable[[], Settings], profile: Profile | None = None) -> Ports:
    """The ports of the running product; ``settings`` is called when they are opened. A read-only profile gets ports
    that change nothing."""
    profile = profile or Profile()
    looking = profile.read_only
    database, ksql = Database(read_only=looking), ReadOnlyKsql() if looking else ClientKsql()
    kafka = KafkaLag(database)
    workers, records = ReadOnlyWorkers() if looking else HostedWorkers(), HomeRecords()
    operator = operator_name()
    twin = Twin()
    cluster = (ReadOnlyCluster if looking else KafkaCluster)(database, twin, operator)
    eventlog = (ReadOnlyEvents if looking else LogEvents)(database, twin, operator)
    return Ports(
        stack=StackConnections(settings, database, ksql, kafka, workers, records, twin, cluster, eventlog),
        alerts=LogAlerts(database),
        flow=LogFlow(database),
        scenarios=LogScenarios(database),
        commands=(ReadOnlyCommands if looking else LogCommands)(database, operator),
        ksql=ksql,
        kafka=kafka,
        cluster=cluster,
        accounts=LogAccounts(database),
        rules=LogRules(database, ksql),
        eventlog=eventlog,
        workers=workers,
        logs=records,
        watchdog=Watchdog(),
        environment=profile.environment,
        operator=operator,
        now=time.time,
        color=profile.color,
        mode=lambda: "READ-ONLY" if looking else "LIVE",
    )
