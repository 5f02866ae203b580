"""``streamguard sql``: one statement, a file or a prompt. Rows to stdout, everything else to stderr."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from ksqldb.client import KsqlClient, KsqlClientError, KsqlUnavailable
from ksqldb.prompt._interrupt import interruptible
from ksqldb.prompt._rows import FORMATS
from ksqldb.prompt._session import Session, StatementFailed

DONE, NO, USAGE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130


def misuse(statement: str | None, file: Path | None, form: str) -> str:
    """What is wrong with these arguments, known before a server is asked; empty where nothing is."""
    if form not in FORMATS:
        return f"unknown format {form!r}; there are {', '.join(FORMATS)}"
    if statement is not None and file is not None:
        return "give a statement or a file, not both"
    if file is not None and str(file) != "-" and not (file.is_file() and os.access(file, os.R_OK)):
        return f"{file} is no file that can be read"
    return ""


async def run_sql(
    url: str,
    statement: str | None = None,
    *,
    file: Path | None = None,
    form: str = "table",
    earliest: bool = False,
    history: Path | None = None,
    read_only: bool = False,
) -> int:
    """Run ``statement``, the statements of ``file`` (``-`` is stdin) or, with neither, a prompt; without a terminal
    stdin is read. Returns the exit code: 0 done, 1 refused, 2 usage, 3 no server, 130 interrupted.

    ``form`` is table, json (a line per row) or csv; ``earliest`` lets queries begin with the first record; ``history``
    is the prompt's history file; with ``read_only`` only statements that look are run.
    """
    if problem := misuse(statement, file, form):
        _note(problem)
        return USAGE
    try:
        client = KsqlClient(url)
    except ValueError as problem:
        _note(str(problem))
        return USAGE
    async with client:
        session = Session(client, form, _out, _note, _terminal_width, read_only=read_only)
        if earliest:
            session.properties["auto.offset.reset"] = "earliest"
        try:
            return await _run(client, session, statement, file, history)
        except StatementFailed as problem:
            _note(str(problem))
            return NO
        except KsqlUnavailable as problem:
            _note(f"{problem}\n`streamguard status` says which services are up")
            return UNREACHABLE
        except KsqlClientError as problem:
            _note(str(problem))
            return NO
        except BrokenPipeError:
            _silence()
            return DONE


async def _run(
    client: KsqlClient, session: Session, statement: str | None, file: Path | None, history: Path | None
) -> int:
    if statement is None and file is None and sys.stdin.isatty() and sys.stdout.isatty():
        from ksqldb.prompt._interactive import interact

        await interact(client, session, _note, history)
        return DONE
    if statement is not None:
        work = session.run(statement)
    elif file is not None and str(file) != "-":
        work = session.run_file(file)
    else:
        work = session.run(sys.stdin.read())
    return DONE if await interruptible(work) else INTERRUPTED


def _out(text: str) -> None:
    if text:
        sys.stdout.write(text)
        sys.stdout.flush()


def _note(text: str) -> None:
    sys.stderr.write(text.rstrip("\n") + "\n")
    sys.stderr.flush()


def _terminal_width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _silence() -> None:
    """The reader of stdout has gone: let nothing try to flush what is left for it."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
