"""The guides for servers: each command they show is one the program takes, and each link leads somewhere."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from core.cli import app

DOCS = Path(__file__).resolve().parent.parent / "docs"
GUIDES = ("real-clusters.md", "operations.md", "security.md")


def code(text: str) -> list[str]:
    """Lines of fenced blocks, and what stands between backticks."""
    blocks = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`]+)`", re.sub(r"^```\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return [line for block in blocks for line in block.splitlines()] + [" ".join(span.split()) for span in inline]


def commands(text: str) -> list[list[str]]:
    """Arguments of every `streamguard ...` in the text; two spaces begin a remark."""
    found = []
    for line in code(text):
        called = re.search(r"(?:^|[ /])streamguard ((?:[a-z]|--).*)$", re.split(r" {2,}#? ?(?=\w)", line.strip())[0])
        if called is not None and not line.startswith(("docker", "ssh", "pg_")):
            found.append(shlex.split(called[1], comments=True))
    return found


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_of_the_guide_is_understood(guide: str) -> None:
    shown = commands((DOCS / guide).read_text())
    assert shown
    for arguments in shown:
        app.parse_args(arguments, exit_on_error=False, print_error=False)


@pytest.mark.parametrize("guide", GUIDES)
def test_every_link_and_every_file_named_is_there(guide: str) -> None:
    text = (DOCS / guide).read_text()
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    named = re.findall(r"`((?:core|docs|ksqldb|schema|scripts|tests|tui)/[\w./]+)`", text)
    assert links or named
    assert [link for link in links if not (DOCS / link).exists()] == []
    assert [name for name in named if not (DOCS.parent / name).exists()] == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_takes_the_unit_of_the_guide(tmp_path: Path) -> None:
    unit = re.search(r"^\[Unit\]\n.*?(?=^```)", (DOCS / "operations.md").read_text(), re.MULTILINE | re.DOTALL)
    assert unit is not None
    file = tmp_path / "stream-guard@1.service"
    # The program and the user are of the machine that the unit is for.
    file.write_text(unit[0].replace("/opt/stream-guard/bin/streamguard", "/bin/true").replace("User=streamguard\n", ""))
    checked = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    said = [line for line in checked.stderr.splitlines() if file.name in line]
    assert said == []
