"""Every command in the guides: run here on one embedded stack, or named with what runs it or why nothing here can."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.cli import app
from tests.commandline import CommandLine
from tests.core.stack.homes import make_home, remove

ROOT = Path(__file__).resolve().parent.parent
GUIDES = (
    *("README.md", "docs/quick-start.md", "docs/kafka.md", "docs/scenarios.md", "docs/ksqldb.md", "docs/generator.md"),
    *("docs/replay.md", "docs/operations.md", "docs/real-clusters.md", "docs/security.md", "docs/control-center.md"),
    *("docs/ksqldb-engine.md", "docs/ksqldb-compatibility.md", "docs/architecture.md", "docs/event-log.md"),
    *("docs/capacity.md", "docs/decisions.md", "docs/detection.md", "docs/faults.md", "docs/stack.md"),
    "CONTRIBUTING.md",
)
_BEGIN = re.compile(
    r"(streamguard|make|python|docker|scripts/|cp|systemctl|ssh|set|pg_\w+|createdb|kafka-\S+|[A-Z_]+=\S+|for|cut|\(sed|"
    r"SASL_PLAINTEXT)\b"
)
ELSEWHERE = {
    r"make (run|test)\b": "tests/test_repository.py",
    r"make compatibility": "tests/ksqldb/test_conformance_report.py",
    r"python -m ksqldb\.engine": "tests/ksqldb/server/test_service.py",
    r"python -m ksqldb\.conformance": "tests/ksqldb/test_conformance.py",
    r"pg_dump .*HOST|createdb|pg_restore|STREAMGUARD_POSTGRES=": "tests/core/eventlog/test_backup.py",
    r"streamguard --(record|replay)": "tests/tui/recording/test_replay.py",
    r"streamguard workers": "tests/core/workers/test_drain.py",
    r"streamguard replay .*--(map|speed|score-from)": "tests/core/replay/test_mapping.py",
    r"streamguard rules measure": "tests/core/rules/test_measure.py",
    r"for t in |  streamguard topics create|done": "tests/real/test_three_brokers.py",
}
CANNOT = {
    r"docker |scripts/(start|stop)\.sh": "no Docker engine is at hand; tests/test_compose.py holds what they use",
    r"cp ops|systemctl": "needs root and systemd; tests/test_ops.py holds the units",
    r"ssh |set -": "needs another host, and tmux's own configuration",
    r"kafka-console-producer|  --property": "needs Apache Kafka's tools",
    r"  -e STREAMGUARD": "the rest of a docker command",
    r"python -m benchmarks": "takes minutes",
    r"streamguard generate$": "asks in a terminal",
    r"SASL_PLAINTEXT|\(sed": "settings for other tools; tests/core/stack/test_login.py logs in with them",
}
ENDLESS = "streamguard generate stream --rate 50 --count 0"
ANSWERS = tuple(
    f"streamguard {name}" for name in ("status", "doctor", "run", "replay", "scenarios launch", "scenarios stop")
)
"""What ends with 1 where the answer is no, and that may depend on how fast the machine is."""


@dataclass(frozen=True)
class Command:
    guide: str
    line: str


def commands() -> list[Command]:
    """The lines of fenced blocks that begin like a command, without the remark that two spaces begin."""
    found = []
    for guide in GUIDES:
        text = (ROOT / guide).read_text()
        for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            if not language and _BEGIN.match(block):
                lines = (re.split(r"(?<=\S) {2,}", line.rstrip("\\ "))[0] for line in block.splitlines())
                found += [Command(guide, line) for line in lines if line]
    return found


def _why(line: str) -> list[str]:
    return [why for why in (*ELSEWHERE, *CANNOT) if re.match(why, line)]


RUN = sorted(
    (command for command in commands() if not _why(command.line)),
    key=lambda command: command.line.startswith("streamguard down"),  # last; otherwise as the guides have it
)


def test_the_guides_are_all_looked_at() -> None:
    files = {str(file.relative_to(ROOT)) for file in (*ROOT.glob("docs/*.md"), *ROOT.glob("*.md"))}
    assert files - set(GUIDES) == {"CHANGELOG.md"}


def test_what_is_not_run_here_is_run_elsewhere_or_says_why() -> None:
    lines = [command.line for command in commands()]
    assert [line for line in lines if len(_why(line)) > 1] == []
    assert [why for why in (*ELSEWHERE, *CANNOT) if not any(re.match(why, line) for line in lines)] == []
    assert [file for file in ELSEWHERE.values() if not (ROOT / file).exists()] == []
    assert len(RUN) >= 40
    assert [command.line for command in RUN if not command.line.startswith("streamguard ")] == []


@pytest.mark.parametrize("line", sorted({c.line for c in commands() if c.line.startswith("streamguard ")}))
def test_every_command_is_understood(line: str) -> None:
    for stage in line.replace("[", "").replace("]", "").split(" | "):
        words = re.sub(r" > \S+$", "", stage).strip().removeprefix("streamguard ")
        app.parse_args(words, exit_on_error=False, print_error=False)


# ------------------------------------------------------------------------------------------------ on the embedded stack


def _payments(file: Path) -> None:
    """A labelled file as the Handbook's, of two days; other payments each time."""
    first = random.randrange(10**9)
    choose = random.Random(3)
    rows = ["TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD,TX_FRAUD_SCENARIO"]
    for number in range(200):
        minutes = number * 14
        at = f"2018-08-{1 + minutes // 1440:02d} {minutes // 60 % 24:02d}:{minutes % 60:02d}:00"
        amount = choose.choice(["12.50", "80.00", "230.00", "3000.00"])
        rows.append(
            f"{first + number},{at},{choose.randint(1, 20)},{choose.randint(1, 9)},{amount},{int(amount[0] == '3')},0"
        )
    file.write_bytes(gzip.compress("\n".join(rows).encode()))


