"""Partition logs against a plain list: whatever is appended, rolled, reopened and deleted, reads and look-ups agree."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.stack.broker.batch import parse
from core.stack.broker.configs import TopicConfig
from core.stack.broker.errors import Code, KafkaError
from core.stack.broker.log import PartitionLog
from core.stack.broker.offsets import Committed, Offsets
from core.stack.broker.segment import Segment
from core.stack.broker.topics import Topics
from tests.core.stack.broker.wire import batch

_TINY = {"segment.bytes": "300"}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[PartitionLog]:
    made = PartitionLog(tmp_path / "t-0", TopicConfig(_TINY))
    yield made
    made.close()


def append(log: PartitionLog, count: int = 1, timestamp: int = 0) -> int:
    return log.append(memoryview(batch([b"x" * 20] * count, timestamp=timestamp)))


def offsets_read(log: PartitionLog, offset: int, max_bytes: int = 1 << 20) -> list[tuple[int, int]]:
    """(base, last) offset of every batch read from `offset` to the end."""
    found: list[tuple[int, int]] = []
    while data := log.read(offset, max_bytes, at_least_one=True):
        at = 0
        while (header := parse(data, at)) is not None:
            found.append((header.base_offset, header.last_offset))
            at += header.size
        offset = found[-1][1] + 1
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 1000), st.booleans()), min_size=1, max_size=40),
    looked_for=st.integers(0, 1100),
    max_bytes=st.integers(1, 2000),
    deleted=st.integers(0, 100),
)
def test_a_log_is_the_list_of_its_records(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[int, int, bool]],
    looked_for: int,
    max_bytes: int,
    deleted: int,
) -> None:
    directory = tmp_path_factory.mktemp("log") / "t-0"
    config = TopicConfig({"segment.bytes": "1000"})
    log = PartitionLog(directory, config)
    batches: list[tuple[int, int]] = []
    times: list[int] = []
    for count, timestamp, reopen in steps:
        base = append(log, count, timestamp)
        assert base == len(times)
        batches.append((base, base + count - 1))
        times.extend(timestamp + n for n in range(count))
        if reopen:
            log.close()
            log = PartitionLog(directory, config)
    assert log.next_offset == len(times)
    assert offsets_read(log, 0, max_bytes) == batches
    start = min(deleted, len(times))
    assert log.delete_before(start) == start
    later = [(n, time) for n, time in enumerate(times) if time >= looked_for and n >= start]
    assert log.offset_for_time(looked_for) == (later[0] if later else None)
    for offset in range(start, len(times)):
        assert offsets_read(log, offset, max_bytes) == [one for one in batches if one[1] >= offset]
    log.close()
    again = PartitionLog(directory, config)
    assert (again.start_offset, again.next_offset) == (start, len(times))
    again.close()


def test_reading_outside_is_out_of_range(log: PartitionLog) -> None:
    append(log, 3)
    assert log.read(3, 1000, at_least_one=True) == b""
    for offset in (-1, 4):
        with pytest.raises(KafkaError) as caught:
            log.read(offset, 1000, at_least_one=True)
        assert caught.value.code == Code.OFFSET_OUT_OF_RANGE
    log.delete_before(2)
    with pytest.raises(KafkaError):
        log.read(1, 1000, at_least_one=True)


def test_a_batch_too_large_for_the_room_waits_for_its_own_turn(log: PartitionLog) -> None:
    append(log, 5)
    assert log.read(0, 10, at_least_one=False) == b""
    assert len(log.read(0, 10, at_least_one=True)) > 10


def test_retention_by_size_keeps_the_newest(tmp_path: Path) -> None:
    config = TopicConfig(_TINY | {"retention.bytes": "700"})
    log = PartitionLog(tmp_path / "t-0", config)
    for _ in range(50):
        append(log, 2)
    before = log.size
    log.apply_retention(now=0)
    assert 700 <= log.size < before
    assert log.start_offset > 0
    assert offsets_read(log, log.start_offset)[-1][1] == 99
    log.close()


def test_retention_by_time_goes_by_the_records_timestamps(tmp_path: Path) -> None:
    log = PartitionLog(tmp_path / "t-0", TopicConfig(_TINY | {"retention.ms": "1000"}))
    for n in range(10):
        append(log, 4, timestamp=100 * n)
    log.apply_retention(now=1400)
    kept = log.start_offset
    assert 0 < kept < 40
    log.apply_retention(now=100_000)
    assert log.start_offset == log.next_offset == 40
    assert append(log) == 40
    log.close()


def test_a_compacted_topic_is_not_cut(tmp_path: Path) -> None:
    log = PartitionLog(tmp_path / "t-0", TopicConfig(_TINY | {"cleanup.policy": "compact", "retention.bytes": "1"}))
    for _ in range(20):
        append(log)
    log.apply_retention(now=1 << 40)
    assert log.start_offset == 0
    log.close()


def test_a_full_disk_refuses_and_leaves_no_trace(log: PartitionLog, monkeypatch: pytest.MonkeyPatch) -> None:
    append(log, 2)
    size = log.size

    def full(fd: int, data: bytes, position: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        real = os.pwrite
        patch.setattr(os, "pwritev", lambda fd, parts, at: real(fd, b"".join(parts)[:30], at))
        patch.setattr(os, "pwrite", full)
        with pytest.raises(KafkaError, match="No space left") as caught:
            append(log)
    assert caught.value.code == Code.KAFKA_STORAGE_ERROR
    assert (log.size, log.next_offset) == (size, 2)
    assert append(log) == 2
    assert offsets_read(log, 0) == [(0, 1), (2, 2)]


def test_an_index_that_does_not_fit_its_file_is_not_believed(tmp_path: Path) -> None:
    directory = tmp_path / "t-0"
    log = PartitionLog(directory, TopicConfig())
    append(log, 2)
    log.close()
    segment = directory / f"{0:020d}.log"
    segment.write_bytes(segment.read_bytes() + batch([b"y"])[:20])
    again = PartitionLog(directory, TopicConfig())
    assert again.next_offset == 2
    assert again.size == segment.stat().st_size
    again.close()


class TestSequences:
    def _send(self, log: PartitionLog, sequence: int, epoch: int = 0, count: int = 2) -> int:
        data = batch([b"v"] * count, producer_id=7, epoch=epoch, sequence=sequence)
        return log.append(memoryview(data))

    def test_a_batch_sent_twice_is_stored_once(self, log: PartitionLog) -> None:
        assert [self._send(log, 0), self._send(log, 2), self._send(log, 0), self._send(log, 2)] == [0, 2, 0, 2]
        assert log.next_offset == 4

    def test_a_gap_is_refused(self, log: PartitionLog) -> None:
        self._send(log, 0)
        with pytest.raises(KafkaError) as caught:
            self._send(log, 4)
        assert caught.value.code == Code.OUT_OF_ORDER_SEQUENCE_NUMBER

    def test_an_older_epoch_is_fenced_and_a_newer_starts_at_zero(self, log: PartitionLog) -> None:
        self._send(log, 0, epoch=1)
        with pytest.raises(KafkaError) as caught:
            self._send(log, 2, epoch=0)
        assert caught.value.code == Code.INVALID_PRODUCER_EPOCH
        with pytest.raises(KafkaError):
            self._send(log, 2, epoch=2)
        assert self._send(log, 0, epoch=2) == 2

    def test_sequences_wrap(self, log: PartitionLog) -> None:
        assert self._send(log, 2**31 - 2) == 0
        assert self._send(log, 0) == 2

    def test_state_outlives_segments_and_reopening(self, tmp_path: Path) -> None:
        config = TopicConfig(_TINY)
        log = PartitionLog(tmp_path / "t-0", config)
        for n in range(30):
            self._send(log, 2 * n)
        log.delete_before(-1)
        log.close()
        again = PartitionLog(tmp_path / "t-0", config)
        assert self._send(again, 58) == 58
        with pytest.raises(KafkaError):
            self._send(again, 90)
        again.close()


class TestTopics:
    def test_what_a_kill_left_half_made_is_not_found_later(self, tmp_path: Path) -> None:
        topics = Topics(tmp_path, default_partitions=1)
        topics.close()
        leftover = PartitionLog(tmp_path / "topics" / "t-0", TopicConfig())
        append(leftover)
        leftover.close()
        again = Topics(tmp_path, default_partitions=1)
        again.create("t", 1, {})
        assert again.partition("t", 0).next_offset == 0
        again.close()

    def test_topics_and_settings_are_kept(self, tmp_path: Path) -> None:
        topics = Topics(tmp_path, default_partitions=3)
        topics.create("t", -1, {"retention.ms": "5"})
        topics.grow("t", 4)
        topics.close()
        again = Topics(tmp_path, default_partitions=1)
        assert len(again.topic("t").partitions) == 4
        assert again.topic("t").config.retention_ms == 5
        again.close()


class TestOffsets:
    def test_a_torn_line_is_no_commit(self, tmp_path: Path) -> None:
        path = tmp_path / "offsets"
        offsets = Offsets(path)
        offsets.commit("g", {("t", 0): Committed(5, 0, "note"), ("t", 1): Committed(6, 0, None)})
        offsets.commit("g", {("t", 0): Committed(7, 0, None)})
        offsets.close()
        path.write_bytes(path.read_bytes() + b'{"group": "g", "topic": "t", "par')
        again = Offsets(path)
        assert {key: known.offset for key, known in again.of("g").items()} == {("t", 0): 7, ("t", 1): 6}
        again.close()

    def test_forgotten_is_forgotten_after_a_restart(self, tmp_path: Path) -> None:
        offsets = Offsets(tmp_path / "offsets")
        for group in ("a", "b"):
            offsets.commit(group, {("t", 0): Committed(1, 0, None), ("u", 0): Committed(2, 0, None)})
        offsets.forget_group("a")
        offsets.forget_topic("t")
        offsets.close()
        again = Offsets(tmp_path / "offsets")
        assert again.groups() == ["b"]
        assert list(again.of("b")) == [("u", 0)]
        again.close()

    def test_the_journal_does_not_grow_without_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("core.stack.broker.offsets._REWRITE_AT", 1000)
        offsets = Offsets(tmp_path / "offsets")
        for n in range(200):
            offsets.commit("g", {("t", 0): Committed(n, 0, None)})
        assert (tmp_path / "offsets").stat().st_size < 2000
        offsets.close()
        again = Offsets(tmp_path / "offsets")
        assert again.of("g")[("t", 0)].offset == 199
        again.close()


def test_a_segment_file_cut_by_hand_is_repaired_only_at_its_end(tmp_path: Path) -> None:
    log = PartitionLog(tmp_path / "t-0", TopicConfig())
    for n in range(100):
        append(log, 3, timestamp=n)
    log.close()
    path = tmp_path / "t-0" / f"{0:020d}.log"
    path.with_suffix(".index").unlink()
    size = path.stat().st_size
    os.truncate(path, size - 1)
    segment = Segment(path, 0)
    again = PartitionLog(tmp_path / "t-0", TopicConfig())
    assert again.next_offset == 297
    again.close()
    segment.close()
