"""Read-only on the command line: every command is declared looking or changing, and the changing ones are not run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cyclopts import App

from core import cli
from core.access import declared
from ksqldb.client import KsqlClient
from ksqldb.prompt._session import Session, StatementFailed

CHANGING = """
down
run --headless
replay payments.csv
workers
topics produce t
topics create t
topics delete t --yes
groups delete g --yes
groups reset --yes
rules deploy
rules pause high_amount
rules resume high_amount
rules undeploy high_amount
cases claim c
cases confirm c
cases dismiss c --reason r
cases escalate c
cases reopen c
cases note c --reason r
cases policy --four-eyes
cases policy --limit none
accounts block a --reason r
accounts unblock a --reason r
accounts snooze a high_amount
scenarios launch card_testing
scenarios stop
lists block account a --reason r
lists unblock account a --reason r
lists allow account a --reason r
lists disallow account a --reason r
lists approve account a
lists refuse account a --reason r
projections rebuild
projections retry alert
projections skip alert --reason r
log seal
log verify
log archive
log restore
dead-letters requeue 1
dead-letters discard 1
"""
"""Every command that changes something, with what it cannot do without."""


def every(app: App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Each command's line and function, those of groups too."""
    for name in app:
        if name.startswith("-"):
            continue
        found = app[name]
        if found.default_command is not None:
            yield " ".join((*path, name)), found.default_command
        yield from every(found, (*path, name))


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("KAFKA", "KSQLDB", "POSTGRES", "PROFILE", "READ_ONLY"):
        monkeypatch.delenv(f"STREAMGUARD_{name}", raising=False)
    monkeypatch.setenv("STREAMGUARD_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "payments.csv").touch()
    return tmp_path / "home"


def test_every_command_says_whether_it_changes_something() -> None:
    commands = dict(every(cli.app))
    assert {"down", "sql", "topics create", "log verify", "scenarios launch"} <= set(commands)
    assert [line for line, command in commands.items() if not declared(command)] == []
    changing = {line for line, command in commands.items() if declared(command) == "changes"}
    tried = {line for line in commands if any(f"{wanted} ".startswith(f"{line} ") for wanted in CHANGING.splitlines())}
    assert changing == tried - {"cases policy"}  # which looks when it is not told what to change


@pytest.mark.parametrize("line", CHANGING.split("\n")[1:-1])
@pytest.mark.parametrize("said", ["flag", "variable", "profile"])
def test_it_is_refused_and_no_service_is_started(
    line: str, said: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = line.split()
    if said == "flag":
        arguments.append("--read-only")
    elif said == "variable":
        monkeypatch.setenv("STREAMGUARD_READ_ONLY", "1")
    else:
        Path("streamguard.toml").write_text("[profiles.production]\nread_only = true\n")
        arguments += ["--profile", "production"]
    assert cli.main(arguments) == 1
    assert capsys.readouterr().err == "streamguard: read-only: this would change something and was not done\n"
    assert not home.exists()


def test_what_only_looks_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--read-only"]) == 1  # nothing runs here
    assert "ksqldb" in capsys.readouterr().out


@pytest.mark.parametrize(
    "sql",
    [
        "DROP STREAM s;",
        "SHOW STREAMS; drop stream s",
        "-- SELECT\n insert into s values (1);",
        "/* SHOW */ TERMINATE ALL;",
        "create stream a as select * from b;",
        "DEFINE x = 'DROP'; ${x} STREAM s;",
        "PAUSE q;",
        "ALTER SYSTEM 'a' = 'b';",
    ],
)
async def test_a_statement_that_changes_something_never_reaches_the_server(sql: str, tmp_path: Path) -> None:
    script = tmp_path / "s.sql"
    script.write_text(sql)
    asked: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["ksql"])
        return httpx.Response(200, json=[])

    async with KsqlClient("http://127.0.0.1:9", transport=httpx.MockTransport(server)) as client:
        session = Session(client, "table", print, print, lambda: None, read_only=True)
        for text in (sql, f"RUN SCRIPT '{script}';"):
            with pytest.raises(StatementFailed, match=r"read-only: \w+ is not run; DEFINE, DESCRIBE, EXPLAIN"):
                await session.run(text)
        await session.run("EXPLAIN q;")
    assert set(asked) <= {"SHOW STREAMS;", "EXPLAIN q;"}
    assert asked[-1] == "EXPLAIN q;"
