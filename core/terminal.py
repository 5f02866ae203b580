"""What a terminal, and tmux or ssh around it, can do for the control center: facts, each with what to do about it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warn", "fail"
SMALLEST = (80, 24)
_QUICK_MS = 50
"""An escape key that tmux holds back longer than this feels slow."""
_TMUX_WITHIN_S = 2.0

Ask = Callable[[str], str | None]
"""The value of a tmux format such as ``#{escape-time}``; None where tmux does not answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, how it is, and what to do about it."""

    subject: str
    verdict: str
    found: str
    to_do: str = "nothing"


def terminal(environment: Mapping[str, str], size: tuple[int, int] | None, encoding: str) -> list[Finding]:
    """What the control center needs of a terminal; ``size`` is columns and rows, None where there is none."""
    if size is None:
        return [Finding("terminal", WARN, "this is not one", "the control center needs one; commands do not")]
    name = environment.get("TERM", "")
    shown = f"{size[0]}x{size[1]}"
    findings = [
        Finding("terminal", OK, f"{shown}, TERM={name}")
        if size[0] >= SMALLEST[0] and size[1] >= SMALLEST[1]
        else Finding("terminal", WARN, shown, "make it 80x24 or larger: below that, lists are cut short")
    ]
    return findings + hints(environment, encoding) + _colours(environment)


def hints(environment: Mapping[str, str], encoding: str) -> list[Finding]:
    """What makes the screen hard to read, if anything does: a terminal of unknown kind, text that is not UTF-8."""
    findings = []
    name = environment.get("TERM", "")
    if name in ("", "dumb", "unknown"):
        found = f"TERM is {name}" if name else "TERM is not set"
        findings.append(Finding("TERM", FAIL, found, "set it to what the terminal is, such as xterm-256color"))
    if encoding.lower().replace("-", "") != "utf8":
        to_do = "set LANG or LC_ALL to a UTF-8 locale such as C.UTF-8"
        findings.append(Finding("encoding", FAIL, f"the locale's is {encoding}, not UTF-8", to_do))
    return findings


def _colours(environment: Mapping[str, str]) -> list[Finding]:
    if "NO_COLOR" in environment:
        return [Finding("colours", OK, "none, by NO_COLOR: signs and words tell all", "unset NO_COLOR to have them")]
    if environment.get("COLORTERM") in ("truecolor", "24bit"):
        return [Finding("colours", OK, "24 bit")]
    return [Finding("colours", OK, "256 or fewer", "export COLORTERM=truecolor where the terminal has them all")]


def around(environment: Mapping[str, str], ask: Ask) -> list[Finding]:
    """What stands between the program and the eyes: tmux, GNU screen, ssh."""
    findings = []
    if environment.get("TMUX"):
        findings += tmux(ask)
    elif environment.get("STY"):
        to_do = "take copies from the exports folder, or use tmux"
        findings.append(Finding("GNU screen", WARN, "it lets no copies out to the clipboard", to_do))
    if environment.get("SSH_CONNECTION"):
        client = environment["SSH_CONNECTION"].split(" ")[0]
        findings.append(Finding("ssh", OK, f"from {client}", "`ssh -C` on a slow line: a tenth of the bytes"))
    return findings


def tmux(ask: Ask) -> list[Finding]:
    """Version, how long the escape key waits, whether copies get out, and who else looks at the session."""
    version = ask("#{version}")
    if version is None:
        return [Finding("tmux", WARN, "TMUX is set, but tmux does not answer", "unset TMUX, or put tmux on the PATH")]
    findings = [Finding("tmux", OK, f"version {version}")]
    waits = ask("#{escape-time}") or ""
    quick = waits.isdecimal() and int(waits) <= _QUICK_MS
    findings.append(
        Finding("tmux escape-time", OK, f"{waits} ms")
        if quick
        else Finding(
            "tmux escape-time", WARN, f"{waits or '?'} ms: esc is slow", "`set -s escape-time 10` in ~/.tmux.conf"
        )
    )
    clipboard, passthrough = ask("#{set-clipboard}"), ask("#{allow-passthrough}")
    if clipboard == "on" or passthrough in ("1", "2", "on", "all"):
        findings.append(Finding("tmux copies", OK, "get out to the terminal's clipboard"))
    else:
        to_do = "`set -s set-clipboard on` in ~/.tmux.conf; until then copies are in the exports folder"
        findings.append(Finding("tmux copies", WARN, f"stay inside: set-clipboard is {clipboard or '?'}", to_do))
    if (others := ask("#{session_attached}") or "").isdecimal() and int(others) > 1:
        to_do = "`tmux detach -a` sends the others away, should the size be theirs"
        findings.append(Finding("tmux clients", OK, f"{others} look at this session", to_do))
    return findings


def ask_tmux(form: str) -> str | None:
    """Have the tmux around this process expand a format."""
    try:
        done = subprocess.run(
            ["tmux", "display-message", "-p", form], capture_output=True, text=True, check=True, timeout=_TMUX_WITHIN_S
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
