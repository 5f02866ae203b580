"""``/ksql``, ``/ksql/terminate`` and the statuses of commands."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import Request
from starlette.responses import Response

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.server import bodies
from ksqldb.engine.server.errors import RequestError
from ksqldb.engine.server.http import body_of, error_response, json_response, server_of
from ksqldb.engine.server.state import Phase, Server

SEQUENCE_PATIENCE = 5.0  # ksql.server.command.response.timeout.ms
_COMMAND_TYPES = frozenset(
    ["TOPIC", "STREAM", "TABLE", "TYPE", "TERMINATE", "PAUSE", "RESUME", "CLUSTER", "ALTER_SYSTEM"]
)
_ACTIONS = frozenset({"CREATE", "DROP", "EXECUTE", "ALTER"})


async def ksql(request: Request) -> Response:
    asked = bodies.ksql_request(await body_of(request))
    server = server_of(request)
    try:
        if asked.sequence is not None:
            await _reached(server, asked.sequence)
        return json_response(await execute(server, asked.sql or "", asked.properties, asked.variables))
    except KsqlError as problem:
        return error_response(problem)


async def execute(
    server: Server, sql: str, properties: dict[str, object], variables: dict[str, str]
) -> list[dict[str, object]]:
    """Run statements and remember how far the command log has come."""
    if not sql.strip():
        return []
    entities = await server.engine.execute(sql, properties, variables)
    for entity in entities:
        sequence = entity.get("commandSequenceNumber")
        if isinstance(sequence, int):
            server.sequence = max(server.sequence, sequence)
    return entities


async def _reached(server: Server, sequence: int) -> None:
    """Wait until the command with this number was processed."""
    loop = asyncio.get_running_loop()
    end = loop.time() + SEQUENCE_PATIENCE
    while server.sequence < sequence:
        if loop.time() > end:
            text = "Timed out while waiting for a previous command to execute. command sequence number: "
            raise RequestError(f"{text}{sequence}", 50301)
        await asyncio.sleep(0.05)


async def terminate_cluster(request: Request) -> Response:
    """End every query, drop the sources and delete the topics whose names match; the server serves nothing after."""
    server = server_of(request)
    try:
        patterns = bodies.cluster_terminate_patterns(await body_of(request))
    except re.error as problem:
        return error_response(RequestError(f"Invalid pattern: {problem.pattern!s}"))
    await server.engine.execute("TERMINATE ALL;", {}, {})
    left = await _sources(server)
    while left:
        dropped = [source for source in left if await _drop(server, *source, patterns)]
        if not dropped:
            break
        left = [source for source in left if source not in dropped]
    server.phase = Phase.STOPPING
    server.sequence += 2
    status = {"status": "QUEUED", "message": "Statement written to command topic", "queryId": None}
    entity = {
        "@type": "currentStatus",
        "statementText": "TERMINATE CLUSTER;",
        "commandId": "terminate/CLUSTER/execute",
        "commandStatus": status,
        "commandSequenceNumber": server.sequence,
        "warnings": [],
    }
    return json_response([entity])


async def _sources(server: Server) -> list[tuple[str, str, str]]:
    """(STREAM or TABLE, name, topic) of everything there is."""
    entities = await server.engine.execute("SHOW STREAMS; SHOW TABLES;", {}, {})
    sources = [source for e in entities for source in (*_list(e.get("streams")), *_list(e.get("tables")))]
    return [(str(source["type"]), str(source["name"]), str(source["topic"])) for source in sources]


def _list(value: object) -> list[dict[str, object]]:
    return value if isinstance(value, list) else []


async def _drop(server: Server, kind: str, name: str, topic: str, patterns: list[re.Pattern[str]]) -> bool:
    delete = " DELETE TOPIC" if any(pattern.fullmatch(topic) for pattern in patterns) else ""
    quoted = "`" + name.replace("`", "``") + "`"
    try:
        await server.engine.execute(f"DROP {kind} {quoted}{delete};", {}, {})
    except KsqlError:
        return False  # still read by another source; the next round gets it
    return True


async def statuses(request: Request) -> Response:
    return json_response({"commandStatuses": server_of(request).engine.statuses()})


async def status(request: Request) -> Response:
    kind, entity, action = (request.path_params[name] for name in ("type", "entity", "action"))
    for value, known, java in ((kind, _COMMAND_TYPES, "Type"), (action, _ACTIONS, "Action")):
        if value.upper() not in known:
            text = f"No enum constant io.confluent.ksql.rest.entity.CommandId.{java}.{value.upper()}"
            raise RequestError(text, 50000)
    found = server_of(request).engine.status(f"{kind.lower()}/{entity}/{action.lower()}")
    if found is None:
        return error_response(RequestError("Command not found", 40400))
    return json_response(found)
