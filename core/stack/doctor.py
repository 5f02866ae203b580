"""`streamguard doctor`: terminal, stack and connections, each with what to do where something is wrong."""

import locale
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.output import print_json, print_rows
from core.stack.client import StackSettings
from core.stack.commands import DONE, NO, states
from core.stack.errors import StackError
from core.stack.paths import StackPaths
from core.stack.state import UP
from core.terminal import FAIL, OK, Finding, around, ask_tmux, terminal


def home(folder: Path) -> list[Finding]:
    """Whether the stack could keep its data there."""
    paths = StackPaths(folder)
    try:
        paths.make()
        paths.check_space()
    except StackError as error:
        return [Finding("home", FAIL, str(folder), str(error))]
    free = shutil.disk_usage(folder).free
    return [Finding("home", OK, f"{folder}, {free >> 30} GB free")]


async def services(settings: StackSettings) -> list[Finding]:
    findings = []
    for name, known in (await states(settings)).items():
        where = str(known["address"] or "embedded")
        if known["state"] == UP:
            findings.append(Finding(name, OK, f"up at {where}"))
        elif known["embedded"] and known["address"] is None:
            findings.append(
                Finding(name, OK, "not running", "`streamguard up` starts it, and so does the control center")
            )
        else:
            log = StackPaths(settings.home).log(name)
            what = f"look at {log}" if known["embedded"] else f"start it, or mend STREAMGUARD_{name.upper()}"
            findings.append(Finding(name, FAIL, f"{known['state']} at {where}: {known['detail']}", what))
    return findings


def _terminal_size() -> tuple[int, int] | None:
    """Columns and rows; None where neither rows, keys nor messages belong to a terminal."""
    for stream in (sys.__stdout__, sys.__stdin__, sys.__stderr__):
        if stream is not None and stream.isatty():
            columns, lines = os.get_terminal_size(stream.fileno())
            return columns, lines
    return None


async def doctor(settings: StackSettings, *, as_json: bool) -> int:
    """Print every finding with what to do about it; exit code 1 where one is a failure."""
    python = Finding("python", OK, f"{sys.version.split()[0]} at {sys.executable}")
    findings = [
        python,
        *terminal(os.environ, _terminal_size(), locale.getencoding()),
        *around(os.environ, ask_tmux),
        *home(settings.home),
        *await services(settings),
    ]
    if as_json:
        for finding in findings:
            print_json(asdict(finding))
    else:
        rows: list[tuple[Any, ...]] = [(f.verdict, f.subject, f.found, f.to_do) for f in findings]
        print_rows(("", "subject", "found", "to do"), rows)
    return NO if any(finding.verdict == FAIL for finding in findings) else DONE
