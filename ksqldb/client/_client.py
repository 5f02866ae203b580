"""The client proper: one object per server, over one httpx client."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx
import msgspec

from ksqldb.client._errors import KsqlClientError, KsqlServerError, KsqlUnavailable, clean, from_body, understood
from ksqldb.client._query import Overflow, Query, has_limit, is_push, settle
from ksqldb.client._rows import Format, Row
from ksqldb.client._types import Column

Entity = dict[str, Any]
Properties = Mapping[str, object]
Variables = Mapping[str, str]

STATEMENT_PATIENCE = 60.0  # a real server took 44 s for a TERMINATE under load
CLEANUP_PATIENCE = 2.0
_V1 = "application/vnd.ksql.v1+json"
_JSON = {"Content-Type": "application/json"}
_PENDING = ("QUEUED", "PARSING", "EXECUTING", "RUNNING")
_GONE = (400, 404)  # "No query with id ..."


class ServerInfo(NamedTuple):
    version: str
    cluster_id: str
    service_id: str
    status: str


class RunningQuery(NamedTuple):
    """A line of SHOW QUERIES. ``kind`` is PERSISTENT or PUSH; ``status`` RUNNING, PAUSED, ERROR or UNRESPONSIVE."""

    id: str
    kind: str
    sql: str
    sinks: tuple[str, ...]
    topics: tuple[str, ...]
    status: str


class Result(NamedTuple):
    """The rows of a pull query; ``truncated`` when there were more than asked for."""

    columns: list[Column]
    rows: list[Row]
    truncated: bool


def _tls(query: str) -> ssl.SSLContext:
    """What the URL's query asks for. Raises ValueError for a word it does not know or a file that cannot be used."""
    given = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    if unknown := given.keys() - {"sslrootcert", "sslcert", "sslkey"}:
        raise ValueError(f"a ksqlDB address knows sslrootcert, sslcert and sslkey, not {sorted(unknown)[0]!r}")
    try:
        context = ssl.create_default_context(cafile=given.get("sslrootcert"))
        if "sslcert" in given:
            context.load_cert_chain(given["sslcert"], given.get("sslkey"))
    except OSError as error:  # ssl's own errors are OSErrors too
        raise ValueError(f"a certificate of the ksqlDB address cannot be used: {error}") from None
    return context


