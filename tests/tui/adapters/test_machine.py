"""What the stack's supervisor says of the machine is on the screens while it holds."""

from __future__ import annotations

from dataclasses import replace

from core.stack.state import Status
from tui.adapters.stack import _tell_status
from tui.ports import ServiceState
from tui.screens.overview.health import health_lines

FULL = "only 12 MB are free on the disk of /home/ana/kafka"
WELL = Status("/home/ana", 7, False, False, 1, 0.0, (), ())


def told(status: Status) -> list[ServiceState]:
    states: list[ServiceState] = []
    _tell_status(status, states.append)
    return states


def test_a_problem_is_a_warning_with_its_words() -> None:
    (machine,) = told(replace(WELL, problems=(FULL, "the clock of this machine went 3600 s forward")))
    assert (machine.name, machine.state) == ("machine", "warning")
    assert machine.detail == f"{FULL}; the clock of this machine went 3600 s forward"
    (line, *_) = health_lines([machine], [], 0)
    assert ("warning  ", "warn") in line
    assert any(FULL in text for text, _ in line)


def test_a_machine_that_is_well_takes_no_line_of_the_overview() -> None:
    (machine,) = told(WELL)
    assert machine.state == "up"
    assert not any("machine" in text for line in health_lines([machine], [], 0) for text, _ in line)
