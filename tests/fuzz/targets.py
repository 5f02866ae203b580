"""What is fed: every place where bytes of strangers come in. A target raises what it must not, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from core.kafka.record import DeadLetter, decode_records
from core.output import harmless
from core.settings import FILE, SettingsError, load
from core.workers.decode import TOPICS
from ksqldb.client import KsqlClient, KsqlClientError
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.parse import parse
from schema.text import escaped
from tui.terminal.keys import KeyReader
from tui.terminal.sanitise import clean, fit, visible

_RULES = Path(__file__).resolve().parents[2] / "ksqldb" / "rules"
_WORDS = (
    *(b"\x00", b"\x1b[2J", b"\x1b]52;c;eA==\x07", b"\x9b31m", "\u202e".encode(), "\u2028".encode(), b"\xff\xfe"),
    *(b'"', b"'", b"\\", b"\\u0000", b"\\ud800", b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"-1", b"1e999"),
    *(b"9" * 40, b"0.1", b"-0", b"NaN", b"Infinity", b";", b"--", b"/*", b"\n", b"\t", b"\r", b"`", b"$", b"${x}"),
)
_SQL_WORDS = (
    *(
        b" SELECT ",
        b" FROM ",
        b" WHERE ",
        b" GROUP BY ",
        b" EMIT CHANGES",
        b" WINDOW HOPPING (",
        b" CASE WHEN ",
        b" END ",
    ),
    *(b" STRUCT<", b" MAP<", b"=>", b" AND NOT ", b" LIKE '%' ESCAPE '", b" BETWEEN ", b"(((((", b")))))", b"||"),
)
_PAYMENT = (
    b'{"transaction_id":"t1","account_id":"acc-1","amount":12.34,"channel":"PIX","merchant_id":"m-1",'
    b'"merchant_name":"Padaria \xc3\xa1","city":"S\xc3\xa3o Paulo","latitude":-23.5,"event_time":1700000000000,'
    b'"produced_at":1}'
)
_ALERT = (
    b'{"RULE_ID":"high_amount","ACCOUNT_ID":"acc-1","TRANSACTION_ID":"t1","AMOUNT":5000.00,"TXN_COUNT":1,'
    b'"WINDOW_START":null,"WINDOW_END":null,"EVENT_TIME":1700000000000,"PRODUCED_AT":1}'
)
_LABEL = b'{"transaction_id":"t1","account_id":"acc-1","is_fraud":true,"scenario":"x","known_at":1700000000000}'
_HARMFUL = {"Cc", "Cs", "Zl", "Zp"}
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Target:
    """``share`` of all inputs go to ``feed``; ``examples`` and ``words`` make them."""

    name: str
    share: float
    feed: Callable[[bytes], None]
    examples: Sequence[bytes]
    words: Sequence[bytes] = _WORDS


def is_harmless(text: str, allowed: str = "") -> bool:
    """Whether no character could drive a terminal."""
    if text.isascii() and text.isprintable():
        return True
    return not _BIDI.search(text) and all(
        char in allowed or unicodedata.category(char) not in _HARMFUL for char in text
    )


# ---------------------------------------------------------------------------------------------------------- Kafka


@dataclass(frozen=True)
class _Record:
    topic: str
    key: bytes | None
    value: bytes | None
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


def kafka_value(data: bytes) -> None:
    """A record is taken in or set aside with a reason that can be printed."""
    for topic, decoder in TOPICS.items():
        taken: list[Any] = []
        dead: list[DeadLetter] = []
        decode_records([_Record(topic, b"acc-1", data)], decoder, taken, dead)
        assert len(taken) + len(dead) == 1
        assert all(is_harmless(harmless(letter.reason)) for letter in dead)


def kafka_key(data: bytes) -> None:
    taken: list[Any] = []
    dead: list[DeadLetter] = []
    decode_records([_Record("transactions", data, _PAYMENT)], TOPICS["transactions"], taken, dead)
    assert len(taken) + len(dead) == 1


# ----------------------------------------------------------------------------------------------------------- REST

_LOOP = asyncio.new_event_loop()
_STATEMENTS = json.dumps(
    [
        {
            "@type": "currentStatus",
            "statementText": "CREATE STREAM s ...;",
            "commandId": "stream/`S`/create",
            "commandStatus": {"status": "SUCCESS", "message": "Stream created"},
            "warnings": [],
        }
    ]
).encode()
_QUERIES = (
    b'[{"@type":"queries","statementText":"SHOW QUERIES;","queries":[{"queryString":"INSERT INTO a SELECT * FROM b;",'
    b'"sinks":["A"],"sinkKafkaTopics":["a"],"id":"INSERTQUERY_1","statusCount":{"RUNNING":1},"queryType":"PERSISTENT",'
    b'"state":"RUNNING"}],"warnings":[]}]'
)
_INFO = b'{"KsqlServerInfo":{"version":"0.29.0","kafkaClusterId":"x","ksqlServiceId":"y","serverStatus":"RUNNING"}}'
_REFUSAL = b'{"@type":"statement_error","error_code":40001,"message":"line 1:1: no","statementText":"x","entities":[]}'
_ROWS = b'{"queryId":"q","columnNames":["A","B"],"columnTypes":["STRING","DECIMAL(12, 2)"]}\n["a",1.25]\n["b",null]\n'


def rest_response(data: bytes) -> None:
    """Whatever a server says is a value or a ``KsqlClientError`` whose text can be shown."""
    _LOOP.run_until_complete(_rest(data))


async def _rest(data: bytes) -> None:
    status = 200 if len(data) % 3 else 400 + len(data) % 120
    transport = httpx.MockTransport(lambda request: httpx.Response(status, content=_chunks(data)))
    client = KsqlClient("http://127.0.0.1:1", transport=transport)
    for ask in (client.info, client.queries, lambda: client.execute("SHOW STREAMS;"), lambda: _rows(client)):
        said = ""
        try:
            await ask()
        except KsqlClientError as error:
            said = str(error)
        assert is_harmless(said, "\n\t"), said
    await client._http.aclose()


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 37):
        yield data[at : at + 37]


async def _rows(client: KsqlClient) -> None:
    async with client.query("SELECT * FROM s EMIT CHANGES LIMIT 2;") as query:
        async for batch in query.batches():
            assert isinstance(batch, list)


# ------------------------------------------------------------------------------------------------------------ SQL


def sql_text(data: bytes) -> None:
    """A statement is parsed or refused as ksqlDB would, never otherwise."""
    with suppress(KsqlError):
        parse(data.decode(errors="replace"))


def _sql_examples() -> list[bytes]:
    return [
        statement.strip().encode() + b";"
        for file in sorted(_RULES.glob("*.sql"))
        for statement in file.read_text().split(";")
        if statement.strip()
    ]


# ------------------------------------------------------------------------------------------ keyboard and the screen


def keyboard(data: bytes) -> None:
    """What a terminal sends becomes messages, whatever it is."""
    reader = KeyReader()
    for text in (data.decode(errors="replace"), "\x1b", "q"):
        list(reader.feed(text))
        list(reader.tick())


def shown_text(data: bytes) -> None:
    """Nothing that is drawn or printed can drive a terminal, and JSON keeps its value."""
    text = data.decode(errors="replace")
    for drawn in (clean(text), visible(text), fit(text, 40), harmless(text)):
        assert is_harmless(drawn), repr(drawn)
    line = json.dumps({"text": text}, ensure_ascii=False)
    assert is_harmless(escaped(line))
    assert json.loads(escaped(line)) == {"text": text}


# ------------------------------------------------------------------------------------------------------- settings

_TOML = (
    b'kafka = "k:9093"\nkafka_security_protocol = "SASL_SSL"\nkafka_username = "me"\nkafka_password = "pl4nted"\n'
    b'ksqldb = "https://me:pl4nted@q:8088"\npostgres = "postgresql://me:pl4nted@db/x"\nread_only = true\n'
    b"[profiles.production]\nkafka_port = 9092\nkafka_partitions = 12\n"
)


def settings(data: bytes) -> None:
    """A file of settings is taken or refused in a sentence without its secrets. Runs in a folder of its own."""
    Path(FILE).write_bytes(data)
    before = dict(os.environ)
    try:
        said = repr(load())
    except SettingsError as error:
        said = str(error)
    assert "me:pl4nted@" not in said or b"home" in data, said  # a folder's name is no secret
    assert dict(os.environ) == before


TARGETS = (
    Target("kafka_value", 0.47, kafka_value, (_PAYMENT, _ALERT, _LABEL)),
    Target("kafka_key", 0.10, kafka_key, (b"acc-1", "ação".encode(), b"")),
    Target("shown_text", 0.20, shown_text, (_PAYMENT, "Padaria São João 日本 🎉".encode(), b"plain text")),
    Target("keyboard", 0.15, keyboard, (b"\x1b[A\x1b[<0;10;10Mabc\x1b[200~paste\x1b[201~", b"q\x1bOP", b"\x1b[1;5C")),
    Target("sql_text", 0.03, sql_text, _sql_examples(), (*_WORDS, *_SQL_WORDS)),
    Target("rest_response", 0.03, rest_response, (_STATEMENTS, _QUERIES, _INFO, _REFUSAL, _ROWS)),
    Target("settings", 0.02, settings, (_TOML, b'kafka = "a:1,b:2"\nhome = "~/x"\n')),
)
