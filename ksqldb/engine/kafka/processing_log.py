"""The processing log: every record or value that was lost, and why. The newest are kept; all go to a topic."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Callable

from ksqldb.engine.run.records import ProcessingError, Report

TOPIC_SUFFIX = "ksql_processing_log"
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
    return json.dumps(
        {
            "LEVEL": "ERROR",
            "LOGGER": f"processing.{entry.query_id}.{entry.step}",
            "TIME": int(time.time() * 1000),
            "MESSAGE": {"QUERYID": entry.query_id, "STEP": entry.step, "ERROR": entry.message, "RECORD": entry.record},
        },
        ensure_ascii=False,
    ).encode()
