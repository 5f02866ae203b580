"""Statements one after the other: which go to the server how, and what the client keeps between them.

The REST API has no session: SET and DEFINE act on the rest of one request only. So they are kept here and sent with
every statement, as ksqlDB's own CLI does.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

from ksqldb.client import Column, Entity, KsqlClient, KsqlServerError, Overflow, is_push
from ksqldb.prompt._entities import entity_text, listing
from ksqldb.prompt._errors import error_text
from ksqldb.prompt._rows import printer
from ksqldb.prompt._text import json_text
from ksqldb.sqltext import LOOKING, Piece, changing, split, without_comments

Write = Callable[[str], None]

_SET = re.compile(r"SET\s+'([^']+)'\s*=\s*'((?:[^']|'')*)'\s*;", re.I)
_UNSET = re.compile(r"UNSET\s+'([^']+)'\s*;", re.I)
_DEFINE = re.compile(r"DEFINE\s+(\w+)\s*=\s*'((?:[^']|'')*)'\s*;", re.I)
_UNDEFINE = re.compile(r"UNDEFINE\s+(\w+)\s*;", re.I)
_OUTPUT = re.compile(r"OUTPUT\s+(TABLE|TABULAR|JSON|CSV)\s*;", re.I)
_SCRIPT = re.compile(r"RUN\s+SCRIPT\s+'((?:[^']|'')*)'\s*;", re.I)
_CHANGES_NAMES = re.compile(r"(CREATE|DROP|ALTER)\b", re.I)
_OFFSET = "auto.offset.reset"


class StatementFailed(Exception):
    """A statement was refused; the text says where and why."""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise StatementFailed(f"{path} cannot be read: {problem}") from None


class Session:
    """``out`` takes rows and answers, ``note`` messages beside them; ``width`` gives the terminal's columns or None.

    With ``read_only`` only statements that look are run.
    """

    def __init__(
        self,
        client: KsqlClient,
        form: str,
        out: Write,
        note: Write,
        width: Callable[[], int | None],
        *,
        read_only: bool = False,
    ) -> None:
        self._client = client
        self._form = form
        self._out = out
        self._note = note
        self._width = width
        self._read_only = read_only
        self.properties: dict[str, object] = {}
        self.variables: dict[str, str] = {}
        self.names_changed = True  # whether streams and tables may differ from what was last asked

    async def run(self, text: str) -> None:
        """Every statement of a text, until the first that fails (StatementFailed)."""
        for piece in split(text):
            if not piece.complete:
                piece = Piece(piece.text + ";", piece.line, piece.column, complete=True)
            try:
                await self._one(piece.text)
            except KsqlServerError as problem:
                raise StatementFailed(error_text(problem, piece.text, piece.line, piece.column)) from None

    async def _one(self, statement: str) -> None:
        sql = without_comments(statement)
        if await self._keeps(sql, statement):
            return
        word = sql.partition(" ")[0].rstrip(";").upper()
        if found := _SCRIPT.fullmatch(sql):
            await self.run_file(Path(found[1].replace("''", "'")))
        elif self._read_only and (refused := changing(statement)):
            raise StatementFailed(f"read-only: {refused} is not run; {', '.join(sorted(LOOKING))} are")
        elif word == "SELECT":
            await self._select(statement)
        elif word == "PRINT":
            await self._print(statement)
        else:
            entities = await self._client.execute(statement, properties=self.properties, variables=self.variables)
            self.names_changed = self.names_changed or _CHANGES_NAMES.match(sql) is not None
            for entity in entities:
                self._out(self._shown(entity))

    def _shown(self, entity: Entity) -> str:
        if self._form == "json":
            return json_text(entity) + "\n"
        if self._form == "csv" and (found := listing(entity)):
            rows = printer("csv", [Column(head, "STRING") for head in found.heads], self._width())
            return rows.head() + rows.rows(found.rows(entity))
        return entity_text(entity) + "\n"

    async def run_file(self, path: Path) -> None:
        await self.run(await asyncio.to_thread(_read, path))

    async def _keeps(self, sql: str, statement: str) -> bool:
        """SET, UNSET, DEFINE, UNDEFINE and OUTPUT: kept here. The server is asked whether it would take a property."""
        if found := _SET.fullmatch(sql):
            await self._client.execute(statement, properties=self.properties, variables=self.variables)
            self.properties[found[1]] = found[2].replace("''", "'")
            self._note(f"{found[1]} is {self.properties[found[1]]} from here on; UNSET '{found[1]}'; takes it back")
        elif found := _UNSET.fullmatch(sql):
            self.properties.pop(found[1], None)
        elif found := _DEFINE.fullmatch(sql):
            self.variables[found[1]] = found[2].replace("''", "'")
        elif found := _UNDEFINE.fullmatch(sql):
            self.variables.pop(found[1], None)
        elif found := _OUTPUT.fullmatch(sql):
            self._form = found[1].lower().replace("tabular", "table")
        else:
            return False
        return True

    async def _select(self, statement: str) -> None:
        reset = str(self.properties.get(_OFFSET) or self.properties.get(f"ksql.streams.{_OFFSET}") or "latest")
        if is_push(statement) and reset == "latest":
            self._note(f"rows from now on; SET '{_OFFSET}'='earliest'; shows earlier ones too. ctrl-c ends the query")
        query = self._client.query(
            statement,
            properties=self.properties,
            variables=self.variables,
            reconnect=False,
            overflow=Overflow.WAIT,
        )
        async with query:
            rows = printer(self._form, query.columns, self._width())
            self._out(rows.head())
            async for batch in query.batches():
                self._out(rows.rows(batch))
        self._note(f"{query.received} row{'' if query.received == 1 else 's'}")

    async def _print(self, statement: str) -> None:
        async with aclosing(self._client.print_topic(statement)) as lines:
            async for line in lines:
                self._out(line + "\n")
