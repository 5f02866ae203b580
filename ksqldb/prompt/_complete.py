"""Names to complete at the prompt: ksqlDB's words, and the server's streams, tables, columns and functions."""

from __future__ import annotations

import re
from collections.abc import Iterable

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer

from ksqldb.client import KsqlClient, KsqlClientError

_WORDS = """
ADD ADVANCE ALTER AND AS ASSERT BEGINNING BETWEEN BIGINT BOOLEAN BY BYTES CASE CAST CHANGES COLUMN CREATE DATE DAYS
DECIMAL DEFINE DELETE DESCRIBE DOUBLE DROP ELSE EMIT END EXISTS EXPLAIN EXTENDED FINAL FROM FULL FUNCTION FUNCTIONS
GRACE GROUP HAVING HOPPING HOURS IF IN INNER INSERT INT INTEGER INTO IS JOIN KEY LEFT LIKE LIMIT MAP MINUTES NOT NULL
ON OR OUTER PARTITION PARTITIONS PAUSE PERIOD PRIMARY PRINT PROPERTIES QUERIES REPLACE RESUME RETENTION RIGHT ROWTIME
RUN SCRIPT SECONDS SELECT SESSION SET SHOW SIZE SOURCE STREAM STREAMS STRING STRUCT TABLE TABLES TERMINATE THEN TIME
TIMESTAMP TOPIC TOPICS TUMBLING TYPES UNDEFINE UNSET VALUES VARCHAR VARIABLES WHEN WHERE WINDOW WINDOWEND WINDOWSTART
WITH WITHIN
"""
KEYWORDS = tuple(_WORDS.split())
_BEGUN = re.compile(r"[\w`]+$")
_TOKEN = re.compile(r"(--.*)|('(?:[^']|'')*'?)|(\b\d+(?:\.\d+)?\b)|(\w+)|(.)", re.S)
_AFTER_SOURCE = re.compile(r"\b(?:FROM|JOIN|INTO|DESCRIBE|STREAM|TABLE)\s+[\w`]*$", re.I)


class Names:
    """What the server knows; asked again after statements that may have changed it."""

    def __init__(self, client: KsqlClient) -> None:
        self._client = client
        self.sources: tuple[str, ...] = ()
        self.columns: tuple[str, ...] = ()
        self.functions: tuple[str, ...] = ()

    async def refresh(self) -> None:
        """Ask; a server that is away or refuses leaves the names as they were."""
        try:
            entities = await self._client.execute("SHOW STREAMS; SHOW TABLES; SHOW FUNCTIONS;")
            listed = [s for e in entities for s in (*e.get("streams", ()), *e.get("tables", ()))]
            self.sources = tuple(sorted({str(source["name"]) for source in listed}))
            self.functions = tuple(sorted({str(f["name"]) for e in entities for f in e.get("functions", ())}))
            if self.sources:
                described = await self._client.execute("".join(f"DESCRIBE `{name}`;" for name in self.sources))
                fields = (e.get("sourceDescription", {}).get("fields", ()) for e in described)
                self.columns = tuple(sorted({str(field["name"]) for group in fields for field in group}))
        except KsqlClientError:
            return


class SqlCompleter(Completer):
    def __init__(self, names: Names) -> None:
        self._names = names

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        before = document.text_before_cursor
        word = _BEGUN.search(before)
        if word is None and not complete_event.completion_requested:
            return
        begun = word[0] if word else ""
        for text, kind in self._offers(before):
            if text.lower().startswith(begun.lower().strip("`")) and text != begun:
                yield Completion(text, start_position=-len(begun), display_meta=kind)

    def _offers(self, before: str) -> Iterable[tuple[str, str]]:
        yield from ((name, "source") for name in self._names.sources)
        if _AFTER_SOURCE.search(before):
            return
        yield from ((name, "column") for name in self._names.columns)
        yield from ((word, "") for word in KEYWORDS)
        yield from ((name, "function") for name in self._names.functions)


class SqlLexer(Lexer):
    """Colours words, texts, numbers and comments while typing."""

    _STYLES = ("class:comment", "class:string", "class:number")

    def lex_document(self, document: Document):  # type: ignore[no-untyped-def]  # prompt_toolkit's own signature
        lines = document.lines
        words = frozenset(KEYWORDS)

        def line(number: int) -> StyleAndTextTuples:
            parts: StyleAndTextTuples = []
            for found in _TOKEN.finditer(lines[number]):
                group = found.lastindex or 5
                style = self._STYLES[group - 1] if group <= 3 else ""
                if group == 4 and found[0].upper() in words:
                    style = "class:keyword"
                parts.append((style, found[0]))
            return parts

        return line
