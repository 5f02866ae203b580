"""The prompt: history, completion, several lines until ``;``, ctrl-c for the query and ctrl-d for the prompt."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.styles import Style

from ksqldb.client import KsqlClient, KsqlClientError
from ksqldb.prompt._complete import Names, SqlCompleter, SqlLexer
from ksqldb.prompt._interrupt import interruptible
from ksqldb.prompt._session import Session, StatementFailed, Write
from ksqldb.sqltext import split

LEAVE = ("exit", "quit", "exit;", "quit;")
HELP = """\
Statements end with ';' and may take several lines. ctrl-c ends a running query or clears the input, ctrl-d leaves.
  SHOW STREAMS; SHOW TABLES; SHOW TOPICS; SHOW QUERIES; SHOW FUNCTIONS;   what there is
  DESCRIBE name;   PRINT 'topic' FROM BEGINNING LIMIT 5;                   how it looks
  SELECT * FROM name EMIT CHANGES;                                        rows as they come
  SET 'auto.offset.reset'='earliest';                                     from the first record on
  RUN SCRIPT 'file.sql';   OUTPUT JSON;   OUTPUT CSV;   OUTPUT TABLE;   exit
"""
_STYLE = Style(
    [
        ("keyword", "bold ansicyan"),
        ("string", "ansigreen"),
        ("number", "ansimagenta"),
        ("comment", "ansibrightblack"),
    ]
)


def _bindings(session_is_done: Condition) -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter", filter=session_is_done)
    def accept(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    return bindings


def is_done(text: str) -> bool:
    """Whether what was typed can be run: nothing, a word of the prompt, or statements that all end with ``;``."""
    stripped = text.strip().lower()
    if stripped in ("", "help", *LEAVE):
        return True
    pieces = split(text)
    return bool(pieces) and pieces[-1].complete


def _history(path: Path | None) -> History:
    if path is None:
        return InMemoryHistory()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    return FileHistory(str(path))


async def interact(client: KsqlClient, session: Session, note: Write, history: Path | None) -> None:
    """Read and run until the user leaves."""
    names = Names(client)
    prompt: PromptSession[str] = PromptSession(
        history=_history(history),
        auto_suggest=AutoSuggestFromHistory(),
        completer=SqlCompleter(names),
        complete_while_typing=True,
        lexer=SqlLexer(),
        style=_STYLE,
        multiline=True,
        prompt_continuation=lambda width, line, wrapped: " " * (width - 2) + "> ",
        key_bindings=_bindings(Condition(lambda: is_done(prompt.default_buffer.text))),
    )
    note(f"ksqlDB {await _greeting(client)}; 'help' lists what to type")
    refreshing: asyncio.Task[None] | None = None
    try:
        while True:
            if session.names_changed and (refreshing is None or refreshing.done()):
                session.names_changed = False
                refreshing = asyncio.create_task(names.refresh())
            try:
                with patch_stdout():
                    text = (await prompt.prompt_async("ksql> ")).strip()
            except KeyboardInterrupt:
                continue
            except EOFError:
                return
            if text.lower() in LEAVE:
                return
            if text.lower() == "help":
                note(HELP)
            elif text:
                await _run(session, text, note)
    finally:
        if refreshing:
            refreshing.cancel()


async def _greeting(client: KsqlClient) -> str:
    info = await client.info()
    return f"{info.version} at {client.url}"


async def _run(session: Session, text: str, note: Write) -> None:
    """Run what was typed; whatever happens, the prompt comes back."""
    try:
        if not await interruptible(session.run(text)):
            note("ended")
    except (StatementFailed, KsqlClientError) as problem:
        note(str(problem))
