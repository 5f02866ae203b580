"""The command line as a person meets it: help, exit codes, sentences instead of tracebacks."""

import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from core import cli, failures
from core.output import harmless, print_rows
from core.stack.errors import StackError
from core.stack.external import without_password

_NOWHERE = "127.0.0.1:9"


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KAFKA", "KSQLDB", "POSTGRES", "KAFKA_PORT", "KSQLDB_PORT"):
        monkeypatch.delenv(f"STREAMGUARD_{name}", raising=False)
    monkeypatch.setenv("STREAMGUARD_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def test_help_names_every_command_and_imports_none_of_them() -> None:
    program = (
        "import sys; from core import cli\n"
        "try: code = cli.main(['--help'])\n"
        "except SystemExit as end: code = end.code\n"
        "heavy = {'asyncpg', 'aiokafka', 'confluent_kafka', 'httpx', 'pydantic', 'textual', 'core.settings'}\n"
        "print('imported:', sorted(heavy & set(sys.modules)), 'code:', code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    for command in ("up", "down", "status", "doctor", "sql", "rules", "topics", "groups", "events", "run", "replay"):
        assert f"│ {command} " in done.stdout
    assert done.stdout.splitlines()[-1] in ("imported: [] code: 0", "imported: [] code: None")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "'nonsense' is neither a command nor an argument here"),
        (["event"], "`streamguard events` is a command"),
        (["rules", "lst"], 'Did you mean "list"'),
        (["up", "--nonsense"], "--nonsense"),
        (["events", "--limit", "-1"], "Must be >= 1"),
        (["alerts", "list", "--limit", "0"], "Must be >= 1"),
        (["accounts", "timeline", "a", "--limit", "0"], "Must be >= 1"),
        (["dead-letters", "list", "--limit", "0"], "Must be >= 1"),
        (["projections", "show", "alert", "--limit", "0"], "Must be >= 1"),
        (["scenarios", "runs", "--limit", "0"], "Must be >= 1"),
        (["events", "--from", "-3"], "Must be >= 0"),
        (["topics", "read", "t", "--count", "-1"], "Must be >= 0"),
        (["topics", "create", "t", "--partitions", "0"], "Must be >= 1"),
        (["rules", "backtest", "none.sql", "--on", "none.csv"], "none.sql cannot be read"),
        (["topics", "show"], "TOPIC"),
        (["topics", "create", "t", "--set", "x"], "--set x: expected NAME=VALUE"),
        (["generate", "batch", "--count", "-5"], "--count takes 0 or more"),
        (["status", "--kafka", "nonsense"], "--kafka: 'nonsense' is not HOST:PORT"),
        (["sql", "-e", "SHOW STREAMS;", "-f", "a.sql", "--ksqldb", f"http://{_NOWHERE}"], "a statement or a file"),
        ([], "the control center needs a terminal"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert len(err.splitlines()) == 1


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"{version('stream-guard')}\n"


def test_a_service_that_cannot_be_reached_is_exit_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["topics", "list", "--kafka", _NOWHERE]) == 3
    assert f"no Kafka broker answers at {_NOWHERE}" in capsys.readouterr().err


def test_status_of_what_does_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--json", "--kafka", _NOWHERE]) == 1
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["kafka", "ksqldb", "postgres"]
    assert found["kafka"] | {"detail": ""} == {"state": "down", "address": _NOWHERE, "embedded": False, "detail": ""}
    assert (found["postgres"]["state"], found["postgres"]["embedded"]) == ("down", True)


def test_down_without_a_stack_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["down"]) == 0
    assert "no stack was running" in capsys.readouterr().err


def test_a_wipe_is_not_done_unasked(tmp_path: Path) -> None:
    data = tmp_path / "home" / "kafka" / "data"
    data.parent.mkdir(parents=True)
    data.write_text("precious")

    def down(typed: bytes, *more: str) -> int:
        """Exit code of `down --wipe` in a terminal in which somebody types."""
        keyboard, terminal_end = pty.openpty()
        os.write(keyboard, typed)
        try:
            command = [sys.executable, "-m", "core.cli", "down", "--wipe", *more]
            env = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1])}
            return subprocess.run(command, stdin=terminal_end, capture_output=True, env=env, check=False).returncode
        finally:
            os.close(keyboard)
            os.close(terminal_end)

    assert cli.main(["down", "--wipe"]) == 1
    assert down(b"n\n") == 1
    assert down(b"\n") == 1
    assert data.exists()
    assert down(b"y\n") == 0
    assert not data.exists()


def test_a_file_of_statements_that_is_none_is_refused_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["sql", "--file", str(tmp_path / "none.sql"), "--home", str(tmp_path / "home")]) == 2
    assert "is no file that can be read" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_doctor_finds_a_home_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert cli.main(["doctor", "--json", "--home", str(tmp_path / "file" / "home")]) == 1
    findings = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (home,) = [finding for finding in findings if finding["subject"] == "home"]
    assert home["verdict"] == "fail"
    assert "STREAMGUARD_HOME" in home["to_do"]
    assert all(finding["to_do"] for finding in findings)


def test_known_errors_have_a_sentence_and_unknown_ones_none() -> None:
    assert failures.explain(StackError("no room")) == (3, "no room")
    assert failures.explain(ConnectionRefusedError(111, "Connection refused")) == (3, "[Errno 111] Connection refused")
    assert failures.explain(ExceptionGroup("several", [ValueError("?"), StackError("no room")])) == (3, "no room")
    assert failures.explain(ZeroDivisionError()) is None


@pytest.mark.parametrize("count", [3, 20_000])
def test_a_reader_that_goes_ends_it_quietly(count: int) -> None:
    """Also where all that was written still lies in a buffer, which is emptied at the end."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = [sys.executable, "-m", "core.cli", "generate", "batch", "--count", str(count)]
        env = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1])}
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, env=env, check=False)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_defect_is_a_sentence_and_a_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*_: object, **__: object) -> int:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(cli, "_run", broken)
    assert cli.main([]) == 70
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    report = Path(err.split()[-1])
    assert "broken" in report.read_text()
    report.unlink()


def test_interrupted_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupted)
    assert cli.main([]) == 130


def test_rows_are_aligned_and_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(("name", "records"), [("a\x1b[2J", 5), ("日本", 1200), ("é", None)])
    assert capsys.readouterr().out.splitlines() == [
        "name   records",
        "a?[2J        5",
        "日本      1200",
        "é            -",
    ]
    at = datetime(2026, 7, 20, 14, 0, 8, 123_456, tzinfo=UTC)
    print_rows(("at",), [(at,)])
    assert capsys.readouterr().out.splitlines()[1] == f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
    print_rows(("name", "records"), [("x\ny", 5)], as_json=True)
    assert capsys.readouterr().out == '{"name": "x\\ny", "records": 5}\n'
    assert harmless("right\u202eto left") == "right?to left"


def test_a_url_is_shown_without_its_password() -> None:
    assert without_password("postgresql://me:hidden@db:5/x?y=1") == "postgresql://me:***@db:5/x?y=1"
    assert without_password("postgresql://me@db/x?password=hidden&a=1") == "postgresql://me@db/x?password=***&a=1"
    assert without_password("postgresql://me@/x?host=/run") == "postgresql://me@/x?host=/run"
