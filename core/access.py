"""Which commands only look and which change something. Read-only holds the second kind back, whatever they change.

Every command is declared the one or the other (`tests/core/test_read_only.py` walks through all of them).
"""

from collections.abc import Callable
from typing import Any, TypeVar

Command = TypeVar("Command", bound=Callable[..., Any])

_LOOKING: set[Callable[..., Any]] = set()
_CHANGING: set[Callable[..., Any]] = set()


class ReadOnly(Exception):
    """Something was to be changed under read-only; nothing was."""


def looks(command: Command) -> Command:
    """Declare that a command leaves everything as it is, or holds itself back where it does not."""
    _LOOKING.add(command)
    return command


def changes(command: Command) -> Command:
    """Declare that a command changes data, settings, offsets, rules or what runs."""
    _CHANGING.add(command)
    return command


def declared(command: Callable[..., Any]) -> str:
    """looks, changes, or nothing at all."""
    return "looks" if command in _LOOKING else "changes" if command in _CHANGING else ""


def hold_back(command: Callable[..., Any], read_only: Callable[[], bool]) -> None:
    """Raise ``ReadOnly`` for a command that changes something where ``read_only()`` says so."""
    if command in _CHANGING and read_only():
        raise ReadOnly("read-only: this would change something and was not done")
