"""Fakes of every port, with values that a test sets; no clock, no network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_type_hints

import msgspec

from tests.tui.fakes_accounts import FakeAccounts
from tests.tui.fakes_cluster import FakeCluster
from tests.tui.fakes_eventlog import FakeEventLog
from tests.tui.fakes_health import FakeLogs, FakeWatchdog, FakeWorkers
from tests.tui.fakes_rules import FakeRules
from tui.ports import (
    Account,
    Alert,
    CaseEvent,
    Done,
    Knob,
    Lag,
    Listed,
    Payment,
    Ports,
    PushQuery,
    Refused,
    ScenarioInfo,
    ScenarioRun,
    Second,
    ServiceState,
    Signal,
    Source,
    SqlColumn,
    SqlObject,
    SqlProblem,
    Story,
    Table,
    Totals,
    Unavailable,
    Verdict,
    Vocabulary,
    WorkerState,
)

NOW = 1_784_556_134.0
"""Epoch seconds at which every fake stands still."""
NOW_MS = int(NOW * 1000)


ALERT_TEXTS = tuple(name for name, kind in get_type_hints(Alert).items() if kind is str)
"""The fields of an alert that are text."""


def alert(number: int, **changes: object) -> Alert:
    """A plausible alert; ``changes`` replaces fields."""
    burst = number % 3 == 0
    count = 6 if burst else 1
    start = NOW_MS - 60_000 + number * 1000
    made = Alert(
        alert_id=f"alert-{number}",
        rule_id="high_velocity" if burst else "high_amount",
        account_id=f"acc-{1000 + number * 37 % 9000:06}",
        event_time=start,
        incident_start=start - (60_000 if burst else 0),
        incident_end=start,
        txn_count=count,
        amount=81_240 if burst else 740_000 + number * 1_337,
        score=970 if burst else 640,
        decision="block" if burst else "review",
        severity="critical" if burst else "warning",
        status="open",
        assignee=None,
        raised_at=start + 41,
        produced_at=start,
        first_pos=10_000 + number * 2,
        last_pos=10_000 + number * 2,
        transactions=tuple(f"tx-{number}-{i}" for i in range(count)),
        signals=(
            Signal("high_velocity", 550, "payments of the account in 60 s", 6.0, 3.0)
            if burst
            else Signal("high_amount", 450, "amount above the limit, R$", 7400.0, 3000.0),
            Signal("block_list", 420, "merchant m-88 has confirmed fraud", 0.41, 0.3),
        ),
        sources=(*(Source("transactions", 2, 881_204 + i) for i in range(count)), Source("fraud_alerts", 2, 3_101)),
    )
    return msgspec.structs.replace(made, **changes)


def payment(number: int, **changes: object) -> Payment:
    made = Payment(
        transaction_id=f"tx-{number}",
        account_id="acc-004417",
        amount=10_200 + number * 1_900,
        event_time=NOW_MS - 60_000 + number * 2_500,
        decision="block" if number > 2 else "approve",
        score=120 * number,
        merchant="Padaria São João",
        channel="PIX",
        city="Recife",
        source=Source("transactions", 2, 881_204 + number),
        ingested_at=NOW_MS - 60_000 + number * 2_500 + 31,
        produced_at=NOW_MS - 60_000 + number * 2_500,
        position=9_980 + number,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def run(number: int, **changes: object) -> ScenarioRun:
    made = ScenarioRun(
        run_id=f"run-{number}",
        scenario="high_velocity_burst" if number % 2 else "high_amount_burst",
        seed=42 + number,
        status="scored",
        worker="worker-1",
        requested_at=NOW_MS - 60_000 * number - 7_000,
        expected=3,
        caught=3 if number % 3 else 2,
        missed=0 if number % 3 else 1,
        false_alerts=0,
        time_to_detect_ms=1_800,
        detected_wall_ms=240,
        money_lost=120_000,
        last_pos=20_000 - number,
        parameters={"victims": 3 + number % 2, "payments": 6},
        transactions=27,
        caught_by={"high_velocity": 3, "own_amount": 1},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class FakeStack:
    services: list[ServiceState] = field(
        default_factory=lambda: [
            ServiceState("PostgreSQL", "up", "16.2, log at 10.024", elapsed_ms=812),
            ServiceState("Kafka", "up", "embedded, 4 partitions", elapsed_ms=431),
            ServiceState("ksqlDB", "up", "2 rules", elapsed_ms=955),
        ]
    )
    failure: str = ""
    gate: asyncio.Event | None = None
    """When set, ``open`` reports its steps and then waits here."""
    opened: int = 0
    closed: int = 0
    on_step: Callable[[ServiceState], None] | None = None

    async def open(self, on_step: Callable[[ServiceState], None]) -> None:
        self.opened += 1
        self.on_step = on_step
        for service in self.services:
            on_step(service)
        if self.failure:
            raise Unavailable(self.failure)
        if self.gate is not None:
            await self.gate.wait()

    async def close(self) -> None:
        self.closed += 1


@dataclass
class FakeAlerts:
    rows: list[Alert] = field(default_factory=lambda: [alert(n) for n in range(12)])
    payments: tuple[Payment, ...] = field(default_factory=lambda: tuple(payment(n) for n in range(6)))
    history: tuple[CaseEvent, ...] = ()
    standing: list[Listed] = field(default_factory=list)
    rule_title: str = "more than 3 payments of an account in a minute"
    account: Account | None = field(
        default_factory=lambda: Account("acc-004417", 23, 6, 26.09, 202_400, 970, NOW_MS - 3_000)
    )

    async def newest(self, limit: int) -> Sequence[Alert]:
        return self.rows[-limit:]

    async def changed_after(self, position: int, limit: int) -> Sequence[Alert]:
        changed = [row for row in self.rows if row.last_pos > position]
        return sorted(changed, key=lambda row: row.last_pos)[:limit]

    async def story(self, alert_id: str) -> Story | None:
        row = next((row for row in self.rows if row.alert_id == alert_id), None)
        if row is None:
            return None
        return Story(
            alert=row,
            rule_title=self.rule_title,
            rule_version="7AC1F00D",
            payments=self.payments[: row.txn_count],
            history=self.history,
            account=self.account,
            earlier_alerts=2,
            case_version=len(self.history),
            then=Second(row.raised_at // 1000, 182, 178, 3, 1, 1, 21.0, 84.0, 0),
            lag_then=4,
            rule_deployed=NOW_MS - 2 * 86_400_000,
            standing=tuple(self.standing),
        )

    def change(self, alert_id: str, **changes: object) -> None:
        """Change a row as a projection would: it gets a new position."""
        for index, row in enumerate(self.rows):
            if row.alert_id == alert_id:
                top = max(other.last_pos for other in self.rows)
                self.rows[index] = msgspec.structs.replace(row, last_pos=top + 1, **changes)


@dataclass
class FakeFlow:
    failure: str = ""
    asked_since: int = 0
    """The epoch second that the newest question for throughput begins at."""
    rows: list[Second] = field(
        default_factory=lambda: [
            Second(
                at=int(NOW) - 300 + i,
                payments=180 + (i * 7919) % 60 + (400 if i in (200, 201) else 0),
                approve=178,
                review=2 if i % 9 == 0 else 0,
                block=1 if i % 31 == 0 else 0,
                alerts=1 if i % 9 == 0 else 0,
                latency_p50_ms=21.0,
                latency_p99_ms=84.0,
                amount_blocked=4_000 if i % 31 == 0 else 0,
            )
            for i in range(300)
        ]
    )
    total: Totals = field(default_factory=lambda: Totals(4_821_000, 930_000, 7, 0, 10_024, 12, 2, 1_800_000))
    states: list[WorkerState] = field(
        default_factory=lambda: [
            WorkerState("w1", task, "running", detail, 0, "box", 77, NOW_MS - 400)
            for task, detail in (
                ("producer", "normal 200/s"),
                ("consumer", "lag 0, 204/s"),
                ("projector", "at 10.024"),
                ("scenario", "waiting"),
            )
        ]
    )

    async def seconds(self, since: int) -> Sequence[Second]:
        self.asked_since = since
        if self.failure:
            raise Unavailable(self.failure)
        return [row for row in self.rows if row.at >= since]

    async def totals(self) -> Totals:
        return self.total

    async def workers(self) -> Sequence[WorkerState]:
        return self.states


@dataclass
class FakeScenarios:
    infos: tuple[ScenarioInfo, ...] = (
        ScenarioInfo(
            "high_amount_burst",
            "payments above R$ 3.000",
            "high_amount",
            "h",
            "One payment of each of five accounts, far above what people pay.",
            (
                Knob("victims", True, 5, 1, 200, "accounts that pay once"),
                Knob("lowest", False, 3_500.0, 0.01, 1_000_000, "reais of the smallest payment"),
                Knob("every_s", False, 0.4, 0, 3_600, "seconds between two payments"),
            ),
        ),
        ScenarioInfo(
            "high_velocity_burst",
            "many payments of an account in a minute",
            "high_velocity",
            "v",
            "Six payments of an account within seconds.",
            (Knob("victims", True, 3, 1, 200, "accounts"), Knob("payments", True, 6, 1, 200, "of each account")),
        ),
    )
    history: list[ScenarioRun] = field(default_factory=lambda: [run(n) for n in range(1, 5)])
    rate: int = 200

    def catalogue(self) -> Sequence[ScenarioInfo]:
        return self.infos

    async def runs(self, limit: int) -> Sequence[ScenarioRun]:
        return self.history[:limit]

    async def traffic_rate(self) -> int:
        return self.rate


@dataclass
class FakeCommands:
    """Records what was asked; ``refusal`` makes every answer a refusal."""

    asked: list[tuple[object, ...]] = field(default_factory=list)
    refusal: str = ""
    failure: str = ""
    then: Callable[[tuple[object, ...]], None] | None = None

    async def _answer(self, *asked: object) -> Verdict:
        if self.failure:
            raise Unavailable(self.failure)
        if self.refusal:
            return Refused(self.refusal)
        self.asked.append(asked)
        if self.then is not None:
            self.then(asked)
        return Done(" ".join(str(part) for part in asked[:2]) + ": done")

    def launch(self, scenario: str, seed: int, given: Mapping[str, object] | None = None) -> Awaitable[Verdict]:
        return self._answer("launch", scenario, seed, dict(given or {}))

    def stop_run(self, run_id: str) -> Awaitable[Verdict]:
        return self._answer("stop_run", run_id)

    def set_traffic(self, rate: int) -> Awaitable[Verdict]:
        return self._answer("traffic", rate)

    def case(self, action: str, alert: Alert, reason: str, expected_version: int) -> Awaitable[Verdict]:
        return self._answer(action, alert.alert_id, reason, expected_version)

    def snooze(self, rule_id: str, account_id: str, until: int, reason: str) -> Awaitable[Verdict]:
        return self._answer("snooze", rule_id, account_id, until, reason)

    def list_party(self, act: str, kind: str, party: str, reason: str) -> Awaitable[Verdict]:
        return self._answer(act, kind, party, reason)

    def switch_rule(self, act: str, rule_id: str) -> Awaitable[Verdict]:
        return self._answer(act, rule_id)


class FakePush:
    """A push query fed by the test: ``send`` rows, ``finish`` it from the server's side."""

    def __init__(self, columns: Sequence[str], types: Sequence[str]) -> None:
        self.query_id = "transient_1"
        self.columns = columns
        self.types = types
        self.dropped = 0
        self.waiting = False
        self.gaps = 0
        self.closed = False
        self._queue: asyncio.Queue[Sequence[Sequence[object]] | None] = asyncio.Queue()

    def send(self, rows: Sequence[Sequence[object]]) -> None:
        self._queue.put_nowait(rows)

    def finish(self) -> None:
        self._queue.put_nowait(None)

    @property
    def unread(self) -> int:
        """Batches that nobody has read yet."""
        return self._queue.qsize()

    async def batches(self) -> AsyncIterator[Sequence[Sequence[object]]]:
        while (batch := await self._queue.get()) is not None:
            yield batch

    async def close(self) -> None:
        self.closed = True


