"""`streamguard doctor`: terminal, stack and connections, each with what to do where something is wrong."""

import locale
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.output import print_json, print_rows
from core.stack.client import StackSettings
from core.stack.commands import DONE, NO, states
from core.stack.errors import StackError
from core.stack.paths import StackPaths
from core.stack.state import UP

OK, WARN, FAIL = "ok", "warn", "fail"
_SMALLEST = (80, 24)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, how it is, and what to do about it (empty where nothing is)."""

    subject: str
    verdict: str
    found: str
    to_do: str = ""


def terminal(environment: Mapping[str, str], size: tuple[int, int] | None, encoding: str) -> list[Finding]:
    """What the control center needs of a terminal; `size` is None where there is none."""
    if size is None:
        return [Finding("terminal", WARN, "this is not one", "the control center needs one; commands do not")]
    name = environment.get("TERM", "")
    findings = [
        Finding("terminal", OK, f"{size[0]}x{size[1]}, TERM={name}")
        if size[0] >= _SMALLEST[0] and size[1] >= _SMALLEST[1]
        else Finding(
            "terminal", WARN, f"{size[0]}x{size[1]}", "make it 80x24 or larger: below that, lists are cut short"
        )
    ]
    if name in ("", "dumb"):
        findings.append(Finding("TERM", FAIL, name or "not set", "set TERM, for example to xterm-256color"))
    if encoding.lower().replace("-", "") != "utf8":
        findings.append(Finding("encoding", FAIL, encoding, "set LANG or LC_ALL to a UTF-8 locale such as C.UTF-8"))
    true_colour = environment.get("COLORTERM") in ("truecolor", "24bit")
    findings.append(
        Finding("colours", OK, "24 bit")
        if true_colour
        else Finding("colours", OK, "256; COLORTERM=truecolor gives all")
    )
    if "NO_COLOR" in environment:
        findings.append(Finding("NO_COLOR", OK, "set: state is told by signs and words alone"))
    return findings


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
            what = f"look at {StackPaths(settings.home).log(name)}" if known["embedded"] else "is the address right?"
            findings.append(Finding(name, FAIL, f"{known['state']} at {where}: {known['detail']}", what))
    return findings


async def doctor(settings: StackSettings, *, as_json: bool) -> int:
    """Print every finding; exit code 1 where one is a failure."""
    size = None
    if sys.stdout.isatty():
        columns, lines = os.get_terminal_size()
        size = (columns, lines)
    python = Finding("python", OK, f"{sys.version.split()[0]} at {sys.executable}")
    findings = [
        python,
        *terminal(os.environ, size, locale.getencoding()),
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
