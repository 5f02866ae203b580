"""Log files and crash reports as they lie on disk: growing, begun anew, endless lines, missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.adapters.records import FIRST_BYTES, MOST_BYTES, HomeRecords, read_lines
from tui.ports import Unavailable


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def _add(path: Path, text: str) -> None:
    with path.open("a", newline="") as file:
        file.write(text)


def test_only_whole_lines_are_read_and_reading_goes_on(logs: Path) -> None:
    _add(logs / "a.log", "one\ntwo\nthr")
    first = read_lines(logs, "a.log", None)
    assert [line.text for line in first.lines] == ["one", "two"]
    _add(logs / "a.log", "ee\r\n\nfour\n")
    second = read_lines(logs, "a.log", first.position)
    assert [(line.at, line.text) for line in second.lines] == [(8, "three"), (16, "four")]
    assert read_lines(logs, "a.log", second.position).lines == ()


def test_a_long_file_is_opened_near_its_end_at_a_whole_line(logs: Path) -> None:
    _add(logs / "a.log", "".join(f"line {number:06}\n" for number in range(20_000)))
    chunk = read_lines(logs, "a.log", None)
    assert chunk.lines[-1].text == "line 019999"
    assert len(chunk.lines) <= FIRST_BYTES // 12
    assert all(line.text.startswith("line ") and len(line.text) == 11 for line in chunk.lines)


def test_what_grew_too_much_is_skipped_and_said(logs: Path) -> None:
    _add(logs / "a.log", "begin\n")
    position = read_lines(logs, "a.log", None).position
    _add(logs / "a.log", "".join(f"line {number:06}\n" for number in range(60_000)))
    chunk = read_lines(logs, "a.log", position)
    assert chunk.skipped == 60_000 * 12 - MOST_BYTES
    assert chunk.lines[-1].text == "line 059999"


def test_a_file_begun_anew_is_read_from_its_start(logs: Path) -> None:
    _add(logs / "a.log", "a long first life of this file\n")
    position = read_lines(logs, "a.log", None).position
    (logs / "a.log").write_text("second\n")
    assert [line.text for line in read_lines(logs, "a.log", position).lines] == ["second"]


def test_an_endless_line_does_not_stop_the_reader(logs: Path) -> None:
    (logs / "a.log").write_bytes(b"\xff" * (MOST_BYTES + 10))
    chunk = read_lines(logs, "a.log", 0)
    assert chunk.position > 0
    assert chunk.lines[0].text.startswith("\N{REPLACEMENT CHARACTER}")


def test_a_name_cannot_leave_the_folder(logs: Path) -> None:
    with pytest.raises(Unavailable, match="secret: No such file"):
        read_lines(logs, "../../secret", None)


async def test_files_and_reports_are_listed(tmp_path: Path, logs: Path) -> None:
    records = HomeRecords()
    with pytest.raises(Unavailable, match="not known yet"):
        await records.files()
    records.open(tmp_path)
    assert list(await records.crashes()) == []
    _add(logs / "b.log", "x\n")
    _add(logs / "a.log", "")
    assert [(file.name, file.size) for file in await records.files()] == [("a.log", 0), ("b.log", 2)]
    for name in ("crash-1.txt", "crash-2.txt"):
        (tmp_path / "crashes").mkdir(exist_ok=True)
        _add(tmp_path / "crashes" / name, f"error: KeyError: {name}\nmore")
    reports = await records.crashes()
    assert [report.summary for report in reports] == ["KeyError: crash-2.txt", "KeyError: crash-1.txt"]
    assert (await records.crash("crash-1.txt")).endswith("more")
