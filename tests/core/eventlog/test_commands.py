"""The commands over the log, on a real database: what they print and the code they exit with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.eventlog import EventLog, Meta, commands, keys, witness
from core.eventlog.connect import LogUnreachable
from core.eventlog.witness import WitnessError
from core.failures import UNREACHABLE, explain
from core.stack import postgres
from schema.events import CaseClaimed, CaseNoted

META = Meta(actor="ana")


@pytest.fixture
async def filled(log: EventLog) -> EventLog:
    for number in range(3):
        await log.append(f"case-{number}", [CaseNoted(case_id="c", operator="o", text=f"n{number}\x1b[2J")], meta=META)
    await log.append("alert-1", [CaseClaimed(case_id="1", operator="bo")], meta=META)
    return log


async def test_events_are_printed_in_order_and_harmless(
    filled: EventLog, postgres_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await commands.events(postgres_dsn, tmp_path, stream="case-*", from_pos=2) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["2", "3"]
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("options", "positions"),
    [
        ({"stream": "case-1"}, [2]),
        ({"types": ["CaseClaimed"]}, [4]),
        ({"limit": 2}, [1, 2]),
        ({"stream": "case-1*", "types": ["CaseNoted"]}, [2]),
        ({"from_pos": 99}, []),
    ],
)
async def test_events_are_chosen(
    filled: EventLog,
    postgres_dsn: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: dict[str, Any],
    positions: list[int],
) -> None:
    assert await commands.events(postgres_dsn, tmp_path, as_json=True, **options) == 0
    assert [json.loads(line)["position"] for line in capsys.readouterr().out.splitlines()] == positions


async def test_seal_and_verify_by_command(
    filled: EventLog, pool: Any, postgres_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "deep" / "seals.jsonl"
    key = tmp_path / "seal.key"
    assert await commands.seal_log(postgres_dsn, file, key) == 0
    (head,) = witness.read(file)
    assert (head.to_pos, head.key) == (4, keys.load(key).key)
    capsys.readouterr()
    assert await commands.verify_log(postgres_dsn, file, "ana", key_file=key, as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == {"from": 1, "to": 4, "witnessed": 1, "findings": []}
    async with pool.acquire() as conn:
        await conn.execute("alter event trigger log_ddl disable")
        await conn.execute("alter table log.event_000000 disable trigger all")
        await conn.execute('update log.event_000000 set meta = \'{"actor": "nobody"}\' where pos = 2')
    assert await commands.verify_log(postgres_dsn, file, "ana") == 1
    assert "the event at position 2 was changed" in capsys.readouterr().out
    answers = [recorded.event for recorded in await filled.read(5, types=["LogVerified"])]
    assert [getattr(answer, "result", None) for answer in answers] == ["as sealed", "1 findings"]


async def test_a_database_that_is_not_there_is_told_in_a_sentence(tmp_path: Path, postgres_server: Path) -> None:
    for dsn in (postgres.dsn(tmp_path / "nowhere"), postgres.dsn(postgres_server, "no_such_database")):
        with pytest.raises(LogUnreachable, match=r"PostgreSQL cannot be reached: .*`streamguard status`") as caught:
            await commands.verify_log(dsn, tmp_path / "seals.jsonl", "ana")
        assert explain(caught.value) == (UNREACHABLE, str(caught.value))


async def test_a_database_without_a_log_gets_an_empty_one(
    empty_postgres_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await commands.events(empty_postgres_dsn, tmp_path) == 0
    assert capsys.readouterr().out == ""


def test_a_file_that_is_no_witness_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "seals.jsonl"
    file.write_text('{"no":1,"from_pos":1,"to_pos":2,"chain":"00"}\nnot a head\n')
    with pytest.raises(WitnessError, match="line 2"):
        witness.read(file)