class KsqlClient:
    """Talks to one ksqlDB server, embedded or real. Raises ``KsqlServerError`` for what the server refuses and
    ``KsqlUnavailable`` when it cannot be reached.

    ``url`` such as ``http://127.0.0.1:8088``; ``auth`` is (user, password) for basic authentication, which may stand in
    the URL as well (it is taken out of what is shown). https is verified against the system's authorities, as ``tls``
    says, or by the URL as in PostgreSQL's: ``?sslrootcert=CA.pem&sslcert=OWN.pem&sslkey=OWN.key``. ``http2`` speaks
    HTTP/2 (over http by prior knowledge) instead of HTTP/1.1.
    """

    def __init__(
        self,
        url: str,
        *,
        auth: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        http2: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not a ksqlDB address: {url!r}; it should look like http://127.0.0.1:8088")
        if tls is None and parts.query:
            tls = _tls(parts.query)
        if auth is None and parts.username is not None:
            auth = (unquote(parts.username), unquote(parts.password or ""))
        self.url = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl().rstrip("/")
        self._http = httpx.AsyncClient(
            base_url=self.url,
            auth=auth,
            verify=tls if tls is not None else parts.scheme == "https",
            http1=not (http2 and parts.scheme == "http"),
            http2=http2,
            timeout=httpx.Timeout(10.0, read=STATEMENT_PATIENCE, connect=5.0),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
            trust_env=parts.hostname not in ("127.0.0.1", "localhost", "::1"),
            transport=transport,
        )
        self._cleaning: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Wait shortly for the clean-up of queries that were left, then close the connections."""
        await settle(list(self._cleaning), CLEANUP_PATIENCE)
        await self._http.aclose()

    # ------------------------------------------------------------------------------------------------ statements

    async def execute(
        self,
        sql: str,
        *,
        properties: Properties | None = None,
        variables: Variables | None = None,
        sequence: int | None = None,
    ) -> list[Entity]:
        """Run one or more statements; the entities of reference ``/ksql``, in order.

        A command that still executes after the server's own patience (5 s) is followed by ``/status`` until it is
        done; one that ends in ERROR raises. ``sequence`` makes the server wait for that command first.
        """
        body: dict[str, object] = {
            "ksql": sql,
            "streamsProperties": properties or {},
            "sessionVariables": variables or {},
        }
        if sequence is not None:
            body["commandSequenceNumber"] = sequence
        entities: list[Entity] = await self._json("POST", "/ksql", body)
        if not (isinstance(entities, list) and all(isinstance(entity, dict) for entity in entities)):
            raise KsqlServerError(50000, f"{self.url}/ksql: the answer is no list of entities; is it a ksqlDB server?")
        for entity in entities:
            await self._settle(entity)
        return entities

    async def _settle(self, entity: Entity) -> None:
        status = entity.get("commandStatus")
        pause = 0.05
        while isinstance(status, dict) and status.get("status") in _PENDING:
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)
            status = await self._json("GET", "/status/" + quote(str(entity.get("commandId"))))
            entity["commandStatus"] = status
        if isinstance(status, dict) and status.get("status") == "ERROR":
            raise KsqlServerError(50000, clean(str(status.get("message"))), clean(str(entity.get("statementText", ""))))

    async def queries(self) -> list[RunningQuery]:
        """What runs on the server now, push queries included."""
        entities = await self.execute("SHOW QUERIES;")
        with understood("SHOW QUERIES"):
            return self._running(entities)

    @staticmethod
    def _running(entities: list[Entity]) -> list[RunningQuery]:
        found = []
        for entity in entities:
            for query in entity.get("queries", ()):
                counts = query.get("statusCount") or {query.get("state", "RUNNING"): 1}
                found.append(
                    RunningQuery(
                        id=clean(str(query["id"])),
                        kind=str(query.get("queryType", "PERSISTENT")),
                        sql=clean(str(query.get("queryString", ""))),
                        sinks=tuple(clean(str(s)) for s in query.get("sinks") or ()),
                        topics=tuple(clean(str(s)) for s in query.get("sinkKafkaTopics") or ()),
                        status=next((s for s in ("ERROR", "UNRESPONSIVE", "PAUSED") if s in counts), "RUNNING"),
                    )
                )
        return found

    async def terminate(self, query_id: str) -> None:
        """End a query, persistent or push."""
        await self.execute(f"TERMINATE {_identifier(query_id)};")

    async def pause(self, query_id: str) -> None:
        await self.execute(f"PAUSE {_identifier(query_id)};")

    async def resume(self, query_id: str) -> None:
        await self.execute(f"RESUME {_identifier(query_id)};")

    # --------------------------------------------------------------------------------------------------- queries

    def query(
        self,
        sql: str,
        *,
        properties: Properties | None = None,
        variables: Variables | None = None,
        form: Format = Format.DELIMITED,
        reconnect: bool = True,
        buffer: int = 10_000,
        overflow: Overflow = Overflow.DROP,
    ) -> Query:
        """One SELECT, push or pull, as a ``Query`` to be entered. ``buffer`` bounds the rows not yet taken.

        Only a push query without LIMIT reconnects. Where no ``auto.offset.reset`` is given the server's default
        holds, which is ``latest``.
        """

        def open_response(current: Properties) -> AbstractAsyncContextManager[httpx.Response]:
            body = {"sql": sql, "properties": current, "sessionVariables": variables or {}}
            return self._http.stream(
                "POST",
                "/query-stream",
                headers={"Accept": form.value, **_JSON},
                content=msgspec.json.encode(body),
                timeout=httpx.Timeout(10.0, read=None, connect=5.0),
            )

        return Query(
            open_response,
            self._forget,
            lambda: self.execute(f"EXPLAIN {sql}", properties=properties, variables=variables),
            properties or {},
            form=form,
            reconnect=reconnect and is_push(sql) and not has_limit(sql),
            buffer=buffer,
            overflow=overflow,
        )

    async def pull(
        self,
        sql: str,
        *,
        properties: Properties | None = None,
        variables: Variables | None = None,
        max_rows: int | None = None,
    ) -> Result:
        """All rows of a query that ends by itself, or the first ``max_rows`` of them."""
        rows: list[Row] = []
        query = self.query(sql, properties=properties, variables=variables, reconnect=False, overflow=Overflow.WAIT)
        async with query:
            async for batch in query.batches():
                rows.extend(batch)
                if max_rows is not None and len(rows) > max_rows:
                    return Result(query.columns, rows[:max_rows], True)
        return Result(query.columns, rows, False)

    async def print_topic(self, sql: str) -> AsyncGenerator[str, None]:
        """Lines of a PRINT statement, sanitised; close the iterator to end it."""
        body = msgspec.json.encode({"sql": sql, "properties": {}})
        headers = {"Accept": Format.DELIMITED.value, **_JSON}
        timeout = httpx.Timeout(10.0, read=None, connect=5.0)
        try:
            async with self._http.stream(
                "POST", "/query-stream", headers=headers, content=body, timeout=timeout
            ) as response:
                if response.status_code != 200:
                    raise from_body(response.status_code, await response.aread())
                rest = b""
                async for chunk in response.aiter_raw():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        if line:
                            yield clean(line.decode(errors="replace"))
        except httpx.HTTPError as problem:
            raise _unreachable(self.url, problem) from problem

    async def close_query(self, query_id: str) -> None:
        """End a push query by its id and make sure of it.

        A real server answers 500 "On wrong context or worker" when another connection than the query's own asks, yet
        ends it; one that is gone is 400. So both are taken as closed, after a look at SHOW QUERIES for the former.
        """
        try:
            response = await self._http.post(
                "/close-query", headers=_JSON, content=msgspec.json.encode({"queryId": query_id})
            )
            if response.status_code == 200 or response.status_code in _GONE:
                return
            if any(query.id == query_id for query in await self.queries()):
                await self.terminate(query_id)
        except httpx.HTTPError as problem:
            raise _unreachable(self.url, problem) from problem

    def _forget(self, query_id: str) -> asyncio.Task[None]:
        async def forget() -> None:
            try:
                await self.close_query(query_id)
            except KsqlClientError:
                return  # the server is away or has closed it already; its connection is closed either way

        task = asyncio.create_task(forget(), name=f"close {query_id}")
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)
        return task

    # ---------------------------------------------------------------------------------------------------- server

    async def info(self) -> ServerInfo:
        answer = await self._json("GET", "/info")
        names = ("version", "kafkaClusterId", "ksqlServiceId", "serverStatus")
        with understood(f"{self.url}/info"):
            server = answer["KsqlServerInfo"]
            return ServerInfo(*(clean(str(server.get(name, ""))) for name in names))

    async def healthy(self) -> bool:
        """What the server itself says of its health; False too where it cannot be reached."""
        try:
            answer = await self._json("GET", "/healthcheck")
            return isinstance(answer, dict) and answer.get("isHealthy") is True
        except KsqlClientError:
            return False

    async def _json(self, method: str, path: str, body: object = None) -> Any:
        content = None if body is None else msgspec.json.encode(body)
        headers = {"Accept": _V1, **(_JSON if content is not None else {})}
        try:
            response = await self._http.request(method, path, headers=headers, content=content)
        except httpx.HTTPError as problem:
            raise _unreachable(self.url, problem) from problem
        if response.status_code != 200:
            raise from_body(response.status_code, response.content)
        try:
            return msgspec.json.decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise KsqlServerError(50000, f"{self.url}{path} answered something that is not JSON: {problem}") from None


def _unreachable(url: str, problem: httpx.HTTPError) -> KsqlUnavailable:
    return KsqlUnavailable(f"ksqlDB at {url} cannot be reached: {clean(str(problem)) or type(problem).__name__}")


def _identifier(query_id: str) -> str:
    """A query id in a statement: quoted where its case or signs need it."""
    plain = query_id.replace("_", "").replace("-", "")
    return query_id if plain.isalnum() else "`" + query_id.replace("`", "``") + "`"


def one_of(entities: Sequence[Entity], kind: str) -> Entity:
    """The first entity of an ``@type``; raises ``KsqlServerError`` where the server sent none."""
    for entity in entities:
        if entity.get("@type") == kind:
            return entity
    raise KsqlServerError(50000, f"the server's answer holds no {kind}")
