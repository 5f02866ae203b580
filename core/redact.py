"""Text that goes into logs and reports, without what must not be there."""

from __future__ import annotations

import re
from pathlib import Path

_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]*:[^/\s@]*@")
_SECRET = re.compile(r"(?i)(\w*(?:password|passwd|secret|token|api[_-]?key))([^\w,]{1,4})[^\s,;&'\")]+")
_PERSON = re.compile(r"\b(acc|tx|txn|alert|case|dev|d|m)-[\w-]+")
_LONG_NUMBER = re.compile(r"\d{6,}")


def without_secrets(text: str) -> str:
    """Text without the user and password of addresses, and without what is called a password, secret or token."""
    return _SECRET.sub(r"\1\2***", _CREDENTIALS.sub("***@", text))


def redact(text: str) -> str:
    """Text without credentials, without accounts, payments and devices, without the user's folder."""
    text = _LONG_NUMBER.sub("***", _PERSON.sub(r"\1-***", without_secrets(text)))
    return text.replace(str(Path.home()), "~")
