"""`streamguard`: the commands. Each is thin; what it does is imported when it is called, so that help is instant.

Rows go to stdout, progress and messages to stderr. Exit codes: 0 done, 1 the answer is no, 2 usage, 3 a service cannot
be reached, 70 a defect of this program, 130 interrupted.
"""

import asyncio
import importlib
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError
from cyclopts.validators import Number

from core.access import changes, hold_back, looks
from core.failures import DEFECT, DONE, INTERRUPTED, USAGE, UsageError, explain

if TYPE_CHECKING:
    from core.settings import Settings
    from core.stack.client import Addresses


def _version() -> str:
    from importlib.metadata import version

    return version("stream-guard")


app = App(
    name="streamguard",
    version=_version,
    help="A terminal control center for real-time payment-fraud detection. Without a command: the control center.",
    help_format="plaintext",
    version_flags=["--version"],
)


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """Flags that say where the services are; they win over STREAMGUARD_* and streamguard.toml."""

    home: Annotated[Path | None, Parameter(help="folder of the embedded stack's data, logs and run files")] = None
    kafka: Annotated[str | None, Parameter(help="Kafka bootstrap servers, HOST:PORT[,HOST:PORT]")] = None
    ksqldb: Annotated[str | None, Parameter(help="URL of a ksqlDB server")] = None
    profile: Annotated[str | None, Parameter(help="table [profiles.NAME] of streamguard.toml")] = None
    read_only: Annotated[bool | None, Parameter(negative=(), help="look at everything, change nothing")] = None

    def settings(self) -> "Settings":
        from core.settings import load

        return load(**asdict(self))


HERE = Where()
Json = Annotated[bool, Parameter(name="--json", negative=(), help="a JSON object a line")]
Limit = Annotated[int, Parameter(validator=Number(gte=1), help="at most so many")]
Position = Annotated[int | None, Parameter(name="--from", validator=Number(gte=0), help="the position to begin at")]
Yes = Annotated[bool, Parameter(name="--yes", negative=(), help="do not ask")]


def with_services(where: Where, body: "Callable[[Addresses, Settings], Awaitable[int]]") -> int:
    """Run `body` with every service at hand; a stack started for it stops after it."""
    from core.stack.commands import joined

    settings = where.settings()

    async def run() -> int:
        stack = await joined(settings)
        try:
            return await body(stack.addresses, settings)
        finally:
            await stack.close()

    return asyncio.run(run())


@app.default
@looks
def control_center(
    *,
    record: Annotated[Path | None, Parameter(help="write all that is shown to this new file")] = None,
    replay: Annotated[Path | None, Parameter(help="show such a file again instead, with pause, speed and seek")] = None,
    where: Where = HERE,
) -> int:
    """The control center; starts the embedded stack where no addresses are set."""
    if record is not None and replay is not None:
        raise UsageError("--record and --replay do not go together")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the control center needs a terminal; `streamguard run --headless` needs none")
    # By name: the console script is where the layers meet, and nothing else below the control center may know it.
    return int(importlib.import_module("tui.main").run(where, record, replay) or DONE)


# --- the embedded stack ------------------------------------------------------------------------------------------


@app.command
@looks
def up(*, where: Where = HERE) -> int:
    """Start the embedded stack and keep it running; print its addresses."""
    from core.stack import commands

    return asyncio.run(commands.up(where.settings()))


@app.command
@changes
def down(
    *,
    wipe: Annotated[bool, Parameter(negative=(), help="delete its data as well")] = False,
    yes: Yes = False,
    where: Where = HERE,
) -> int:
    """Stop the embedded stack."""
    from core.stack import commands

    return asyncio.run(commands.down(where.settings().home, wipe=wipe, yes=yes))


@app.command
@looks
def status(*, json: Json = False, where: Where = HERE) -> int:
    """State and address of kafka, ksqldb and postgres."""
    from core.stack import commands

    return asyncio.run(commands.status(where.settings(), as_json=json))


@app.command
@looks
def doctor(*, json: Json = False, where: Where = HERE) -> int:
    """Check terminal, stack and connections; say what to do."""
    from core.stack.doctor import doctor as examine

    return asyncio.run(examine(where.settings(), as_json=json))


# --- ksqlDB ------------------------------------------------------------------------------------------------------


def with_ksqldb(where: Where, body: "Callable[[str, Settings], Coroutine[Any, Any, int]]") -> int:
    settings = where.settings()
    if settings.ksqldb_url is not None:  # then nothing else is needed
        return asyncio.run(body(settings.ksqldb_url, settings))
    return with_services(where, lambda addresses, settings: body(addresses.ksqldb, settings))


