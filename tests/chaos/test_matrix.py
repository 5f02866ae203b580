"""The fault matrix is whole, its table says what happened, and one cell of it runs here; `make chaos` runs all."""

from __future__ import annotations

import sys

import pytest

from tests.chaos.matrix import FAULTS, LEFT_OUT, PHASES, SERVICES, Cell, Outcome, cells, run, table

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


def test_every_service_meets_every_fault_in_every_phase() -> None:
    every = cells()
    assert len(every) == len(set(every)) == (len(SERVICES) * len(FAULTS) - len(LEFT_OUT)) * len(PHASES)
    assert {cell.phase for cell in cells(["kafka"], ["kill"])} == set(PHASES)


def test_the_table_has_a_row_an_outcome() -> None:
    good = Outcome(Cell("kafka", "kill", "load"), 100, 0, 0, 1.25, ["kafka restarting (ended | so)"])
    skipped = Outcome(Cell("kafka", "full disk", "load"), skipped="not here: no disk")
    lost = Outcome(Cell("worker", "kill", "idle"), 100, 1)
    assert [outcome.good for outcome in (good, skipped, lost)] == [True, True, False]
    rows = table([good, skipped, lost]).splitlines()
    assert rows[2] == "| kafka | kill | load | 100 | 0 | 0 | 1.2 | kafka restarting (ended / so) |"
    assert rows[3].endswith("| - | not here: no disk |")
    assert rows[4].startswith("| worker | kill | idle | 100 | 1 | 0 | - |")


@pytest.mark.skipif(sys.platform != "linux", reason="services are broken from outside by what Linux has")
async def test_one_cell_of_the_matrix() -> None:
    (outcome,) = await run([Cell("worker", "kill", "load")])
    assert outcome.good
    assert outcome.produced > 100
    assert not outcome.skipped
