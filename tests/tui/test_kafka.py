"""The Kafka screen on a cluster in memory: topics, groups, messages, dead letters."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.tui.fakes import NOW_MS, Fakes
from tests.tui.fakes_cluster import FakeCluster, message
from tests.tui.harness import Album, Session, running
from tui import commands
from tui.screens.kafka.port import Batch, Start
from tui.screens.kafka.rows import parse_start
from tui.widgets.feed import Feed
from tui.widgets.payload import bytes_lines, short, text_lines


async def _open(session: Session) -> None:
    await session.press("7")
    await session.shows("881.204")
    await session.shows("may not be read" if session.app.size.width > 100 else "secret")
    await session.shows("dead letters, 1 open")


async def _browse(session: Session) -> None:
    await _open(session)
    await session.press("G", "enter")
    await session.shows("32 read, tail")


async def test_pictures(album: Album, tmp_path: Path) -> None:
    async with running(size=album.size, theme=album.theme, files=tmp_path) as session:
        await _open(session)
        await session.shows("error")
        await album.take(session, "kafka")
        await session.press("G", "enter")
        await session.shows("32 read, tail")
        await session.press("k")
        await album.take(session, "messages")
        await session.press("enter")
        await album.take(session, "message")


async def test_groups_come_in_stages_and_what_is_unknown_is_na() -> None:
    async with running(size=(120, 40)) as session:
        await _open(session)
        lines = session.text().splitlines()
        high = next(line for line in lines if "ksqldb-high_amount" in line)
        assert high.split()[1:4] == ["stable", "1", "12"]
        assert "N/A" in next(line for line in lines if " nobody " in line)
        assert "the group may not be read" in next(line for line in lines if " secret " in line)
        assert any("(inlet)" in line and "in PostgreSQL" in line for line in lines)


async def test_a_topic_shows_its_partitions_and_settings() -> None:
    async with running() as session:
        await _open(session)
        await session.press("i")
        await session.shows("retention.ms")


async def test_a_group_opens_into_partitions() -> None:
    async with running() as session:
        await _open(session)
        await session.press("tab", "j", "enter")
        await session.shows("engine 127.0.0.1")


async def test_a_cluster_that_goes_away_is_told_and_old_values_stay() -> None:
    async with running(size=(120, 40)) as session:
        await _open(session)
        session.fakes.cluster.failure = "Kafka: no broker answers"
        await session.shows("Kafka: no broker answers")
        await session.shows("881.204")


async def test_messages_follow_filter_and_show_malformed_bytes() -> None:
    async with running() as session:
        await _browse(session)
        await session.shows("0xfffe0062726f6b656e")
        await session.shows("(null)")
        await session.press("slash")
        await session.type("tx-77")
        await session.press("enter")
        session.fakes.cluster.browsers[0].queue.put_nowait(Batch((message(76), message(77)), skipped=5_000))
        await session.shows("/tx-77 1 of 34")
        await session.shows("5.000 passed over")


async def test_a_malformed_value_opens_as_hexadecimal() -> None:
    async with running() as session:
        await _browse(session)
        await session.press("k", "enter")
        await session.shows("ff fe 00 62 72 6f 6b 65 6e")


@pytest.mark.parametrize(
    ("typed", "start", "shown"),
    [
        ("beginning", Start("beginning"), "from the beginning"),
        ("2@881204", Start("offset", 881_204, 2), "from partition 2 offset 881.204"),
    ],
)
async def test_reading_begins_where_it_was_asked(typed: str, start: Start, shown: str) -> None:
    async with running(size=(120, 40)) as session:
        await _browse(session)
        await session.press("o")
        await session.shows("PARTITION@OFFSET")
        await session.press(*("at" if char == "@" else char for char in typed))
        await session.press("enter")
        await session.shows(shown)
        assert session.fakes.cluster.starts[-1] == start
        assert session.fakes.cluster.browsers[0].closed


@pytest.mark.parametrize(("asked", "first"), [("0@8", 8), ("0@3", 8)])
async def test_the_cursor_lands_on_the_message_that_was_asked_for(asked: str, first: int) -> None:
    cluster = FakeCluster(past=[message(8), message(12)])
    async with running(Fakes(cluster=cluster)) as session:
        await commands.run(session.app, f"topic transactions {asked}")
        await session.shows("browsing 1 of 2")
        feed = session.app.screen.query_one(Feed)
        assert feed.selected == message(first)
        if asked == "0@3":
            await session.shows("transactions/0 @ 3 is no longer kept: the first is 8")
        cluster.browsers[-1].queue.put_nowait(Batch((message(16),)))
        await session.shows("browsing 1 of 3")
        await session.press("G")
        cluster.browsers[-1].queue.put_nowait(Batch((message(20),)))
        await session.until(lambda: feed.selected == message(20), "the feed follows")


async def test_leaving_a_topic_closes_its_browser() -> None:
    async with running() as session:
        await _browse(session)
        await session.press("q")
        await session.until(lambda: session.fakes.cluster.browsers[0].closed, "the browser closes")


async def test_a_message_is_sent_only_after_yes() -> None:
    async with running() as session:
        await _browse(session)
        for answer, outcome in (("no", "nothing done"), ("yes", "sent to transactions/0 @ 42")):
            await session.press("P")
            await session.shows("value of a message")
            await session.type("hello")
            await session.press("enter")
            await session.shows("its key")
            await session.type("acc")
            await session.press("enter")
            await session.shows("send 5 bytes, key acc, to transactions")
            await session.type(answer)
            await session.press("enter")
            await session.shows(outcome)
        assert session.fakes.cluster.done == [("produce", "transactions", b"acc", b"hello")]


async def test_dead_letters_open_and_are_requeued_after_yes() -> None:
    async with running() as session:
        await _open(session)
        await session.press("tab", "tab", "enter")
        await session.shows("dead letter 2")
        await session.shows("trace")
        await session.press("escape", "R")
        await session.shows("send dead letter 2 to transactions/1 again")
        await session.type("yes")
        await session.press("enter")
        await session.shows("dead letters, 0 open")
        assert session.fakes.cluster.done == [("requeued", 2)]
        await session.press("D")
        await session.shows("is requeued already")


async def test_a_dead_letter_is_discarded_with_a_reason() -> None:
    async with running(Fakes(cluster=FakeCluster())) as session:
        await _open(session)
        await session.press("tab", "tab", "D")
        await session.shows("close dead letter 2 for good")
        await session.type("noise")
        await session.press("enter")
        await session.shows("dead letters, 0 open")
        assert session.fakes.cluster.done == [("reason", "noise"), ("discarded", 2)]


# ------------------------------------------------------------------------------------------------ pure


def _at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", Start("latest")),
        (" Latest ", Start("latest")),
        ("b", Start("beginning")),
        ("12", Start("offset", 12)),
        ("3@12", Start("offset", 12, 3)),
        ("14:02", Start("time", _at("2026-07-20 14:02"))),
        ("2026-07-19 04:05:06", Start("time", _at("2026-07-19 04:05:06"))),
        ("25:00", None),
        ("soon", None),
        ("9" * 30, None),
    ],
)
def test_where_to_begin_is_read_from_text(text: str, start: Start | None) -> None:
    assert parse_start(text, NOW_MS) == start


def test_payloads_are_json_text_or_hexadecimal() -> None:
    plain = ["".join(text for text, _ in line) for line in bytes_lines(b'{"a": [1, "x"]}', 40)]
    assert plain == ["{", '  "a": [', "    1,", '    "x"', "  ]", "}"]
    assert "".join(text for text, _ in bytes_lines(b"\xff\x00A", 60)[0]) == f"000000  {'ff 00 41':<47}  ..A"
    assert bytes_lines(None, 40) == [[("(null)", "dim")]]
    wide = text_lines("漢" * 30, 20)
    assert ["".join(text for text, _ in line) for line in wide] == ["漢" * 10] * 3
    assert short("é".encode() * 2_000, 300) == "é" * 300
    assert short(b"\xff\xfe", 300) == "0xfffe"
