"""`streamguard events`, `projections`, `log` and `dead-letters`: the commands over the log, loaded when called."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from cyclopts.validators import Number

from core.access import changes, looks
from core.actor import operator_name
from core.cli import HERE, Json, Limit, Position, Where, with_services

Operator = Annotated[str, Parameter(help="who acts, for the record")]
OPERATOR = operator_name()

projections = App(
    name="projections", help="Projections of the log: list, show, rebuild, prove.", help_format="plaintext"
)
log = App(name="log", help="The log itself: seal, verify, archive, restore.", help_format="plaintext")
dead_letters = App(name="dead-letters", help="Records the inlet refused.", help_format="plaintext")


Archive = Annotated[Path | None, Parameter(help="folder of the archived partitions (HOME/archive)")]


def with_postgres(where: Where, body: Callable[[str], Coroutine[Any, Any, int]]) -> int:
    """Run `body` with the database's address; with `read_only` the server refuses whatever it would write."""
    settings = where.settings()
    looking = read_only if settings.read_only else str
    if (elsewhere := settings.postgres) is not None:  # then nothing else is needed
        return asyncio.run(body(looking(elsewhere.get_secret_value())))
    return with_services(where, lambda addresses, _: body(looking(addresses.postgres)))


def read_only(dsn: str) -> str:
    """The address with sessions that only read: what is no parameter of a connection is a setting of its session."""
    return f"{dsn}{'&' if '?' in dsn else '?'}default_transaction_read_only=on"


@looks
def events(
    *,
    follow: Annotated[bool, Parameter(negative=(), help="go on with what is appended, until ctrl-c")] = False,
    stream: Annotated[str | None, Parameter(help="a stream, or with a * at the end all that begin so")] = None,
    type: Annotated[tuple[str, ...], Parameter(negative=(), help="an event type; may be repeated")] = (),
    start: Position = None,
    limit: Limit | None = None,
    archive: Archive = None,
    json: Json = False,
    where: Where = HERE,
) -> int:
    """Events of the log in order, archived ones too; with --follow also those to come."""
    from core.eventlog import commands

    folder = archive or where.settings().home / "archive"
    return with_postgres(
        where,
        lambda dsn: commands.events(
            dsn, folder, follow=follow, stream=stream, types=type, from_pos=start, limit=limit, as_json=json
        ),
    )


@projections.command(name="list")
@looks
def projections_list(*, json: Json = False, where: Where = HERE) -> int:
    """Where each projection stands, and how far behind the log."""
    from core.projections import commands

    return with_postgres(where, lambda dsn: commands.list_projections(dsn, as_json=json))


@projections.command(name="show")
@looks
def projections_show(
    table: str,
    /,
    *,
    limit: Limit = 50,
    json: Json = False,
    where: Where = HERE,
) -> int:
    """Rows of a projection's table (alert, rule_stat, list_entry, audit, throughput_minute ...), the newest first."""
    from core.projections import commands

    return with_postgres(where, lambda dsn: commands.show_projection(dsn, table, limit, as_json=json))


@projections.command(name="prove")
@looks
def projections_prove(*names: str, json: Json = False, where: Where = HERE) -> int:
    """Compare those named, or all, with a replay of the log row by row; exit 1 when one differs."""
    from core.projections import commands

    return with_postgres(where, lambda dsn: commands.prove_projections(dsn, names, as_json=json))


