"""``run_sql`` against the embedded engine: one statement, a file, stdin, and the prompt under a terminal."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from ksqldb.client import KsqlClient
from ksqldb.prompt._interactive import is_done
from ksqldb.prompt.commands import run_sql
from tests.ksqldb.conftest import EngineAddress

PROGRAM = """
import asyncio, sys
from pathlib import Path
from ksqldb.prompt.commands import run_sql
sys.exit(asyncio.run(run_sql(sys.argv[1], *sys.argv[2:3], form="table" if sys.stdout.isatty() else "json",
                             history=Path("history"), earliest=True)))
"""


async def test_a_pull_query_as_json_lines(
    engine: EngineAddress, stream: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run_sql(engine.url, f"SELECT k, d FROM {stream};", form="json") == 0
    out, err = capsys.readouterr()
    assert out == '{"K":"a","D":1.50}\n{"K":"b","D":20.00}\n{"K":"a","D":null}\n'
    assert err == "3 rows\n"


async def test_csv(engine: EngineAddress, stream: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run_sql(engine.url, f"SELECT k, n FROM {stream} WHERE n < 3", form="csv") == 0
    assert capsys.readouterr().out == "K,N\na,1\nb,2\n"


async def test_what_is_set_and_defined_holds_for_the_statements_that_follow(
    engine: EngineAddress, stream: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"SET 'auto.offset.reset'='earliest'; DEFINE s='{stream}'; SELECT n FROM ${{s}} EMIT CHANGES LIMIT 2;"
    assert await run_sql(engine.url, text, form="json") == 0
    assert capsys.readouterr().out == '{"N":1}\n{"N":2}\n'


async def test_a_property_the_server_does_not_know_is_not_kept(
    engine: EngineAddress, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run_sql(engine.url, "SET 'auto.offset.reset'='sideways'; SHOW VARIABLES;") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "Invalid value sideways for configuration auto.offset.reset" in err


async def test_the_output_changes_on_the_way(
    engine: EngineAddress, stream: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"OUTPUT CSV; SHOW TOPICS; SELECT k, n FROM {stream} WHERE n < 2; output json; SHOW VARIABLES;"
    assert await run_sql(engine.url, text + " OUTPUT TABULAR; SHOW VARIABLES;") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Topic,Partitions,Replicas"
    assert f"{stream},1,1" in lines
    assert lines[-4:-2] == ["K,N", "a,1"]
    assert json.loads(lines[-2])["variables"] == []
    assert lines[-1] == "no variables"


async def test_a_file_runs_until_its_first_error_which_is_shown_in_place(
    engine: EngineAddress, stream: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.sql"
    file.write_text(f"-- first\nDESCRIBE {stream};\n\nSELECT k,\n  nope FROM {stream};\nSHOW TOPICS;\n")
    assert await run_sql(engine.url, file=file) == 1
    out, err = capsys.readouterr()
    assert "Field | Type" in out
    assert "Topic |" not in out
    assert "at 5:3: SELECT column 'NOPE' cannot be resolved.\n  5 |   nope FROM" in err
    assert err.rstrip().endswith("    |   ^")


async def test_stdin_is_read_where_there_is_no_terminal(
    engine: EngineAddress, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("SHOW VARIABLES;"))
    assert await run_sql(engine.url) == 0
    assert capsys.readouterr().out == "no variables\n"


@pytest.mark.parametrize(
    ("url", "options", "code", "message"),
    [
        ("http://127.0.0.1:1", {"statement": "SHOW STREAMS;"}, 3, "cannot be reached"),
        ("nonsense", {"statement": "SHOW STREAMS;"}, 2, "not a ksqlDB address"),
        ("http://127.0.0.1:1", {"statement": "x", "form": "xml"}, 2, "unknown format 'xml'"),
        ("http://127.0.0.1:1", {"statement": "x", "file": Path("y")}, 2, "not both"),
        ("http://127.0.0.1:1", {"file": Path("/nowhere/x.sql")}, 2, "/nowhere/x.sql is no file that can be read"),
    ],
)
async def test_what_cannot_be_done_is_told_with_its_exit_code(
    url: str, options: dict[str, object], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run_sql(url, **options) == code  # type: ignore[arg-type]  # of a table of cases
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


async def test_an_interrupt_ends_a_push_query_and_leaves_nothing_on_the_server(
    engine: EngineAddress, client: KsqlClient, stream: str
) -> None:
    command = [sys.executable, "-c", PROGRAM, engine.url, f"SELECT n FROM {stream} EMIT CHANGES;"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: ASYNC220 - read at once
    assert process.stdout is not None
    assert [json.loads(process.stdout.readline()) for _ in range(3)] == [{"N": 1}, {"N": 2}, {"N": 3}]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in errors
    assert [query for query in await client.queries() if stream.upper() in query.id] == []


def test_the_prompt(engine: EngineAddress, stream: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PROMPT_TOOLKIT_NO_CPR": "1"}  # nobody answers where the cursor is
    child = pexpect.spawn(
        sys.executable,
        ["-c", PROGRAM, engine.url],
        cwd=str(tmp_path),
        env=environment,
        encoding="utf-8",
        timeout=60,
        dimensions=(40, 120),
    )
    child.expect("ksqlDB 0.29.0 at http://127.0.0.1")
    child.expect("ksql>")
    child.send(f"SELECT k, n\rFROM {stream}\rEMIT CHANGES;\r")  # three lines: the query runs at its semicolon
    child.expect(r"b +\| +2")
    child.expect(r"a +\| +3")
    child.sendintr()
    child.expect("ended")
    child.expect("ksql>")
    child.send("SELEC 1;\r")
    child.expect("at 1:1: Syntax Error")
    child.expect("ksql>")
    child.send("SHOW QUERIES;\r")
    child.expect("no queries|PERSISTENT")
    child.expect("ksql>")
    child.send("exit\r")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert "SHOW QUERIES;" in (tmp_path / "history").read_text()


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("", True),
        ("exit", True),
        ("SELECT", False),
        ("SELECT 1;", True),
        ("SELECT 'a;", False),
        ("SELECT 1; SELECT", False),
        ("SELECT 1; -- more", True),
    ],
)
def test_when_what_was_typed_can_be_run(text: str, done: bool) -> None:
    assert is_done(text) is done
