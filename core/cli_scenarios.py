"""`streamguard scenarios`: crimes with their ground truth, launched over whatever traffic there is."""

from typing import Annotated

from cyclopts import App, Parameter

from core.access import changes, looks
from core.cli import HERE, Json, Limit, Where
from core.cli_log import OPERATOR, Operator, with_postgres
from core.failures import UsageError
from core.scenarios import run_commands as commands

scenarios = App(
    name="scenarios",
    help="Scenarios: list, parameters, launch, stop, runs, compare, measure.",
    help_format="plaintext",
)


@scenarios.command(name="list")
@looks
def list_(*, json: Json = False) -> int:
    """Every scenario with what should catch it."""
    return commands.list_scenarios(as_json=json)


@scenarios.command
@looks
def parameters(scenario: str, /, *, json: Json = False) -> int:
    """What `launch --set` can set of a scenario, with its bounds."""
    return commands.show_parameters(scenario, as_json=json)


@scenarios.command
@looks
def measure(
    *names: str,
    seeds: Annotated[int, Parameter(help="worlds; each scenario runs once in each")] = 3,
    json: Json = False,
) -> int:
    """What detection makes of the scenarios named, or of all, over weeks of generated traffic; no stack needed."""
    from core.rules.commands import print_scenarios

    return print_scenarios(names, seeds, as_json=json)


@scenarios.command
@looks
def runs(*, limit: Limit = 20, json: Json = False, where: Where = HERE) -> int:
    """Runs with their verdicts, the newest first."""
    return with_postgres(where, lambda dsn: commands.list_runs(dsn, limit, as_json=json))


@scenarios.command
@looks
def compare(*run: str, json: Json = False, where: Where = HERE) -> int:
    """Runs side by side, the better figure marked; without names the two newest that have a verdict."""
    return with_postgres(where, lambda dsn: commands.compare_runs(dsn, run, as_json=json))


@scenarios.command
@changes
def launch(
    *scenario: str,
    seed: Annotated[int | None, Parameter(help="otherwise drawn, one for each")] = None,
    set: Annotated[tuple[str, ...], Parameter(negative=(), help="a parameter as NAME=VALUE; may be repeated")] = (),
    wait: Annotated[
        bool, Parameter(negative=(), help="until their verdicts; exit 1 where something was missed")
    ] = False,
    operator: Operator = OPERATOR,
    where: Where = HERE,
) -> int:
    """Ask for runs of one scenario or several at once; the workers serve them."""
    if not scenario:
        raise UsageError("say which: `streamguard scenarios list` shows those there are")
    return with_postgres(where, lambda dsn: commands.launch(dsn, scenario, seed, set, operator, wait=wait))


@scenarios.command
@changes
def stop(*run: str, operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """End the runs named, or all that are under way."""
    return with_postgres(where, lambda dsn: commands.stop(dsn, run, operator))
