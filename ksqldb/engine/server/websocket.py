"""``/ws/query``: a query over a web socket. First the schema, then one message a row; PRINT sends its lines."""

from __future__ import annotations

import asyncio

from starlette.websockets import WebSocket, WebSocketDisconnect

from ksqldb.engine.engine import QueryHandle
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.server import bodies
from ksqldb.engine.server.queries import open_query
from ksqldb.engine.server.rows import RowTexts, json_bytes, schema_fields
from ksqldb.engine.server.state import Phase, Server

NORMAL, REFUSED, FAILED, TRY_LATER = 1000, 1008, 1011, 1013
_REASON_LIMIT = 123  # bytes a close frame has room for


async def ws_query(socket: WebSocket) -> None:
    await socket.accept()
    server: Server = socket.app.state.server
    if server.phase is not Phase.READY:
        await socket.close(TRY_LATER, "KSQL is not yet ready to serve requests.")
        return
    try:
        asked = bodies.ksql_request(socket.query_params.get("request", "").encode())
        query = await open_query(server, asked.sql or "", asked.properties, asked.variables)
    except KsqlError as problem:
        await socket.close(REFUSED, _reason(problem))
        return
    send = asyncio.create_task(_send(socket, query))
    gone = asyncio.create_task(_closed(socket))
    try:
        await asyncio.wait((send, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (send, gone):
            task.cancel()
        await query.close()
        await asyncio.gather(send, gone, return_exceptions=True)


async def _send(socket: WebSocket, query: QueryHandle) -> None:
    texts = RowTexts(query.columns)
    try:
        if query.kind != "print":
            await socket.send_text(json_bytes(schema_fields(query.columns)).decode())
        async for rows in query.batches():
            for row in rows:
                if query.kind == "print":
                    await socket.send_text(str(row.values[0]))
                elif not row.tombstone:
                    await socket.send_text(json_bytes(texts.wrapped((row,))[0]).decode())
        await socket.close(NORMAL, "done")
    except KsqlError as problem:
        await socket.close(FAILED, _reason(problem))


async def _closed(socket: WebSocket) -> None:
    try:
        while True:
            await socket.receive_text()
    except (WebSocketDisconnect, KeyError):  # KeyError: a binary message, of no meaning here
        return


def _reason(problem: KsqlError) -> str:
    return problem.message.encode()[:_REASON_LIMIT].decode(errors="ignore")
