"""A log that was dumped and restored, as docs/operations.md says, is the same log: sealed, guarded, and it goes on."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import asyncpg
import pytest

from core.eventlog import Appended, EventLog, Meta, witness
from core.eventlog.commands import verify_log
from core.eventlog.migrate import migrate
from core.eventlog.seal import seal
from core.eventlog.verify import verify
from core.stack.postgres import binaries
from schema.events import CaseNoted

META = Meta(actor="ana")
BIN = Path(os.environ.get("STREAMGUARD_TEST_POSTGRES_BIN") or binaries())


def note(text: str) -> list[CaseNoted]:
    return [CaseNoted(case_id="c", operator="o", text=text)]


def dump(dsn: str, file: Path) -> None:
    subprocess.run([BIN / "pg_dump", "--format=custom", f"--file={file}", dsn], check=True)


def restore(file: Path, dsn: str) -> None:
    subprocess.run([BIN / "pg_restore", "--exit-on-error", f"--dbname={dsn}", file], check=True)


async def test_a_restored_log_verifies_is_guarded_and_goes_on(
    postgres_dsn: str, empty_postgres_dsn: str, log: EventLog, tmp_path: Path
) -> None:
    for number in range(25):
        await log.append(f"case-{number % 3}", note(f"{number} ✓"), meta=META)
    heads = tmp_path / "seals.jsonl"
    conn = await asyncpg.connect(postgres_dsn)
    while (head := await seal(conn, 10)) is not None:
        witness.add(heads, head)
    await conn.close()
    dump(postgres_dsn, tmp_path / "log.dump")
    # What came after the backup is in the witness alone.
    await log.append("case-0", note("lost"), meta=META)

    restored = empty_postgres_dsn
    restore(tmp_path / "log.dump", restored)
    conn = await asyncpg.connect(restored)
    try:
        assert await migrate(conn) == []
        assert await verify(conn, witness=witness.read(heads)) == []
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await conn.execute("delete from log.event")
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await conn.execute("drop table log.event")
    finally:
        await conn.close()
    assert await verify_log(restored, heads, "ana") == 0

    async with asyncpg.create_pool(restored, min_size=1, max_size=2) as pool:
        again = EventLog(pool)
        try:
            verdict = await again.append("case-0", note("goes on"), meta=META, expected_version=9)
            assert isinstance(verdict, Appended)
            assert await again.head() == 27  # 25, the verification, and this
        finally:
            await again.close()


async def test_a_backup_older_than_the_witness_is_found_out(
    postgres_dsn: str, empty_postgres_dsn: str, log: EventLog, tmp_path: Path
) -> None:
    heads = tmp_path / "seals.jsonl"
    await log.append("case-0", note("kept"), meta=META)
    dump(postgres_dsn, tmp_path / "log.dump")
    await log.append("case-0", note("sealed after the backup"), meta=META)
    conn = await asyncpg.connect(postgres_dsn)
    head = await seal(conn)
    await conn.close()
    assert head is not None
    witness.add(heads, head)

    restored = empty_postgres_dsn
    restore(tmp_path / "log.dump", restored)
    assert await verify_log(restored, heads, "ana") == 1
