"""`streamguard rules`: the rule files and what a ksqlDB server has of them."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from core.access import changes, looks
from core.cli import HERE, Json, Where, with_ksqldb
from core.failures import UsageError
from ksqldb.rulebook import commands

rules = App(
    name="rules",
    help="Detection rules: list, deploy, pause, resume, undeploy, test, backtest, activity, overlap.",
    help_format="plaintext",
)


@rules.command(name="list")
@looks
def list_(*, json: Json = False, where: Where = HERE) -> int:
    """Every rule file with its state on the server."""
    return with_ksqldb(where, lambda url, _: commands.list_rules(url, as_json=json))


@rules.command
@changes
def deploy(*names: str, json: Json = False, where: Where = HERE) -> int:
    """Bring the rules named, or those on by default, to the version of their files."""
    return with_ksqldb(where, lambda url, _: commands.deploy_rules(url, names, as_json=json))


@rules.command
@changes
def pause(*names: str, where: Where = HERE) -> int:
    """Hold the rules named; what comes meanwhile waits in the topic."""
    return with_ksqldb(where, lambda url, _: commands.pause_rules(url, names))


@rules.command
@changes
def resume(*names: str, where: Where = HERE) -> int:
    """Let the rules named go on."""
    return with_ksqldb(where, lambda url, _: commands.resume_rules(url, names))


@rules.command
@changes
def undeploy(*names: str, where: Where = HERE) -> int:
    """Take the rules named off the server, with everything they made."""
    return with_ksqldb(where, lambda url, _: commands.undeploy_rules(url, names))


@rules.command
@looks
def test(*names: str) -> int:
    """Run the cases beside the rules' files, on an engine in this process: no server, no Kafka."""
    return commands.check_rules(names)


@rules.command
@looks
def measure(
    *names: str,
    seed: Annotated[int, Parameter(help="of the generated world")] = 1,
    json: Json = False,
) -> int:
    """Precision, recall and overlap of the rules named, or of all, on generated traffic; no server needed."""
    from core.rules.commands import print_rules

    return print_rules(names, seed, as_json=json)


@rules.command
@looks
def backtest(
    rule: str,
    /,
    *,
    on: Annotated[Path | None, Parameter(help="a labelled CSV")] = None,
    map: Annotated[str, Parameter(help="its mapping: a name, a TOML file, or auto")] = "auto",
    last: Annotated[str | None, Parameter(help="instead of a file: the log's payments of such a time, as 24h")] = None,
    against: Annotated[
        tuple[str, ...],
        Parameter(negative=(), help="a live rule to compare with; may be repeated; otherwise all of the default ones"),
    ] = (),
    json: Json = False,
    where: Where = HERE,
) -> int:
    """What a rule (its id, or a file RULE.sql) would have done: score, alerts a day, flips against the live rules."""
    import asyncio

    from core.cli_log import with_postgres
    from core.replay.mapping import duration
    from core.rules.backtest import BacktestFailed, BacktestRequest
    from core.rules.commands import rule_of, run_backtest

    if (on is None) == (last is None):
        raise UsageError("say what to run on: --on FILE, or --last 24h")
    try:
        name, sql = rule_of(rule)
    except BacktestFailed as error:
        raise UsageError(str(error)) from None
    live = against or None
    if on is not None:
        request = BacktestRequest(rule=name, sql=sql, file=str(on), map=map, live=live)
        return asyncio.run(run_backtest(request, as_json=json))
    span = duration(last or "")
    return with_postgres(
        where,
        lambda dsn: run_backtest(BacktestRequest(rule=name, sql=sql, dsn=dsn, last_ms=span, live=live), as_json=json),
    )


@rules.command
@looks
def activity(
    *,
    hours: Annotated[int, Parameter(help="hours of event time, the last of them the newest with an alert")] = 24,
    json: Json = False,
    where: Where = HERE,
) -> int:
    """Each rule's alerts by the hour, how people decided them, precision and recall on known labels."""
    from core.cli_log import with_postgres
    from core.rules.activity_commands import show_activity

    return with_postgres(where, lambda dsn: show_activity(dsn, hours, as_json=json))


@rules.command
@looks
def overlap(*, json: Json = False, where: Where = HERE) -> int:
    """Which rules name the same payments."""
    from core.cli_log import with_postgres
    from core.rules.activity_commands import show_overlap

    return with_postgres(where, lambda dsn: show_overlap(dsn, as_json=json))
