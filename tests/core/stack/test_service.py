"""One supervised process, played by a few lines of Python."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.stack.errors import StackError
from core.stack.logfile import LogFile
from core.stack.service import Report, Runner, Spec
from core.stack.state import DOWN, FAILED, RESTARTING, STARTING, UP, Service
from tests.core.stack.homes import until_gone

_READY = "import signal, pathlib, sys; pathlib.Path(sys.argv[1]).touch(); "


class Play:
    """A runner and every state it went through."""

    def __init__(self, folder: Path) -> None:
        self.ready = folder / "ready"
        self.log = LogFile(folder / "log")
        self.states: list[Service] = []
        self._changed = asyncio.Condition()
        self._telling: set[asyncio.Task[None]] = set()
        self.runner: Runner | None = None

    def spec(self, program: str) -> Spec:
        async def prepare(report: Report) -> None:
            self.ready.unlink(missing_ok=True)
            report("prepares")

        async def probe() -> bool:
            return self.ready.exists()

        command = [sys.executable, "-S", "-E", "-c", program, str(self.ready)]
        return Spec("played", "nowhere", lambda: command, probe, prepare)

    def start(self, spec: Spec) -> Runner:
        self.runner = Runner(spec, self.log, self._note)
        self.runner.start()
        return self.runner

    def _note(self) -> None:
        assert self.runner is not None
        self.states.append(self.runner.service)
        task = asyncio.ensure_future(self._tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, holds: Callable[[Service], bool]) -> Service:
        """The first state, of all so far and to come, that `holds` is true of."""
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(lambda: any(holds(state) for state in self.states))
        return next(state for state in self.states if holds(state))


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    made = Play(tmp_path)
    yield made
    if made.runner is not None:
        await made.runner.stop()


async def test_it_goes_through_its_steps_and_stops_as_asked(play: Play) -> None:
    runner = play.start(play.spec(_READY + "print('working', flush=True); signal.pause()"))
    up = await play.until(lambda service: service.state == UP)
    steps = [service.detail for service in play.states if service.state == STARTING]
    assert [step for step in steps if step] == ["starts", "prepares", "waits until it answers"]
    assert up.pid is not None
    await runner.stop()
    await until_gone(up.pid)
    assert (runner.service.state, runner.service.pid) == (DOWN, None)
    assert play.log.path.read_text() == "working\n"


async def test_its_end_is_noticed_with_its_last_words_and_it_is_started_again(play: Play) -> None:
    play.start(play.spec(_READY + "sys.stderr.write('Error: no more\\n'); sys.exit(7)"))
    died = await play.until(lambda service: service.state in (RESTARTING, FAILED))
    assert died.detail == "ended with exit code 7: Error: no more"
    again = await play.until(lambda service: service.restarts >= 2)
    assert again.failures >= 2


async def test_one_that_never_answers_is_ended_and_said_so(play: Play) -> None:
    play.start(replace(play.spec("import signal; signal.pause()"), ready_within=0.2))
    failed = await play.until(lambda service: service.state == FAILED)
    assert "did not answer within 0 s" in failed.detail
    assert str(play.log.path) in failed.detail
    pids = {service.pid for service in play.states if service.pid is not None}
    assert play.runner is not None
    await play.runner.stop()
    await until_gone(*pids)


async def test_a_failed_preparation_is_the_reason_and_is_tried_again(play: Play) -> None:
    tried = 0

    async def prepare(report: Report) -> None:
        nonlocal tried
        tried += 1
        if tried < 3:
            raise StackError("the shelf is empty")
        play.ready.unlink(missing_ok=True)

    play.start(replace(play.spec(_READY + "signal.pause()"), prepare=prepare))
    failed = await play.until(lambda service: service.state == FAILED)
    assert failed.detail == "the shelf is empty"
    up = await play.until(lambda service: service.state == UP)
    assert (tried, up.failures) == (3, 2)
    assert up.detail == ""


async def test_one_that_does_not_listen_is_killed(play: Play) -> None:
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGQUIT, signal.SIG_IGN); "
    program = "import signal, pathlib, sys; " + deaf + "pathlib.Path(sys.argv[1]).touch()\nwhile True: signal.pause()"
    runner = play.start(replace(play.spec(program), stop_within=0.1))
    up = await play.until(lambda service: service.state == UP)
    assert up.pid is not None
    await runner.stop()
    await until_gone(up.pid)


async def test_a_command_that_does_not_exist_is_a_reason(play: Play) -> None:
    play.start(replace(play.spec(""), command=lambda: ["/no/such/program"]))
    failed = await play.until(lambda service: service.state == FAILED)
    assert "No such file or directory" in failed.detail
    assert failed.detail.startswith("ended with exit code 1")


async def test_the_signal_of_its_choice_is_sent(play: Play) -> None:
    program = (
        "import signal, pathlib, sys\n"
        "def hear(number, frame):\n    print('heard', number, flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGINT, hear); pathlib.Path(sys.argv[1]).touch(); signal.pause()"
    )
    runner = play.start(replace(play.spec(program), stop_signal=signal.SIGINT))
    await play.until(lambda service: service.state == UP)
    await runner.stop()
    assert play.log.path.read_text() == "heard 2\n"


class TestLogFile:
    def test_it_stays_within_twice_its_bound(self, tmp_path: Path) -> None:
        log = LogFile(tmp_path / "log", most_bytes=1000)
        for n in range(500):
            log.write(b"line %03d of many\n" % n)
        log.close()
        sizes = [path.stat().st_size for path in tmp_path.iterdir()]
        assert len(sizes) == 2
        assert max(sizes) <= 1000
        assert (tmp_path / "log").read_text().endswith("line 499 of many\n")

    @pytest.mark.parametrize(
        ("printed", "reason"),
        [
            (b"", ""),
            (b"one\ntwo\n\n", "two"),
            (b"no end of li", "no end of li"),
            (b"FATAL: the port is taken\nHINT: is another one running?\nbye\n", "FATAL: the port is taken"),
            (b"Traceback ...\n  File x\nValueError: the last line tells\n", "ValueError: the last line tells"),
            (b"\xff\xfe broken text\n", "\ufffd\ufffd broken text"),
        ],
    )
    def test_the_line_that_tells_why(self, tmp_path: Path, printed: bytes, reason: str) -> None:
        log = LogFile(tmp_path / "log")
        log.write(b"Error: of an earlier start\n")
        log.begin()
        for at in range(0, len(printed), 5):
            log.write(printed[at : at + 5])
        assert log.reason() == reason
        log.close()

    def test_a_file_that_cannot_be_written_does_not_stop_anything(self, tmp_path: Path) -> None:
        (tmp_path / "log").mkdir()
        log = LogFile(tmp_path / "log")
        log.write(b"Error: told all the same\n")
        assert log.reason() == "Error: told all the same"
