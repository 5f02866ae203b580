"""The audit of dependencies, against sources of its own that answer as OSV and PyPI do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "audit.py"
LOCK = "sound==1.0 \\\n    --hash=sha256:00\nflawed==2.0 ; python_version > '3' \\\n    --hash=sha256:01\n"
NOBODY = "http://127.0.0.1:9"


class Sources(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        flawed = {("flawed", "2.0"): {"vulns": [{"id": "PYSEC-2026-1"}, {"id": "GHSA-x"}]}}
        self._answer({"results": [flawed.get((q["package"]["name"], q["version"]), {}) for q in asked]})

    def do_GET(self) -> None:
        file = {"yanked": self.path == "/pypi/flawed/json", "yanked_reason": "it lost data"}
        self._answer({"releases": {"1.0": [file], "2.0": [file]}})

    def _answer(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def sources() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Sources) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def audit(lock: Path, source: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(lock), "--osv", source, "--pypi", source],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_flaws_withdrawn_releases_and_loose_lines_are_named(tmp_path: Path, sources: str) -> None:
    lock = tmp_path / "some.lock"
    lock.write_text(f"# by uv\n{LOCK}loose>=3\nbare==4.0\n")
    done = audit(lock, sources)
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines() == [
        "some.lock: not pinned: loose>=3",
        "some.lock: bare has no hash",
        "flawed 2.0: PYSEC-2026-1, GHSA-x (https://osv.dev/list?q=flawed)",
        "flawed 2.0 was withdrawn: it lost data",
    ]


def test_without_a_network_it_says_what_was_not_looked_at(tmp_path: Path) -> None:
    lock = tmp_path / "some.lock"
    lock.write_text(LOCK)
    done = audit(lock, NOBODY)
    assert (done.returncode, done.stdout) == (0, "")
    assert f"known flaws were not looked for: {NOBODY} cannot be asked" in done.stderr
    assert f"withdrawn releases were not looked for: {NOBODY} cannot be asked" in done.stderr
