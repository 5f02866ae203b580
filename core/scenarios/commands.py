"""``streamguard generate``: payments as JSON lines on standard output."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from time import time

import msgspec

from core.output import note
from core.scenarios import registry
from core.scenarios.knobs import given
from core.scenarios.population import Population
from core.scenarios.traffic import Traffic
from schema.label import Label
from schema.transaction import Transaction

DAY_MS = 86_400_000
_TITLES = {
    "batch": "Honest payments of whole days that end now",
    "stream": "Honest payments as they happen",
    "velocity": "velocity_burst by a shorter name",
}
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class WrongKind(ValueError):
    """Neither batch, stream, velocity nor a scenario's name."""


async def generate(
    kind: str, count: int, rate: float, seed: int, accounts: int, settings: Sequence[str] = (), *, labels: bool
) -> int:
    """``batch``: ``count`` payments of whole days that end now. ``stream``: one after another at ``rate`` a second,
    for ever when ``count`` is 0. ``velocity`` or a scenario's name: its campaign. One JSON object a line; with
    ``labels`` the labels of a campaign instead of its payments. ``settings``: its parameters, NAME=VALUE.
    """
    population = Population(seed, accounts)
    now = int(time() * 1000)
    if kind == "stream":
        await _stream(Traffic(population, seed), count, rate)
        return 0
    if kind == "batch":
        _write(_batch(Traffic(population, seed), count, population.size, now))
        return 0
    name = "velocity_burst" if kind == "velocity" else kind
    if name not in registry.SCENARIOS:
        raise WrongKind(f"{kind!r} is neither batch, stream, velocity nor one of {', '.join(registry.SCENARIOS)}")
    campaign = registry.build(name, f"{name}-{seed}", seed, now, population, given(settings))
    _write(planned.label if labels else planned.transaction for planned in campaign.payments)
    note(
        f"{len(campaign.payments)} payments, {len(campaign.frauds)} fraudulent, alerts due on {len(campaign.expected)}"
    )
    return 0


def choose() -> str:
    """Ask which kind, in a terminal; raises ``WrongKind`` elsewhere."""
    kinds = [*_TITLES, *registry.SCENARIOS]
    if not sys.stdin.isatty():
        raise WrongKind(f"say what to generate: {', '.join(kinds)}")
    for number, kind in enumerate(kinds, 1):
        title = registry.SCENARIOS[kind].title if kind in registry.SCENARIOS else _TITLES[kind]
        note(f"{number:3}  {kind:<22} {title}")
    sys.stderr.write("which? ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip()
    if answer.isdigit() and 0 < int(answer) <= len(kinds):
        return kinds[int(answer) - 1]
    return answer


def _batch(traffic: Traffic, count: int, accounts: int, now: int) -> Iterator[Transaction]:
    per_day = max(1, int(2.16 * accounts))
    days = count // per_day + 2
    made = traffic.days((now // DAY_MS - days) * DAY_MS, days, per_day)
    for _, payment in zip(range(count), made, strict=False):
        yield payment


def _write(values: Iterator[Transaction | Label] | Iterator[Transaction]) -> None:
    out = sys.stdout.buffer
    for value in values:
        out.write(_ENCODER.encode(value))
        out.write(b"\n")
    out.flush()


async def _stream(traffic: Traffic, count: int, rate: float) -> None:
    started, sent = time(), 0
    while not count or sent < count:
        due = min(int((time() - started) * rate), count or 1 << 62)
        if due > sent:
            now = int(time() * 1000)
            _write(traffic.at(now, now) for _ in range(due - sent))
            sent = due
        await asyncio.sleep(0.02)