@dataclass
class FakeKsql:
    push: FakePush = field(
        default_factory=lambda: FakePush(
            ("ACCOUNT_ID", "N", "TOTAL", "MERCHANT"), ("STRING", "BIGINT", "DECIMAL(10, 2)", "STRING")
        )
    )
    tables: Sequence[Table] = ()
    problem: SqlProblem | None = None
    failure: str = ""
    ran: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    terminated: list[str] = field(default_factory=list)
    entries: list[SqlObject] = field(
        default_factory=lambda: [
            SqlObject("stream", "TRANSACTIONS", "JSON"),
            SqlObject("stream", "FRAUD_ALERTS", "JSON"),
            SqlObject("table", "VELOCITY", "JSON"),
            SqlObject("query", "CTAS_VELOCITY_5", "RUNNING"),
            SqlObject("topic", "transactions", "4"),
        ]
    )

    words: Vocabulary = field(
        default_factory=lambda: Vocabulary(
            {
                "TRANSACTIONS": (
                    SqlColumn("ACCOUNT_ID", "STRING", "key"),
                    SqlColumn("AMOUNT", "DECIMAL(12, 2)"),
                    SqlColumn("MERCHANT_NAME", "STRING"),
                ),
                "FRAUD_ALERTS": (SqlColumn("RULE_ID", "STRING"),),
                "VELOCITY": (SqlColumn("N", "BIGINT"),),
            },
            ("ABS", "COUNT", "SUM", "UCASE"),
        )
    )

    async def run(self, sql: str, properties: Mapping[str, str]) -> Sequence[Table] | PushQuery:
        self.ran.append((sql, dict(properties)))
        if self.failure:
            raise Unavailable(self.failure)
        if self.problem is not None:
            raise self.problem
        return self.tables or self.push

    async def objects(self) -> Sequence[SqlObject]:
        return self.entries

    async def vocabulary(self) -> Vocabulary:
        return self.words

    async def terminate(self, query_id: str) -> Verdict:
        self.terminated.append(query_id)
        return Done(f"{query_id} ended")


