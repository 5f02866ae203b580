"""What Textual reads from the environment at import time; must be imported before ``textual``.

No animation and no smooth scrolling: each saved frame is bytes that a slow link needs for the answer to a key. The
frame limit is high because it only delays that answer: screens paint a few times a second, and skip frames while the
terminal is behind. A user's own settings win.
"""

from __future__ import annotations

import os

DEFAULTS = {
    "TEXTUAL_FPS": "120",
    "TEXTUAL_ANIMATIONS": "none",
    "TEXTUAL_SMOOTH_SCROLL": "0",
    "ESCDELAY": "60",
}

for _name, _value in DEFAULTS.items():
    os.environ.setdefault(_name, _value)
