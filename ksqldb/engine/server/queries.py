"""``/query-stream``, ``/query`` and ``/close-query``: rows as they come, in the format asked for."""

from __future__ import annotations

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ksqldb.engine.engine import NOT_A_QUERY, QueryHandle
from ksqldb.engine.errors import KsqlError, ParseFailed, StatementError
from ksqldb.engine.server import bodies
from ksqldb.engine.server.errors import INTERNAL_QUERY_ERROR, RequestError
from ksqldb.engine.server.http import (
    DELIMITED,
    JSON,
    V1_JSON,
    V1_PROTOBUF,
    Chunked,
    bare_error,
    body_of,
    chunked_error,
    empty,
    error_response,
    negotiate,
    server_of,
)
from ksqldb.engine.server.rows import DelimitedWriter, JsonWriter, PrintWriter, StreamedRowWriter, Writer
from ksqldb.engine.server.state import Server

log = logging.getLogger(__name__)

_NOT_ONE = "Expected exactly one KSQL statement"
_NOT_FOR_QUERY = (
    "Statement type `io.confluent.ksql.parser.KsqlParser$PreparedStatement' not supported for this resource"
)
_OLD_HTTP = "This endpoint is only available when using HTTP1.1 or HTTP2"


async def query_stream(request: Request) -> Response:
    media = negotiate(request.headers.get("accept"), (DELIMITED, JSON, V1_JSON, V1_PROTOBUF))
    if media is None:
        return empty(406)
    if request.scope["http_version"] == "1.0":
        return bare_error(RequestError(_OLD_HTTP))
    try:
        asked = bodies.query_stream_args(await body_of(request))
    except RequestError as problem:
        return chunked_error(problem)
    try:
        query = await open_query(server_of(request), asked.sql, asked.properties, asked.variables)
    except KsqlError as problem:
        return chunked_error(_as_query_stream_says(problem, asked.sql))
    if query.kind == "print":
        if media != DELIMITED:
            await query.close()
            return Chunked(b"", 406)
        return QueryResponse(query, PrintWriter())
    return QueryResponse(query, _writer(media, query))


async def query(request: Request) -> Response:
    """The older endpoint: the same rows, but StreamedRow is what it speaks unless delimited is asked for."""
    accept = request.headers.get("accept")
    media = negotiate(accept, (DELIMITED, V1_JSON, JSON)) if accept else V1_JSON
    if media is None:
        return empty(406)
    try:
        asked = bodies.ksql_request(await body_of(request))
    except RequestError as problem:
        return bare_error(problem)
    if not asked.sql:
        return error_response(RequestError('"ksql" field must be populated'))
    try:
        tells = media != DELIMITED
        running = await open_query(server_of(request), asked.sql, asked.properties, asked.variables, tells)
    except KsqlError as problem:
        if problem.message == NOT_A_QUERY:
            return error_response(RequestError(_NOT_FOR_QUERY))
        return error_response(problem) if _before_planning(problem) else chunked_error(problem)
    if running.kind == "print":
        return QueryResponse(running, PrintWriter("" if media == DELIMITED else JSON))
    return QueryResponse(running, DelimitedWriter(running) if media == DELIMITED else StreamedRowWriter(running))


def _writer(media: str, query: QueryHandle) -> Writer:
    if media == DELIMITED:
        return DelimitedWriter(query)
    return JsonWriter(query) if media == JSON else StreamedRowWriter(query, media == V1_PROTOBUF)


async def open_query(
    server: Server,
    sql: str,
    properties: dict[str, object],
    variables: dict[str, str],
    tells_formats: bool = False,
) -> QueryHandle:
    """Start a query within the limit of push queries; what is not a user's error becomes an internal one."""
    try:
        running = await server.engine.query(sql, properties, variables, tells_formats)
    except KsqlError:
        raise
    except Exception:
        log.exception("query failed: %s", sql)
        raise RequestError(INTERNAL_QUERY_ERROR, 50000) from None
    others = server.engine.push_query_count() - 1
    if running.kind == "push" and others >= server.max_push_queries:
        await running.close()
        raise StatementError(
            f"Not executing statement(s) '{sql}' as it would cause the number of active, push queries to exceed the "
            "configured limit. Terminate existing PUSH queries, or increase the 'ksql.max.push.queries' setting via "
            f"the 'ksql-server.properties' file. Current push query count: {others}. "
            f"Configured limit: {server.max_push_queries}.\nStatement: {sql}",
            sql,
        )
    return running


_INTERNAL_HERE = (
    "Failed to coerce type of value",
    "Can't find any functions with the name",
    "Function '",
    "Comparison with NULL not supported",
)


def _as_query_stream_says(problem: KsqlError, sql: str) -> KsqlError:
    """A bad property value or function, refused in its own words elsewhere, is an internal error here. EXPLAIN of the
    same query tells what is wrong."""
    if problem.message.startswith(_INTERNAL_HERE):
        return RequestError(INTERNAL_QUERY_ERROR, 50000)
    if isinstance(problem, ParseFailed) or problem.message.startswith((NOT_A_QUERY, _NOT_ONE)):
        return StatementError(f"{problem.message}\nStatement: {sql}", getattr(problem, "statement", sql))
    return problem


def _before_planning(problem: KsqlError) -> bool:
    """Whether /query refuses a statement before it hands it on (those errors carry a content type)."""
    early = ("Exception while preparing statement", _NOT_ONE, "Failed to coerce type of value")
    return isinstance(problem, ParseFailed) or problem.message.startswith(early)


class QueryResponse(Response):
    """Writes a query's rows until it ends or the reader goes; either way the query is closed."""

    def __init__(self, query: QueryHandle, writer: Writer) -> None:
        self.query = query
        self.writer = writer
        self.status_code = 200
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", self.writer.media_type.encode())] if self.writer.media_type else []
        pump = asyncio.create_task(self._pump(send, headers))
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait((pump, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            left = not pump.done()
            for task in (pump, gone):
                task.cancel()
            await self.query.close(left)
            await asyncio.gather(pump, gone, return_exceptions=True)

    async def _pump(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if head := self.writer.head():
            await send({"type": "http.response.body", "body": head, "more_body": True})
        try:
            async for rows in self.query.batches():
                if text := self.writer.rows(rows):
                    await send({"type": "http.response.body", "body": text, "more_body": True})
            last = self.writer.end(self.query.limit_reached)
        except Exception as problem:
            if not isinstance(problem, KsqlError):
                log.exception("query %s failed while running", self.query.query_id)
            last = self.writer.error(problem)
        await send({"type": "http.response.body", "body": last})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def close_query(request: Request) -> Response:
    try:
        query_id = bodies.close_query_args(await body_of(request))
        if not await server_of(request).engine.close_query(query_id):
            raise RequestError(f"No query with id {query_id}")
    except RequestError as problem:
        return bare_error(problem)
    return empty(200)
