"""Fakes of the ports behind the Health screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tui.ports import Done, Refused, Unavailable, Verdict
from tui.screens.health.port import CrashReport, Hosted, LogChunk, LogFile, LogLine, Stall

AT_MS = 1_784_556_134_000


@dataclass
class FakeWorkers:
    pids: list[int] = field(default_factory=lambda: [77])
    restarted: list[int] = field(default_factory=list)

    def hosted(self) -> Sequence[Hosted]:
        return [Hosted(pid, 0) for pid in self.pids]

    async def scale(self, count: int) -> Verdict:
        self.pids = [77 + number for number in range(count)]
        return Done(f"{count} worker processes hosted here")

    async def restart(self, pid: int) -> Verdict:
        if pid not in self.pids:
            return Refused(f"process {pid} is not hosted here")
        self.restarted.append(pid)
        return Done(f"worker process {pid} was restarted")


@dataclass
class FakeLogs:
    """``texts`` holds each file's lines; a position is the number of lines read."""

    texts: dict[str, list[str]] = field(
        default_factory=lambda: {
            "ksqldb.log": ["2026-07-20 14:01:25,804 INFO hypercorn.error Running on http://127.0.0.1:8088"],
            "worker.log": [
                "timestamp='2026-07-20T14:01:27.976075Z' level='info' event='inlet holds partitions' partitions=[0, 1]",
                "timestamp='2026-07-20T14:01:31.120000Z' level='warning' event='the engine was away' seconds=2",
                "2026-07-20 14:01:33.388 UTC [412] ERROR:  relation does not exist",
                "a line without any form",
            ],
        }
    )
    failure: str = ""
    reports: dict[str, str] = field(default_factory=dict)

    async def files(self) -> Sequence[LogFile]:
        return [LogFile(name, 100 * len(lines), AT_MS - 3_000) for name, lines in sorted(self.texts.items())]

    async def read(self, name: str, position: int | None) -> LogChunk:
        if self.failure:
            raise Unavailable(self.failure)
        lines = self.texts[name]
        new = tuple(LogLine(name, number, text) for number, text in enumerate(lines) if number >= (position or 0))
        return LogChunk(new, len(lines))

    async def crashes(self) -> Sequence[CrashReport]:
        return [CrashReport(name, AT_MS - 60_000, text.splitlines()[0]) for name, text in self.reports.items()]

    async def crash(self, name: str) -> str:
        return self.reports[name]


@dataclass
class FakeWatchdog:
    rows: list[Stall] = field(default_factory=list)
    running: bool = False

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    def stalls(self) -> Sequence[Stall]:
        return self.rows
