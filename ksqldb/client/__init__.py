"""Async client of ksqlDB 0.29's REST API; works alike against the embedded engine and a real cluster.

async with KsqlClient("http://127.0.0.1:8088") as client:
    await client.execute("CREATE STREAM ...;", properties={"auto.offset.reset": "earliest"})
    async with client.query("SELECT * FROM fraud_alerts EMIT CHANGES;") as query:
        async for rows in query.batches():
            ...
"""

from ksqldb.client._client import Entity, KsqlClient, Result, RunningQuery, ServerInfo, one_of
from ksqldb.client._errors import KsqlClientError, KsqlServerError, KsqlUnavailable, clean
from ksqldb.client._query import Overflow, Query, State, has_limit, is_push
from ksqldb.client._rows import Format, Row, Tombstone
from ksqldb.client._types import Column

__all__ = [
    "Column",
    "Entity",
    "Format",
    "KsqlClient",
    "KsqlClientError",
    "KsqlServerError",
    "KsqlUnavailable",
    "Overflow",
    "Query",
    "Result",
    "Row",
    "RunningQuery",
    "ServerInfo",
    "State",
    "Tombstone",
    "clean",
    "has_limit",
    "is_push",
    "one_of",
]
