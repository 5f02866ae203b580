"""`streamguard events` and `streamguard log`: read, follow, seal, verify, archive. They return exit codes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.eventlog import archiving, keys, roles, witness
from core.eventlog.act import of_operator, perform
from core.eventlog.archive import open_archive
from core.eventlog.connect import connected, opened
from core.eventlog.record import Recorded
from core.eventlog.seal import seal
from core.eventlog.verify import verify
from core.output import harmless, note, print_json
from schema.events import LogVerified

DONE, NO = 0, 1


async def events(
    dsn: str,
    archive_folder: Path,
    *,
    follow: bool = False,
    stream: str | None = None,
    types: Sequence[str] = (),
    from_pos: int | None = None,
    limit: int | None = None,
    as_json: bool = False,
) -> int:
    """Print events from a position on, at most ``limit``; with ``follow`` also those to come, until interrupted.

    ``stream`` is a stream's name, or the beginning of names with a ``*`` at the end. Without ``from_pos``: the whole
    log, archived partitions too, or with ``follow`` only what is new.
    """
    wanted = types or None
    prefix = None if stream is None else stream.removesuffix("*")
    exact = None if stream is None or stream.endswith("*") else stream
    async with opened(dsn, roles.READER, archive_folder) as (_, log):
        head = await log.head()
        start = from_pos if from_pos is not None else head + 1 if follow else 1
        left = limit
        async for batch in log.subscribe(start, prefix, wanted, upto=None if follow else head):
            for recorded in batch:
                if exact is not None and recorded.stream != exact:
                    continue
                if left == 0:
                    return DONE
                _print(recorded, as_json)
                left = None if left is None else left - 1
    return DONE


def _print(recorded: Recorded, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "position": recorded.pos,
                "stream": recorded.stream,
                "version": recorded.version,
                "type": recorded.type,
                "schema_version": recorded.schema_version,
                "at": recorded.at.isoformat(),
                "data": msgspec.json.decode(recorded.data),
                "meta": msgspec.json.decode(recorded.metadata),
            }
        )
        return
    print(
        f"{recorded.pos:>10}  {recorded.at.astimezone():%Y-%m-%d %H:%M:%S}  {harmless(recorded.type):<18}"
        f"  {harmless(recorded.stream)}@{recorded.version}  {harmless(recorded.meta.actor)}  {harmless(recorded.data)}",
        flush=True,
    )


async def seal_log(dsn: str, witness_file: Path, key_file: Path) -> int:
    """Seal and sign all events not sealed yet, and write the heads to the witness and to stdout."""
    signer = keys.load(key_file)
    sealed = 0
    async with connected(dsn, roles.PROJECTOR) as conn, connected(dsn, roles.PROJECTOR) as helper:
        while (head := await seal(conn, signer=signer, helpers=[helper])) is not None:
            witness.add(witness_file, head)
            print_json(msgspec.to_builtins(head))
            sealed += 1
    note(f"{sealed} seals more; the witness is {witness_file}" if sealed else "all events are sealed")
    return DONE


async def verify_log(
    dsn: str,
    witness_file: Path,
    operator: str,
    *,
    trusted: Sequence[str] = (),
    key_file: Path | None = None,
    archive_folder: Path | None = None,
    from_pos: int = 1,
    to_pos: int | None = None,
    as_json: bool = False,
) -> int:
    """Recompute the seals over a range; 1 when something is not as it was sealed. The answer is an event.

    Seals may be signed with the keys ``trusted``, that of ``key_file`` and those that the witness names.
    """
    heads = witness.read(witness_file)
    known = {*trusted, *keys.known(key_file)}
    if not heads:
        note(f"there is no witness at {witness_file}: a log rewritten and sealed again cannot be told")
    if not known and all(head.key is None for head in heads):
        note("no key is known here: signatures show only that one sealer made them, not which")
    async with opened(dsn) as (pool, log):
        upto = to_pos if to_pos is not None else await log.head()
        async with pool.acquire() as conn, pool.acquire() as helper:
            archive = None if archive_folder is None else await open_archive(conn, archive_folder)
            findings = await verify(
                conn, from_pos, upto, heads, _Progress(), keys=known, archive=archive, helpers=[helper]
            )
        result = "as sealed" if not findings else f"{len(findings)} findings"
        event = LogVerified(operator=operator, from_position=from_pos, to_position=upto, result=result)
        await perform(log, of_operator(operator, [event]))
    if as_json:
        print_json(
            {
                "from": from_pos,
                "to": upto,
                "witnessed": len(heads),
                "findings": [msgspec.to_builtins(f) for f in findings],
            }
        )
    else:
        print(f"positions {from_pos:,} to {upto:,}: {result}")
        for finding in findings:
            print(f"  {finding.what}")
    return NO if findings else DONE


async def archive_log(dsn: str, folder: Path, keep: int, operator: str) -> int:
    """Move whole partitions out of the database into files, all but the newest ``keep`` events at least."""
    async with connected(dsn) as conn:
        moved = 0
        try:
            while (file := await archiving.archive_oldest(conn, folder, keep, operator)) is not None:
                print(f"positions {file.first:,} to {file.last:,} are in {file.path}")
                moved += 1
        except archiving.NotArchivable as error:
            note(str(error))
            return NO
    note(f"{moved} partitions were archived" if moved else "there is no whole partition to archive")
    return DONE


async def restore_log(dsn: str, folder: Path, operator: str) -> int:
    """Take the newest archived partition back into the database."""
    async with connected(dsn) as conn:
        file = await archiving.restore_newest(conn, folder, operator)
    if file is None:
        note("nothing is archived")
        return NO
    print(f"positions {file.first:,} to {file.last:,} are in the database again")
    return DONE


class _Progress:
    """Says how far a verification is, each tenth of the way."""

    def __init__(self) -> None:
        self._tenth = 0

    def __call__(self, pos: int, head: int) -> None:
        if (tenth := 10 * pos // max(head, 1)) > self._tenth:
            self._tenth = tenth
            note(f"{pos:,} of {head:,} events")
