"""The routes of ksqlDB's REST API over one engine."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import logging

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ksqldb.engine.analyse.overrides import refuse_denied
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.server.cluster import cluster_status, heard
from ksqldb.engine.server.errors import RequestError
from ksqldb.engine.server.http import Handler, bare_error, empty, error_response, json_response, old_endpoint, server_of
from ksqldb.engine.server.inserts import inserts_stream
from ksqldb.engine.server.queries import close_query, query, query_stream
from ksqldb.engine.server.state import VERSION, Phase, Server
from ksqldb.engine.server.statements import ksql, status, statuses, terminate_cluster
from ksqldb.engine.server.websocket import ws_query
from ksqldb.login import is_own_user

log = logging.getLogger(__name__)

_NOT_FOUND = b"<html><body><h1>Resource not found</h1></body></html>"
_ALWAYS_OPEN = frozenset({"/v1/metadata", "/v1/metadata/id", "/healthcheck"})
_ALWAYS_SERVED = frozenset({"/chc/ready", "/chc/live"})
DRAIN_PATIENCE = 1.0


async def root(request: Request) -> Response:
    return empty(307, {"location": "/info"})


async def info(request: Request) -> Response:
    server = server_of(request)
    about = {
        "version": VERSION,
        "kafkaClusterId": server.engine.cluster_id,
        "ksqlServiceId": server.service_id,
        "serverStatus": "RUNNING",
    }
    return json_response({"KsqlServerInfo": about})


async def healthcheck(request: Request) -> Response:
    parts = ("metastore", "kafka", "commandRunner")
    details = {part: {"isHealthy": True} for part in parts}
    return json_response({"isHealthy": True, "details": details, "serverState": "READY"})


async def ready(request: Request) -> Response:
    return json_response({})


async def metadata(request: Request) -> Response:
    return json_response({"version": VERSION, "clusterId": _cluster(server_of(request))})


async def metadata_id(request: Request) -> Response:
    return json_response(_cluster(server_of(request)))


def _cluster(server: Server) -> dict[str, object]:
    clusters = {"kafka-cluster": server.engine.cluster_id, "ksql-cluster": server.service_id}
    return {"scope": {"path": [], "clusters": clusters}, "id": ""}


async def is_valid_property(request: Request) -> Response:
    server = server_of(request)
    name = request.path_params["property"]
    try:
        refuse_denied([name], server.setting("ksql.properties.overrides.denylist", ""))
    except KsqlError as problem:
        return error_response(problem)
    return json_response(True)


def _route(path: str, handler: Handler, method: str, *, streaming: bool = False) -> Route:
    route = Route(path, handler if streaming else old_endpoint(handler), methods=[method])
    route.methods = {method}  # HEAD is refused, as by the real server
    return route


_ROUTES: tuple[BaseRoute, ...] = (
    _route("/", root, "GET", streaming=True),
    _route("/ksql", ksql, "POST"),
    _route("/ksql/terminate", terminate_cluster, "POST"),
    _route("/query", query, "POST", streaming=True),
    _route("/query-stream", query_stream, "POST", streaming=True),
    _route("/inserts-stream", inserts_stream, "POST", streaming=True),
    _route("/close-query", close_query, "POST", streaming=True),
    _route("/info", info, "GET"),
    _route("/healthcheck", healthcheck, "GET"),
    _route("/clusterStatus", cluster_status, "GET"),
    _route("/heartbeat", heard, "POST"),
    _route("/lag", heard, "POST"),
    _route("/status", statuses, "GET"),
    _route("/status/{type}/{entity}/{action}", status, "GET"),
    _route("/v1/metadata", metadata, "GET"),
    _route("/v1/metadata/id", metadata_id, "GET"),
    _route("/is_valid_property/{property}", is_valid_property, "GET"),
    _route("/chc/ready", ready, "GET"),
    _route("/chc/live", ready, "GET"),
    WebSocketRoute("/ws/query", ws_query),
)


async def _http_error(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    if problem.status_code == 404:
        return Response(_NOT_FOUND, 404, {"content-type": "text/html; charset=utf-8"})
    headers = {k.lower(): v for k, v in (problem.headers or {}).items()}
    return empty(problem.status_code, headers)


async def _unexpected(request: Request, problem: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=problem)
    return error_response(problem)


class Drained:
    """Reads what is left of a request's body before its response ends.

    Over HTTP/2 Hypercorn forgets a stream whose response is complete and fails the whole connection, with every other
    query on it, when more of that stream's body arrives.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._open = True

    async def receive(self) -> Message:
        message = await self._receive()
        self._open = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            await self._drain()
        await self._send(message)

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_PATIENCE):
                while self._open:
                    await self.receive()
        except TimeoutError:
            return  # a client that goes on sending is not waited for


class Gate:
    """What is asked before any handler: is the server ready, and who is it that asks."""

    def __init__(self, app: ASGIApp, server: Server) -> None:
        self.app = app
        self.server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refuse(scope) if scope["type"] == "http" else None
        if scope["type"] == "websocket" and not self._may(scope):
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "Unauthorized"})
            return
        if scope["type"] == "http" and scope["http_version"] == "2":
            drained = Drained(receive, send)
            receive, send = drained.receive, drained.send
        await (refusal or self.app)(scope, receive, send)

    def _refuse(self, scope: Scope) -> Response | None:
        path = scope["path"]
        if path in _ALWAYS_SERVED:
            return None
        if path not in _ALWAYS_OPEN and not self._may(scope):
            response = bare_error(RequestError("Unauthorized", 40100))
            response.headers["www-authenticate"] = f'Basic realm="{self.server.service_id}"'
            return response
        if self.server.phase is Phase.STARTING:
            return bare_error(RequestError("KSQL is not yet ready to serve requests.", 50302))
        if self.server.phase is Phase.STOPPING:
            return bare_error(RequestError("The server is shutting down", 50303))
        return None

    def _may(self, scope: Scope) -> bool:
        """Whether basic authentication is off or the request carries a known name and its password, or, where it
        carries nothing and that is enough, comes from a process of the server's own user."""
        users = self.server.users
        if users is None:
            return True
        header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        if not header and self.server.own_user and scope["client"] and scope["server"]:
            return is_own_user(scope["client"][:2], scope["server"][:2])
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            name, _, password = base64.b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        known = users.get(name)
        return hmac.compare_digest(known.encode() if known else b"", password.encode()) and known is not None


def build(server: Server) -> ASGIApp:
    """The ASGI application of a server."""
    app = Starlette(
        routes=list(_ROUTES), exception_handlers={HTTPException: _http_error, RequestError: _refused, 500: _unexpected}
    )
    app.router.redirect_slashes = False
    app.state.server = server
    return Gate(app, server)


async def _refused(request: Request, problem: Exception) -> Response:
    return bare_error(problem)
