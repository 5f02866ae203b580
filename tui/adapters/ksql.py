"""ksqlDB through ``ksqldb.client``: entities become tables, errors get their place, one query at a time."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tui.ports import (
    Done,
    PushQuery,
    Refused,
    SqlColumn,
    SqlObject,
    SqlProblem,
    Table,
    Unavailable,
    Verdict,
    Vocabulary,
)
from tui.screens.ksqldb.lexer import statements

if TYPE_CHECKING:
    from ksqldb.client import KsqlClient, Query

BUFFER_ROWS = 20_000
_PLACE = re.compile(r"\bline (\d+):(\d+)")
_SELECT = re.compile(r"\s*SELECT\b", re.IGNORECASE)
_PRINT = re.compile(r"\s*PRINT\b", re.IGNORECASE)
PULL_ROWS = 1_000


def problem_of(message: str, statement: str, whole: str) -> SqlProblem:
    """The server's message with the place it names, counted in the whole text that was run."""
    found = _PLACE.search(message)
    if found is None:
        return SqlProblem(message)
    line, column = int(found[1]), int(found[2])
    before = whole[: max(0, whole.find(statement))]
    if line == 1:
        column += len(before) - (before.rfind("\n") + 1)
    return SqlProblem(message, line + before.count("\n"), column)


class ClientPush:
    """A push query of the client as the panel knows it."""

    def __init__(self, query: Query) -> None:
        self._query = query

    @property
    def query_id(self) -> str:
        return self._query.query_id or ""

    @property
    def columns(self) -> Sequence[str]:
        return [column.name for column in self._query.columns]

    @property
    def types(self) -> Sequence[str]:
        return [column.type for column in self._query.columns]

    @property
    def dropped(self) -> int:
        return self._query.dropped

    @property
    def waiting(self) -> bool:
        from ksqldb.client import State

        return self._query.state is State.WAITING

    @property
    def gaps(self) -> int:
        return self._query.reconnects

    async def batches(self) -> AsyncIterator[Sequence[Sequence[object]]]:
        from ksqldb.client import KsqlClientError, Tombstone

        try:
            async for rows in self._query.batches():
                yield [("(deleted)", *row) if isinstance(row, Tombstone) else row for row in rows]
        except KsqlClientError as error:
            raise SqlProblem(str(error)) from error

    async def close(self) -> None:
        await self._query.aclose()


class ClientPrint:
    """The lines of a PRINT statement as a query of one column."""

    query_id = ""
    columns = ("RECORD",)
    types = ("STRING",)
    dropped = 0
    waiting = False
    gaps = 0

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def batches(self) -> AsyncIterator[Sequence[Sequence[object]]]:
        from ksqldb.client import KsqlClientError

        try:
            async for line in self._lines:
                yield [(line,)]
        except KsqlClientError as error:
            raise SqlProblem(str(error)) from error

    async def close(self) -> None:
        close = getattr(self._lines, "aclose", None)
        if close is not None:
            await close()


class ClientKsql:
    """Not connected until ``open``."""

    def __init__(self) -> None:
        self._client: KsqlClient | None = None

    def open(self, url: str) -> None:
        from ksqldb.client import KsqlClient

        self._client = KsqlClient(url)

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    @property
    def connected(self) -> KsqlClient:
        """The client. Raises ``Unavailable`` before ``open``."""
        if self._client is None:
            raise Unavailable("ksqlDB: not connected yet")
        return self._client

    async def run(self, sql: str, properties: Mapping[str, str]) -> Sequence[Table] | PushQuery:
        tables: list[Table] = []
        for statement in statements(sql):
            result = await self._one(statement, properties, sql)
            if not isinstance(result, Sequence):
                return result
            tables.extend(result)
        return tables

    async def _one(self, statement: str, properties: Mapping[str, str], whole: str) -> Sequence[Table] | PushQuery:
        from ksqldb.client import KsqlServerError, KsqlUnavailable, is_push

        client = self.connected
        try:
            if _PRINT.match(statement):
                return ClientPrint(client.print_topic(statement))
            if not _SELECT.match(statement):
                return [entity_table(entity) for entity in await client.execute(statement, properties=properties)]
            if is_push(statement):
                query = client.query(statement, properties=properties, buffer=BUFFER_ROWS)
                await query.__aenter__()
                return ClientPush(query)
            result = await client.pull(statement, properties=properties, max_rows=PULL_ROWS)
        except KsqlServerError as error:
            raise problem_of(error.message, error.statement or statement, whole) from error
        except KsqlUnavailable as error:
            raise Unavailable(f"ksqlDB: {error}") from error
        title = f"{len(result.rows)} rows" + (f", the first {PULL_ROWS} of more" if result.truncated else "")
        rows = tuple(tuple(row) for row in result.rows if isinstance(row, tuple))
        return [Table(tuple(column.name for column in result.columns), rows, title)]

    async def objects(self) -> Sequence[SqlObject]:
        from ksqldb.client import KsqlClientError

        client = self.connected
        try:
            found: list[SqlObject] = []
            for entity in await client.execute("SHOW STREAMS; SHOW TABLES; SHOW TOPICS;"):
                found += [SqlObject("stream", s["name"], s.get("valueFormat", "")) for s in entity.get("streams", ())]
                found += [SqlObject("table", t["name"], t.get("valueFormat", "")) for t in entity.get("tables", ())]
                found += [
                    SqlObject("topic", t["name"], f"{len(t.get('replicaInfo', ()))} partitions")
                    for t in entity.get("topics", ())
                ]
            found += [SqlObject("query", query.id, query.status.lower()) for query in await client.queries()]
        except KsqlClientError as error:
            raise Unavailable(f"ksqlDB: {error}") from error
        return found

    async def vocabulary(self) -> Vocabulary:
        from ksqldb.client import KsqlClientError

        client = self.connected
        try:
            entities = await client.execute("SHOW STREAMS; SHOW TABLES; SHOW FUNCTIONS;")
            sources = sorted({str(s["name"]) for e in entities for s in (*e.get("streams", ()), *e.get("tables", ()))})
            functions = sorted({str(f["name"]) for e in entities for f in e.get("functions", ())})
            described = (
                await client.execute("".join(f"DESCRIBE {_quoted(name)};" for name in sources)) if sources else ()
            )
        except KsqlClientError as error:
            raise Unavailable(f"ksqlDB: {error}") from error
        columns = {}
        for entity in described:
            source = entity.get("sourceDescription") or {}
            columns[str(source.get("name"))] = tuple(
                SqlColumn(str(f["name"]), _type_text(f.get("schema") or {}), str(f.get("type") or "").lower())
                for f in source.get("fields", ())
            )
        return Vocabulary(columns, tuple(functions))

    async def terminate(self, query_id: str) -> Verdict:
        from ksqldb.client import KsqlServerError, KsqlUnavailable

        try:
            await self.connected.terminate(query_id)
        except KsqlServerError as error:
            return Refused(error.message)
        except KsqlUnavailable as error:
            raise Unavailable(f"ksqlDB: {error}") from error
        return Done(f"{query_id} has ended")


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


