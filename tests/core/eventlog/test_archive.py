"""Old partitions in files: everything is read, verified and taken back as if it had never left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from core.eventlog import EventLog
from core.eventlog.archive import Archived, ArchiveError, open_archive
from core.eventlog.archiving import NotArchivable, archive_oldest, restore_newest
from core.eventlog.seal import seal
from core.eventlog.verify import verify
from core.projections import PROJECTIONS
from core.projections.account_risk import ACCOUNT_RISK
from core.projections.prove import prove
from core.projections.rebuild import rebuild
from core.projections.runner import advance
from tests.core.projections.stories import story

SIZE = 2_500
SMALL = (
    "set streamguard.migrating = 'on'; drop table log.event_000000, log.event_000001;"
    f" update log.head set capacity = 0, partition_size = {SIZE}; select log.extend({4 * SIZE});"
    " reset streamguard.migrating"
)


@pytest.fixture
async def conn(postgres_dsn: str) -> AsyncIterator[Any]:
    made = await asyncpg.connect(postgres_dsn)
    await made.execute(SMALL)
    yield made
    await made.close()


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def fill(conn: Any, log: EventLog, events: int) -> None:
    """A log of small partitions, folded, and sealed in ranges that straddle them."""
    unjudged = [item for item in story(1, 2 * events) if not item.stream.startswith(("alert", "case"))]
    await log.append_many(unjudged[:events])
    while await seal(conn, 1_700) is not None:
        pass
    for projection in PROJECTIONS:
        while (step := await advance(conn, projection)).pos < step.head:
            pass


async def test_archived_events_are_read_and_verified_as_before(
    conn: Any, pool: Any, log: EventLog, tmp_path: Path
) -> None:
    await fill(conn, log, 7_800)
    head = await log.head()
    before = await log.read(1, limit=head)
    for number in range(2):
        made = await archive_oldest(conn, tmp_path, 1_000, "ana")
        assert made is not None
        assert (made.first, made.last) == (number * SIZE + 1, (number + 1) * SIZE)
        assert await conn.fetchval(f"select to_regclass('log.event_00000{number}')") is None
    assert await archive_oldest(conn, tmp_path, 1_000, "ana") is None, (
        "what is left is fewer than a partition and 1,000"
    )
    archive = await open_archive(conn, tmp_path)
    both = EventLog(pool, archive)
    seen = [recorded async for batch in both.subscribe(1, upto=head) for recorded in batch]
    assert seen == before
    some = [recorded async for batch in both.subscribe(700, "rule-", ["RuleSnoozed"], 20, head) for recorded in batch]
    assert some == [r for r in before if r.pos >= 700 and r.stream.startswith("rule-") and r.type == "RuleSnoozed"]
    assert await verify(conn, archive=archive) == []
    assert [r.type for r in await both.read(head + 1)] == ["LogArchived"] * 2
    with pytest.raises(Archived, match="before position 5,001 are archived"):
        await log.read(1)
    with pytest.raises(Archived):
        await prove(conn, ACCOUNT_RISK)
    with pytest.raises(Archived):
        await rebuild(conn, ACCOUNT_RISK)
    await both.close()

    for expected in (SIZE + 1, 1):
        restored = await restore_newest(conn, tmp_path, "ana")
        assert restored is not None
        assert restored.first == expected
    assert await restore_newest(conn, tmp_path, "ana") is None
    assert (await log.read(1, limit=head)) == before
    assert await verify(conn) == []
    assert (await prove(conn, ACCOUNT_RISK)).equal
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError, match="append-only"):
        await conn.execute("delete from log.event_000000")


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
async def test_a_damaged_file_is_named(conn: Any, log: EventLog, tmp_path: Path, damage: str) -> None:
    await fill(conn, log, 3_000)
    made = await archive_oldest(conn, tmp_path, 0, "ana")
    assert made is not None
    data = made.path.read_bytes()
    match damage:
        case "flip":
            made.path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
        case "cut":
            made.path.write_bytes(data[: len(data) // 2])
        case _:
            made.path.unlink()
    found = [f.what for f in await verify(conn, archive=await open_archive(conn, tmp_path))]
    assert found
    assert all(str(made.path) in what or "position" in what for what in found)
    if damage != "flip":
        with pytest.raises(ArchiveError):
            await restore_newest(conn, tmp_path, "ana")
        assert await conn.fetchval("select kept_from from log.head") == SIZE + 1, "all or nothing"


@pytest.mark.parametrize(
    "change", ["set sha256 = sha256(sha256)", "set file = 'other'", "set last_pos = last_pos - 1", ""]
)
async def test_a_changed_catalogue_of_files_is_named(conn: Any, log: EventLog, tmp_path: Path, change: str) -> None:
    await fill(conn, log, 3_000)
    assert await archive_oldest(conn, tmp_path, 0, "ana") is not None
    await conn.execute(f"update log.archive {change}" if change else "delete from log.archive")
    found = await verify(conn, archive=await open_archive(conn, tmp_path))
    assert any(f.position is not None and 1 <= f.position <= SIZE for f in found)


async def test_what_is_still_needed_stays(conn: Any, log: EventLog, tmp_path: Path) -> None:
    await log.append_many(story(2, 2_600))
    with pytest.raises(NotArchivable, match="sealed to position 0 only"):
        await archive_oldest(conn, tmp_path, 0, "ana")
    while await seal(conn) is not None:
        pass
    with pytest.raises(NotArchivable, match="has not read positions 1 to 2500"):
        await archive_oldest(conn, tmp_path, 0, "ana")
    for projection in PROJECTIONS:
        await advance(conn, projection)
    with pytest.raises(NotArchivable, match="are not judged"):
        await archive_oldest(conn, tmp_path, 0, "ana")
    assert files(tmp_path) == []


async def test_a_changed_event_is_not_archived_away(conn: Any, log: EventLog, tmp_path: Path) -> None:
    await fill(conn, log, 2_600)
    await conn.execute(
        "set streamguard.migrating = 'on'; alter table log.event_000000 disable trigger all;"
        ' update log.event_000000 set meta = \'{"actor": "nobody"}\' where pos = 77;'
        " alter table log.event_000000 enable always trigger append_only; reset streamguard.migrating"
    )
    with pytest.raises(NotArchivable, match="not as they were sealed"):
        await archive_oldest(conn, tmp_path, 0, "ana")
    assert files(tmp_path) == []


async def test_a_reader_is_not_made_to_wait(conn: Any, pool: Any, log: EventLog, tmp_path: Path) -> None:
    """Somebody is in the middle of reading the partition: it stays until they have done."""
    await fill(conn, log, 2_600)
    async with pool.acquire() as reading:
        transaction = reading.transaction()
        await transaction.start()
        await reading.fetch("select pos from log.event where pos = 1")
        with pytest.raises(NotArchivable, match="being read without a pause"):
            await archive_oldest(conn, tmp_path, 0, "ana")
        await transaction.rollback()
    assert await archive_oldest(conn, tmp_path, 0, "ana") is not None