@app.command
@looks
def sql(
    statement: Annotated[str | None, Parameter(name=["--execute", "-e"], help="the statement, also without -e")] = None,
    *,
    file: Annotated[
        Path | None, Parameter(name=["--file", "-f"], help="read the statements from here; - is stdin")
    ] = None,
    format: Annotated[str, Parameter(help="table, json or csv")] = "table",
    earliest: Annotated[bool, Parameter(negative=(), help="queries begin with the first record")] = False,
    where: Where = HERE,
) -> int:
    """One ksqlDB statement, a file of them, or a prompt; push queries stream until ctrl-c."""
    from ksqldb.prompt.commands import misuse, run_sql

    if problem := misuse(statement, file, format):
        raise UsageError(problem)
    return with_ksqldb(
        where,
        lambda url, settings: run_sql(
            url,
            statement,
            file=file,
            form=format,
            earliest=earliest,
            history=settings.home / "sql-history",
            read_only=settings.read_only,
        ),
    )


# --- payments ----------------------------------------------------------------------------------------------------


@app.command
@changes
def run(
    *,
    headless: Annotated[bool, Parameter(negative=(), help="without a screen")] = False,
    length: Annotated[str, Parameter(name="--for", help="how long normal traffic runs, such as 20s or 5m")] = "20s",
    rate: Annotated[int, Parameter(help="normal payments a second")] = 200,
    scenario: Annotated[tuple[str, ...], Parameter(negative=(), help="a scenario to launch; may be repeated")] = (),
    seed: Annotated[int | None, Parameter(help="of the scenarios; otherwise drawn")] = None,
    json: Json = False,
    where: Where = HERE,
) -> int:
    """Normal traffic and scenarios through the whole pipeline, then a summary."""
    if not headless:
        raise UsageError("`streamguard run --headless` runs without a screen; `streamguard` is the control center")
    if rate < 0:
        raise UsageError(f"--rate {rate}: a rate is not negative")
    from core.replay.mapping import duration
    from core.workers.headless import DEFAULT_SCENARIOS
    from core.workers.headless import run as run_headless

    chosen = scenario or DEFAULT_SCENARIOS
    return asyncio.run(run_headless(where.settings(), duration(length) / 1000, rate, chosen, as_json=json, seed=seed))


@app.command
@changes
def replay(
    file: Path,
    /,
    *,
    map: Annotated[str, Parameter(help="name of a mapping, a TOML file, or auto: by the columns")] = "auto",
    speed: Annotated[str, Parameter(help="max, or a factor against real time such as 60")] = "max",
    label_delay: Annotated[str | None, Parameter(help="such as 7d; none: labels only score")] = None,
    score_from: Annotated[str | None, Parameter(help="a date; what lies before is replayed, not scored")] = None,
    json: Json = False,
    where: Where = HERE,
) -> int:
    """A labelled CSV through the whole pipeline in event time, then its scorecard."""
    from core.replay import commands

    return asyncio.run(commands.replay(where.settings(), file, map, speed, label_delay, score_from, as_json=json))


@app.command
@looks
def score(
    *,
    last: Annotated[str | None, Parameter(help="only payments of so long, such as 24h; otherwise all")] = None,
    json: Json = False,
    where: Where = HERE,
) -> int:
    """The live scorecard: decisions and alerts against what is known by now, by rule, by scenario and overall."""
    from core.cli_log import with_postgres
    from core.replay.mapping import duration
    from core.rules.commands import print_score

    span = None if last is None else duration(last)
    return with_postgres(where, lambda dsn: print_score(dsn, span, as_json=json))


@app.command
@changes
def workers(
    *,
    only: Annotated[str | None, Parameter(help="producer,consumer,scenario,projector,rules")] = None,
    http: Annotated[
        str | None, Parameter(help="HOST:PORT of /healthz, /readyz and /metrics; else 0.0.0.0:$PORT")
    ] = None,
    where: Where = HERE,
) -> int:
    """Run a worker process until ctrl-c; any number of them share the work."""
    from core.workers.process import serve

    if http is not None or os.environ.get("PORT"):
        from core.workers.http import chosen

        http = chosen(http)
    return serve(where.settings(), only.split(",") if only else None, http=http)