# ---------------------------------------------------------------------------------------------------- entities


def entity_table(entity: Mapping[str, Any]) -> Table:
    """An entity of ``/ksql`` as a table: its list when it has one, else its facts one a line."""
    for name, columns in _LISTS.items():
        if isinstance(entity.get(name), list):
            rows = tuple(tuple(_plain(item, column) for column in columns) for item in entity[name])
            return Table(tuple(columns), rows, name)
    source = entity.get("sourceDescription")
    if isinstance(source, Mapping):
        rows = tuple(
            (field["name"], _type_text(field.get("schema", {})), field.get("type", ""))
            for field in source.get("fields", ())
        )
        return Table(("FIELD", "TYPE", "ROLE"), rows, f"{source.get('type', '').lower()} {source.get('name', '')}")
    query = entity.get("queryDescription")
    if isinstance(query, Mapping):
        facts = [("id", query.get("id")), ("state", query.get("state")), ("statement", query.get("statementText"))]
        lines = [line for name in ("executionPlan", "topology") for line in str(query.get(name) or "").splitlines()]
        return Table(("FACT", "VALUE"), (*facts, *(("", line) for line in lines)), "query")
    status = entity.get("commandStatus")
    if isinstance(status, Mapping):
        return Table(("STATUS", "MESSAGE"), ((status.get("status"), status.get("message")),), "done")
    if "message" in entity:
        return Table(("MESSAGE",), ((entity["message"],),), "done")
    skipped = ("@type", "statementText", "warnings")
    facts = [(name, value) for name, value in entity.items() if name not in skipped]
    return Table(("FACT", "VALUE"), tuple((name, str(value)) for name, value in facts), str(entity.get("@type", "")))


_LISTS: dict[str, tuple[str, ...]] = {
    "streams": ("name", "topic", "keyFormat", "valueFormat", "isWindowed"),
    "tables": ("name", "topic", "keyFormat", "valueFormat", "isWindowed"),
    "topics": ("name", "replicaInfo"),
    "queries": ("id", "queryType", "state", "sinks", "queryString"),
    "functions": ("name", "type", "category"),
    "properties": ("name", "scope", "value"),
    "variables": ("name", "value"),
}


def _plain(item: object, name: str) -> object:
    value = item.get(name) if isinstance(item, Mapping) else item
    if name == "replicaInfo" and isinstance(value, list):
        return f"{len(value)} partitions"
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _type_text(schema: Mapping[str, Any]) -> str:
    """``ARRAY<STRING>``, ``DECIMAL(10, 2)`` from the entity's schema object."""
    kind = str(schema.get("type", ""))
    if kind == "ARRAY" and isinstance(schema.get("memberSchema"), Mapping):
        return f"ARRAY<{_type_text(schema['memberSchema'])}>"
    if kind == "MAP" and isinstance(schema.get("memberSchema"), Mapping):
        return f"MAP<STRING, {_type_text(schema['memberSchema'])}>"
    if kind == "STRUCT":
        fields = ", ".join(f"{f['name']} {_type_text(f['schema'])}" for f in schema.get("fields") or ())
        return f"STRUCT<{fields}>"
    parameters = schema.get("parameters")
    if kind == "DECIMAL" and isinstance(parameters, Mapping):
        return f"DECIMAL({parameters.get('precision')}, {parameters.get('scale')})"
    return kind
