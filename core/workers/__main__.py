"""``python -m core.workers``: the worker process that a control center hosts. ``--hosted``: it ends with its parent."""

from __future__ import annotations

import argparse
import os
import sys

from core.failures import explain
from core.settings import load
from core.workers.names import TASKS
from core.workers.process import serve


def main() -> int:
    """Exit codes: 0 stopped when asked, 2 usage, 3 a service cannot be reached."""
    parser = argparse.ArgumentParser(prog="python -m core.workers")
    parser.add_argument("--only", default=",".join(TASKS), help=f"tasks, comma-separated: {', '.join(TASKS)}")
    parser.add_argument("--hosted", action="store_true", help="stop when standard input closes")
    options = parser.parse_args()
    try:
        return serve(load(), options.only.split(","), hosted=options.hosted)
    except Exception as error:
        known = explain(error)
        if known is None:
            raise
        print(f"streamguard workers: {known[1]}", file=sys.stderr)
        return known[0]


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # all is drained and closed; taking the interpreter apart would only keep the operator waiting
