"""Copying over SSH: OSC 52, wrapped for tmux, and always a file beside it as the fallback that cannot fail silently."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path

OSC52_LIMIT = 74_994
"""Most terminals refuse longer sequences (100,000 bytes with framing, base64-encoded)."""


def osc52(text: str, environ: Mapping[str, str]) -> str | None:
    """The sequence that sets the clipboard; None when the text is too long.

    In tmux it is given twice: tmux itself hears the first (``set-clipboard on``), and hands the second on to the
    terminal as it is (``allow-passthrough on``).
    """
    data = text.encode("utf-8", "replace")
    if len(data) > OSC52_LIMIT:
        return None
    sequence = f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"
    if environ.get("TMUX"):
        return sequence + "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return sequence


def save(text: str, folder: Path, name: str) -> Path:
    """Write ``text`` to ``folder/name``, readable by its owner alone, and give the path. Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)
    return path
