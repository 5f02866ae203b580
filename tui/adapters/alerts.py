"""Alerts and their stories, from ``read.alert``, ``read.payment`` and the case's stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from schema import events
from tui.adapters import standing
from tui.adapters.database import Database, epoch_ms, epoch_ms_or_none, moment, strings
from tui.adapters.flow import SECOND
from tui.ports import Account, Alert, CaseEvent, Payment, Second, Signal, Source, Story

_COLUMNS = (
    "alert_id, rule_id, account_id, incident_start, incident_end, event_time, txn_count, amount, score, decision,"
    " severity, status, assignee, transactions, signals, sources, raised_at, first_pos, last_pos, produced_at"
)
PAYMENTS_READ = 200
LIVE_MS = 10_000
"""Between event time and sending, of a payment that is sent as it happens."""

_SIGNALS = msgspec.json.Decoder(tuple[events.Signal, ...])
_SOURCES = msgspec.json.Decoder(tuple[events.Source, ...])


def alert_of(row: Any) -> Alert:
    """A row of ``read.alert`` as the screens know it."""
    return Alert(
        alert_id=row["alert_id"],
        rule_id=row["rule_id"],
        account_id=row["account_id"],
        event_time=epoch_ms(row["event_time"]),
        incident_start=epoch_ms(row["incident_start"]),
        incident_end=epoch_ms(row["incident_end"]),
        txn_count=row["txn_count"] or len(row["transactions"]) or 1,
        amount=row["amount"] or 0,
        score=row["score"],
        decision=row["decision"],
        severity=row["severity"],
        status=row["status"],
        assignee=row["assignee"],
        raised_at=epoch_ms(row["raised_at"]),
        produced_at=epoch_ms_or_none(row["produced_at"]),
        first_pos=row["first_pos"],
        last_pos=row["last_pos"],
        transactions=strings(row["transactions"]),
        signals=tuple(
            Signal(signal.id, signal.points, signal.reason, signal.value, signal.threshold, signal.transactions)
            for signal in _SIGNALS.decode(row["signals"])
        ),
        sources=tuple(
            Source(source.topic, source.partition, source.offset) for source in _SOURCES.decode(row["sources"])
        ),
    )


def _payment_of(row: Any, positions: Mapping[str, int]) -> Payment:
    return Payment(
        transaction_id=row["transaction_id"],
        account_id=row["account_id"],
        amount=row["amount"],
        event_time=epoch_ms(row["event_time"]),
        decision=row["decision"],
        score=row["score"],
        merchant=row["merchant_name"] or row["merchant_id"] or row["payee_id"] or "",
        channel=row["channel"] or "",
        city=row["city"] or "",
        source=Source("transactions", row["partition"], row["offset"]),
        ingested_at=epoch_ms(row["ingested_at"]),
        produced_at=epoch_ms_or_none(row["produced_at"]),
        position=positions.get(row["transaction_id"]),
    )


@cache
def rule_title(rule_id: str) -> str:
    """The title in the header of a rule's file; empty when the rule is not a file of ours."""
    file = resources.files("ksqldb") / "rules" / f"{rule_id}.sql"
    if "/" in rule_id or not file.is_file():
        return ""
    for line in file.read_text("utf-8").splitlines():
        if line.startswith("-- title:"):
            return line.removeprefix("-- title:").strip()
    return ""


