"""The control center's own start and end, on fakes: what the pty tests about the terminal itself run."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tests.tui.fakes import Fakes, alert
from tui.main import show

STRAY = "%4|a native library writes to file descriptor 2"


def _noisy_clock() -> float:
    os.write(2, STRAY.encode() + b"\n")
    return time.time()


def main(text: str) -> None:
    fakes = Fakes(now=_noisy_clock if text == STRAY else time.time)
    if text and text != STRAY:
        fakes.alerts.rows = [alert(n, rule_id=text, account_id=text) for n in range(12)]
    sys.exit(show(fakes.ports, Path(os.environ["STREAMGUARD_HOME"])))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
