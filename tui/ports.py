"""What the control center needs from the outside: typed ports over immutable snapshots.

``tui.adapters`` holds the real ones, ``tests/tui/fakes.py`` fakes of each. Times are epoch milliseconds, money is
centavos. Every method may raise ``Unavailable`` with a sentence for the operator; a poll then shows old values with
their age. Texts are raw: ``tui.terminal.sanitise`` is applied where they are drawn.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from tui.screens.accounts.port import AccountsPort
    from tui.screens.eventlog.port import EventLogPort
    from tui.screens.health.port import LogsPort, WatchdogPort, WorkersPort
    from tui.screens.kafka.port import ClusterPort
    from tui.screens.rules.port import RulesPort


class Unavailable(Exception):
    """A service cannot answer now; the message says which, why and what happens next."""


# ------------------------------------------------------------------------------------------------ stack and workers


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service of the stack. ``state`` is starting, up, down, failed or restarting; up ``since``."""

    name: str
    state: str
    detail: str = ""
    address: str = ""
    since: int | None = None
    elapsed_ms: int | None = None
    restarts: int | None = None
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class WorkerState:
    """One task of one worker process, as its status row says."""

    worker_id: str
    task: str
    state: str
    detail: str
    restarts: int
    host: str
    pid: int
    updated_at: int


class StackPort(Protocol):
    """The services behind the addresses, and the worker process that this control center hosts."""

    async def open(self, on_step: Callable[[ServiceState], None]) -> None:
        """Bring everything up, or find it up; ``on_step`` hears every change from then on. Raises ``Unavailable``."""

    async def close(self) -> None:
        """Stop the hosted worker and let go of the stack; at most half a second."""


# ------------------------------------------------------------------------------------------------ the log's tables


class Row(msgspec.Struct, frozen=True, gc=False):
    """What feeds hold tens of thousands of. The garbage collector passes it over, since it is part of no cycle: going
    through that many objects would stop the screen for a tenth of a second."""


class Signal(Row, frozen=True):
    """One reason of a decision."""

    id: str
    points: int
    reason: str
    value: float | None = None
    threshold: float | None = None
    transactions: tuple[str, ...] = ()


class Source(Row, frozen=True):
    topic: str
    partition: int
    offset: int


