"""The product's own demonstration, as a process, on a stack of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import psutil
import pytest


@pytest.mark.timeout(240)
async def test_a_headless_run_loses_nothing_catches_both_scenarios_and_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STREAMGUARD_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "core.cli",
        *("run", "--headless", "--for", "4s", "--rate", "50", "--seed", "3", "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**environment, "STREAMGUARD_HOME": str(home)},
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    report = json.loads(out)
    assert report["lost"] == 0
    assert report["duplicates"] == 0
    assert report["transactions"] == report["rows"] == sum(report["decisions"].values())
    assert {(line["name"], line["caught"], line["missed"]) for line in report["scenarios"]} == {
        ("high_amount", 5, 0),
        ("velocity_burst", 4, 0),
    }
    assert {"high_amount", "high_velocity"} <= set(report["alerts_by_rule"])
    assert len(report["decisions_digest"]) == 64
    assert report["latency_ms"]["p50"] > 0
    left = [p.pid for p in psutil.process_iter(["cmdline"]) if str(home) in " ".join(p.info["cmdline"] or ())]
    assert left == []
