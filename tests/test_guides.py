"""The guides for servers: each command they show is one the program takes, and each link leads somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from core.cli import app

DOCS = Path(__file__).resolve().parent.parent / "docs"
GUIDES = ("real-clusters.md", "operations.md", "security.md", "capacity.md")


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
    named = re.findall(r"`((?:core|docs|ksqldb|ops|schema|scripts|tests|tui)/[\w./]+)`", text)
    assert links or named
    assert [link for link in links if not (DOCS / link).exists()] == []
    assert [name for name in named if not (DOCS.parent / name).exists()] == []
