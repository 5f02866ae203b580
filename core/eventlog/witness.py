"""The witness: chain heads of the seals in a file outside the database, one JSON object a line, only added to."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.eventlog.seal import Head

_DECODER = msgspec.json.Decoder(Head)


class WitnessError(Exception):
    """The file is not a witness; the text says where."""


def read(path: Path) -> list[Head]:
    """The heads it holds; none when there is no file yet. Raises ``WitnessError`` on a line that is not one."""
    if not path.exists():
        return []
    heads = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            heads.append(_DECODER.decode(line))
        except msgspec.MsgspecError as error:
            raise WitnessError(f"{path}, line {number}: {error}") from error
    return heads


def add(path: Path, head: Head) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(msgspec.json.encode(head) + b"\n")
