"""A wheel built from the repository works in an environment of its own: no file of it is missing.

What it depends on is lent by this environment; ``make wheel`` (``STREAMGUARD_WHEEL=whole``) installs that too, into an
empty one, checked against the lock, and tries pipx.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.core.stack.homes import make_home, remove
from tests.real.apache_kafka import missing

ROOT = Path(__file__).resolve().parents[2]
WHOLE = os.environ.get("STREAMGUARD_WHEEL") == "whole"
pytestmark = [pytest.mark.xdist_group("wheel"), pytest.mark.timeout(900)]


def _run(command: Sequence[str | Path], cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "STREAMGUARD"))}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the files that git knows: what is not committed must not be needed."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    listed = _run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT)
    if listed.returncode:
        missing("git is not here to say which files the repository has")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    made = _run([sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder, "."], source)
    assert made.returncode == 0, made.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that has the wheel and what it asks for, and nothing else."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, symlinks=True)
    programs = folder / "bin"
    install: list[str | Path] = [sys.executable, "-m", "pip", "--python", programs / "python", "install", "-q"]
    if WHOLE:
        first = _run([*install, "--require-hashes", "-r", ROOT / "requirements-runtime.lock"], folder)
        assert first.returncode == 0, first.stderr
    else:
        (packages,) = folder.glob("lib/*/site-packages")
        (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    second = _run([*install, "--no-deps", "--no-index", wheel], folder)
    assert second.returncode == 0, second.stderr
    return programs


@pytest.fixture
def home() -> Iterator[Path]:
    made = make_home()
    yield made
    remove(made)


def test_it_holds_every_file_that_the_packages_have(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        held = set(opened.namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for package in ("core", "ksqldb", "schema", "tui")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix in (".py", ".sql", ".tcss", ".toml", ".typed")
    }
    assert wanted - held == set()
    assert not {name for name in held if name.startswith(("tests", "benchmarks"))}


@pytest.mark.skipif(not WHOLE, reason="what it asks for is lent; `make wheel` installs it")
def test_pip_finds_everything_it_asks_for(environment: Path, tmp_path: Path) -> None:
    checked = _run([sys.executable, "-m", "pip", "--python", environment / "python", "check"], tmp_path)
    assert checked.returncode == 0, checked.stdout


def test_the_program_runs_from_there(environment: Path, home: Path, tmp_path: Path) -> None:
    version = _run([environment / "streamguard", "--version"], tmp_path)
    assert (version.returncode, version.stdout.strip()) == (0, "0.1.0"), version.stderr
    run = _run(
        [environment / "streamguard", "run", "--headless", "--for", "2s", "--rate", "20", "--json"],
        tmp_path,
        STREAMGUARD_HOME=str(home),
    )
    assert run.returncode == 0, run.stderr[-3000:]
    summary = json.loads(run.stdout.splitlines()[-1])
    assert summary["rows"] == summary["transactions"] > 0
    assert (summary["lost"], summary["duplicates"]) == (0, 0)
    assert summary["alerts"] > 0


def test_the_control_center_imports_from_there(environment: Path, tmp_path: Path) -> None:
    code = "import tui.app, tui.main, importlib.resources as r; assert (r.files('tui') / 'app.tcss').is_file()"
    done = _run([environment / "python", "-c", code], tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not WHOLE or shutil.which("pipx") is None, reason="`make wheel` tries pipx, where it is")
def test_pipx_installs_it(wheel: Path, tmp_path: Path) -> None:
    folders = {"PIPX_HOME": str(tmp_path / "home"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    done = _run(["pipx", "install", "--python", sys.executable, wheel], tmp_path, **folders)
    assert done.returncode == 0, done.stderr
    version = _run([tmp_path / "bin" / "streamguard", "--version"], tmp_path)
    assert version.stdout.strip() == "0.1.0"
