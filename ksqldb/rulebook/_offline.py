"""Rules over a list of payments, on the engine in this process: no Kafka, no server, the files' own statements."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ksqldb.rulebook._files import Rule, Rulebook, RuleFileError


class Sent(NamedTuple):
    """A record of topic ``transactions``: its key, its JSON, its event time (epoch ms)."""

    key: bytes
    value: bytes
    time: int


def rows_of(rule: Rule, book: Rulebook, payments: Iterable[Sent]) -> list[bytes]:
    """What the rule writes to topic ``fraud_alerts`` for these payments, in the order in which it writes it.

    Raises ``RuleFileError`` for a statement that the engine refuses.
    """
    from ksqldb.engine.errors import KsqlError
    from ksqldb.engine.run.io import RawRecord
    from ksqldb.engine.run.local import LocalEngine

    engine = LocalEngine()
    try:
        for statement in (*book.sources, *rule.statements()):
            engine.execute(statement)
    except KsqlError as error:
        raise RuleFileError(f"{rule.id}.sql: {error}") from None
    for payment in payments:
        engine.put("transactions", RawRecord(payment.key, payment.value, payment.time, 0))
    engine.run()
    return [record.value for record in engine.topic("fraud_alerts") if record.value is not None]
