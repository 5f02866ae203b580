"""The file of a recording: what is written is read, also after a kill; what is none is said to be none."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tui.recording.file import VERSION, Header, Record, RecordingError, Writer, read

HEADER = Header(VERSION, 1_000, "production", "red")
RECORDS = [Record(1_000 + n, f"port.method{n}", b"key", b"x" * n * 1_000, n % 2 == 1) for n in range(20)]


def _written(path: Path) -> Path:
    writer = Writer(path, HEADER)
    for record in RECORDS:
        writer.write(record)
    writer.close()
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = _written(tmp_path / "r.sgr")
    header, records = read(path)
    assert (header, list(records)) == (HEADER, RECORDS)
    assert path.stat().st_mode & 0o077 == 0, "others can read what accounts did"


def test_it_never_overwrites(tmp_path: Path) -> None:
    path = _written(tmp_path / "r.sgr")
    with pytest.raises(RecordingError, match="there already"):
        Writer(path, HEADER)
    with pytest.raises(RecordingError, match="cannot be written"):
        Writer(tmp_path / "no" / "r.sgr", HEADER)


def test_a_file_that_was_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    begun = Writer(tmp_path / "begun.sgr", HEADER)
    shortest = (tmp_path / "begun.sgr").stat().st_size
    begun.close()
    whole = _written(tmp_path / "r.sgr").read_bytes()
    cut = tmp_path / "cut.sgr"
    counts = []
    for size in range(len(whole), shortest, -7):
        cut.write_bytes(whole[:size])
        counts.append(len(list(read(cut)[1])))
        assert list(read(cut)[1]) == RECORDS[: counts[-1]]
    assert counts == sorted(counts, reverse=True)


def test_flushed_records_outlive_a_kill(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "r.sgr", HEADER)
    writer.write(RECORDS[1])
    writer.flush()
    assert list(read(tmp_path / "r.sgr")[1]) == RECORDS[1:2]
    writer.close()


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", gzip.compress(b"hello"), gzip.compress(b"\x00\x00\x00\x02{}"), b"\x1f\x8b"],
    ids=["empty", "text", "packed-text", "packed-record", "cut"],
)
def test_another_file_is_no_recording(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match="no recording"):
        list(read(path)[1])


def test_a_newer_version_and_a_missing_file_are_said(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "r.sgr", Header(VERSION + 1, 0, ""))
    writer.close()
    with pytest.raises(RecordingError, match="version 2"):
        read(tmp_path / "r.sgr")
    with pytest.raises(RecordingError, match="cannot be read"):
        read(tmp_path / "nothing")
