"""``python -m ksqldb.conformance PATH... [--json]``: runs cases, ends with ``N passed, N failed``.

A path that holds dialogues recorded from a server is played instead: against the embedded broker and engine, or with
``--url`` and ``--bootstrap`` against any server and its Kafka. ``--report FILE`` brings the pass rates of a Markdown
file up to date (``docs/ksqldb-compatibility.md``).

Exit: 0 all passed, 1 some failed, 2 usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from ksqldb.conformance import queries, report, rest
from ksqldb.conformance.cases import Case, load
from ksqldb.conformance.compare import Mismatch
from ksqldb.dialogues import Played, collect, run
from ksqldb.dialogues.stack import NotStarted
from ksqldb.engine.errors import KsqlError


@dataclass(frozen=True, slots=True)
class Outcome:
    id: str
    area: str
    passed: bool
    reason: str = ""
    crashed: bool = False
    suite: str = ""


def judge(case: Case) -> Outcome:
    """Run one case. An error that is no user error is a crash, which is reported as such."""
    passed = Outcome(case.id, case.area, True, suite=case.path.parent.name)
    try:
        (rest if case.is_rest else queries).run_case(case)
    except Mismatch as mismatch:
        return replace(passed, passed=False, reason=str(mismatch))
    except KsqlError as error:
        return replace(passed, passed=False, reason=f"{type(error).__name__}: {error}")
    except Exception as error:
        return replace(passed, passed=False, reason=f"crash: {type(error).__name__}: {error}", crashed=True)
    return passed


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ksqldb.conformance", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--json", action="store_true", help="a JSON line per case")
    parser.add_argument("--report", type=Path, metavar="FILE", help="a Markdown file whose pass rates are rewritten")
    parser.add_argument("--url", help="play dialogues against this ksqlDB server (with --bootstrap)")
    parser.add_argument("--bootstrap", metavar="HOST:PORT", help="that server's Kafka")
    options = parser.parse_args(argv)
    if (options.url is None) != (options.bootstrap is None):
        parser.error("--url and --bootstrap go together")
    missing = [path for path in options.paths if not path.exists()]
    if missing:
        print(f"no such file or folder: {missing[0]}", file=sys.stderr)
        return 2
    dialogues = {path: found for path in options.paths if (found := collect(path))}
    address = (options.url, options.bootstrap) if options.url else None
    outcomes: list[Outcome] = []
    try:
        played = run([d for found in dialogues.values() for d in found], address)
        judged = (judge(case) for case in load([path for path in options.paths if path not in dialogues]))
        for outcome in chain(map(_of_dialogue, played), judged):
            outcomes.append(outcome)
            _show(outcome, options.json)
        if options.report:
            report.update(options.report, [report.Judged(o.suite, o.area, o.id, o.passed) for o in outcomes])
    except (OSError, ValueError, NotStarted) as error:
        print(error, file=sys.stderr)
        return 2
    passed = sum(outcome.passed for outcome in outcomes)
    failed = len(outcomes) - passed
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


def _of_dialogue(played: Played) -> Outcome:
    return Outcome(played.name, played.area, played.reason is None, played.reason or "", suite="dialogues")


def _show(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        line = {"id": outcome.id, "area": outcome.area, "passed": outcome.passed, "reason": outcome.reason}
        print(json.dumps(line, ensure_ascii=False))
    elif not outcome.passed:
        print(f"FAILED {outcome.id}\n    {outcome.reason}")


if __name__ == "__main__":
    sys.exit(main())
