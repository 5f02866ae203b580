"""The name on an act is the same from the screens and from the command line, and there is always one."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys

import pytest

from core.actor import operator_name


def test_the_setting_wins_over_the_login_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "root")
    monkeypatch.delenv("STREAMGUARD_OPERATOR", raising=False)
    assert operator_name() == "root"
    monkeypatch.setenv("STREAMGUARD_OPERATOR", "ana")
    assert operator_name() == "ana"


@pytest.mark.parametrize("problem", [KeyError("uid not found"), OSError("no username")])
def test_a_user_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    def nobody() -> str:
        raise problem

    monkeypatch.setattr(getpass, "getuser", nobody)
    monkeypatch.delenv("STREAMGUARD_OPERATOR", raising=False)
    assert operator_name() == f"uid-{os.getuid()}"


@pytest.mark.parametrize(
    "command", [("cases", "claim"), ("lists", "block"), ("dead-letters", "requeue"), ("groups", "reset")], ids=" ".join
)
def test_every_command_that_acts_takes_the_setting(command: tuple[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core.cli", *command, "--help"],
        env={**os.environ, "STREAMGUARD_OPERATOR": "ana-of-the-night"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ana-of-the-night" in "".join(done.stdout.split("\n")).replace(" ", "").replace("│", "")
