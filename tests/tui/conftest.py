"""One time zone, no colour variables: what a test sees does not depend on where it runs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.tui.harness import SIZES, Album


@pytest.fixture(autouse=True)
def _pinned(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    for name in ("NO_COLOR", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(
    params=[(size, colours) for size in SIZES for colours in (True, False)],
    ids=lambda look: f"{look[0]}-{'colours' if look[1] else 'no-color'}",
)
def album(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Album]:
    """Pictures at every size, with colours and without; at the end they must be those that are kept."""
    size, colours = request.param
    if not colours:
        monkeypatch.setenv("NO_COLOR", "1")
    made = Album(size, colours=colours)
    yield made
    assert not any(made.differences), "\n".join(made.differences)
