"""Whatever someone who may edit everything does to the log, verification finds and names it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from core.eventlog import EventLog, Item, Meta, keys
from core.eventlog.append import append_bulk
from core.eventlog.keys import Signer
from core.eventlog.seal import GENESIS, Covered, Head, seal
from core.eventlog.verify import verify
from schema.events import CaseNoted

META = Meta(actor="ana")
EVENTS = 40
SEALED = 10


@pytest.fixture
async def conn(postgres_dsn: str, log: EventLog) -> AsyncIterator[Any]:
    """A superuser's session on a log of 40 events, the first 30 under three seals, with all guards switched off."""
    made = await asyncpg.connect(postgres_dsn)
    for number in range(30):
        await log.append(f"case-{number % 4}", [CaseNoted(case_id="c", operator="o", text=f"{number} ✓")], meta=META)
    for _ in range(3):
        await seal(made, SEALED)
    for number in range(30, EVENTS):
        await log.append(f"case-{number % 4}", [CaseNoted(case_id="c", operator="o", text=str(number))], meta=META)
    for trigger in ("log_ddl", "log_drop"):
        await made.execute(f"alter event trigger {trigger} disable")
    tables = [
        r["t"]
        for r in await made.fetch("select tgrelid::regclass::text as t from pg_trigger where tgname = 'append_only'")
    ]
    for table in tables:
        await made.execute(f"alter table {table} disable trigger all")
    yield made
    await made.close()


async def move(conn: Any, which: str, position: str) -> None:
    """Give events other positions."""
    await conn.execute(
        f"create temp table moved as select * from log.event where {which}; delete from log.event where {which};"
        f" insert into log.event select {position}, stream, version, type, schema_ver, at, data, meta from moved"
    )


async def heads(conn: Any) -> list[Head]:
    return [
        Head(r["no"], r["from_pos"], r["to_pos"], r["chain"].hex())
        for r in await conn.fetch("select * from log.seal order by no")
    ]


async def test_an_untouched_log_verifies(conn: Any) -> None:
    assert await verify(conn, witness=await heads(conn)) == []
    assert [head.to_pos for head in await heads(conn)] == [10, 20, 30]


async def test_seals_cover_the_rest_and_then_nothing_is_left(conn: Any) -> None:
    head = await seal(conn, 1_000)
    assert head is not None
    assert (head.no, head.to_pos) == (4, 40)
    assert await seal(conn) is None
    assert await verify(conn) == []


@pytest.mark.parametrize(
    "change",
    [
        """data = jsonb_set(data, '{text}', '"13 x"')""",
        """meta = '{"actor": "bo"}'""",
        "at = at + interval '1 microsecond'",
        "stream = 'case-9'",
        "version = version + 1",
        "type = 'CaseClaimed'",
        "schema_ver = 2",
    ],
)
async def test_a_changed_event_is_named(conn: Any, change: str) -> None:
    await conn.execute(f"update log.event set {change} where pos = 13")
    assert [(f.position, "changed" in f.what) for f in await verify(conn)] == [(13, True)]
    assert await verify(conn, from_pos=21) == []
    assert len(await verify(conn, from_pos=11, to_pos=20)) == 1


async def test_an_event_whose_time_was_made_none_is_named(conn: Any) -> None:
    await conn.execute("update log.event set at = 'infinity' where pos = 13")
    assert [f.position for f in await verify(conn)] == [13]


@pytest.mark.parametrize("position", [1, 15, 30, 35, 40])
async def test_a_removed_event_is_named(conn: Any, position: int) -> None:
    await conn.execute("delete from log.event where pos = $1", position)
    assert [(f.position, "gone" in f.what) for f in await verify(conn)] == [(position, True)]


async def test_exchanged_events_are_named(conn: Any) -> None:
    await move(conn, "pos in (12, 17)", "29 - pos")
    assert [f.position for f in await verify(conn)] == [12, 17]


async def test_an_event_put_in_is_named(conn: Any) -> None:
    """To make room the later ones move up: each of them is not where it was sealed."""
    await move(conn, "pos >= 25", "pos + 1")
    await conn.execute(
        "insert into log.event (pos, stream, version, type, schema_ver, data, meta)"
        " values (25, 'case-1', 99, 'CaseNoted', 1, '{}', '{}')"
    )
    assert [f.position for f in await verify(conn)] == [25, 26, 27, 28, 29, 30, 41]