class LogAlerts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, limit: int) -> Sequence[Alert]:
        rows = await self._database.fetch(f"select {_COLUMNS} from read.alert order by first_pos desc limit $1", limit)
        return [alert_of(row) for row in reversed(rows)]

    async def changed_after(self, position: int, limit: int) -> Sequence[Alert]:
        rows = await self._database.fetch(
            f"select {_COLUMNS} from read.alert where last_pos > $1 order by last_pos limit $2", position, limit
        )
        return [alert_of(row) for row in rows]

    async def story(self, alert_id: str) -> Story | None:
        row = await self._database.fetch_row(f"select {_COLUMNS} from read.alert where alert_id = $1", alert_id)
        if row is None:
            return None
        alert = alert_of(row)
        payments = await self._database.fetch(
            "select * from read.payment where transaction_id = any($1::text[]) order by event_time limit $2",
            list(alert.transactions),
            PAYMENTS_READ,
        )
        version, history = await self._history(alert_id)
        earlier = await self._database.fetch_row(
            "select count(*) as n from read.alert where account_id = $1 and first_pos < $2",
            alert.account_id,
            alert.first_pos,
        )
        deployed = await self._database.fetch_row(
            "select data ->> 'version' as version, at from log.event where stream = $1 and type = 'RuleDeployed'"
            " and pos < $2 order by version desc limit 1",
            f"rule-{alert.rule_id}",
            alert.first_pos,
        )
        positions = await self._positions(alert)
        then = await self._database.fetch_row(
            f"select {SECOND} from read.throughput_second where second = date_trunc('second', $1::timestamptz)",
            row["raised_at"],
        )
        return Story(
            alert=alert,
            rule_title=rule_title(alert.rule_id),
            rule_version="" if deployed is None else str(deployed["version"]),
            payments=tuple(_payment_of(payment, positions) for payment in payments),
            history=history,
            account=await self._account(alert.account_id),
            earlier_alerts=0 if earlier is None else earlier["n"],
            case_version=version,
            then=None if then is None else Second(*then.values()),
            lag_then=await self._lag(alert),
            rule_deployed=None if deployed is None else epoch_ms(deployed["at"]),
            standing=await standing.of_account(self._database, alert.account_id, alert.rule_id, alert.incident_end),
        )

    async def _positions(self, alert: Alert) -> dict[str, int]:
        """The newest decision of each payment in the log."""
        rows = await self._database.fetch(
            "select data ->> 'transaction_id' as id, max(pos) as pos from log.event where stream = $1"
            " and type = 'PaymentDecided' and data ->> 'transaction_id' = any($2::text[]) group by 1",
            f"account-{alert.account_id}",
            list(alert.transactions),
        )
        return {row["id"]: row["pos"] for row in rows}

    async def _lag(self, alert: Alert) -> int | None:
        """Payments of the ten seconds before that were sent, but decided only after the alert. Of history that is sent
        again it cannot be told: its payments lie wherever their event times do."""
        if alert.produced_at is None or abs(alert.produced_at - alert.event_time) > LIVE_MS:
            return None
        row = await self._database.fetch_row(
            "select count(*) as n from read.payment where event_time > $1::timestamptz - interval '10 s'"
            " and event_time <= $1 and produced_at <= $1 and ingested_at > $1",
            moment(alert.raised_at / 1000),
        )
        return None if row is None else int(row["n"])

    async def _history(self, alert_id: str) -> tuple[int, tuple[CaseEvent, ...]]:
        rows = await self._database.fetch(
            "select pos, version, type, at, data, meta from log.event where stream = $1 order by version",
            f"case-{alert_id}",
        )
        history = []
        for row in rows:
            data: dict[str, Any] = msgspec.json.decode(row["data"])
            meta: dict[str, Any] = msgspec.json.decode(row["meta"])
            actor = str(data.get("operator") or meta.get("actor") or "")
            text = str(data.get("reason") or data.get("text") or "")
            history.append(CaseEvent(row["pos"], row["type"], epoch_ms(row["at"]), actor, text))
        return (rows[-1]["version"] if rows else 0), tuple(history)

    async def _account(self, account_id: str) -> Account | None:
        row = await self._database.fetch_row(
            "select account_id, total_transactions, fraud_transactions, fraud_rate,"
            " (total_amount * 100)::bigint as centavos, max_score, last_transaction_at"
            " from account_risk_profile where account_id = $1",
            account_id,
        )
        if row is None:
            return None
        return Account(
            account_id=row["account_id"],
            total_transactions=row["total_transactions"],
            fraud_transactions=row["fraud_transactions"],
            fraud_rate=None if row["fraud_rate"] is None else float(row["fraud_rate"]),
            total_amount=row["centavos"],
            max_score=row["max_score"],
            last_transaction_at=epoch_ms_or_none(row["last_transaction_at"]),
        )