class Alert(Row, frozen=True):
    """A row of ``read.alert``. ``decision`` is approve, review or block; ``status`` open, claimed, confirmed, …"""

    alert_id: str
    rule_id: str
    account_id: str
    event_time: int
    incident_start: int
    incident_end: int
    txn_count: int
    amount: int
    score: int
    decision: str
    severity: str
    status: str
    assignee: str | None
    raised_at: int
    produced_at: int | None
    first_pos: int
    last_pos: int
    transactions: tuple[str, ...] = ()
    signals: tuple[Signal, ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def latency_ms(self) -> int | None:
        """Payment produced to alert committed."""
        return None if self.produced_at is None else self.raised_at - self.produced_at


@dataclass(frozen=True, slots=True)
class Payment:
    transaction_id: str
    account_id: str
    amount: int
    event_time: int
    decision: str
    score: int
    merchant: str
    channel: str
    city: str
    source: Source
    ingested_at: int
    produced_at: int | None
    position: int | None = None
    """Of its newest decision in the log."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A party that payments are judged by; ``kind`` is account, merchant, payee or device.

    ``effect`` is block, allow, snooze (of the rule that the reason names), or proposed: a block that waits for the
    second pair of eyes.
    """

    kind: str
    party: str
    effect: str
    reason: str
    since: int
    until: int | None
    actor: str


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """What happened to a case: who did what when, from its stream in the log."""

    position: int
    type: str
    at: int
    actor: str
    text: str


@dataclass(frozen=True, slots=True)
class Account:
    account_id: str
    total_transactions: int
    fraud_transactions: int
    fraud_rate: float | None
    total_amount: int
    max_score: int
    last_transaction_at: int | None


@dataclass(frozen=True, slots=True)
class Story:
    """Everything known about one alert. ``case_version`` is what an action on the case expects.

    ``rule_version`` raised it and was deployed at ``rule_deployed``; ``standing`` is what holds for the account.
    """

    alert: Alert
    rule_title: str
    rule_version: str
    payments: tuple[Payment, ...]
    history: tuple[CaseEvent, ...]
    account: Account | None
    earlier_alerts: int
    case_version: int
    then: Second | None = None
    """How the pipeline did in the second in which the alert was raised."""
    lag_then: int | None = None
    """Payments that were sent but not yet decided when the alert was raised; None when it cannot be told."""
    rule_deployed: int | None = None
    standing: tuple[Listed, ...] = ()


@dataclass(frozen=True, slots=True)
class Second:
    """Payments, decisions and alerts committed in one second of wall clock, which starts at ``at`` (epoch s)."""

    at: int
    payments: int
    approve: int
    review: int
    block: int
    alerts: int
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    amount_blocked: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Today's money and the queue: stopped = blocked, at risk = in review and undecided.

    ``closed_hour`` cases were decided in the last hour by ``analysts`` people; ``case_limit_ms`` is the policy's.
    """

    money_stopped: int
    money_at_risk: int
    open_cases: int
    dead_letters: int
    log_head: int
    closed_hour: int = 0
    analysts: int = 0
    case_limit_ms: int | None = None


class AlertsPort(Protocol):
    async def newest(self, limit: int) -> Sequence[Alert]:
        """The newest alerts, oldest first."""

    async def changed_after(self, position: int, limit: int) -> Sequence[Alert]:
        """Alerts raised or changed after a log position, in order of change."""

    async def story(self, alert_id: str) -> Story | None: ...


class FlowPort(Protocol):
    async def seconds(self, since: int) -> Sequence[Second]:
        """Throughput rows from epoch second ``since`` on, in order."""

    async def totals(self) -> Totals: ...

    async def workers(self) -> Sequence[WorkerState]: ...


# ------------------------------------------------------------------------------------------------ scenarios


@dataclass(frozen=True, slots=True)
class Knob:
    """A parameter of a scenario: a ``whole`` number or any, within its bounds."""

    name: str
    whole: bool
    default: int | float
    lowest: int | float
    highest: int | float
    about: str


@dataclass(frozen=True, slots=True)
class ScenarioInfo:
    """A scenario that can be launched; ``key`` is its letter in the launch menu."""

    name: str
    title: str
    expects: str
    key: str
    story: str = ""
    knobs: tuple[Knob, ...] = ()


@dataclass(frozen=True, slots=True)
class ScenarioRun:
    """A run and its verdict; while it is ``sent``, ``caught`` is what was caught so far."""

    run_id: str
    scenario: str
    seed: int
    status: str
    worker: str
    requested_at: int
    expected: int | None
    caught: int | None
    missed: int | None
    false_alerts: int | None
    time_to_detect_ms: int | None
    detected_wall_ms: int | None
    money_lost: int | None
    last_pos: int
    parameters: Mapping[str, int | float | str | bool] = field(default_factory=dict)
    transactions: int | None = None
    caught_by: Mapping[str, int] = field(default_factory=dict)
    """Alerts on the run's frauds by rule."""
    reason: str = ""


class ScenariosPort(Protocol):
    def catalogue(self) -> Sequence[ScenarioInfo]: ...

    async def runs(self, limit: int) -> Sequence[ScenarioRun]:
        """Newest first."""

    async def traffic_rate(self) -> int:
        """Payments per second asked for by the last ``TrafficRateSet``; 0 when none."""


# ------------------------------------------------------------------------------------------------ commands


@dataclass(frozen=True, slots=True)
class Done:
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was written: somebody was faster, or it makes no sense now. ``text`` says what holds instead."""

    text: str


Verdict = Done | Refused


class CommandsPort(Protocol):
    """Operator actions; each appends an event with the version it expects and says what came of it."""

    def launch(self, scenario: str, seed: int, given: Mapping[str, object] | None = None) -> Awaitable[Verdict]:
        """Ask for a run; ``given`` holds the parameters that are not the scenario's own, numbers or their texts."""

    def stop_run(self, run_id: str) -> Awaitable[Verdict]: ...

    def set_traffic(self, rate: int) -> Awaitable[Verdict]: ...

    def case(self, action: str, alert: Alert, reason: str, expected_version: int) -> Awaitable[Verdict]:
        """``action`` is claim, confirm, dismiss, escalate, reopen or note."""

    def snooze(self, rule_id: str, account_id: str, until: int, reason: str) -> Awaitable[Verdict]:
        """No alerts of the rule for the account until an event time; 0 ends that."""

    def list_party(self, act: str, kind: str, party: str, reason: str) -> Awaitable[Verdict]:
        """``act`` is block, unblock, allow, disallow, or approve or refuse of what another operator has proposed.

        ``kind`` is account, merchant, payee or device.
        """

    def switch_rule(self, act: str, rule_id: str) -> Awaitable[Verdict]:
        """``act`` is deploy, undeploy, pause or resume; whoever keeps the rules obeys."""


# ------------------------------------------------------------------------------------------------ ksqlDB


class SqlProblem(Exception):
    """What ksqlDB said of a statement; ``line`` and ``column`` count from 1 when it named a place."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Table:
    """A result that is complete: SHOW, DESCRIBE, a pull query."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class SqlObject:
    """An entry of the object list; ``kind`` is stream, table, topic or query."""

    kind: str
    name: str
    detail: str = ""


class PushQuery(Protocol):
    """A running push query. ``batches`` ends when the server ends the query; ``close`` ends it from here."""

    @property
    def query_id(self) -> str: ...

    @property
    def columns(self) -> Sequence[str]: ...

    @property
    def types(self) -> Sequence[str]: ...

    @property
    def dropped(self) -> int: ...

    @property
    def waiting(self) -> bool:
        """Whether the server is away; the query is opened again when it answers."""

    @property
    def gaps(self) -> int:
        """How often it was opened again: rows between are not seen."""

    def batches(self) -> AsyncIterator[Sequence[Sequence[object]]]: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SqlColumn:
    """``role`` is key, header or empty."""

    name: str
    type: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the server knows by name: the columns of each stream and table, and its functions."""

    columns: Mapping[str, tuple[SqlColumn, ...]] = field(default_factory=dict)
    functions: tuple[str, ...] = ()


class KsqlPort(Protocol):
    async def run(self, sql: str, properties: Mapping[str, str]) -> Sequence[Table] | PushQuery:
        """Run statements; the last may be a push query. Raises ``SqlProblem`` or ``Unavailable``."""

    async def objects(self) -> Sequence[SqlObject]: ...

    async def vocabulary(self) -> Vocabulary: ...

    async def terminate(self, query_id: str) -> Verdict: ...


# ------------------------------------------------------------------------------------------------ Kafka


@dataclass(frozen=True, slots=True)
class Lag:
    """What the pipeline has still to read; None when unknown."""

    total: int | None
    by_partition: Mapping[tuple[str, int], int | None] = field(default_factory=dict)


class KafkaPort(Protocol):
    async def lag(self) -> Lag: ...


# ------------------------------------------------------------------------------------------------ all of it


@dataclass(frozen=True)
class Ports:
    """Every port; the app receives one of these and nothing else."""

    stack: StackPort
    alerts: AlertsPort
    flow: FlowPort
    scenarios: ScenariosPort
    commands: CommandsPort
    ksql: KsqlPort
    kafka: KafkaPort
    cluster: ClusterPort
    accounts: AccountsPort
    rules: RulesPort
    eventlog: EventLogPort
    workers: WorkersPort
    logs: LogsPort
    watchdog: WatchdogPort
    environment: str
    operator: str
    now: Callable[[], float]
    """Epoch seconds; tests pin it."""
    color: str = ""
    """Of the environment: one of ``tui.profile.COLORS``."""
    mode: Callable[[], str] = lambda: "LIVE"
    """LIVE, READ-ONLY or REPLAY with its time: what the top line says while the stack is up."""
