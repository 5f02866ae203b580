"""The log of commands survives a kill at any byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from ksqldb.engine.metastore.commandlog import Command, CommandLog

FIRST = Command(1, "CREATE STREAM a (x INT) WITH (KAFKA_TOPIC='a');", {"auto.offset.reset": "earliest"}, {"a": 4})
SECOND = Command(3, "DROP STREAM a;")


def test_what_was_appended_is_read_again(tmp_path: Path) -> None:
    log = CommandLog(tmp_path / "new" / "commands.jsonl")
    log.append(FIRST)
    log.append(SECOND)
    log.close()
    assert list(CommandLog(log.path).read()) == [FIRST, SECOND]


def test_no_log_is_an_empty_one(tmp_path: Path) -> None:
    assert list(CommandLog(tmp_path / "commands.jsonl").read()) == []


def test_a_torn_last_line_is_dropped_wherever_it_ends(tmp_path: Path) -> None:
    log = CommandLog(tmp_path / "commands.jsonl")
    log.append(FIRST)
    whole = log.path.read_bytes()
    log.append(SECOND)
    log.close()
    both = log.path.read_bytes()
    for end in range(len(whole), len(both) - 1):
        log.path.write_bytes(both[:end])
        again = CommandLog(log.path)
        assert list(again.read()) == [FIRST]
        again.append(SECOND)
        again.close()
        assert list(CommandLog(log.path).read()) == [FIRST, SECOND]


def test_a_broken_line_in_the_middle_is_named(tmp_path: Path) -> None:
    log = CommandLog(tmp_path / "commands.jsonl")
    log.path.write_text('{"sequence": 1\n{"sequence": 2, "statement": "x"}\n')
    with pytest.raises(ValueError, match=r"commands.jsonl, line 1: "):
        list(log.read())
