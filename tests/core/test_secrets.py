"""Secrets are planted in every setting that holds one; then everything that is printed and written is searched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

import core
from core.cli import _unexpected
from core.redact import redact, without_secrets
from core.settings import Settings, load
from core.stack import login
from core.stack.client import ensure_stack, stop_stack
from core.workers.process import _without_secrets
from tests.core.stack.homes import make_home, remove

PLANTED = ("pl4nted-postgres", "pl4nted-ksqldb", "pl4nted-kafka", "pl4nted-key", "pl4nted-token")
NOWHERE = "127.0.0.1:9"


def planted(home: Path, key: Path, mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
    """Variables with a secret in each setting that can hold one; nothing answers at the addresses."""
    return {
        "STREAMGUARD_HOME": str(home),
        "STREAMGUARD_POSTGRES": f"postgresql://me:{PLANTED[0]}@{NOWHERE}/db?connect_timeout=2",
        "STREAMGUARD_KSQLDB": f"http://me:{PLANTED[1]}@{NOWHERE}",
        "STREAMGUARD_KAFKA": NOWHERE,
        "STREAMGUARD_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "STREAMGUARD_KAFKA_SASL_MECHANISM": mechanism,
        "STREAMGUARD_KAFKA_USERNAME": "me",
        "STREAMGUARD_KAFKA_PASSWORD": PLANTED[2],
        "STREAMGUARD_KAFKA_CERT_FILE": str(key),
        "STREAMGUARD_KAFKA_KEY_FILE": str(key),
        "STREAMGUARD_KAFKA_KEY_PASSWORD": PLANTED[3],
        "STREAMGUARD_KAFKA_TOKEN_COMMAND": f"echo {PLANTED[4]}",
        "PYTHONPATH": str(Path(core.__file__).parents[1]),
    }


def found(data: bytes) -> list[str]:
    return [secret for secret in PLANTED if secret.encode() in data]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "key.pem"
    file.write_text("this is no key")
    return file


def test_every_secret_setting_is_planted(tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in planted(tmp_path, key).items():
        monkeypatch.setenv(name, value)
    settings = load()
    secret = [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
    assert len(secret) == 5
    assert all(getattr(settings, name) is not None for name in secret)
    assert not found(f"{settings!r} {settings} {settings.model_dump()}".encode())


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["status", "--json"],
        ["doctor", "--json"],
        ["up"],
        ["sql", "SHOW STREAMS;"],
        ["topics", "list"],
        ["groups", "list", "--json"],
        ["rules", "list"],
        ["alerts", "list"],
        ["events", "--json"],
        ["workers", "--only", "rules"],
        ["status", "--kafka", "nonsense"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_commands_print_and_write_no_secret(command: list[str], tmp_path: Path, key: Path) -> None:
    home = tmp_path / "home"
    done = subprocess.run(
        [sys.executable, "-m", "core.cli", *command],
        env={**os.environ, **planted(home, key), "TMPDIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert done.returncode in (0, 1, 2, 3), done.stderr.decode()
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert found(done.stdout + done.stderr + written) == []


@pytest.mark.skipif(sys.platform == "win32", reason="it takes a pseudo-terminal")
def test_the_screen_shows_no_secret(tmp_path: Path, key: Path) -> None:
    home = tmp_path / "home"
    child = pexpect.spawn(
        sys.executable,
        ["-m", "core.cli"],
        env={**os.environ, **planted(home, key), "TERM": "xterm-256color"},
        cwd=str(tmp_path),
        dimensions=(40, 160),
        timeout=60,
    )
    seen = b""
    child.expect(rb"PostgreSQL")
    seen += (child.before or b"") + (child.after or b"")
    child.expect([rb"Errno", rb"refused", rb"failed", rb"cannot", pexpect.TIMEOUT], timeout=30)
    seen += child.before or b""
    child.close(force=True)
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert len(seen) > 200
    assert found(seen + written) == []


def test_a_defect_leaves_no_secret_behind(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    error = ValueError(f"postgresql://me:{PLANTED[0]}@db/x password={PLANTED[2]} acc-12345678 \x1b[2J")
    assert _unexpected(error) == 70
    said = capsys.readouterr()
    (report,) = tmp_path.glob("streamguard-*.txt")
    assert report.stat().st_mode & 0o077 == 0
    assert "ValueError" in report.read_text()
    assert found((said.err + said.out + report.read_text()).encode()) == []
    assert "12345678" not in said.err + report.read_text()
    assert "\x1b" not in said.err


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("postgresql://me:word@db/x", "postgresql://***@db/x"),
        ("SASL password: word, next", "SASL password: ***, next"),
        ("kafka_password=word&x=1", "kafka_password=***&x=1"),
        ("nothing to hide at http://db:5432/x", "nothing to hide at http://db:5432/x"),
    ],
)
def test_lines_of_the_log_lose_what_is_secret(text: str, left: str) -> None:
    assert without_secrets(text) == left
    assert _without_secrets(None, "info", {"event": text, "n": 1}) == {"event": left, "n": 1}
    assert redact(text) == left


def _arguments(pid: int | None) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="arguments of other processes are read from /proc")
async def test_what_the_embedded_stack_writes_is_its_users_alone() -> None:
    home = make_home()
    try:
        stack = await ensure_stack(load(home=home))
        assert stack.status is not None
        status = stack.status.to_line()
        arguments = [_arguments(service.pid) for service in stack.status.services]
        await stack.close()
        shared = [
            f"{path.relative_to(home)} {path.stat().st_mode & 0o777:o}"
            for path in home.rglob("*")
            if not path.is_symlink() and path.stat().st_mode & (0o066 if path.is_dir() else 0o077)
        ]
        assert shared == []
        secrets = {login.password(home / "secrets" / service) or "" for service in ("kafka", "ksqldb")}
        assert len(secrets) == 2
        written = b"".join(file.read_bytes() for file in (home / "logs").iterdir())
        shown = written + status + b"".join(arguments)
        assert b"--users" in shown
        assert [secret for secret in secrets if not secret or secret.encode() in shown] == []
        assert (home / "ksqldb").exists()
        assert (home / "logs" / "kafka.log").exists()
    finally:
        await stop_stack(home)
        remove(home)
