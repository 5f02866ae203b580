"""``python -m tui``: the control center."""

from __future__ import annotations

import sys

from tui.main import run

sys.exit(run())
