"""``python -m ksqldb.conformance PATH... [--json]``: runs cases, ends with ``N passed, N failed``.

Exit: 0 all passed, 1 some failed, 2 usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from ksqldb.conformance.cases import Case, load
from ksqldb.conformance.compare import Mismatch
from ksqldb.conformance.queries import run_case
from ksqldb.engine.errors import KsqlError


@dataclass(frozen=True, slots=True)
class Outcome:
    id: str
    area: str
    passed: bool
    reason: str = ""
    crashed: bool = False


def judge(case: Case) -> Outcome:
    """Run one case. An error that is no user error is a crash, which is reported as such."""
    try:
        run_case(case)
    except Mismatch as mismatch:
        return Outcome(case.id, case.area, False, str(mismatch))
    except KsqlError as error:
        return Outcome(case.id, case.area, False, f"{type(error).__name__}: {error}")
    except Exception as error:
        return Outcome(case.id, case.area, False, f"crash: {type(error).__name__}: {error}", crashed=True)
    return Outcome(case.id, case.area, True)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ksqldb.conformance", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--json", action="store_true", help="a JSON line per case")
    options = parser.parse_args(argv)
    missing = [path for path in options.paths if not path.exists()]
    if missing:
        print(f"no such file or folder: {missing[0]}", file=sys.stderr)
        return 2
    passed = failed = 0
    try:
        for case in load(options.paths):
            outcome = judge(case)
            passed, failed = passed + outcome.passed, failed + (not outcome.passed)
            _show(outcome, options.json)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


def _show(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        line = {"id": outcome.id, "area": outcome.area, "passed": outcome.passed, "reason": outcome.reason}
        print(json.dumps(line, ensure_ascii=False))
    elif not outcome.passed:
        print(f"FAILED {outcome.id}\n    {outcome.reason}")


if __name__ == "__main__":
    sys.exit(main())
