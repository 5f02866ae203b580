"""Pass rates by area and the cases that fail, written into a Markdown file between two marks.

Why a case fails is for people to say: the reason that stands beside its id in the file is kept as long as it fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- written by the runner: begin -->", "<!-- written by the runner: end -->"
_UNEXPLAINED = "not looked into yet"
_ROW = re.compile(r"^\| `(?P<id>.*?)` \| (?P<reason>.*) \|$", re.M)


@dataclass(frozen=True, slots=True)
class Judged:
    """A case's outcome with the suite (folder) that it is of."""

    suite: str
    area: str
    id: str
    passed: bool


def update(file: Path, outcomes: Sequence[Judged]) -> None:
    """Rewrite the part between the marks. ValueError where the file has no such part."""
    text = file.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{file} does not hold the lines {BEGIN} and {END}")
    reasons = {match["id"]: match["reason"] for match in _ROW.finditer(old)}
    file.write_text(f"{before}{BEGIN}\n{written(outcomes, reasons)}{END}{after}", "utf-8")


def written(outcomes: Sequence[Judged], reasons: dict[str, str]) -> str:
    lines: list[str] = []
    for suite in dict.fromkeys(outcome.suite for outcome in outcomes):
        own = [outcome for outcome in outcomes if outcome.suite == suite]
        lines += [f"\n### {suite}\n", "| area | passed | of | rate |", "|---|---:|---:|---:|"]
        for area in sorted({outcome.area for outcome in own}):
            lines.append(_rate(area, [outcome for outcome in own if outcome.area == area]))
        lines.append(_rate("**all**", own))
        failed = [outcome for outcome in own if not outcome.passed]
        if failed:
            lines += ["\n| case that fails | reason |", "|---|---|"]
            lines += [f"| `{_cell(o.id)}` | {reasons.get(_cell(o.id), _UNEXPLAINED)} |" for o in failed]
    return "\n".join(lines) + "\n\n"


def _rate(name: str, outcomes: Iterable[Judged]) -> str:
    passed = [outcome.passed for outcome in outcomes]
    share = 100 * sum(passed) / len(passed)
    return f"| {name} | {sum(passed)} | {len(passed)} | {share:.1f} % |"


def _cell(text: str) -> str:
    return text.rstrip("|").replace("|", "/")
