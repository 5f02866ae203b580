"""ksqlDB's functional test cases as they lie in JSON files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

_LINE_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Case:
    """One case after expansion; ``data`` is its JSON with floats as Decimal."""

    id: str
    area: str
    path: Path
    data: dict[str, Any]

    @property
    def statements(self) -> list[str]:
        return list(self.data.get("statements", ()))

    @property
    def properties(self) -> dict[str, Any]:
        return dict(self.data.get("properties") or {})

    @property
    def is_rest(self) -> bool:
        """Asks for responses of a server rather than for the content of topics."""
        asks = "responses" in self.data or "expectedError" in self.data
        return asks or self.path.parent.name.startswith("rest")


def load(paths: list[Path]) -> Iterator[Case]:
    """Every case under the paths, files in order of name. ValueError names a file that is no test file."""
    for path in paths:
        files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
        for file in files:
            yield from _load_file(file)


def _load_file(file: Path) -> Iterator[Case]:
    try:
        text = _LINE_COMMENT.sub(lambda m: m.group(1) or "", file.read_text("utf-8"))
        data = json.loads(text, parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise ValueError(f"{file}: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("tests"), list):
        raise ValueError(f"{file}: not a file of test cases (no list under 'tests')")
    for test in data["tests"]:
        if test.get("enabled", True):
            yield from _expand(file, test)


def _expand(file: Path, test: dict[str, Any]) -> Iterator[Case]:
    """One case per format and per config named, with {FORMAT} and {CONFIG} filled in."""
    name = test.get("id") or f"{file.name}|{test.get('name', '')}|"
    formats = test.get("format") or [None]
    configs = test.get("config") or [None]
    for chosen in formats:
        for config in configs:
            filled = _fill(test, chosen, config)
            suffix = "" if len(formats) == 1 else f"{chosen}"
            suffix += "" if len(configs) == 1 else f"/{config}"
            yield Case(name + suffix, test.get("area", file.stem), file, filled)


def _fill(node: Any, chosen: str | None, config: str | None) -> Any:
    if isinstance(node, str):
        filled = node if chosen is None else node.replace("{FORMAT}", chosen)
        return filled if config is None else filled.replace("{CONFIG}", config)
    if isinstance(node, list):
        return [_fill(item, chosen, config) for item in node]
    if isinstance(node, dict):
        return {_fill(k, chosen, config): _fill(v, chosen, config) for k, v in node.items()}
    return node