@projections.command(name="rebuild")
@changes
def projections_rebuild(*names: str, operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """Build those named, or all, anew from the log while they are read."""
    from core.projections import commands

    return with_postgres(where, lambda dsn: commands.rebuild_projections(dsn, names, operator))


@projections.command(name="retry")
@changes
def projections_retry(name: str, /, *, operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """Let a parked projection take up the event it stopped at once more."""
    from core.projections import commands

    return with_postgres(where, lambda dsn: commands.retry_projection(dsn, name, operator))


@projections.command(name="skip")
@changes
def projections_skip(name: str, /, *, reason: str, operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """Let a parked projection pass over the event it stopped at."""
    from core.projections import commands

    return with_postgres(where, lambda dsn: commands.skip_projection(dsn, name, operator, reason))


Witness = Annotated[Path | None, Parameter(help="file of chain heads outside the database (HOME/seals.jsonl)")]


@log.command(name="seal")
@changes
def log_seal(*, witness: Witness = None, where: Where = HERE) -> int:
    """Seal and sign what is not sealed yet; print the chain heads and write them to the witness."""
    from core.eventlog import commands

    home = where.settings().home
    file = witness or home / "seals.jsonl"
    return with_postgres(where, lambda dsn: commands.seal_log(dsn, file, home / "seal.key"))


@log.command(name="verify")
@changes
def log_verify(
    *,
    start: Annotated[int, Parameter(name="--from", help="the first position")] = 1,
    stop: Annotated[int | None, Parameter(name="--to", validator=Number(gte=0), help="the last position")] = None,
    witness: Witness = None,
    key: Annotated[
        tuple[str, ...], Parameter(negative=(), help="a public key that may have signed; may be repeated")
    ] = (),
    archive: Archive = None,
    operator: Operator = OPERATOR,
    json: Json = False,
    where: Where = HERE,
) -> int:
    """Recompute the seals; exit 1 when an event was changed, removed, put in or moved, each named by position."""
    from core.eventlog import commands

    home = where.settings().home
    return with_postgres(
        where,
        lambda dsn: commands.verify_log(
            dsn,
            witness or home / "seals.jsonl",
            operator,
            trusted=key,
            key_file=home / "seal.key",
            archive_folder=archive or home / "archive",
            from_pos=start,
            to_pos=stop,
            as_json=json,
        ),
    )


@log.command(name="archive")
@changes
def log_archive(
    *,
    keep: Annotated[int, Parameter(help="leave at least so many of the newest events in the database")] = 10_000_000,
    archive: Archive = None,
    operator: Operator = OPERATOR,
    where: Where = HERE,
) -> int:
    """Move old partitions, a million events each, out of the database into files; `events` and `verify` read on."""
    from core.eventlog import commands

    folder = archive or where.settings().home / "archive"
    return with_postgres(where, lambda dsn: commands.archive_log(dsn, folder, keep, operator))


@log.command(name="restore")
@changes
def log_restore(*, archive: Archive = None, operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """Take the partition that was archived last back into the database."""
    from core.eventlog import commands

    folder = archive or where.settings().home / "archive"
    return with_postgres(where, lambda dsn: commands.restore_log(dsn, folder, operator))


@dead_letters.command(name="list")
@looks
def dead_letters_list(
    *,
    status: Annotated[str | None, Parameter(help="open, requeued or discarded; all when left out")] = None,
    limit: Limit = 50,
    json: Json = False,
    where: Where = HERE,
) -> int:
    """The newest refused records, where they lie and why they were refused."""
    from core.kafka import dead_letters as commands

    return with_postgres(where, lambda dsn: commands.list_dead_letters(dsn, status=status, limit=limit, as_json=json))


@dead_letters.command(name="show")
@looks
def dead_letters_show(letter: int, /, *, json: Json = False, where: Where = HERE) -> int:
    """One refused record whole, as text and hexadecimal."""
    from core.kafka import dead_letters as commands

    return with_postgres(where, lambda dsn: commands.show_dead_letter(dsn, letter, as_json=json))


@dead_letters.command(name="requeue")
@changes
def dead_letters_requeue(
    letter: int,
    /,
    *,
    value: Annotated[Path | None, Parameter(help="a file with the corrected value")] = None,
    operator: Operator = OPERATOR,
    where: Where = HERE,
) -> int:
    """Send a refused record to its topic again."""
    from core.kafka import dead_letters as commands

    corrected = None if value is None else value.read_bytes()
    return with_services(
        where,
        lambda addresses, settings: commands.requeue_dead_letter(
            addresses.postgres, settings.cluster(addresses.kafka), letter, operator, corrected
        ),
    )


@dead_letters.command(name="discard")
@changes
def dead_letters_discard(
    letter: int, /, *, reason: str = "", operator: Operator = OPERATOR, where: Where = HERE
) -> int:
    """Close a refused record that nobody needs."""
    from core.kafka import dead_letters as commands

    return with_postgres(where, lambda dsn: commands.discard_dead_letter(dsn, letter, operator, reason))
