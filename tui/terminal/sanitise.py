"""Untrusted text on its way to the terminal: no byte of it may act, and its width is counted in cells.

Merchant names and messages are written by attackers. ESC, C0, C1, DEL and bidi controls become visible symbols;
joiners and other format characters, whose width terminals disagree about, become a dot.
"""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len, set_cell_size

_HIDDEN = "·"
MARK = "…"


class _Visible(dict[int, str]):
    """What stands for each character, worked out once a character; ``str.translate`` does the rest in C."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if 0x80 <= code <= 0x9F:
            shown = "\ufffd"
        elif unicodedata.category(char) in ("Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"):
            shown = _HIDDEN
        else:
            shown = char
        self[code] = shown
        return shown


_VISIBLE = _Visible(
    {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡", 0x09: " ", 0x2028: "␤", 0x2029: "␤"}
)


def clean(text: str, limit: int = 4096) -> str:
    """``text`` with everything that could act on a terminal made visible, at most ``limit`` characters."""
    if len(text) > limit:
        text = text[: limit - 1] + MARK
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", text).translate(_VISIBLE)


def visible(text: str) -> str:
    """Like ``clean``, character for character: positions in the text stay what they are (for editors)."""
    return text if text.isascii() and text.isprintable() else text.translate(_VISIBLE)


def fit(text: str, width: int, align: str = "left") -> str:
    """Clean text in exactly ``width`` cells. ``align`` is left, right, or middle for names that differ at their ends.

    Longer text has an ellipsis at its end, or in the middle.
    """
    if width <= 0:
        return ""
    if align == "middle" and len(text) > width:
        text = f"{clean(text[: width // 2], width)}{MARK}{clean(text[-((width - 1) // 2) :], width)}"
    text = clean(text, 2 * width + 2)
    size = len(text) if text.isascii() else cell_len(text)
    if size > width:
        return set_cell_size(text, width - 1) + MARK
    pad = " " * (width - size)
    return pad + text if align == "right" else text + pad


def wrap(text: str, width: int, limit: int = 40) -> list[str]:
    """Clean text in lines of at most ``width`` cells, broken at spaces where it can, at most ``limit`` lines."""
    lines: list[str] = []
    for paragraph in text[: width * limit * 2].splitlines() or [""]:
        line = ""
        for word in clean(paragraph, width * limit).split(" "):
            candidate = f"{line} {word}" if line else word
            if len(candidate) <= width and cell_len(candidate) <= width:
                line = candidate
                continue
            if line:
                lines.append(line)
            while len(word) > width or cell_len(word) > width:
                head = set_cell_size(word[:width], width).rstrip()
                lines.append(head)
                word = word[len(head) :]
            line = word
        lines.append(line)
        if len(lines) >= limit:
            break
    if len(lines) > limit:
        lines = [*lines[: limit - 1], MARK]
    return lines
