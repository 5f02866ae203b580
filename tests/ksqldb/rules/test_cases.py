"""Rule tests themselves: the product's rules pass theirs, and a wrong expectation is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from ksqldb.rulebook import RuleFileError, load, run_cases
from ksqldb.rulebook.commands import check_rules

BOOK = load()
HIGH = BOOK.rule("high_amount")
CASE = '[[case]]\nname = "c"\npayments = [{ at = 1.5, account = "A", amount = 9000 }]\n'


@pytest.mark.parametrize("rule_id", list(BOOK.rules))
def test_every_rule_has_cases_and_passes_them(rule_id: str) -> None:
    rule = BOOK.rule(rule_id)
    results = list(run_cases(rule, BOOK, rule.cases))
    assert results
    assert [result for result in results if result.problem] == []


@pytest.mark.parametrize(
    ("alerts", "problem"),
    [
        ('[{ account_id = "A", event_time = 1.5, amount = 9000 }]', None),
        ("[]", "0 alerts should come, 1 came; the next is"),
        ('[{ account_id = "B" }]', "alert 1: account_id should be B, it is A"),
        ('[{ account_id = "A", times = 2 }]', "2 alerts should come, 1 came"),
        ("[{ event_time = 2 }]", "alert 1: event_time should be 2, it is 1.5"),
    ],
)
def test_what_differs_is_told(alerts: str, problem: str | None) -> None:
    (result,) = run_cases(HIGH, BOOK, f"{CASE}alerts = {alerts}\n")
    assert result.name == "c"
    if problem is None:
        assert result.problem is None
    else:
        assert result.problem is not None
        assert result.problem.startswith(problem)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no"),
        ("[[case]\n", "high_amount.test.toml: "),
        ('[[case]]\nname = "n"\npayments = []\n', "n: a case needs payments"),
        ("[[case]]\npayments = [{ at = 0, amount = 1 }]\nalerts = []\n", "case 1: a case needs payments (at, account"),
    ],
)
def test_a_test_file_that_cannot_be_used_is_told(text: str, message: str) -> None:
    with pytest.raises(RuleFileError) as caught:
        list(run_cases(HIGH, BOOK, text))
    assert message in str(caught.value)


def test_cases_without_their_rule_are_told(tmp_path: Path) -> None:
    (tmp_path / "00_sources.sql").write_text("CREATE STREAM IF NOT EXISTS s (a INT) WITH (KAFKA_TOPIC='s');")
    (tmp_path / "lost.test.toml").write_text(CASE)
    with pytest.raises(RuleFileError, match=r"lost\.test\.toml has no rule beside it"):
        load(tmp_path)


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_rules(["high_amount"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 0 failed"
    assert check_rules(["nope"]) == 2
