"""CONTRIBUTING.md, followed to the letter: each thing that it adds works as soon as it is added."""

from __future__ import annotations

import re
import sys
from importlib.resources import files
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from core.scenarios import registry
from core.scenarios.population import Population
from ksqldb.rulebook.commands import check_rules
from schema import events
from tests.tui.harness import running
from tui.app import ControlCenter

GUIDE = (Path(__file__).resolve().parent.parent / "CONTRIBUTING.md").read_text()


def block(section: str, language: str) -> str:
    """The first code block of that language in a section of the guide, without its indentation."""
    text = GUIDE.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    found = re.search(rf"^( *)```{language}\n(.*?)^\1```", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{section} has no {language} block"
    return "\n".join(line.removeprefix(found[1]) for line in found[2].splitlines()) + "\n"


def module(section: str, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The section's Python as an imported file of that name."""
    file = folder / f"{name}.py"
    file.write_text(block(section, "python"))
    spec = spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, made)
    spec.loader.exec_module(made)
    return made


def test_a_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sources = files("ksqldb").joinpath("rules", "00_sources.sql").read_text()
    (tmp_path / "00_sources.sql").write_text(sources)
    (tmp_path / "round_thousand.sql").write_text(block("A detection rule", "sql"))
    cases = tmp_path / "round_thousand.test.toml"
    cases.write_text(block("A detection rule", "toml"))
    assert check_rules(["round_thousand"], folder=tmp_path) == 0, capsys.readouterr().out
    cases.write_text(cases.read_text().replace("amount = 3000, event_time = 1", "amount = 3000, event_time = 2"))
    assert check_rules(["round_thousand"], folder=tmp_path) == 1


def test_a_fraud_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = module("A fraud scenario", "round_thousands", tmp_path, monkeypatch).RoundThousands
    monkeypatch.setitem(registry.SCENARIOS, scenario.id, scenario)
    people = Population(5, 500)
    one, again = (registry.build("round_thousands", "run", 7, 1_750_000_000_000, people) for _ in range(2))
    assert one == again
    assert len(one.payments) == 12
    assert all(planned.transaction.amount % 1000 == 0 for planned in one.payments)
    with pytest.raises(registry.UnknownScenario, match="victims"):
        registry.build("round_thousands", "run", 7, 1_750_000_000_000, people, {"victims": "many"})


def test_an_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for known in ("REGISTRY", "UPCASTERS", "_DECODERS"):
        monkeypatch.setattr(events, known, dict(getattr(events, known)))
    made = module("An event", "card_replaced", tmp_path, monkeypatch).CardReplaced
    now = made(account_id="a", operator="ana", reason="lost")
    name, version, data = events.encode(now)
    assert (name, version) == ("CardReplaced", 2)
    assert events.decode(name, version, data) == now
    old = events.decode("CardReplaced", 1, b'{"account_id":"a","operator":"ana"}')
    assert old == made(account_id="a", operator="ana", reason="unknown")


async def test_a_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = module("A screen", "counter_screen", tmp_path, monkeypatch).CounterScreen
    monkeypatch.setitem(ControlCenter.MODES, "counter", screen)
    async with running() as session:
        await session.app.switch_mode("counter")
        await session.shows("10,024 events")
        await session.press("2")
        await session.shows("following")
