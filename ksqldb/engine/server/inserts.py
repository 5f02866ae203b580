"""``/inserts-stream``: rows in, one acknowledgement a row out, over HTTP/2 only."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ksqldb.engine.engine import Engine
from ksqldb.engine.errors import KsqlError, ServerError
from ksqldb.engine.server import bodies
from ksqldb.engine.server.errors import RequestError
from ksqldb.engine.server.http import DELIMITED, JSON, bare_error, empty, negotiate, server_of
from ksqldb.engine.server.rows import json_bytes


async def inserts_stream(request: Request) -> Response:
    if not request.scope["http_version"].startswith("2"):
        return bare_error(RequestError("This endpoint is only available when using HTTP2", 40004))
    media = negotiate(request.headers.get("accept"), (DELIMITED, JSON))
    if media is None:
        return empty(406)
    lines = _lines(request)
    try:
        target = identifier(bodies.inserts_stream_args(await anext(lines, b"")))
        engine = server_of(request).engine
        await engine.insert(target, ())
    except RequestError as problem:
        return bare_error(problem)
    except KsqlError as problem:
        return bare_error(RequestError(problem.message, 40001))
    return InsertsResponse(engine, target, lines, as_array=media == JSON)


def identifier(text: str) -> str:
    """A source's name as a statement would read it: upper case unless quoted."""
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in '`"'
    return text[1:-1] if quoted else text.upper()


async def _lines(request: Request) -> AsyncIterator[bytes]:
    rest = b""
    async for part in request.stream():
        *complete, rest = (rest + part).split(b"\n")
        for line in complete:
            if line.strip():
                yield line
    if rest.strip():
        yield rest


class InsertsResponse(Response):
    """Acknowledges each row once it lies in Kafka; the first row that does not fit ends the stream."""

    def __init__(self, engine: Engine, target: str, lines: AsyncIterator[bytes], *, as_array: bool) -> None:
        self.engine = engine
        self.target = target
        self.lines = lines
        self.as_array = as_array
        self.status_code = 200
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        sequence, answered = 0, False
        try:
            async for line in self.lines:
                problem = await self._insert(line)
                await send({"type": "http.response.body", "body": self._answer(sequence, problem), "more_body": True})
                answered = True
                if problem:
                    break
                sequence += 1
        except ClientDisconnect:
            return
        end = (b"]" if answered else b"[]") if self.as_array else b""
        await send({"type": "http.response.body", "body": end})

    async def _insert(self, line: bytes) -> KsqlError | None:
        try:
            row = msgspec.json.decode(line)
            if not isinstance(row, dict):
                return RequestError("Invalid JSON in inserts stream")
            await self.engine.insert(self.target, (row,))
        except msgspec.DecodeError:
            return RequestError("Invalid JSON in inserts stream")
        except KsqlError as problem:
            return problem
        return None

    def _answer(self, sequence: int, problem: KsqlError | None) -> bytes:
        answer: dict[str, object] = {"seq": sequence, "status": "ok"}
        if problem:
            answer = {
                "@type": "InsertError",
                "status": "error",
                "seq": sequence,
                "message": problem.message,
                "error_code": problem.error_code if isinstance(problem, ServerError) else 40000,
            }
        text = json_bytes(answer)
        if not self.as_array:
            return text + b"\n"
        return (b"," if sequence else b"[") + text
