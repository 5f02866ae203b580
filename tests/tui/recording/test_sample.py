"""A recording that the product made on generated traffic, two screens visited, shows what it showed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.tui.harness import Session, settle
from tests.tui.recording.test_replay import replaying
from tui.recording.player import Recording

SAMPLE = Path(__file__).parents[2] / "data" / "watch.sgr"


def _lists(session: Session) -> str:
    """What is between the top lines and those of messages and keys."""
    return "\n".join(session.text().splitlines()[2:-2])


async def test_the_sample_shows_the_same_from_either_side() -> None:
    recording = Recording(SAMPLE)
    track = recording.track("view", msgspec.msgpack.encode("alerts"))
    browsed, filtered = track.times[-2:]
    moments = {
        browsed + 400: ("alerts browsing 6 of 8 +4 new", "▌18:17:25 !! new_payee     acc-037077"),
        filtered + 400: ("/velo", "high_velocity"),
    }
    async with replaying(SAMPLE) as (replayed, _):
        await replayed.press("semicolon")
        pictures: dict[int, str] = {}
        for at in (*moments, *reversed(moments)):
            await replayed.app.seek(at)
            await replayed.until(lambda: replayed.app.current_mode == "alerts", "the screen that was shown")
            for text in moments[at]:
                await replayed.shows(text)
            await settle(replayed)
            wanted = pictures.setdefault(at, _lists(replayed))
            await replayed.until(lambda wanted=wanted: _lists(replayed) == wanted, wanted)  # type: ignore[misc]
        await replayed.app.seek(recording.last)
        await replayed.until(lambda: replayed.app.current_mode == "overview", "the screen that was shown last")
