"""Snapshots: what is saved is read again, and nothing else."""

from __future__ import annotations

import os
import pickle
from decimal import Decimal
from pathlib import Path

import pytest

from ksqldb.engine.kafka.snapshots import Snapshots, encode
from ksqldb.engine.run.records import NullKey

STATE = {"offsets": {("t", 0): 5}, "counts": {("a", None): [1, 2.5, Decimal("1.20"), b"x", NullKey([None])]}}


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    made = Snapshots(tmp_path / "snapshots")
    made.save("CTAS_A_1", "cluster", "plan", encode(STATE))
    return made


def test_saved_state_is_read_again(snapshots: Snapshots) -> None:
    assert snapshots.load("CTAS_A_1", "cluster", "plan") == STATE


@pytest.mark.parametrize(
    "asked", [("CTAS_B_1", "cluster", "plan"), ("CTAS_A_1", "wiped", "plan"), ("CTAS_A_1", "cluster", "other")]
)
def test_another_query_cluster_or_plan_starts_afresh(snapshots: Snapshots, asked: tuple[str, str, str]) -> None:
    assert snapshots.load(*asked) is None


def test_a_cut_file_starts_afresh(snapshots: Snapshots) -> None:
    (path,) = snapshots.folder.iterdir()
    data = path.read_bytes()
    for end in range(len(data)):
        path.write_bytes(data[:end])
        assert snapshots.load("CTAS_A_1", "cluster", "plan") is None


def test_a_kill_while_writing_leaves_the_former_one(snapshots: Snapshots) -> None:
    (path,) = snapshots.folder.iterdir()
    path.with_suffix(".new").write_bytes(b"half of it")
    assert snapshots.load("CTAS_A_1", "cluster", "plan") == STATE


def test_a_file_cannot_run_code(snapshots: Snapshots, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "made"),)

    snapshots.save("CTAS_A_1", "cluster", "plan", pickle.dumps(Evil()))
    assert snapshots.load("CTAS_A_1", "cluster", "plan") is None
    assert not (tmp_path / "made").exists()


def test_ids_cannot_leave_the_folder(snapshots: Snapshots) -> None:
    snapshots.save("../../etc", "cluster", "plan", encode(1))
    assert snapshots.load("../../etc", "cluster", "plan") == 1
    assert len(list(snapshots.folder.iterdir())) == 2


def test_dropped_ones_are_gone(snapshots: Snapshots) -> None:
    snapshots.drop("CTAS_A_1")
    snapshots.drop("CTAS_A_1")
    assert snapshots.load("CTAS_A_1", "cluster", "plan") is None
