"""Copied text leaves as OSC 52, through tmux when there is one, and as a file of the owner's alone."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

from tui.terminal import clipboard


def test_osc52_carries_the_text() -> None:
    sequence = clipboard.osc52("olá", {})
    assert sequence == f"\x1b]52;c;{base64.b64encode('olá'.encode()).decode()}\x07"


def test_tmux_gets_it_for_itself_and_wrapped_with_doubled_escapes() -> None:
    sequence, plain = clipboard.osc52("x", {"TMUX": "/tmp/tmux-0/default,1,0"}), clipboard.osc52("x", {})
    assert sequence is not None
    assert plain is not None
    assert sequence.startswith(f"{plain}\x1bPtmux;\x1b\x1b]52;c;")
    assert sequence.endswith("\x07\x1b\\")


def test_half_a_character_is_no_reason_to_fail(tmp_path: Path) -> None:
    assert clipboard.osc52("\ud800x", {}) == f"\x1b]52;c;{base64.b64encode(b'?x').decode()}\x07"
    assert clipboard.save("\ud800x", tmp_path, "rows.csv").read_text() == "?x"


def test_too_long_a_text_is_left_to_the_file() -> None:
    assert clipboard.osc52("x" * (clipboard.OSC52_LIMIT + 1), {}) is None


def test_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    path = clipboard.save("secret", tmp_path / "exports", "rows.csv")
    assert path.read_text() == "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
