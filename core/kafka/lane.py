"""What was read of one topic-partition and is not taken in yet."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.kafka.record import DeadLetter, Decoder, Record, decode_records


@dataclass
class Lane:
    """Records from offset ``start`` on, decoded or refused; ``stop`` is the offset after the last."""

    start: int
    stop: int
    good: list[tuple[Record, Any]]
    dead: list[DeadLetter]

    def cut(self, offset: int) -> tuple[Lane, Lane]:
        """What lies before the offset, and the rest."""
        good = bisect_left(self.good, offset, key=lambda item: item[0].offset)
        dead = bisect_left(self.dead, offset, key=lambda letter: letter.record.offset)
        return (
            Lane(self.start, offset, self.good[:good], self.dead[:dead]),
            Lane(offset, self.stop, self.good[good:], self.dead[dead:]),
        )


def lane_of(records: Sequence[Record], decoder: Decoder, start: int) -> Lane:
    """Records in their order as a lane that begins where the reader stood."""
    lane = Lane(start, records[-1].offset + 1, [], [])
    decode_records(records, decoder, lane.good, lane.dead)
    return lane
