"""What the supervisor says of the machine."""

from pathlib import Path

import pytest

from core.stack.machine import Machine


class Clocks:
    def __init__(self) -> None:
        self.wall, self.steady = 1_000_000.0, 50.0

    def wait(self, seconds: float, step: float = 0.0) -> None:
        self.steady += seconds
        self.wall += seconds + step


def watched(clocks: Clocks, folders: dict[Path, int]) -> Machine:
    return Machine(folders, lambda: clocks.wall, lambda: clocks.steady, lambda folder: folders[folder])


def test_nothing_is_said_while_all_is_well(tmp_path: Path) -> None:
    clocks = Clocks()
    machine = watched(clocks, {tmp_path: 1 << 40, tmp_path / "not made yet": 0})
    assert machine.problems() == ()
    clocks.wait(3600, step=0.5)  # as ntpd moves it
    assert machine.problems() == ()


@pytest.mark.skipif(
    not Path("/proc").exists(), reason="it is the disk of its own that is looked at beside the folder's"
)
def test_each_disk_that_is_full_is_named_once(tmp_path: Path) -> None:
    free = {tmp_path: 12 << 20, tmp_path / "kafka": 12 << 20, Path("/proc"): 0}
    (tmp_path / "kafka").mkdir()
    machine = watched(Clocks(), free)
    assert machine.problems() == (
        f"only 12 MB are free on the disk of {tmp_path}",
        "only 0 MB are free on the disk of /proc",
    )
    free[tmp_path] = free[tmp_path / "kafka"] = 1 << 30
    assert machine.problems() == ("only 0 MB are free on the disk of /proc",)


def test_a_clock_that_was_moved_is_told_of_for_a_minute(tmp_path: Path) -> None:
    clocks = Clocks()
    machine = watched(clocks, {})
    clocks.wait(1, step=3600)
    assert machine.problems() == ("the clock of this machine went 3600 s forward",)
    clocks.wait(30)
    assert machine.problems() == ("the clock of this machine went 3600 s forward",)
    clocks.wait(1, step=-7200)
    assert machine.problems() == ("the clock of this machine went 7200 s back",)
    clocks.wait(61)
    assert machine.problems() == ()
