"""Nothing that is said is lost: what the message line cannot show it counts, and the history holds it."""

from __future__ import annotations

from tests.tui.harness import running
from tui.notices import KEPT, SECONDS, SEEN_S, Notices


def test_of_several_at_once_the_gravest_stands_with_the_number_of_the_others() -> None:
    notices = Notices()
    for style, text in (("bad", "Kafka: failed"), ("bad", "ksqlDB: failed"), ("good", "done"), ("warn", "late")):
        notices.say(0.0, style, text)
    assert notices.line(0.0) == ("ksqlDB: failed", "bad", 3)
    assert notices.line(SECONDS) == ("ksqlDB: failed", "bad", 3)
    assert notices.line(SECONDS + 1) == ("", "text", 0)


def test_a_warning_that_was_replaced_at_once_is_counted() -> None:
    notices = Notices()
    notices.say(0.0, "warn", "Kafka: down")
    assert notices.line(0.0) == ("Kafka: down", "warn", 0)
    notices.say(SEEN_S / 2, "text", "copied 3 characters")
    assert notices.line(SEEN_S / 2) == ("copied 3 characters", "text", 1)
    notices.say(SEEN_S, "warn", "Kafka: restarting")
    assert notices.line(SEEN_S) == ("Kafka: restarting", "warn", 0), "what the count stood beside was no warning"
    notices.say(3 * SEEN_S, "good", "Kafka: up")
    assert notices.line(3 * SEEN_S) == ("Kafka: up", "good", 0)


def test_what_was_said_while_nobody_could_look_stands_its_time_afterwards() -> None:
    notices = Notices()
    notices.say(0.0, "bad", "PostgreSQL: down")
    assert notices.line(300.0)[0] == "PostgreSQL: down"
    assert notices.line(300.0 + SECONDS)[0] == "PostgreSQL: down"


def test_the_history_is_bounded() -> None:
    notices = Notices()
    for number in range(KEPT + 5):
        notices.say(0.0, "text", str(number))
    assert len(notices.said) == KEPT
    assert notices.said[0][2] == "5"


async def test_the_line_says_how_many_more_and_where_they_are() -> None:
    async with running() as session:
        session.app.say("one", "bad")
        session.app.say("two", "good")
        await session.shows("+1 more: m")
        assert "one" in session.text()
        await session.press("m")
        await session.shows("two")
