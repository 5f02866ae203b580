"""Where conformance cases and the labelled replay file lie; they are not part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared(relative: str) -> Path:
    """A path under ``STREAMGUARD_SHARED`` (else ``../shared``); skips the test where it is absent."""
    base = Path(os.environ.get("STREAMGUARD_SHARED", ROOT.parent / "shared"))
    path = base / relative
    if not path.exists():
        pytest.skip(f"{relative} is not on this machine (set STREAMGUARD_SHARED to the folder that holds it)")
    return path
