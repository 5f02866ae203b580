"""`streamguard up`, `down` and `status`: thin over `client`. They return exit codes."""

import sys
from pathlib import Path
from typing import Any

from core.output import note, print_json, print_rows
from core.stack.client import Stack, StackSettings, Step, embedded, ensure_stack, stack_status, stop_stack
from core.stack.external import external
from core.stack.state import DOWN, SERVICES, UP

DONE, NO, USAGE = 0, 1, 2


def tell(step: Step) -> None:
    """A step of the start as a line on stderr."""
    note(f"{step.elapsed:5.1f} s  {step.service:<8}  {step.state}{': ' + step.text if step.text else ''}")


async def joined(settings: StackSettings) -> Stack:
    """The services for one command. Where the stack has to be started for it, that is said while it happens."""
    wanted = embedded(settings)
    starts = bool(wanted) and await stack_status(settings.home) is None
    if starts:
        note(f"starting {', '.join(wanted)} for this command; `streamguard up` keeps them running")
    return await ensure_stack(settings, tell if starts else lambda step: None)


async def up(settings: StackSettings) -> int:
    """Start the stack, or keep a running one, and print the addresses."""
    if not embedded(settings):
        note("every service has an address of its own; there is nothing to start here")
        return DONE
    stack = await ensure_stack(settings, tell, keep=True)
    assert stack.status is not None  # something is embedded
    addresses = {service.name: service.address for service in stack.status.services}
    print_rows(("service", "address"), [(name, addresses[name]) for name in sorted(embedded(settings))])
    await stack.close()
    return DONE


async def down(home: Path, *, wipe: bool, yes: bool) -> int:
    """Stop the stack; with `wipe` delete its data after asking."""
    if wipe and not yes and not _confirmed(home):
        return NO
    running = await stop_stack(home, wipe=wipe)
    note("stopped" if running else "no stack was running")
    if wipe:
        note(f"deleted the data in {home}")
    return DONE


def _confirmed(home: Path) -> bool:
    if not sys.stdin.isatty():
        note(f"this deletes every payment, alert and event in {home}: say --yes to mean it")
        return False
    sys.stderr.write(f"Delete every payment, alert and event in {home}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


async def states(settings: StackSettings) -> dict[str, dict[str, Any]]:
    """State, address and what else is known of each service, embedded or not."""
    found: dict[str, dict[str, Any]] = {}
    for service in await external(settings):
        found[service.name] = {
            "state": service.state,
            "address": service.address,
            "embedded": False,
            "detail": service.detail,
        }
    status = await stack_status(settings.home)
    for name in embedded(settings):
        known = status.service(name) if status else None
        found[name] = {
            "state": known.state if known else DOWN,
            "address": known.address if known else None,
            "embedded": True,
            "detail": known.detail if known else "the stack is not running",
            "pid": known.pid if known else None,
            "up_since": known.up_since if known else None,
            "restarts": known.restarts if known else 0,
        }
    return {name: found[name] for name in sorted(SERVICES)}


async def status(settings: StackSettings, *, as_json: bool) -> int:
    """Print what runs where; exit code 0 if all of it is up."""
    found = await states(settings)
    if as_json:
        print_json(found)
    else:
        rows = [(name, known["state"], known["address"], known["detail"]) for name, known in found.items()]
        print_rows(("service", "state", "address", "detail"), rows)
        running = await stack_status(settings.home)
        for problem in running.problems if running else ():
            note(problem)
        if running and running.on_demand:
            note(f"started on demand: it stops with the last of its {running.clients} clients")
    return DONE if all(known["state"] == UP for known in found.values()) else NO
