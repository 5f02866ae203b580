"""What a ksqlDB server may refuse, and how its texts are made safe to show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

MESSAGE_LIMIT = 4000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def clean(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Text of foreign origin without control and direction-override characters (new line and tab stay), cut at
    ``limit`` characters; what was taken out shows as U+FFFD."""
    text = _CONTROL.sub("\ufffd", text.replace("\r\n", "\n"))
    return text if len(text) <= limit else text[: limit - 1] + "…"


class KsqlClientError(Exception):
    """Base of what this client raises."""


class KsqlUnavailable(KsqlClientError):
    """The server cannot be reached, or says that it is not ready yet or shutting down."""


class KsqlServerError(KsqlClientError):
    """The server's answer to a request it refuses.

    ``error_code`` is ksqlDB's (40001 a bad statement, 50000 an internal error, ...; 100 x the HTTP status where the
    answer carries none); ``statement`` is the text the server blames, or empty; ``entities`` are the results of the
    statements that ran before it in the same request.
    """

    def __init__(
        self, error_code: int, message: str, statement: str = "", entities: tuple[dict[str, Any], ...] = ()
    ) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.message = message
        self.statement = statement
        self.entities = entities

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later: the server is starting, busy or out of turn."""
        return self.error_code // 100 in (429, 500, 502, 503, 504)


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Inside, an answer is taken apart; one of another shape than ksqlDB's raises ``KsqlServerError`` for ``what``."""
    try:
        yield
    except (msgspec.MsgspecError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        raise KsqlServerError(50000, f"{what}: the answer is none of ksqlDB's; is it a ksqlDB server?") from None


_NOT_READY = (50302, 50303, 50304)


def from_object(value: Any, status: int = 500) -> KsqlClientError:
    """The error of a decoded ``generic_error`` or ``statement_error`` object."""
    if not isinstance(value, dict):
        return KsqlServerError(status * 100, clean(str(value)) or f"HTTP status {status}")
    code = value.get("error_code")
    code = code if isinstance(code, int) else status * 100
    message = clean(str(value.get("message") or f"HTTP status {status}"))
    if code in _NOT_READY:
        return KsqlUnavailable(message)
    listed = value.get("entities")
    entities = tuple(e for e in listed if isinstance(e, dict)) if isinstance(listed, list) else ()
    return KsqlServerError(code, message, clean(str(value.get("statementText") or "")), entities)


def from_body(status: int, body: bytes) -> KsqlClientError:
    """The error of a response that is not 200; a body that is no JSON (a proxy's page) is quoted in short."""
    try:
        return from_object(msgspec.json.decode(body), status)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = clean(body[:400].decode(errors="replace")).strip()
        message = f"HTTP status {status}" + (f": {text}" if text else "")
        return KsqlUnavailable(message) if status in (502, 503, 504) else KsqlServerError(status * 100, message)
