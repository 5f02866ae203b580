"""The writer never makes its caller wait, says when the terminal is behind, and gives up on a stalled one."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tui.terminal.writer import Writer

PATIENCE = 60.0
MORE_THAN_A_PIPE_HOLDS = "x" * 1_000_000


@dataclass
class Pipe:
    read: int
    write: int
    drained: threading.Event = field(default_factory=threading.Event)
    lost: threading.Event = field(default_factory=threading.Event)
    writers: list[Writer] = field(default_factory=list)

    def writer(self) -> Writer:
        made = Writer(self.write, self.drained.set, self.lost.set)
        made.start()
        self.writers.append(made)
        return made


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    read, write = os.pipe()
    made = Pipe(read, write)
    yield made
    if made.read != -1:
        os.close(made.read)
    for writer in made.writers:  # before its descriptor is another pipe's
        writer.stop(0)
        writer.join(PATIENCE)
    os.close(made.write)


def test_what_is_written_arrives_in_order(pipe: Pipe) -> None:
    writer = pipe.writer()
    for number in range(100):
        writer.write(f"{number},")
    assert writer.stop(PATIENCE)
    assert os.read(pipe.read, 4096).decode() == "".join(f"{n}," for n in range(100))
    assert pipe.drained.is_set()


def test_a_full_terminal_makes_nobody_wait_and_is_behind(pipe: Pipe) -> None:
    writer = pipe.writer()
    for _ in range(50):
        writer.write(MORE_THAN_A_PIPE_HOLDS)
    assert writer.behind
    assert not pipe.drained.is_set()
    assert not writer.stop(0.01), "a stalled terminal does not count as drained"


def test_it_catches_up_when_the_terminal_reads_again(pipe: Pipe) -> None:
    writer = pipe.writer()
    writer.write(MORE_THAN_A_PIPE_HOLDS)
    taken = 0
    while taken < len(MORE_THAN_A_PIPE_HOLDS):
        taken += len(os.read(pipe.read, 65536))
    assert pipe.drained.wait(PATIENCE)
    assert not writer.behind
    assert writer.written == len(MORE_THAN_A_PIPE_HOLDS)


def test_a_vanished_terminal_is_told_once_and_takes_no_more(pipe: Pipe) -> None:
    os.close(pipe.read)
    pipe.read = -1
    writer = pipe.writer()
    writer.write("hello")
    assert pipe.lost.wait(PATIENCE)
    writer.write("more")
    assert not writer.behind
    assert writer.stop(PATIENCE)
