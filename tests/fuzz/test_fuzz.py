"""A small run of the fuzzing that `make fuzz` does a million times, and proof that it would find something."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fuzz.__main__ import run
from tests.fuzz.mutate import inputs
from tests.fuzz.targets import TARGETS, Target, is_harmless

COUNTS = {"sql_text": 300, "rest_response": 150, "settings": 60}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_no_input_breaks_it(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(target, COUNTS.get(target.name, 1_500), seed=7) == []


def test_the_shares_are_whole() -> None:
    assert sum(target.share for target in TARGETS) == pytest.approx(1.0)


def test_the_same_seed_gives_the_same_inputs() -> None:
    target = TARGETS[0]
    first, again, other = (
        list(itertools.islice(inputs(target.examples, target.words, seed), 200)) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len(set(first)) > 150


def test_what_breaks_is_found() -> None:
    def fragile(data: bytes) -> None:
        assert b"\x1b" not in data

    found = run(replace(TARGETS[0], feed=fragile), 2_000, seed=1)
    assert found
    assert all(b"\x1b" in data for data, _ in found)


def test_harm_is_known_when_it_is_seen() -> None:
    assert is_harmless("Padaria São João")
    assert not any(is_harmless(text) for text in ("\x1b[2J", "a\x9bb", "\u202e", "\u2028", "\x00"))
