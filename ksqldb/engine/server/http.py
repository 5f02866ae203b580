"""Shapes of responses: which carry a content type, which are chunked, and what an ``Accept`` may ask for."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ksqldb.engine.server.errors import RequestError, error_entity, status_of
from ksqldb.engine.server.rows import json_bytes
from ksqldb.engine.server.state import Server

BODY_LIMIT = 16 * 1024 * 1024
JSON = "application/json"
V1_JSON = "application/vnd.ksql.v1+json"
V1_PROTOBUF = "application/vnd.ksql.v1+protobuf"
DELIMITED = "application/vnd.ksqlapi.delimited.v1"

Handler = Callable[[Request], Awaitable[Response]]

_RANGE = re.compile(r"\s*([^;,\s]+)\s*((?:;[^,]*)?)")
_QUALITY = re.compile(r";\s*q\s*=\s*([\d.]+)")


def negotiate(accept: str | None, offers: tuple[str, ...]) -> str | None:
    """The offer an ``Accept`` header likes best, the first for no header or ``*/*``; None where none fits."""
    if not accept or not accept.strip():
        return offers[0]
    wishes: list[tuple[float, str]] = []
    for part in accept.split(","):
        if found := _RANGE.match(part):
            weight = _QUALITY.search(found[2])
            wishes.append((float(weight[1]) if weight else 1.0, found[1].lower()))
    for quality, wish in sorted(wishes, key=lambda w: -w[0]):
        for offer in offers:
            kind = offer.partition("/")[0]
            if quality > 0 and wish in ("*/*", offer, f"{kind}/*"):
                return offer
    return None


def server_of(request: Request) -> Server:
    server: Server = request.app.state.server
    return server


def empty(status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(b"", status, headers)


def json_response(value: object, status: int = 200) -> Response:
    return Response(json_bytes(value), status, {"content-type": JSON})


def error_response(problem: Exception) -> Response:
    """An error in the shape of the older endpoints."""
    return json_response(error_entity(problem), status_of(problem))


def bare_error(problem: Exception) -> Response:
    """An error without a content type, as malformed requests and /close-query get it."""
    return Response(json_bytes(error_entity(problem)), status_of(problem))


class Chunked(Response):
    """A whole answer without content length or type: what errors of /query-stream look like (chunked on HTTP/1.1)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": []})
        await send({"type": "http.response.body", "body": self.body})


def chunked_error(problem: Exception) -> Response:
    return Chunked(json_bytes(error_entity(problem)), status_of(problem))


async def body_of(request: Request) -> bytes:
    """The request's body; RequestError beyond ``BODY_LIMIT``."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_LIMIT:
            raise RequestError(f"The request is larger than {BODY_LIMIT} bytes", 41300)
        parts.append(part)
    return b"".join(parts)


def old_endpoint(handler: Handler) -> Handler:
    """The contract of all but the streaming endpoints: two JSON types are served, everything else is 406."""

    async def checked(request: Request) -> Response:
        if negotiate(request.headers.get("accept"), (V1_JSON, JSON)) is None:
            return empty(406)
        try:
            return await handler(request)
        except RequestError as problem:
            return bare_error(problem)
        except ClientDisconnect:
            return empty(400)

    return checked
