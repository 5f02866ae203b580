"""What a backtest runs on: payments as the topic has them, with what is known about each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.eventlog import roles
from core.eventlog.connect import connected
from core.replay import mapping
from core.replay.guess import describe
from core.replay.scorecard import Truth
from core.replay.source import Source
from core.rules.backtest import BacktestFailed
from ksqldb.rulebook import Sent
from schema.transaction import Transaction, centavos, reais

_ENCODER = msgspec.json.Encoder(decimal_format="number")
# A label counts from the moment at which it was known; a person's word on a case goes before it.
_LOGGED = """
select p.transaction_id, p.account_id, p.amount, p.channel, p.merchant_id, p.merchant_name, p.merchant_category,
       p.payee_id, p.device_id, p.city, p.state, p.latitude, p.longitude,
       (extract(epoch from p.event_time) * 1000)::bigint as event_time,
       coalesce(p.verdict, l.is_fraud) as is_fraud, l.scenario, l.campaign_id
from read.payment p
left join detection.label l on l.transaction_id = p.transaction_id and l.known_at <= $2
where p.event_time >= $1 and p.event_time < $2
order by p.event_time, p.partition, p."offset"
"""


class Known(NamedTuple):
    """A payment: its record, and the little that flips and scores need of it; amount in centavos."""

    sent: Sent
    transaction_id: str
    account_id: str
    amount: int
    channel: str | None
    truth: Truth | None


def of_file(file: str, map_name: str) -> list[Known]:
    """The payments of a labelled CSV in order of event time; raises ``BacktestFailed``."""
    try:
        source = Source(Path(file), describe(map_name, Path(file), lambda text: None), None)
        survey = source.survey()
        return list(_read(source, in_order=survey.in_order))
    except mapping.MappingError as error:
        raise BacktestFailed(str(error)) from None


def _read(source: Source, *, in_order: bool) -> Iterator[Known]:
    for tx, label in source.payments(in_order):
        yield _known(tx, None if label is None else Truth(label.is_fraud, label.scenario, label.campaign_id))


async def of_log(dsn: str, since: int, until: int) -> list[Known]:
    """The payments of the database with event time in ``[since, until)``, and what was known of them by ``until``."""
    async with connected(dsn, roles.READER) as conn:
        rows = await conn.fetch(_LOGGED, _instant(since), _instant(until))
    found = []
    for row in rows:
        values = dict(row)
        fraud, scenario, campaign = values.pop("is_fraud"), values.pop("scenario"), values.pop("campaign_id")
        tx = Transaction(**{**values, "amount": reais(values["amount"])})
        found.append(_known(tx, None if fraud is None else Truth(fraud, scenario if fraud else None, campaign)))
    return found


def _known(tx: Transaction, truth: Truth | None) -> Known:
    sent = Sent(tx.account_id.encode(), _ENCODER.encode(tx), tx.event_time)
    return Known(sent, tx.transaction_id, tx.account_id, centavos(tx.amount), tx.channel, truth)


def _instant(when: int) -> datetime:
    return datetime.fromtimestamp(when / 1000, UTC)
