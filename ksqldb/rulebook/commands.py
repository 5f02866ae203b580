"""``streamguard rules list|deploy|pause|resume|undeploy|test``. Rows to stdout, progress to stderr.

Exit codes: 0 done, 1 a rule is not in the state asked for, 2 usage, 3 the server cannot be reached.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from ksqldb.client import KsqlClient, KsqlClientError, KsqlUnavailable
from ksqldb.engine.errors import KsqlError
from ksqldb.rulebook._cases import run_cases
from ksqldb.rulebook._deploy import RuleState, Status, deploy, pause, resume, states, undeploy
from ksqldb.rulebook._files import Rule, Rulebook, RuleFileError, load

DONE, NO, USAGE, UNREACHABLE = 0, 1, 2, 3
IMPATIENT = 10.0  # seconds: a person waits


async def list_rules(url: str, *, as_json: bool = False, folder: Path | None = None) -> int:
    """Every rule and its state on the server."""

    async def body(client: KsqlClient, book: Rulebook) -> int:
        _show(await states(client, book), as_json=as_json)
        return DONE

    return await _with_server(url, folder, body)


async def deploy_rules(
    url: str, rule_ids: Sequence[str] = (), *, as_json: bool = False, folder: Path | None = None
) -> int:
    """Bring the rules named, or those that are on by default, to their files' version."""

    async def body(client: KsqlClient, book: Rulebook) -> int:
        done = await deploy(client, book, list(rule_ids) or None, _note, IMPATIENT)
        _show(done, as_json=as_json)
        return DONE if all(state.status in (Status.DEPLOYED, Status.PAUSED) for state in done) else NO

    return await _with_server(url, folder, body)


async def pause_rules(url: str, rule_ids: Sequence[str], *, folder: Path | None = None) -> int:
    return await _each(url, rule_ids, folder, pause)


async def resume_rules(url: str, rule_ids: Sequence[str], *, folder: Path | None = None) -> int:
    return await _each(url, rule_ids, folder, resume)


async def undeploy_rules(url: str, rule_ids: Sequence[str], *, folder: Path | None = None) -> int:
    """Take the rules named off the server, with what they made."""
    return await _each(url, rule_ids, folder, undeploy)


def check_rules(rule_ids: Sequence[str] = (), *, folder: Path | None = None) -> int:
    """Run the cases of the rules named, or of all, on the engine in this process; needs no server."""
    try:
        book = load(folder)
        rules = [book.rule(rule_id) for rule_id in rule_ids] or list(book.rules.values())
        results = [result for rule in rules if rule.cases for result in run_cases(rule, book, rule.cases)]
    except (RuleFileError, KsqlError) as problem:
        _note(str(problem))
        return USAGE
    for result in results:
        print(f"{'ok' if result.problem is None else 'FAILED':<6} {result.rule}: {result.name}")
        if result.problem is not None:
            print(f"       {result.problem}")
    for rule in rules:
        if not rule.cases:
            _note(f"{rule.id} has no {rule.id}.test.toml")
    failed = sum(result.problem is not None for result in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return DONE if not failed else NO


async def _each(
    url: str, rule_ids: Sequence[str], folder: Path | None, act: Callable[[KsqlClient, Rule], Awaitable[None]]
) -> int:
    async def body(client: KsqlClient, book: Rulebook) -> int:
        rules = [book.rule(rule_id) for rule_id in rule_ids]
        for rule in rules:
            await act(client, rule)
        _show([state for state in await states(client, book) if state.rule in rules], as_json=False)
        return DONE

    return await _with_server(url, folder, body)


async def _with_server(url: str, folder: Path | None, body: Callable[[KsqlClient, Rulebook], Awaitable[int]]) -> int:
    try:
        book = load(folder)
        client = KsqlClient(url)
    except (RuleFileError, ValueError) as problem:
        _note(str(problem))
        return USAGE
    async with client:
        try:
            return await body(client, book)
        except RuleFileError as problem:
            _note(str(problem))
            return USAGE
        except KsqlUnavailable as problem:
            _note(f"{problem}\n`streamguard status` says which services are up")
            return UNREACHABLE
        except KsqlClientError as problem:
            _note(str(problem))
            return NO


def _show(found: Sequence[RuleState], *, as_json: bool) -> None:
    for state in found:
        rule = state.rule
        if as_json:
            row = {
                "id": rule.id,
                "title": rule.title,
                "severity": rule.severity,
                "score": rule.score,
                "version": rule.version,
                "status": state.status.value,
                "queries": list(state.queries),
            }
            print(json.dumps(row))
        else:
            print(f"{rule.id:<20} {state.status.value:<9} {rule.severity:<8} {rule.score:>4}  {rule.title}")


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