@pytest.fixture
def home() -> Iterator[Path]:
    made = make_home()
    yield made
    remove(made)


@pytest.fixture
def shell(tmp_path: Path, home: Path) -> Iterator[CommandLine]:
    environment = {"STREAMGUARD_HOME": str(home), "STREAMGUARD_OPERATOR": "ana", "COLUMNS": "200"}
    made = CommandLine(tmp_path, environment)
    # What the guides take for granted: "something has to obey it", a worker of its own.
    worker = subprocess.Popen(
        [sys.executable, "-m", "core.cli", "workers"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    try:
        yield made
    finally:
        worker.terminate()
        worker.wait(60)
        made.run("streamguard down --wipe --yes")
        made.close()


def _before(shell: CommandLine, folder: Path) -> dict[str, Callable[[], object]]:
    """What the text around a command has the reader do first."""
    rule = re.search(r"^```sql\n(-- id: round_thousand\n.*?)^```", (ROOT / "docs/ksqldb.md").read_text(), re.M | re.S)
    assert rule is not None

    def rubbish() -> None:
        (folder / "rubbish.jsonl").write_text('{"account_id": "acc-1", "amount": "no number"}\n')
        code, said = shell.run("streamguard topics produce transactions rubbish.jsonl")
        assert code == 0, said
        for _ in range(200):  # until the worker has taken it in
            if shell.run("streamguard dead-letters list --json")[1].startswith("{"):
                return
        raise AssertionError("the worker did not refuse what is no payment")

    return {
        "streamguard dead-letters list": rubbish,
        "streamguard replay payments.csv.gz": lambda: _payments(folder / "payments.csv.gz"),
        "streamguard rules backtest round_thousand.sql": lambda: (folder / "round_thousand.sql").write_text(rule[1]),
    }


def _filled_in(line: str, shell: CommandLine) -> str:
    """Names in capitals become what is there."""
    line = line.replace(" [--json]", " --json")
    if "RUN RUN" in line:
        _, said = shell.run("streamguard scenarios runs --json")
        runs = [json.loads(row)["run_id"] for row in said.splitlines() if row.startswith("{")]
        line = line.replace("RUN RUN", " ".join(runs[:2]))
    return line + (" --yes" if line.endswith("--wipe") else "")


@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform == "win32", reason="it forks")
def test_every_command_that_can_be_run_does_what_it_says(shell: CommandLine, home: Path, tmp_path: Path) -> None:
    before = _before(shell, tmp_path)
    failed: list[str] = []
    printed: list[str] = []
    secrets: set[str] = set()
    for command in RUN:
        for start, do in before.items():
            if command.line.startswith(start):
                do()
        line = _filled_in(command.line, shell)
        code, said = shell.run(line, endless=command.line == ENDLESS)
        printed.append(said)
        meant = (130,) if command.line == ENDLESS else (0, 1) if line.startswith(ANSWERS) else (0,)
        if code not in meant:
            failed.append(f"{command.guide}: {line}: exit code {code}: {said[-600:]}")
        if line == "streamguard up":
            secrets = {file.read_text().split(": ")[1].strip() for file in (home / "secrets").iterdir()}
    assert failed == []
    assert len(secrets) == 2
    assert [secret for secret in secrets if any(secret in said for said in printed)] == []
