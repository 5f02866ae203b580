"""``python -m tests.fuzz [--count N] [--seed N] [--only TARGET,...]``: feed changed examples to every target.

An input that a target does not bear (an exception it must not raise, or more than 5 s) is written to ``--failures``,
and the exit code is 1.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from time import monotonic

from tests.fuzz.mutate import inputs
from tests.fuzz.targets import TARGETS, Target

PATIENCE_S = 5.0
_MOST_FAILURES = 10


class Hang(BaseException):
    """An input took longer than its time."""


def _ring(*_: object) -> None:
    raise Hang(f"longer than {PATIENCE_S:.0f} s")


def run(target: Target, count: int, seed: int) -> list[tuple[bytes, str]]:
    """Feed ``count`` inputs; the failures, as input and what came of it."""
    failures: list[tuple[bytes, str]] = []
    before = signal.signal(signal.SIGALRM, _ring)
    try:
        for data in itertools.islice(inputs(target.examples, target.words, seed), count):
            signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
            try:
                target.feed(data)
            except (Exception, Hang) as error:
                signal.setitimer(signal.ITIMER_REAL, 0)
                failures.append((data, "".join(traceback.format_exception(error)[-3:])))
                if len(failures) >= _MOST_FAILURES:
                    break
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(target.name for target in TARGETS))
    parser.add_argument("--failures", type=Path, default=Path(tempfile.gettempdir()) / "stream-guard-fuzz")
    given = parser.parse_args()
    fed = failed = 0
    home = Path.cwd()
    for target in TARGETS:
        if target.name not in given.only.split(","):
            continue
        count = max(1, round(given.count * target.share))
        began = monotonic()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)  # settings are read from the current folder
            try:
                failures = run(target, count, given.seed)
            finally:
                os.chdir(home)
        took = monotonic() - began
        fed, failed = fed + count, failed + len(failures)
        print(f"{target.name:<14} {count:>9,} inputs  {took:7.1f} s  {1e6 * took / count:8.1f} us each  "
              f"{len(failures)} failed", flush=True)  # fmt: skip
        for number, (data, why) in enumerate(failures):
            given.failures.mkdir(parents=True, exist_ok=True)
            (given.failures / f"{target.name}-{number}").write_bytes(data)
            print(f"  {data[:200]!r}\n{why}", flush=True)
    print(f"{fed:,} inputs, {failed} failed" + (f": see {given.failures}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
