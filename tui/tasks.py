"""Work in the background that must go on: a fault of its own is logged and shown, and the work begins again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from tui.ports import ServiceState

RETRY_S = 1.0
LONGEST_RETRY_S = 60.0


def note_fault(name: str, error: Exception) -> str:
    """Write a fault that nobody foresaw to the control center's own log; gives the sentence for the operator."""
    from tui.terminal.crash import report

    print(f"{name}: {report(error)}", file=sys.__stderr__, flush=True)
    return f"{name}: a fault of stream guard's own ({type(error).__name__}: {error}); its log says more"


def as_service(name: str, on_step: Callable[[ServiceState], None]) -> Callable[[str], None]:
    """What ``keep_up`` tells, shown as the state of a service of this name."""
    return lambda why: on_step(ServiceState(name, "failed" if why else "up", why or "begun again"))


def keep_up(work: Callable[[], Awaitable[None]], name: str, tell: Callable[[str], None]) -> asyncio.Task[None]:
    """A task that does ``work``, and begins it again after a fault, later each time; it ends when the work does.

    ``tell`` gets a sentence for each fault, and an empty one when the work begins again.
    """

    async def kept() -> None:
        pause = RETRY_S
        while True:
            try:
                await work()
            except Exception as error:
                tell(note_fault(name, error))
            else:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_RETRY_S)
            tell("")

    return asyncio.create_task(kept(), name=name)
