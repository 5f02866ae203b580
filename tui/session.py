"""What an operator finds again after leaving: screen, theme, filters, commands and statements."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import msgspec

COMMANDS_KEPT = 200
STATEMENTS_KEPT = 200


@dataclass
class Session:
    """``filters`` by the pane's id; ``statements`` that ran, ``editors`` the text of each tab of the ksqlDB panel.

    ``path`` None keeps nothing.
    """

    screen: str = ""
    theme: str = ""
    filters: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    editors: list[str] = field(default_factory=list)
    path: Path | None = None

    @classmethod
    def load(cls, path: Path) -> Self:
        """The kept session; a new one where there is none, or none that can be read."""
        with contextlib.suppress(OSError, msgspec.DecodeError, msgspec.ValidationError):
            kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
            return cls(**msgspec.structs.asdict(kept), path=path)
        return cls(path=path)

    def save(self) -> None:
        """Keep it; a folder that cannot be written is no reason to stay."""
        if self.path is None:
            return
        kept = _Kept(self.screen, self.theme, self.filters, self.commands, self.statements, self.editors)
        fresh = self.path.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh.touch(mode=0o600)
            fresh.write_bytes(msgspec.json.encode(kept))
            fresh.replace(self.path)

    def filtered(self, pane: str, text: str) -> None:
        """Remember a pane's filter; an empty one is forgotten."""
        self.filters.pop(pane, None)
        if text:
            self.filters[pane] = text

    def typed(self, line: str) -> None:
        """Remember a command."""
        _remember(self.commands, line, COMMANDS_KEPT)

    def ran(self, sql: str) -> None:
        """Remember statements that were run."""
        _remember(self.statements, sql, STATEMENTS_KEPT)


def _remember(texts: list[str], text: str, most: int) -> None:
    """The newest last and once."""
    if text in texts:
        texts.remove(text)
    texts.append(text)
    del texts[:-most]


class _Kept(msgspec.Struct, frozen=True):
    screen: str = ""
    theme: str = ""
    filters: dict[str, str] = {}
    commands: list[str] = []
    statements: list[str] = []
    editors: list[str] = []
