"""What was said to the operator: the history, and which of it the message line shows. Pure."""

from __future__ import annotations

SECONDS = 6.0
SEEN_S = 2.0
"""A warning that stood for less has not been read."""
KEPT = 500
_WEIGHT = {"warn": 1, "bad": 2}


class Notices:
    said: list[tuple[float, str, str]]
    """Epoch seconds, style and text of each, the newest last."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.said = []
        self._fresh: list[tuple[str, str]] = []
        self._line = ("text", "")
        self._since = 0.0
        self._missed = 0

    def say(self, at: float, style: str, text: str) -> None:
        self.said.append((at, style, text))
        del self.said[:-KEPT]
        self._fresh.append((style, text))
        del self._fresh[:-KEPT]

    def line(self, now: float) -> tuple[str, str, int]:
        """Text, style and how many are in the history alone; called whenever the line is painted.

        Of several since the last call it is the gravest, the newest of these; it stands from now on, however long
        nobody looked.
        """
        if self._fresh:
            hasty = self._line[0] in _WEIGHT and now - self._since < SEEN_S
            before = self._missed + 1 if hasty else 0
            self._missed = before + len(self._fresh) - 1
            self._line = max(reversed(self._fresh), key=lambda notice: _WEIGHT.get(notice[0], 0))
            self._since = now
            self._fresh.clear()
        elif now - self._since > SECONDS:
            self._line, self._missed = ("text", ""), 0
        style, text = self._line
        return text, style, self._missed