async def test_an_event_beyond_the_head_is_named(conn: Any) -> None:
    await conn.execute(
        "insert into log.event (pos, stream, version, type, schema_ver, data, meta)"
        " values (77, 'case-1', 99, 'CaseNoted', 1, '{}', '{}')"
    )
    assert [f.position for f in await verify(conn)] == [77]


async def test_a_changed_or_missing_seal_is_named(conn: Any) -> None:
    await conn.execute("update log.seal set root = sha256(root) where no = 2")
    found = await verify(conn)
    assert {f.seal for f in found} >= {2}
    await conn.execute("delete from log.seal where no = 2")
    assert "seal 3 does not follow seal 1" in [f.what for f in await verify(conn)]


@pytest.mark.parametrize(
    "change",
    [
        "no = 9",
        "from_pos = 12",
        "to_pos = 19",
        "root = sha256(root)",
        "marks = set_byte(marks, 3, get_byte(marks, 3) # 1)",
        "prev = sha256(prev)",
        "chain = sha256(chain)",
        "at = at + interval '1 microsecond'",
        "format = 1",
        "key = 'ab', signature = 'x'",
    ],
)
async def test_a_seal_changed_in_any_column_is_named(conn: Any, change: str) -> None:
    await conn.execute(f"update log.seal set {change} where no = 2")
    assert {f.seal for f in await verify(conn)} & {2, 9}


@pytest.mark.parametrize(
    ("change", "positions"), [("pos = 39", [40]), ("pos = 42", [41, 42]), ("kept_from = 3", [1, 2])]
)
async def test_a_moved_end_of_the_log_is_named(conn: Any, change: str, positions: list[int]) -> None:
    await conn.execute(f"update log.head set {change}")
    assert {f.position for f in await verify(conn)} == set(positions)


async def test_seals_of_the_format_before_this_one_stay_good(conn: Any) -> None:
    rows = await conn.fetch("select * from log.seal order by no")
    prev = GENESIS
    for row in rows:
        chain = Covered(prev, row["from_pos"], row["to_pos"], row["root"], b"", row["at"], 1).chain
        assert (
            chain
            == hashlib.sha256(
                prev + row["from_pos"].to_bytes(8, "big") + row["to_pos"].to_bytes(8, "big") + row["root"]
            ).digest()
        )
        await conn.execute(
            "update log.seal set prev = $2, chain = $3, format = 1 where no = $1", row["no"], prev, chain
        )
        prev = chain
    assert await verify(conn) == []
    assert await seal(conn) is not None
    assert await verify(conn) == []


async def test_a_tail_rewritten_and_sealed_again_is_found_by_the_witness(conn: Any) -> None:
    witness = await heads(conn)
    await conn.execute("update log.event set meta = '{}' where pos = 23")
    await conn.execute("delete from log.seal where no = 3")
    await seal(conn, SEALED)
    assert await verify(conn) == [], "by itself the database cannot tell"
    assert [f.what for f in await verify(conn, witness=witness)] == ["seal 3 is not the one the witness has"]


async def test_a_tail_cut_off_is_found_by_the_witness(conn: Any) -> None:
    witness = await heads(conn)
    await conn.execute("delete from log.event where pos > 20")
    await conn.execute("delete from log.seal where no = 3")
    await conn.execute("update log.head set pos = 20")
    assert await verify(conn) == [], "by itself the database cannot tell"
    assert [f.what for f in await verify(conn, witness=witness)] == ["seal 3, which the witness has, is gone"]


async def test_the_seals_are_append_only(postgres_dsn: str, log: EventLog) -> None:
    await log.append("s", [CaseNoted(case_id="c", operator="o", text="x")], meta=META)
    made = await asyncpg.connect(postgres_dsn)
    await seal(made)
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError, match="append-only"):
        await made.execute("delete from log.seal")
    await made.close()


# ------------------------------------------------------------------------------------------------- signatures


