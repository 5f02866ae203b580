"""A fetch's records become objects a few at a time, whatever the fetch brought."""

from __future__ import annotations

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from ksqldb.engine.kafka.client import RECORDS_AT_ONCE, unpack


def message_set(offsets: range) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=0,
        batch_size=1 << 20,
    )
    for offset in offsets:
        assert builder.append(offset, 1_000 + offset, b"key", b"value %d" % offset, []) is not None
    return bytes(builder.build())


@pytest.mark.parametrize("first", [0, 3, RECORDS_AT_ONCE, 1_233])
def test_parts_follow_one_another_from_the_asked_offset(first: int) -> None:
    parts = list(unpack(message_set(range(1_234)), first))
    assert [record.offset for records, _ in parts for record in records] == list(range(first, 1_234))
    assert all(len(records) <= RECORDS_AT_ONCE for records, _ in parts)
    ends = [following for _, following in parts]
    assert [records[0].offset for records, _ in parts] == [first, *ends[:-1]]
    assert ends[-1] == 1_234


def test_a_part_goes_on_at_the_next_record_that_a_compacted_topic_still_has() -> None:
    data = message_set(range(0, 4 * RECORDS_AT_ONCE, 4))
    ((records, _), *_) = parts = list(unpack(data + data[:20], 4))
    assert len(parts) == 1
    assert len(records) == RECORDS_AT_ONCE - 1
    twice = list(unpack(message_set(range(0, 8 * RECORDS_AT_ONCE, 4)), 0))
    assert [following for _, following in twice] == [4 * RECORDS_AT_ONCE, 8 * RECORDS_AT_ONCE - 3]


def test_nothing_behind_the_asked_offset_gives_where_to_go_on() -> None:
    assert list(unpack(b"", 7)) == []
    assert list(unpack(message_set(range(5)), 5)) == []
