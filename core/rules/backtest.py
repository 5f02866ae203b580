"""What a rule would have done: its own SQL on the engine over a file or the last hours, set against the live rules.

The work is heavy, so it runs in a child process (``python -m core.rules``) that gets the request on its standard input:
a screen stays quick, and cancelling ends the child.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import msgspec

EXAMPLES = 5
DAY_MS = 86_400_000


class BacktestFailed(Exception):
    """The rule, the file or the database cannot be used; the text is for a person."""


class BacktestRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``rule``: the id of a rule of the product; with ``sql`` that text of a rule file is tried under the id instead.

    ``file``: a labelled CSV read by mapping ``map``. Without it the payments of database ``dsn`` whose event time lies
    within ``last_ms`` before ``until`` (epoch ms, None = now), with what is known about them by then. ``live``: ids of
    the rules to compare with, None = those deployed by default.
    """

    rule: str
    sql: str | None = None
    file: str | None = None
    map: str = "auto"
    dsn: str | None = None
    last_ms: int = DAY_MS
    until: int | None = None
    live: tuple[str, ...] | None = None


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that is judged otherwise; ``rules`` are those that flag it, ``amount`` centavos, time epoch ms."""

    transaction_id: str
    account_id: str
    amount: int
    event_time: int
    channel: str | None
    is_fraud: bool | None
    rules: tuple[str, ...]


class Flips(msgspec.Struct, frozen=True, kw_only=True):
    """Payments on one side only; what is labelled neither fraud nor honest is in ``payments`` alone."""

    payments: int
    frauds: int
    honest: int
    examples: tuple[Example, ...]


class Backtest(msgspec.Struct, frozen=True, kw_only=True):
    """What the rule did. Shares lie between 0 and 1 and are None where no label is known.

    ``rows``: what it wrote to the alert topic; ``alerts``: incidents, joined as the consumer joins them; ``flagged``:
    payments they cover. ``compared_with``: the live version of the same rule where there is one, else all live rules;
    ``gained`` is flagged by the candidate only, ``lost`` by those only. ``rate_tx_s``: payments over the engine's
    seconds for the candidate.
    """

    rule_id: str
    version: str
    data: str
    transactions: int
    labelled: int
    frauds: int
    days: float
    rows: int
    alerts: int
    alerts_per_day: float
    flagged: int
    precision: float | None
    recall: float | None
    f1: float | None
    false_positive_rate: float | None
    recall_by_scenario: dict[str, float]
    compared_with: tuple[str, ...]
    gained: Flips
    lost: Flips
    elapsed_s: float
    rate_tx_s: float


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    share: float
    words: str


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    text: str


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    result: Backtest


Line = Progress | Failed | Finished
_LINES = msgspec.json.Decoder(Line)


async def backtest(
    request: BacktestRequest, progress: Callable[[float, str], None] = lambda share, words: None
) -> Backtest:
    """Run it; ``progress`` gets a share between 0 and 1 and words. Raises ``BacktestFailed``."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "core.rules", stdin=pipe, stdout=pipe, stderr=pipe, limit=1 << 24
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    words = asyncio.create_task(child.stderr.read())
    try:
        child.stdin.write(msgspec.json.encode(request))
        child.stdin.close()
        async for raw in child.stdout:
            match _LINES.decode(raw):
                case Progress(share, text):
                    progress(share, text)
                case Failed(text):
                    raise BacktestFailed(text)
                case Finished(result):
                    return result
        await child.wait()
        said = (await words).decode(errors="replace").strip().splitlines()
        raise BacktestFailed(f"the backtest ended without an answer: {said[-1] if said else child.returncode}")
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
        words.cancel()
