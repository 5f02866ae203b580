"""What a partition knows of idempotent producers (KIP-98): a retried batch gets its old offset, a gap is refused."""

from collections import deque

from core.stack.broker.batch import NO_PRODUCER, Batch
from core.stack.broker.errors import Code, KafkaError

_REMEMBERED_BATCHES = 5  # Kafka's own number: the most a producer may have in flight
_REMEMBERED_PRODUCERS = 1000

Snapshot = list[tuple[int, int, list[tuple[int, int, int]]]]


class _Producer:
    __slots__ = ("epoch", "recent")

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.recent: deque[tuple[int, int, int]] = deque(
            maxlen=_REMEMBERED_BATCHES
        )  # first, last sequence, base offset


class Producers:
    """State per producer id, the longest silent forgotten first."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self._producers: dict[int, _Producer] = {}
        for producer_id, epoch, recent in snapshot or []:
            producer = self._producers[producer_id] = _Producer(epoch)
            producer.recent.extend((first, last, offset) for first, last, offset in recent)

    def snapshot(self) -> Snapshot:
        return [(producer_id, p.epoch, list(p.recent)) for producer_id, p in self._producers.items()]

    def duplicate_of(self, batch: Batch) -> int | None:
        """The base offset this very batch already has, or None where it is new and next in order.

        Raises KafkaError for a fenced epoch or a sequence that skips batches. A producer not known here may start
        anywhere: its earlier batches may be gone by retention (KIP-360).
        """
        if batch.producer_id == NO_PRODUCER:
            return None
        producer = self._producers.get(batch.producer_id)
        if producer is None:
            return None
        if batch.producer_epoch < producer.epoch:
            raise KafkaError(
                Code.INVALID_PRODUCER_EPOCH, f"epoch {batch.producer_epoch} is older than {producer.epoch}"
            )
        if batch.producer_epoch > producer.epoch:
            if batch.base_sequence != 0:
                raise KafkaError(Code.OUT_OF_ORDER_SEQUENCE_NUMBER, "a new epoch starts with sequence 0")
            return None
        for first, last, offset in producer.recent:
            if first == batch.base_sequence and last == batch.last_sequence:
                return offset
        expected = (producer.recent[-1][1] + 1) & 0x7FFFFFFF
        if batch.base_sequence != expected:
            raise KafkaError(
                Code.OUT_OF_ORDER_SEQUENCE_NUMBER, f"sequence {batch.base_sequence} where {expected} is next"
            )
        return None

    def observe(self, batch: Batch, base_offset: int) -> None:
        """Take note of a batch that is in the log at `base_offset`."""
        if batch.producer_id == NO_PRODUCER:
            return
        producer = self._producers.pop(batch.producer_id, None)
        if producer is None or producer.epoch != batch.producer_epoch:
            producer = _Producer(batch.producer_epoch)
        producer.recent.append((batch.base_sequence, batch.last_sequence, base_offset))
        self._producers[batch.producer_id] = producer
        if len(self._producers) > _REMEMBERED_PRODUCERS:
            del self._producers[next(iter(self._producers))]
