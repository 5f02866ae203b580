"""The log, the leases and the projections keep their promises on PostgreSQL 15 as on the embedded server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BINARIES = Path(os.environ.get("STREAMGUARD_TEST_POSTGRES_BIN", "/usr/lib/postgresql/15/bin"))
SUITES = (
    "tests/core/eventlog",
    "tests/core/projections",
    "tests/core/kafka/test_lease.py",
    "tests/core/kafka/test_inlet.py",
    "tests/chaos/test_writers.py",
)


@pytest.mark.timeout(900)
@pytest.mark.skipif(not (BINARIES / "postgres").exists(), reason=f"there is no PostgreSQL in {BINARIES}")
@pytest.mark.parametrize("suite", SUITES)
def test_the_contract_on_postgresql_15(suite: str) -> None:
    version = subprocess.run([BINARIES / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    assert " 15." in version
    run = subprocess.run(
        [sys.executable, "-m", "pytest", suite, "-n", "0", "--timeout", "120"],
        env={**os.environ, "STREAMGUARD_TEST_POSTGRES_BIN": str(BINARIES)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4_000:]
