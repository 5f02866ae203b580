"""How cases are worked: four eyes for blocks, a time limit with a default action. The log holds it for everybody."""

from __future__ import annotations

from core.cases.acting import Refused, append
from core.eventlog import EventLog
from core.eventlog.act import command
from schema.events import CasePolicySet

STREAM = "operator-policy"
DEFAULTS = ("escalate", "dismiss")
LEAST_LIMIT_MS = 60_000


async def policy(log: EventLog) -> CasePolicySet:
    """The policy in force; one pair of eyes and no limit where none was set."""
    for recorded in reversed(await log.read_stream(STREAM)):
        if isinstance(recorded.event, CasePolicySet):
            return recorded.event
    return CasePolicySet()


async def set_policy(log: EventLog, wanted: CasePolicySet) -> None:
    """From now on. Raises ``Refused`` for an action or a limit that makes no sense."""
    if wanted.default not in DEFAULTS:
        raise Refused(f"{wanted.default!r} is none of {', '.join(DEFAULTS)}")
    if wanted.limit_ms is not None and wanted.limit_ms < LEAST_LIMIT_MS:
        raise Refused("a limit of less than a minute would close cases before anybody can see them")
    await append(log, command(STREAM, [wanted], wanted.operator))
