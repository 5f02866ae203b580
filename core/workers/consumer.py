"""The consumer: payments, rule rows and labels of a batch -> decisions, alerts and rows, all in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import time
from typing import Any

from core.detection.lists import LIVE_EPOCH_MS, epoch_of
from core.detection.payment import payment_of
from core.detection.state import Changes, PartitionState, RulePolicy
from core.eventlog import Item, Meta
from core.eventlog.append import append_bulk
from core.kafka.handler import BatchResult, PartitionBatch
from core.kafka.record import Record
from core.workers import rows
from core.workers.feedback import Feedback
from core.workers.measures import Measures
from core.workers.throughput import Throughput
from schema.alert import RuleAlert
from schema.events import AlertRaised, Incident, PaymentDecided
from schema.label import Label
from schema.transaction import Transaction

KEPT_ACCOUNTS = 40_000
_META = Meta(actor="consumer")


class Held:
    """The partition's state in the worker's memory; None until the first batch has read it from the database."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.state: PartitionState | None = None
        self.reached = 0
        """Newest event time taken in, of the grid of live boundaries."""


class ConsumerHandler:
    """Handler of the inlet. All that it remembers is stored account by account in the batch's own transaction, so a
    worker that dies leaves exactly the state of the last commit, and memory is only a cache of it."""

    def __init__(self, rules: Mapping[str, RulePolicy], feedback: Feedback, measures: Measures | None = None) -> None:
        self.rules = rules
        self.duplicates = 0
        self.decided = 0
        self._feedback = feedback
        self._throughput = Throughput()
        self.measures = measures or Measures()

    def state(self, partition: int) -> Held:
        return Held(partition)

    async def handle(self, conn: Any, batches: Sequence[PartitionBatch[Held]]) -> BatchResult:
        payments, labels = await self._prepare(conn, batches)
        decisions: list[PaymentDecided] = []
        alerts: list[Any] = []
        for batch in batches:
            changes = await self._judge(conn, batch, payments)
            decisions += changes.decisions
            alerts += changes.alerts
        before = await self._store(conn, batches, payments, labels, decisions)
        raised = sum(isinstance(event, AlertRaised) for event in alerts)
        await self._throughput.add(conn, decisions, before, raised)
        await self._append(conn, decisions, alerts)  # the last work: the log is locked from here to the commit
        self.measures.add(decisions, raised, time() * 1000)
        return BatchResult()

    # ------------------------------------------------------------------------------------------------ steps

    async def _prepare(
        self, conn: Any, batches: Sequence[PartitionBatch[Held]]
    ) -> tuple[dict[str, tuple[Record, Transaction]], list[tuple[Record, Label]]]:
        """Load what the batch needs; returns its payments that are not in the database yet, and its labels."""
        payments: dict[str, tuple[Record, Transaction]] = {}
        labels: list[tuple[Record, Label]] = []
        accounts: dict[str, PartitionState] = {}
        received = 0
        for batch in batches:
            state = batch.state.state
            if state is None:
                header = await conn.fetchval(
                    "select state from detection.partition where partition = $1", batch.partition
                )
                state = batch.state.state = PartitionState(batch.partition, self.rules, header)
            named: list[str] = []
            newest = 0
            for record, value in batch.items:
                if isinstance(value, Transaction):
                    received += 1
                    newest = max(newest, value.event_time)
                    payments.setdefault(value.transaction_id, (record, value))
                    named.append(value.account_id)
                elif isinstance(value, RuleAlert):
                    named.append(value.account_id)
                else:
                    labels.append((record, value))
            batch.state.reached = max(batch.state.reached, epoch_of(newest, LIVE_EPOCH_MS))
            accounts.update((name, state) for name in state.missing(named))
        if accounts:
            for name, stored in await rows.load_accounts(conn, list(accounts)):
                accounts.pop(name).load(name, stored)
            for name, state in accounts.items():
                state.load(name, None)
        for name in await rows.known_payments(conn, list(payments)):
            del payments[name]
        self.duplicates += received - len(payments)
        await self._feedback.know(value for _, value in payments.values())
        return payments, labels

    async def _judge(
        self, conn: Any, batch: PartitionBatch[Held], payments: Mapping[str, tuple[Record, Transaction]]
    ) -> Changes:
        state = batch.state.state
        assert state is not None
        lists_at, standing = self._feedback.lists_at, self._feedback.standing()
        for record, value in batch.items:
            if isinstance(value, Transaction):
                fresh = payments.get(value.transaction_id)
                if fresh is not None and fresh[0] is record:
                    state.on_payment(payment_of(value), lists_at(value), record.offset)
            elif isinstance(value, RuleAlert):
                span = state.out_of_memory(value)
                if span is not None:
                    state.recall(value.account_id, await rows.recall(conn, value.account_id, *span))
                state.on_alert(value, standing, (record.topic, record.partition, record.offset))
        return state.flush()

    async def _store(
        self,
        conn: Any,
        batches: Sequence[PartitionBatch[Held]],
        payments: Mapping[str, tuple[Record, Transaction]],
        labels: Sequence[tuple[Record, Label]],
        decisions: Sequence[PaymentDecided],
    ) -> dict[str, str]:
        """Returns the decisions that stood before of payments of earlier batches."""
        await rows.insert_payments(
            conn, [(*payments[d.transaction_id], d) for d in decisions if d.transaction_id in payments]
        )
        before = await rows.revise_payments(conn, [d for d in decisions if d.transaction_id not in payments])
        await rows.insert_labels(conn, labels)
        headers: dict[int, tuple[bytes, int]] = {}
        touched: dict[str, bytes] = {}
        for batch in batches:
            state = batch.state.state
            assert state is not None
            changed = state.touched()
            if changed:
                touched |= changed
                headers[batch.partition] = state.header(), batch.state.reached
            state.trim(KEPT_ACCOUNTS)
        await rows.store_state(conn, headers, touched)
        return before

    async def _append(self, conn: Any, decisions: Sequence[PaymentDecided], alerts: Sequence[Any]) -> None:
        streams: dict[str, list[Any]] = {}
        for decided in decisions:
            streams.setdefault(f"account-{decided.account_id}", []).append(decided)
        items = [Item(stream, events, _META) for stream, events in streams.items()]
        # An incident known to the log but no longer to memory is not raised twice: its stream must be new.
        items += [
            Item(f"alert-{event.alert_id}", [event], _alert_meta(event), 0 if isinstance(event, AlertRaised) else None)
            for event in alerts
        ]
        if items:
            await append_bulk(conn, items)
        self.decided += len(decisions)


def _alert_meta(event: Incident) -> Meta:
    """The story is the alert's; the cause is the newest record that made it. A payment names its record itself."""
    source = event.sources[-1] if event.sources else None
    cause = None if source is None else f"{source.topic}/{source.partition}@{source.offset}"
    return Meta(actor=_META.actor, correlation_id=event.alert_id, causation_id=cause)
