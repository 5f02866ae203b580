"""A fault of the control center: a redacted report in a file, a sentence for the user, ten files at most."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from textual.app import App

from core.redact import redact
from tests.tui.fakes import Fakes
from tui.app import ControlCenter
from tui.terminal import crash


class Broken(ControlCenter):
    """Fails as soon as it is told to."""

    def action_quit_badly(self) -> None:
        raise KeyError("acc-004417 at postgresql://ana:s3cret@db/x password=hunter2 881204551")


async def _fail(app: Broken) -> None:
    async with app.run_test() as pilot:
        app.call_later(app.action_quit_badly)
        await pilot.pause()


def _reports(folder: Path) -> list[Path]:
    return sorted(folder.glob("crash-*.txt"))


async def test_a_fault_leaves_a_redacted_report_and_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Broken, "crash_folder", tmp_path)
    app = Broken(Fakes().ports(), tmp_path)
    with pytest.raises(KeyError):
        await _fail(app)
    await app.close_all()
    (report,) = _reports(tmp_path)
    text = report.read_text()
    assert "KeyError" in text
    assert "action_quit_badly" in text
    for secret in ("004417", "s3cret", "hunter2", "881204551", "ana:"):
        assert secret not in text
    assert report.stat().st_mode & 0o077 == 0


def test_ten_reports_are_kept(tmp_path: Path) -> None:
    for second in range(14):
        crash.write(tmp_path, ValueError(str(second)), 1_784_556_134.0 + second)
    kept = _reports(tmp_path)
    assert len(kept) == crash.KEPT
    assert kept[-1].read_text().startswith("error: ValueError: 13\n")


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("token: abc.def", "token: ***"),
        ("api_key=abc, next", "api_key=***, next"),
        ("alert-ab-12 of acc-7", "alert-*** of acc-***"),
        (f"{Path.home()}/x", "~/x"),
        ("line 123", "line 123"),
    ],
)
def test_what_is_redacted(text: str, redacted: str) -> None:
    assert redact(text) == redacted


def test_the_private_parts_of_textual_that_reports_rely_on() -> None:
    assert "self._fatal_error()" in inspect.getsource(App._handle_exception)
    assert "_exit_renderables" in inspect.getsource(App._print_error_renderables)
    assert "_close_messages_no_wait" in inspect.getsource(App._fatal_error)