@pytest.fixture
async def signed(postgres_dsn: str, log: EventLog, tmp_path: Path) -> AsyncIterator[tuple[Any, Signer, list[Head]]]:
    """A superuser's session without guards on a log with two signed seals, their key, and what the witness has."""
    signer = keys.load(tmp_path / "seal.key")
    made = await asyncpg.connect(postgres_dsn)
    for number in range(20):
        await log.append("case-1", [CaseNoted(case_id="c", operator="o", text=str(number))], meta=META)
    known = [await seal(made, SEALED, signer) for _ in range(2)]
    await made.execute("alter event trigger log_ddl disable; alter table log.seal disable trigger all")
    yield made, signer, [head for head in known if head is not None]
    await made.close()


Signed = tuple[Any, Signer, list[Head]]


async def test_signed_seals_verify_by_the_witness_by_the_key_and_by_themselves(signed: Signed) -> None:
    conn, signer, known = signed
    assert [head.key for head in known] == [signer.key] * 2
    for witness, trusted in ((known, ()), ((), (signer.key,)), ((), ())):
        assert await verify(conn, witness=witness, keys=trusted) == []


async def test_a_forged_signature_is_named(signed: Signed) -> None:
    conn, _, known = signed
    await conn.execute(
        "update log.seal set signature = set_byte(signature, 5, get_byte(signature, 5) # 1) where no = 2"
    )
    found = [f.what for f in await verify(conn, witness=known)]
    assert found == ["the signature of seal 2 does not fit it"]


async def test_a_log_sealed_again_with_another_key_is_found_by_the_key(signed: Signed, tmp_path: Path) -> None:
    conn, signer, known = signed
    other = keys.load(tmp_path / "other.key")
    await conn.execute("delete from log.seal where no = 2")
    await seal(conn, SEALED, other)
    assert await verify(conn) == [], "the database alone cannot tell"
    by_key = [f.what for f in await verify(conn, keys=[signer.key])]
    assert by_key == [f"seal 2 is signed with a key that is not known here: {other.key}"]
    assert by_key[0] in [f.what for f in await verify(conn, witness=known)]
    assert await verify(conn, keys=[signer.key, other.key]) == [], "a new key that is told is as good as the old one"


async def test_a_seal_stripped_of_its_signature_is_named(signed: Signed) -> None:
    conn, signer, known = signed
    await conn.execute("update log.seal set key = null, signature = null where no = 2")
    assert [f.what for f in await verify(conn)] == ["seal 2 is not signed"]
    await conn.execute("update log.seal set key = null, signature = null")
    assert await verify(conn) == [], "nobody here knows that there were signatures"
    assert len(await verify(conn, keys=[signer.key])) == len(await verify(conn, witness=known)) == 2


async def test_seals_of_the_time_before_signatures_stay_good(conn: Any, tmp_path: Path) -> None:
    before = await heads(conn)
    signer = keys.load(tmp_path / "seal.key")
    head = await seal(conn, SEALED, signer)
    assert head is not None
    assert await verify(conn, witness=[*before, head], keys=[signer.key]) == []


async def test_sealing_waits_for_no_writer_and_no_writer_for_it(conn: Any, log: EventLog, pool: Any) -> None:
    note = CaseNoted(case_id="c", operator="o", text="x")
    async with pool.acquire() as writing, writing.transaction():
        await append_bulk(writing, [Item("case-1", [note], META)])
        assert await seal(conn, 5) is not None, "while an append holds the log"
    async with conn.transaction():
        assert await seal(conn) is not None
        await log.append("case-1", [note], meta=META)
    assert await verify(conn) == []


async def test_a_hole_is_not_sealed_over(conn: Any) -> None:
    await conn.execute("delete from log.event where pos = 35")
    with pytest.raises(LookupError, match="positions 31 to 40 cannot be sealed"):
        await seal(conn)


def test_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "seal.key"
    first = keys.load(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.load(path).key == first.key
    assert keys.known(path) == {first.key}
    assert keys.known(tmp_path / "none") == set()
    assert keys.valid(first.key, first.sign(b"x"), b"x")
    assert not keys.valid(first.key, first.sign(b"x"), b"y")
    assert not keys.valid("not hexadecimal", b"", b"")
    path.chmod(0o644)
    with pytest.raises(keys.KeyFileError, match="chmod 600"):
        keys.load(path)
    path.chmod(0o600)
    path.write_text("nonsense")
    with pytest.raises(keys.KeyFileError, match="not a private key"):
        keys.load(path)
