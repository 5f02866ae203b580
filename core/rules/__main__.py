"""``python -m core.rules``: one backtest, asked for on standard input as JSON; lines of JSON come back."""

from __future__ import annotations

import gc
import sys

import msgspec

from core.rules.backtest import BacktestFailed, BacktestRequest, Failed, Finished, Line, Progress
from core.rules.trial import run


def main() -> None:
    gc.disable()  # one short life, millions of small values
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=BacktestRequest)
    try:
        say(Finished(run(request, lambda share, words: say(Progress(share, words)))))
    except (BacktestFailed, OSError) as error:
        say(Failed(str(error)))


def say(line: Line) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
