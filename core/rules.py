"""`streamguard rules`: the rule files and what a ksqlDB server has of them. They return exit codes."""

from core.failures import DONE, NO, USAGE
from core.output import note, print_rows
from ksqldb.client import KsqlClient
from ksqldb.rulebook import Rule, Rulebook, RuleState, Status, deploy, load, pause, resume, states

_COLUMNS = ("rule", "status", "severity", "score", "title")


def _print(found: list[RuleState], as_json: bool) -> None:
    rows = [(s.rule.id, s.status.value, s.rule.severity, s.rule.score, s.rule.title) for s in found]
    print_rows(_COLUMNS, rows, as_json)


async def list_rules(url: str, *, as_json: bool) -> int:
    """Every rule file with its state on the server."""
    async with KsqlClient(url) as client:
        _print(await states(client, load()), as_json)
    return DONE


async def deploy_rules(url: str, names: list[str], *, as_json: bool) -> int:
    """Bring the rules named, or all, to their files' version. Exit code 1 where one does not run afterwards."""
    book = load()
    if _unknown(book, names):
        return USAGE
    async with KsqlClient(url) as client:
        done = await deploy(client, book, names or None, progress=note)
    _print(done, as_json)
    return DONE if all(state.status in (Status.DEPLOYED, Status.PAUSED) for state in done) else NO


async def pause_rules(url: str, names: list[str], *, on: bool) -> int:
    """Hold the rules named (what comes meanwhile waits in the topic), or let them go on."""
    book = load()
    if _unknown(book, names):
        return USAGE
    async with KsqlClient(url) as client:
        for rule in _rules(book, names):
            await (pause if on else resume)(client, rule)
            note(f"{rule.id}: {'paused' if on else 'resumed'}")
    return DONE


def _rules(book: Rulebook, names: list[str]) -> list[Rule]:
    return [book.rule(name) for name in names] if names else list(book.rules.values())


def _unknown(book: Rulebook, names: list[str]) -> bool:
    for name in names:
        if name not in book.rules:
            note(f"there is no rule {name}; there are {', '.join(book.rules)}")
            return True
    return False
