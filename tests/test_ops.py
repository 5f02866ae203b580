"""Dashboard, alert rules and units in `ops/`: every metric and label they name is on a worker's metrics page."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from core.cli import app
from core.workers.http import application
from core.workers.measures import Measures
from core.workers.names import TASKS
from tests.core.workers.test_http import Idle, decided

OPS = Path(__file__).resolve().parent.parent / "ops"
RULES: list[dict[str, Any]] = yaml.safe_load((OPS / "prometheus" / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((OPS / "grafana" / "stream-guard.json").read_text())
FUNCTIONS = {"sum", "rate", "min", "max", "by", "increase", "absent", "histogram_quantile"}
LABELS_OF_PROMETHEUS = {"job", "instance"}


@pytest.fixture(scope="module")
def metrics() -> dict[str, set[str]]:
    """Name -> its labels, of a worker that runs every task."""
    measures = Measures()
    measures.add([decided(1, 1_000)], 0, 1_030)
    tasks = [Idle(name, "running", {}, measures if name == "consumer" else None) for name in TASKS]

    async def ask() -> str:
        transport = httpx.ASGITransport(application(tasks))
        async with httpx.AsyncClient(transport=transport, base_url="http://worker") as web:
            return (await web.get("/metrics")).text

    text = asyncio.run(ask())
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def expressions() -> Iterator[tuple[str, str]]:
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def check(expression: str, metrics: dict[str, set[str]]) -> None:
    """What promtool would find: brackets, functions, metric names, labels, durations."""
    expression = expression.replace("$__rate_interval", "5m")
    for opening, closing in ("()", "[]", "{}"):
        assert expression.count(opening) == expression.count(closing)
    named = set(re.findall(r"\b(streamguard_\w+)", expression))
    assert named
    assert named <= metrics.keys()
    assert set(re.findall(r"\b([a-z_]+) ?\(", expression)) <= FUNCTIONS
    labels = {label for name in named for label in metrics[name]} | LABELS_OF_PROMETHEUS
    grouped = {word.strip() for found in re.findall(r"by \(([^)]*)\)", expression) for word in found.split(",")}
    matched = {
        label for found in re.findall(r"\{([^}]*)\}", expression) for label in re.findall(r"(\w+)\s*[=!]", found)
    }
    assert grouped | matched <= labels
    assert all(re.fullmatch(r"\d+[smhd]", span) for span in re.findall(r"\[([^\]]*)\]", expression))
    for counter in re.findall(r"(?:rate|increase)\((streamguard_\w+)", expression):
        assert counter.endswith(("_total", "_bucket"))


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_expressions_name_what_the_page_has(where: str, expression: str, metrics: dict[str, set[str]]) -> None:
    check(expression, metrics)


@pytest.mark.parametrize(
    "wrong",
    [
        "sum(rate(streamguard_payments_total[5m])",
        "sum(rate(streamguard_nothing_total[5m]))",
        "sum by (colour) (streamguard_task_up)",
        "rate(streamguard_lag_records[5m])",
        "rate(streamguard_payments_total[five])",
    ],
)
def test_the_check_finds_what_is_wrong(wrong: str, metrics: dict[str, set[str]]) -> None:
    with pytest.raises(AssertionError):
        check(wrong, metrics)


def test_the_dashboard_shows_every_metric_once_at_least(metrics: dict[str, set[str]]) -> None:
    shown = " ".join(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])
    families = {name for name in metrics if not name.endswith(("_created", "_sum", "_count"))}
    assert [name for name in families if name not in shown] == []
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken = {(p["gridPos"]["x"], p["gridPos"]["y"]) for p in DASHBOARD["panels"]}
    assert len(taken) == len(DASHBOARD["panels"])


def test_every_alert_is_whole_and_explained() -> None:
    guide = (OPS.parent / "docs" / "operations.md").read_text()
    for rule in RULES:
        assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"\d+[smh]", rule["for"])
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert {"summary", "description"} <= rule["annotations"].keys()
        assert f"`{rule['alert']}`" in guide
    assert yaml.safe_load((OPS / "prometheus" / "scrape.yaml").read_text())["rule_files"] == ["alerts.yaml"]


@pytest.mark.parametrize("unit", sorted(path.name for path in (OPS / "systemd").iterdir()))
def test_units_run_commands_that_exist(unit: str, tmp_path: Path) -> None:
    text = (OPS / "systemd" / unit).read_text()
    commands = re.findall(r"^Exec\w+=/opt/stream-guard/bin/streamguard (.+)$", text, re.MULTILINE)
    assert commands
    for command in commands:
        app.parse_args(command.replace("%i", "1").split(), exit_on_error=False, print_error=False)
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here; the commands were checked")
    # The program and the user are of the machine that the unit is for.
    file = tmp_path / unit.replace("@", "@1")
    file.write_text(re.sub(r"/opt/stream-guard/bin/streamguard", "/bin/true", text).replace("User=streamguard\n", ""))
    checked = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    assert [line for line in checked.stderr.splitlines() if file.name in line] == []
