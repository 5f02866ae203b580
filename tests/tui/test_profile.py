"""What streamguard.toml says to the control center: environments with their colours, read-only, theme, keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.entry import Bare
from core.settings import load
from tests.tui.fakes import Fakes
from tests.tui.harness import WatchedCenter, running
from tui.app import ControlCenter
from tui.main import Where
from tui.profile import COLORS, Profile, chosen

FILE = """
kafka = "broker:9092"
[screen]
theme = "guard-light"
color = "green"
[screen.keys]
"app.launch" = "l"
"app.fly" = "x"
[profiles.production]
read_only = true
ksqldb = "http://ksql:8088"
[profiles.production.screen]
color = "red"
[profiles.odd]
[profiles.odd.screen]
color = "octarine"
sound = "loud"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "streamguard.toml"
    path.write_text(FILE)
    monkeypatch.chdir(tmp_path)
    for name in ("KAFKA", "KSQLDB", "POSTGRES", "PROFILE", "READ_ONLY", "THEME"):
        monkeypatch.delenv(f"STREAMGUARD_{name}", raising=False)
    return path


def test_without_a_file_everything_is_local(tmp_path: Path) -> None:
    assert chosen(None, None, {}, tmp_path / "none.toml") == Profile()
    assert (
        chosen(None, None, {"STREAMGUARD_POSTGRES": "postgresql://x"}, tmp_path / "none.toml").environment == "remote"
    )
    assert chosen(None, None, {}, tmp_path / "none.toml", {"kafka": "k:9092"}).environment == "remote"


def test_a_profile_wins_over_the_rest_of_the_file(file: Path) -> None:
    plain = chosen(None, None, {}, file)
    assert (plain.environment, plain.color, plain.read_only, plain.theme) == ("remote", "green", False, "guard-light")
    assert plain.keys == {"app.launch": "l", "app.fly": "x"}
    for profile in (
        chosen("production", None, {}, file),
        chosen(None, None, {"STREAMGUARD_PROFILE": "production"}, file),
    ):
        assert (profile.environment, profile.color, profile.read_only) == ("production", "red", True)
        assert profile.theme == "guard-light"
    odd = chosen("odd", None, {}, file)
    assert odd.color == ""
    assert [problem.split(":")[0] for problem in odd.problems] == ["streamguard.toml", "streamguard.toml"]


@pytest.mark.parametrize(
    ("flag", "variable", "meant"),
    [(True, "0", True), (False, "1", False), (None, "yes", True), (None, "off", False), (None, "", True)],
)
def test_read_only_by_flag_over_variable_over_file(file: Path, flag: bool | None, variable: str, meant: bool) -> None:
    assert chosen("production", flag, {"STREAMGUARD_READ_ONLY": variable}, file).read_only is meant


@pytest.mark.parametrize(("profile", "read_only"), [(None, None), ("production", None), (None, True)])
def test_the_settings_read_the_same(file: Path, profile: str | None, read_only: bool | None) -> None:
    early = chosen(profile, read_only, {}, file)
    settings = load(profile=profile, read_only=read_only)
    assert settings.read_only is early.read_only
    assert settings.kafka == "broker:9092"


def test_the_bare_command_line_has_every_flag_that_is_asked_for() -> None:
    bare: Where = Bare()
    flags = [name for name in vars(Where) if not name.startswith("_")]
    assert {"home", "kafka", "profile", "read_only", "settings"} <= set(flags)
    for name in flags:
        assert getattr(bare, name) is None or name == "settings"


def test_a_broken_file_is_left_to_the_settings(file: Path) -> None:
    file.write_text("kafka = [")
    assert chosen(None, None, {}, file) == Profile()


async def test_the_top_line_names_the_environment_in_its_colour_and_the_mode() -> None:
    for color in COLORS[::5]:
        fakes = Fakes()
        fakes.changes = {"environment": "production", "color": color, "mode": lambda: "READ-ONLY"}
        async with running(fakes) as session:
            await session.shows("production  READ-ONLY")
            screen = session.picture()
            at = screen.display[0].index("production")
            assert screen.buffer[0][at].bg != screen.buffer[0][0].bg
            assert screen.buffer[0][at].bold


async def test_a_theme_and_a_keymap_that_are_not_there_are_said() -> None:
    app = WatchedCenter(
        Fakes().ports(), Path("/nonexistent"), theme_name="octarine", keys={"app.fly": "x", "case.claim": "x"}
    )
    async with app.run_test():
        said = [text for _, _, text in app.notices.said]
        assert any("no action 'app.fly'" in text for text in said)
        assert any("x is both case.claim and case.confirm" in text for text in said)
        assert any("no theme 'octarine'" in text for text in said)
        assert isinstance(app, ControlCenter)
