"""kill -9 in the middle of the rules' work; ``python -m benchmarks engine_soak`` is the long form."""

from __future__ import annotations

import pytest

from benchmarks.engine_soak import soak


@pytest.mark.timeout(240)
async def test_a_killed_engine_ends_with_the_same_tables_and_alerts() -> None:
    killed = await soak(hours=3, per_hour=6_000, kill_in=2, per_second=100)
    quiet = await soak(hours=3, per_hour=6_000, per_second=100)
    assert len(quiet.windows) > 100
    assert len(quiet.alerts) > 100
    assert killed.windows == quiet.windows
    assert killed.alerts == quiet.alerts
