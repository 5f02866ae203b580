"""The tables that the runner writes into the compatibility document."""

from __future__ import annotations

from pathlib import Path

import pytest

from ksqldb.conformance.report import BEGIN, END, Judged, update


def outcomes(*failed: str) -> list[Judged]:
    ids = [("q", "joins", "a.json|one|"), ("q", "joins", "a.json|two|JSON"), ("r", "other", "b.json|three|")]
    return [Judged(suite, area, name, name not in failed) for suite, area, name in ids]


def document(folder: Path) -> Path:
    file = folder / "doc.md"
    file.write_text(f"# Title\n\nbefore\n{BEGIN}\n{END}\nafter\n", "utf-8")
    return file


def test_rates_by_suite_and_area(tmp_path: Path) -> None:
    file = document(tmp_path)
    update(file, outcomes("a.json|two|JSON"))
    text = file.read_text("utf-8")
    assert text.startswith("# Title\n\nbefore\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "### q" in text
    assert "| joins | 1 | 2 | 50.0 % |" in text
    assert "| other | 1 | 1 | 100.0 % |" in text
    assert "| `a.json/two/JSON` | not looked into yet |" in text


def test_a_reason_stays_as_long_as_its_case_fails(tmp_path: Path) -> None:
    file = document(tmp_path)
    update(file, outcomes("a.json|one|", "b.json|three|"))
    file.write_text(file.read_text("utf-8").replace("`a.json/one` | not looked into yet", "`a.json/one` | known"))
    update(file, outcomes("a.json|one|"))
    assert "| `a.json/one` | known |" in file.read_text("utf-8")
    assert "three" not in file.read_text("utf-8")
    update(file, outcomes())
    assert "known" not in file.read_text("utf-8")


def test_a_file_without_the_marks_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "doc.md"
    file.write_text("# Title\n")
    with pytest.raises(ValueError, match="does not hold"):
        update(file, outcomes())
