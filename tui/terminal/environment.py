"""What Textual reads from the environment when it is imported; ``tui`` sets it before anything can import Textual.

No animation and no smooth scrolling: each saved frame is bytes that a slow link needs for the answer to a key. The
frame limit is high because it only delays that answer: screens paint a few times a second, and skip frames while the
terminal is behind.
"""

from __future__ import annotations

import os

DEFAULTS = {
    "TEXTUAL_FPS": "120",
    "TEXTUAL_ANIMATIONS": "none",
    "TEXTUAL_SMOOTH_SCROLL": "0",
    "ESCDELAY": "60",
}


def set_defaults() -> None:
    """Set what the user has not set."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
