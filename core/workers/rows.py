"""SQL of the consumer: every statement runs in the transaction that is open on ``conn``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiokafka import TopicPartition

from core.detection.account import Recent
from core.detection.decision import MAX_SCORE
from core.detection.features import OWN
from core.kafka.record import Record
from schema.events import PaymentDecided
from schema.label import Label
from schema.transaction import Transaction

_DECIDED = msgspec.json.Decoder(PaymentDecided)
_PAYMENT_COLUMNS = (
    "transaction_id",
    "account_id",
    "amount",
    "channel",
    "merchant_id",
    "merchant_name",
    "merchant_category",
    "payee_id",
    "device_id",
    "city",
    "state",
    "latitude",
    "longitude",
    "event_time",
    "produced_at",
    "partition",
    "offset",
    "decision",
    "score",
    "own_points",
)


async def known_payments(conn: Any, transaction_ids: Sequence[str]) -> list[str]:
    """Those that the database has already: a producer sent them twice."""
    if not transaction_ids:
        return []
    found = await conn.fetch("select transaction_id from read.payment where transaction_id = any($1)", transaction_ids)
    return [row["transaction_id"] for row in found]


async def load_header(conn: Any, partition: int) -> bytes | None:
    """What is stored of a partition as a whole."""
    header: bytes | None = await conn.fetchval("select state from detection.partition where partition = $1", partition)
    return header


async def load_accounts(conn: Any, account_ids: Sequence[str]) -> list[tuple[str, bytes]]:
    """Stored accounts among those named."""
    found = await conn.fetch("select account_id, state from detection.account where account_id = any($1)", account_ids)
    return [(row["account_id"], row["state"]) for row in found]


async def recall(conn: Any, account_id: str, since: int, until: int) -> list[Recent]:
    """Payments of an account between two event times as the log has them, oldest first."""
    found = await conn.fetch(
        "select distinct on (data ->> 'transaction_id') data from log.event"
        " where stream = $1 and type = 'PaymentDecided' and (data ->> 'event_time')::bigint between $2 and $3"
        " order by data ->> 'transaction_id', version desc",
        f"account-{account_id}",
        since,
        until,
    )
    decided = sorted((_DECIDED.decode(row["data"]) for row in found), key=lambda event: event.event_time)
    return [
        Recent(
            event.transaction_id,
            event.event_time,
            event.amount,
            event.source.offset if event.source else -1,
            event.produced_at,
            event.channel,
            event.merchant_id,
            event.payee_id,
            event.revision,
            list(event.signals),
        )
        for event in decided
    ]


async def store_state(conn: Any, headers: Mapping[int, tuple[bytes, int]], accounts: Mapping[str, bytes]) -> None:
    """Keep what detection remembers after the batch: of partitions as a whole, with the newest event time taken in, and
    of the accounts it touched."""
    if accounts:
        await conn.execute(
            "insert into detection.account (account_id, state) select * from unnest($1::text[], $2::bytea[])"
            " on conflict (account_id) do update set state = excluded.state",
            list(accounts),
            list(accounts.values()),
        )
    if headers:
        await conn.execute(
            "insert into detection.partition as p (partition, state, reached)"
            " select * from unnest($1::int[], $2::bytea[], $3::timestamptz[]) on conflict (partition)"
            " do update set state = excluded.state, reached = greatest(p.reached, excluded.reached)",
            list(headers),
            [state for state, _ in headers.values()],
            [_instant(reached) for _, reached in headers.values()],
        )


async def store_reached(conn: Any, reached: Mapping[int, datetime]) -> None:
    """Nothing is left of partitions that is older than this, but for what comes out of order."""
    await conn.execute(
        "insert into detection.partition as p (partition, reached) select * from unnest($1::int[], $2::timestamptz[])"
        " on conflict (partition) do update set reached = greatest(p.reached, excluded.reached)",
        list(reached),
        list(reached.values()),
    )


async def positions(conn: Any, cluster: str, topics: Sequence[str]) -> dict[TopicPartition, int]:
    """Next offset to be taken in of every partition of the topics, whoever reads it."""
    found = await conn.fetch(
        "select topic, partition, next_offset from ops.koff where cluster_id = $1 and topic = any($2)", cluster, topics
    )
    return {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in found}


async def missing_payments(conn: Any, boundary: datetime, oldest: datetime) -> list[int]:
    """Partitions that may still hold payments of labels that count by the boundary."""
    found = await conn.fetch("select detection.missing($1, $2) as partition", boundary, oldest)
    return [row["partition"] for row in found]


async def insert_payments(conn: Any, payments: Sequence[tuple[Record, Transaction, PaymentDecided]]) -> None:
    """One row a payment, with the decision it has now."""
    if payments:
        await conn.copy_records_to_table(
            "payment", schema_name="read", columns=_PAYMENT_COLUMNS, records=[_row(*payment) for payment in payments]
        )


async def revise_payments(conn: Any, decisions: Sequence[PaymentDecided]) -> dict[str, str]:
    """Bring rows of earlier batches to their standing decision; returns the decisions that stood before by payment."""
    if not decisions:
        return {}
    found = await conn.fetch(
        "update read.payment p set decision = r.decision, score = r.score"
        " from unnest($1::text[], $2::text[], $3::int[]) as r (transaction_id, decision, score), read.payment before"
        " where p.transaction_id = r.transaction_id and before.transaction_id = r.transaction_id"
        " returning p.transaction_id, before.decision",
        [decided.transaction_id for decided in decisions],
        [decided.decision for decided in decisions],
        [decided.score for decided in decisions],
    )
    return {row["transaction_id"]: row["decision"] for row in found}


def _row(record: Record, tx: Transaction, decided: PaymentDecided) -> tuple[Any, ...]:
    return (
        tx.transaction_id,
        tx.account_id,
        decided.amount,
        tx.channel,
        tx.merchant_id,
        tx.merchant_name,
        tx.merchant_category,
        tx.payee_id,
        tx.device_id,
        tx.city,
        tx.state,
        tx.latitude,
        tx.longitude,
        _instant(tx.event_time),
        None if tx.produced_at is None else _instant(tx.produced_at),
        record.partition,
        record.offset,
        decided.decision,
        decided.score,
        min(MAX_SCORE, sum(s.points for s in decided.signals if s.id in OWN)),
    )


async def insert_labels(conn: Any, labels: Sequence[tuple[Record, Label]]) -> None:
    """Keep what became known; a label repeated changes nothing."""
    if not labels:
        return
    await conn.execute(
        "insert into detection.label (transaction_id, account_id, is_fraud, known_at, scenario, campaign_id,"
        " role, sequence, published, partition) select * from unnest($1::text[], $2::text[], $3::bool[],"
        " $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::int[], $9::timestamptz[], $10::int[])"
        " on conflict (transaction_id) do nothing",
        [item.transaction_id for _, item in labels],
        [item.account_id for _, item in labels],
        [item.is_fraud for _, item in labels],
        [_instant(item.known_at) for _, item in labels],
        [item.scenario for _, item in labels],
        [item.campaign_id for _, item in labels],
        [item.role for _, item in labels],
        [item.sequence for _, item in labels],
        [_instant(record.timestamp) for record, _ in labels],
        [record.partition for record, _ in labels],
    )


def _instant(when: int) -> datetime:
    return datetime.fromtimestamp(when / 1000, UTC)
