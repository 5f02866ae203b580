"""All real ports, wired. Nothing is connected before the stack port is opened."""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.adapters.accounts import LogAccounts
from tui.adapters.alerts import LogAlerts
from tui.adapters.cluster import KafkaCluster
from tui.adapters.commands import LogCommands
from tui.adapters.database import Database
from tui.adapters.eventlog import LogEvents
from tui.adapters.flow import LogFlow
from tui.adapters.kafka import KafkaLag
from tui.adapters.ksql import ClientKsql
from tui.adapters.records import HomeRecords
from tui.adapters.rules import LogRules
from tui.adapters.scenarios import LogScenarios
from tui.adapters.stack import StackConnections
from tui.adapters.twin import Twin
from tui.adapters.workers import HostedWorkers
from tui.ports import Ports
from tui.terminal.watchdog import Watchdog

if TYPE_CHECKING:
    from core.settings import Settings

_ADDRESSES = ("STREAMGUARD_KAFKA", "STREAMGUARD_KSQLDB", "STREAMGUARD_POSTGRES")


def operator_name() -> str:
    """Who acts: ``STREAMGUARD_OPERATOR``, else the login name."""
    try:
        return os.environ.get("STREAMGUARD_OPERATOR") or getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def real_ports(settings: Callable[[], Settings]) -> Ports:
    """The ports of the running product; ``settings`` is called when they are opened."""
    database, ksql = Database(), ClientKsql()
    kafka = KafkaLag(database)
    workers, records = HostedWorkers(), HomeRecords()
    operator = operator_name()
    twin = Twin()
    cluster = KafkaCluster(database, twin, operator)
    eventlog = LogEvents(database, twin, operator)
    return Ports(
        stack=StackConnections(settings, database, ksql, kafka, workers, records, twin, cluster, eventlog),
        alerts=LogAlerts(database),
        flow=LogFlow(database),
        scenarios=LogScenarios(database),
        commands=LogCommands(database, operator),
        ksql=ksql,
        kafka=kafka,
        cluster=cluster,
        accounts=LogAccounts(database),
        rules=LogRules(database, ksql),
        eventlog=eventlog,
        workers=workers,
        logs=records,
        watchdog=Watchdog(),
        environment="remote" if any(os.environ.get(name) for name in _ADDRESSES) else "local",
        operator=operator,
        now=time.time,
    )