@dataclass
class FakeKafka:
    value: int | None = 0

    async def lag(self) -> Lag:
        return Lag(self.value)


@dataclass
class Fakes:
    """All fakes together; ``ports`` is what the app takes."""

    stack: FakeStack = field(default_factory=FakeStack)
    alerts: FakeAlerts = field(default_factory=FakeAlerts)
    flow: FakeFlow = field(default_factory=FakeFlow)
    scenarios: FakeScenarios = field(default_factory=FakeScenarios)
    commands: FakeCommands = field(default_factory=FakeCommands)
    ksql: FakeKsql = field(default_factory=FakeKsql)
    kafka: FakeKafka = field(default_factory=FakeKafka)
    cluster: FakeCluster = field(default_factory=FakeCluster)
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    rules: FakeRules = field(default_factory=FakeRules)
    eventlog: FakeEventLog = field(default_factory=FakeEventLog)
    workers: FakeWorkers = field(default_factory=FakeWorkers)
    logs: FakeLogs = field(default_factory=FakeLogs)
    watchdog: FakeWatchdog = field(default_factory=FakeWatchdog)
    now: Callable[[], float] = lambda: NOW
    changes: dict[str, object] = field(default_factory=dict)
    """Other values of the ports' texts: environment, color, mode."""

    def ports(self) -> Ports:
        made = Ports(
            stack=self.stack,
            alerts=self.alerts,
            flow=self.flow,
            scenarios=self.scenarios,
            commands=self.commands,
            ksql=self.ksql,
            kafka=self.kafka,
            cluster=self.cluster,
            accounts=self.accounts,
            rules=self.rules,
            eventlog=self.eventlog,
            workers=self.workers,
            logs=self.logs,
            watchdog=self.watchdog,
            environment="local",
            operator="ana",
            now=self.now,
        )
        return replace(made, **self.changes)  # type: ignore[arg-type]
