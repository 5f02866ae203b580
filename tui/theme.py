"""Colours. Two themes of our own; Textual's ``ansi-dark`` and ``ansi-light`` use the terminal's sixteen."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="guard-dark",
    dark=True,
    primary="#6cb6ff",
    secondary="#4d7ea8",
    accent="#6cb6ff",
    foreground="#d3dae3",
    background="#0c1116",
    surface="#0c1116",
    panel="#161d25",
    success="#6bc46d",
    warning="#e0a84a",
    error="#f0716b",
    variables={"muted": "#8592a1", "cursor": "#20303f", "bar-low": "#33587a", "edge": "#2a3542"},
)
LIGHT = Theme(
    name="guard-light",
    dark=False,
    primary="#0a58a8",
    secondary="#4a7aa8",
    accent="#0a58a8",
    foreground="#1c2430",
    background="#fbfcfd",
    surface="#fbfcfd",
    panel="#eceff3",
    success="#1a7f37",
    warning="#8a5a00",
    error="#b3261e",
    variables={"muted": "#5b6673", "cursor": "#d5e5f5", "bar-low": "#a9c8e8", "edge": "#c9d1da"},
)
THEMES = (DARK, LIGHT)
DEFAULTS = {
    "muted": "ansi_bright_black",
    "cursor": "ansi_blue",
    "bar-low": "ansi_bright_black",
    "edge": "ansi_bright_black",
}
"""What our style sheets need beyond Textual's variables, for themes that are not ours."""
