"""``/clusterStatus`` and the calls by which servers tell each other that they live.

There is one server, which is alive; a real one answers where `ksql.heartbeat.enable` is on, and so does this."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ksqldb.engine.kafka.runtime import Persistent, now_ms
from ksqldb.engine.plan.internal_topics import internal_topics
from ksqldb.engine.server.http import json_response, server_of
from ksqldb.engine.server.state import Server

_CHANGELOG, _REPARTITION = "-changelog", "-repartition"


async def cluster_status(request: Request) -> Response:
    server = server_of(request)
    if not _has_heartbeats(server):
        return _absent()
    runtime = server.engine.runtime
    queries = {query_id: _of_query(server, found) for query_id, found in runtime.queries.items()}
    status = {
        "hostAlive": True,
        "lastStatusUpdateMs": now_ms(),
        "activeStandbyPerQuery": queries,
        "hostStoreLags": {"stateStoreLags": {}, "updateTimeMs": now_ms()},
    }
    return json_response({"clusterStatus": {server.engine.config.host: status}})


async def heard(request: Request) -> Response:
    """``/heartbeat`` and ``/lag``."""
    return json_response({"isOk": True}) if _has_heartbeats(server_of(request)) else _absent()


def _has_heartbeats(server: Server) -> bool:
    return server.setting("ksql.heartbeat.enable", "false").lower() == "true"


def _absent() -> Response:
    return Response(b"", 404, {"content-type": "application/json"})


def _of_query(server: Server, found: Persistent) -> dict[str, object]:
    """What the one server holds of a query: its stores, and the partitions it reads and re-keys records into."""
    topics = internal_topics(found.query, server.service_id)
    prefix = f"{topics[0].partition(found.query.id)[0]}{found.query.id}-" if topics else ""
    stores = [name.removeprefix(prefix).removesuffix(_CHANGELOG) for name in topics if name.endswith(_CHANGELOG)]
    places = list(found.running.positions)
    width = len({partition for _, partition in places})
    places += [(name, partition) for name in topics if name.endswith(_REPARTITION) for partition in range(width)]
    return {
        "activeStores": stores,
        "activePartitions": [{"topic": topic, "partition": partition} for topic, partition in places],
        "standByStores": [],
        "standByPartitions": [],
    }