@app.command
@looks
def generate(
    kind: str | None = None,
    /,
    *,
    count: Annotated[int, Parameter(help="payments; 0: a stream without end")] = 1000,
    rate: Annotated[float, Parameter(help="of a stream, a second")] = 10.0,
    seed: Annotated[int, Parameter(help="the same seed gives the same people and payments")] = 1,
    accounts: Annotated[int, Parameter(help="customers of the population")] = 10_000,
    set: Annotated[tuple[str, ...], Parameter(help="a scenario's parameter as NAME=VALUE; may be repeated")] = (),
    labels: Annotated[bool, Parameter(negative=(), help="a scenario's labels instead of its payments")] = False,
) -> int:
    """Payments as JSON lines: batch, stream, velocity or a scenario's name; a menu in a terminal."""
    from core.scenarios import commands

    if count < 0 or rate <= 0 or accounts < 1:
        raise UsageError("--count takes 0 or more payments, --rate more than 0 a second, --accounts at least one")
    if kind is None:
        kind = commands.choose()
    return asyncio.run(commands.generate(kind, count, rate, seed, accounts, set, labels=labels))


# --- groups of commands, each in a file of its own -----------------------------------------------------------------

app.command("core.cli_kafka:topics", name="topics", help="Kafka topics: list, show, read, produce, create, delete.")
app.command("core.cli_kafka:groups", name="groups", help="Kafka consumer groups: list, show, delete, reset.")
app.command(
    "core.cli_rules:rules",
    name="rules",
    help="Rules: list, activity, overlap, deploy, pause, resume, undeploy, test, measure, backtest.",
)

app.command("core.cli_cases:alerts", name="alerts", help="Alerts: list, show.")
app.command(
    "core.cli_cases:cases",
    name="cases",
    help="Cases: list, show, claim, confirm, dismiss, escalate, reopen, note, policy.",
)
app.command("core.cli_cases:accounts", name="accounts", help="Accounts: list, show, timeline, block, unblock, snooze.")
app.command(
    "core.cli_scenarios:scenarios",
    name="scenarios",
    help="Scenarios: list, parameters, launch, stop, runs, compare, measure.",
)
app.command(
    "core.cli_lists:lists",
    name="lists",
    help="Block and allow lists: show, block, unblock, allow, disallow, approve, refuse.",
)
app.command("core.cli_log:events", name="events", help="Events of the log in order; with --follow also those to come.")
app.command(
    "core.cli_log:projections",
    name="projections",
    help="Projections of the log: list, show, prove, rebuild, retry, skip.",
)
app.command("core.cli_log:log", name="log", help="Seals and archive of the log: seal, verify, archive, restore.")
app.command(
    "core.cli_log:dead_letters", name="dead-letters", help="Records the inlet refused: list, show, requeue, discard."
)


# --- the process -------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. No traceback reaches the person."""
    if arguments is None:  # this process is the command's own: what it writes is its user's alone
        os.umask(0o077)
    # What libraries report of a service that is away is noise here: the command says what it means.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        code = _exit_code(_run(arguments))
        sys.stdout.flush()  # here, where a reader that has gone is caught
        return code
    except UnusedCliTokensError as error:
        _complain(_surplus(error))
        return USAGE
    except CycloptsError as error:
        _complain(" ".join(str(error).split()))
        return USAGE
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    except BrokenPipeError:  # who read the rows has gone, and needs no more of them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        return failed(error)


def _run(arguments: Sequence[str] | None) -> Any:
    command, bound, _ = app.parse_args(arguments, exit_on_error=False, print_error=False)
    # Also where a command was given no flag that says where, the environment or the file may say read-only.
    where: Where = bound.arguments.get("where") or HERE
    hold_back(command, lambda: where.settings().read_only)
    return command(*bound.args, **bound.kwargs)


def failed(error: Exception) -> int:
    """Say in a sentence why a command failed; returns its exit code."""
    known = explain(error)
    if known is None:
        return _unexpected(error)
    _complain(known[1])
    return known[0]


def _surplus(error: UnusedCliTokensError) -> str:
    chain = " ".join(["streamguard", *(error.command_chain or ())])
    tokens = " ".join(error.unused_tokens or ())
    known = get_close_matches(tokens.partition(" ")[0], list(error.app or ()), 1)
    meant = f"; `{chain} {known[0]}` is a command" if known else ""
    return f"{tokens!r} is neither a command nor an argument here{meant}; `{chain} --help` lists them"


def _exit_code(result: Any) -> int:
    return result if isinstance(result, int) else DONE


def _unexpected(error: Exception) -> int:
    """A defect of ours: the person gets a sentence, the details go to a file to send along, without what is secret."""
    import tempfile
    import traceback

    from core.redact import redact

    with tempfile.NamedTemporaryFile("w", prefix="streamguard-", suffix=".txt", delete=False) as file:
        file.write(redact("".join(traceback.format_exception(error))))
    _complain(f"an unexpected {type(error).__name__}: {redact(str(error))}; please report it with {file.name}")
    return DEFECT


def _complain(sentence: str) -> None:
    from core.redact import without_secrets
    from schema.text import harmless

    print(f"streamguard: {harmless(without_secrets(sentence))}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
