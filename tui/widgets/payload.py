"""A payload as lines: JSON standing up, other text as it is, bytes that are neither as hexadecimal. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rich.cells import cell_len

from tui.terminal.sanitise import clean
from tui.widgets.canvas import Line

SHOWN = 32_768
"""Characters or bytes of a payload that are shown; what is longer says so."""
LINES = 2_000


def text_lines(text: str, width: int) -> list[Line]:
    """JSON indented with its keys marked, or the text itself; at most ``LINES`` lines of ``width`` cells."""
    shown = text[:SHOWN]
    if len(text) <= SHOWN:
        try:
            shown = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
        except (ValueError, RecursionError):
            pass
    lines: list[Line] = []
    for raw in shown.splitlines() or [""]:
        for index, part in enumerate(_pieces(clean(raw, SHOWN), max(8, width))):
            key, colon, value = part.partition('": ')
            keyed = index == 0 and bool(colon) and key.lstrip().startswith('"')
            lines.append([(key + colon, "accent"), (value, "text")] if keyed else [(part, "text")])
        if len(lines) >= LINES:
            break
    return _ended(lines[:LINES], len(lines) >= LINES or len(text) > SHOWN, len(text), "characters")


def bytes_lines(data: bytes | None, width: int) -> list[Line]:
    """Text or JSON when it is UTF-8, else sixteen bytes a line."""
    if data is None:
        return [[("(null)", "dim")]]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return hex_lines(data)
    return text_lines(text, width)


def hex_lines(data: bytes) -> list[Line]:
    """Offset, hexadecimal, printable ASCII."""
    lines: list[Line] = []
    for at in range(0, min(len(data), SHOWN), 16):
        row = data[at : at + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append([(f"{at:06x}  ", "dim"), (f"{row.hex(' '):<47}  ", "text"), (text, "accent")])
    return _ended(lines, len(data) > SHOWN, len(data), "bytes")


def short(data: bytes | None, limit: int = 300) -> str:
    """One line for a list: the text, or the beginning in hexadecimal."""
    if data is None:
        return "(null)"
    try:
        return data[: 4 * limit].decode("utf-8")[:limit]
    except UnicodeDecodeError as error:
        if error.end >= 4 * limit - 3 and len(data) > 4 * limit:  # the cut fell inside a character
            return data[: error.start].decode("utf-8")[:limit]
        return f"0x{data[: limit // 2].hex()}"


def _pieces(text: str, width: int) -> Iterator[str]:
    """Parts of at most ``width`` cells; looks at each part alone, so that a long line costs its length."""
    at = 0
    while at < len(text) or not text:
        part = text[at : at + width]
        while cell_len(part) > width:
            part = part[: len(part) - max(1, (cell_len(part) - width) // 2)]
        yield part
        if not text:
            return
        at += len(part)


def _ended(lines: list[Line], cut: bool, size: int, unit: str) -> list[Line]:
    return [*lines, [(f"(cut: {size} {unit} in all)", "warn")]] if cut else lines
