"""The lengths of a window clause with what it leaves out, refused where Kafka Streams refuses them."""

from __future__ import annotations

from typing import NamedTuple

from ksqldb.engine import ast
from ksqldb.engine.ast import WindowKind
from ksqldb.engine.errors import ServerError

DAY_MS = 86_400_000
_STORE = "Aggregate-Aggregate-Materialize"
_WINDOW = (f"window store {_STORE}", "its window size", "size")
_SESSION = (f"session store {_STORE}", "the session inactivity gap", "gap")


class Lengths(NamedTuple):
    """In ms. ``size`` is a session's gap, ``retention`` 0 where none is asked for."""

    size: int
    advance: int
    grace: int
    retention: int


def lengths(window: ast.Window, emit_final: bool) -> Lengths:
    """Without GRACE PERIOD a window is open until a day after its start, with EMIT FINAL until its end. Raises
    ServerError, as it is Kafka Streams that refuses."""
    size = window.size.ms
    advance = size if window.advance is None else window.advance.ms
    by_default = 0 if emit_final else max(DAY_MS - size, 0)
    grace = by_default if window.grace is None else window.grace.ms
    session = window.kind is WindowKind.SESSION
    if size <= 0:
        raise ServerError(
            "Gap time cannot be zero or negative." if session else "Window size (sizeMs) must be larger than zero."
        )
    if not 0 < advance <= size:
        raise ServerError(
            "Window advancement interval should be more than zero and less than window duration which is "
            f"{size} ms, but given advancement interval is: {advance} ms"
        )
    if window.retention is not None and window.retention.ms < size + grace:
        store, least, name = _SESSION if session else _WINDOW
        raise ServerError(
            f"The retention period of the {store} must be no smaller than {least} plus the grace period. "
            f"Got {name}=[{size}], grace=[{grace}], retention=[{window.retention.ms}]"
        )
    return Lengths(size, advance, grace, 0 if window.retention is None else window.retention.ms)
