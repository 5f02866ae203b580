"""One request on its way to a handler, and the shape of handlers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.stack.broker.broker import Broker
from core.stack.broker.session import Session
from core.stack.broker.wire import Reader, Writer


@dataclass(slots=True)
class Request:
    version: int
    client_id: str
    client_host: str
    body: Reader
    session: Session
    wants_answer: bool = True  # a producer with acks=0 does not


# Reads `request.body`, writes the response body. A handler that has to wait returns what it waits for.
Handler = Callable[[Broker, Request, Writer], Awaitable[None] | None]


def no_throttle(request: Request, out: Writer, since: int = 0) -> None:
    """throttle_time_ms, in the versions that have it; there are no quotas."""
    if request.version >= since:
        out.i32(0)
