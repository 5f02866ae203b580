"""What the control center takes from ``streamguard.toml`` before anything else is loaded: profile, colours, keys.

    [screen]
    theme = "guard-light"
    [screen.keys]
    "app.launch" = "l"

    [profiles.production]
    read_only = true
    postgres = "postgresql://..."
    [profiles.production.screen]
    color = "red"

Standard library only: the first frame waits for it. ``core.settings`` reads the same file for everything else, and
says what is wrong with it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = "streamguard.toml"
PREFIX = "STREAMGUARD_"
COLORS = ("red", "yellow", "green", "blue", "magenta", "cyan")
_ADDRESSES = ("kafka", "ksqldb", "postgres")
_TRUE = ("1", "true", "t", "yes", "y", "on")


@dataclass(frozen=True, slots=True)
class Profile:
    """``environment`` is the name on the top line, ``color`` one of ``COLORS`` or empty; ``problems`` are sentences."""

    environment: str = "local"
    color: str = ""
    read_only: bool = False
    theme: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def chosen(
    flag: str | None,
    read_only: bool | None,
    environ: Mapping[str, str],
    file: Path = Path(FILE),
    addresses: Mapping[str, object] | None = None,
) -> Profile:
    """The profile of a flag, of ``STREAMGUARD_PROFILE`` or of the file; without one, what the rest of it says.

    ``addresses`` are those given by flags. A file that cannot be read gives defaults here and an error there.
    """
    try:
        whole = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        whole = {}
    name = flag or environ.get(f"{PREFIX}PROFILE") or _text(whole.get("profile"))
    own = _table(_table(whole.get("profiles")).get(name)) if name else {}
    merged = whole | own
    screen = _table(whole.get("screen")) | _table(own.get("screen"))
    problems: list[str] = []
    color = _text(screen.get("color"))
    if color and color not in COLORS:
        problems.append(f"{FILE}: color {color!r} is none of {', '.join(COLORS)}")
        color = ""
    keys = _table(screen.get("keys"))
    problems += [f'keymap: {action}: keys are text, such as "x"' for action, key in keys.items() if not _text(key)]
    problems += [
        f"{FILE}: there is no setting {entry!r} of the screen; there are theme, color, keys"
        for entry in screen
        if entry not in ("theme", "color", "keys")
    ]
    elsewhere = any(
        environ.get(PREFIX + one.upper()) or merged.get(one) or (addresses or {}).get(one) for one in _ADDRESSES
    )
    return Profile(
        environment=name or ("remote" if elsewhere else "local"),
        color=color,
        read_only=_switch(read_only, environ.get(f"{PREFIX}READ_ONLY"), merged.get("read_only")),
        theme=environ.get(f"{PREFIX}THEME") or _text(screen.get("theme")),
        keys={action: key for action, key in keys.items() if _text(key)},
        problems=tuple(problems),
    )


def _switch(flag: bool | None, variable: str | None, setting: object) -> bool:
    if flag is not None:
        return flag
    if variable:
        return variable.strip().casefold() in _TRUE
    return setting is True or (isinstance(setting, str) and setting.casefold() in _TRUE)


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
