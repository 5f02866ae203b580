"""The processing log: every record or value that was lost, and why. The newest are kept; all go to a topic where the
server is told to make one."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Callable

from ksqldb.engine.run.records import ProcessingError, Report

TOPIC_SUFFIX = "ksql_processing_log"
STREAM = """\
CREATE STREAM IF NOT EXISTS KSQL_PROCESSING_LOG (
  logger VARCHAR, level VARCHAR, time BIGINT,
  message STRUCT<
    type INT,
    deserializationError STRUCT<
      target VARCHAR, errorMessage VARCHAR, recordB64 VARCHAR, cause ARRAY<VARCHAR>, `topic` VARCHAR>,
    recordProcessingError STRUCT<errorMessage VARCHAR, record VARCHAR, cause ARRAY<VARCHAR>>,
    productionError STRUCT<errorMessage VARCHAR>,
    serializationError STRUCT<
      target VARCHAR, errorMessage VARCHAR, record VARCHAR, cause ARRAY<VARCHAR>, `topic` VARCHAR>,
    kafkaStreamsThreadError STRUCT<errorMessage VARCHAR, threadName VARCHAR, cause ARRAY<VARCHAR>>>
) WITH (KAFKA_TOPIC='%s', VALUE_FORMAT='JSON');"""
_KEPT = 1000
_SHOWN = 300


class ProcessingLog:
    def __init__(self) -> None:
        self.entries: deque[ProcessingError] = deque(maxlen=_KEPT)
        self.counts: Counter[str] = Counter()
        self.write: Callable[[bytes], None] | None = None

    def reporter(self, query_id: str) -> Report:
        """What a query calls for each loss."""

        def report(step: str, message: str, record: object) -> None:
            shown = repr(record)
            if len(shown) > _SHOWN:
                shown = shown[:_SHOWN] + "..."
            entry = ProcessingError(query_id, step, message, shown)
            self.entries.append(entry)
            self.counts[query_id] += 1
            if self.write is not None:
                self.write(_encoded(entry))

        return report


def _encoded(entry: ProcessingError) -> bytes:
    """As ksqlDB writes it, without the record (``ksql.logging.processing.rows.include`` is off)."""
    message: dict[str, object]
    if entry.step == "deserialize":
        failed: dict[str, object] = {
            "target": None,
            "errorMessage": entry.message,
            "recordB64": None,
            "cause": [],
            "topic": None,
        }
        message = {"type": 0, "deserializationError": failed}
    else:
        failed = {"errorMessage": entry.message, "record": None, "cause": []}
        message = {"type": 1, "recordProcessingError": failed}
    line = {
        "level": "ERROR",
        "logger": f"processing.{entry.query_id}.{entry.step}",
        "time": int(time.time() * 1000),
        "message": message,
    }
    return json.dumps(line, ensure_ascii=False).encode()
