"""Services at addresses that were set: they are asked, never started."""

import asyncio
import logging
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from core.stack.client import StackSettings
from core.stack.probes import kafka_answers
from core.stack.state import DOWN, UP
from ksqldb.kafka import Kafka

_WITHIN = 3.0  # seconds


@dataclass(frozen=True, slots=True)
class External:
    """`address` without a password; `detail` says why it is down."""

    name: str
    address: str
    state: str
    detail: str = ""


async def external(settings: StackSettings) -> list[External]:
    """Each service that an address is set for, asked now."""
    asked: list[Awaitable[External]] = []
    if settings.postgres_dsn is not None:
        asked.append(_postgres(settings.postgres_dsn))
    if settings.kafka is not None:
        asked.append(_kafka(settings.cluster(settings.kafka)))
    if settings.ksqldb_url is not None:
        asked.append(_ksqldb(settings.ksqldb_url))
    return list(await asyncio.gather(*asked))


async def _kafka(kafka: Kafka) -> External:
    bootstrap = kafka.bootstrap
    if kafka.security_protocol != "PLAINTEXT":
        return await _logged_in(kafka)
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        if await kafka_answers(host.strip("[]"), int(port)):
            return External("kafka", bootstrap, UP)
    return External("kafka", bootstrap, DOWN, "no broker answers there")


async def _logged_in(kafka: Kafka) -> External:
    """One login: whether the certificates and the password are right is known only then."""
    from aiokafka.conn import create_conn
    from aiokafka.errors import KafkaError

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it logs what it raises
    reason = ""
    for address in kafka.bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            options = {name: value for name, value in kafka.options().items() if name != "bootstrap_servers"}
            async with asyncio.timeout(_WITHIN):
                connection = await create_conn(host.strip("[]"), int(port), **options)
        except (KafkaError, OSError, TimeoutError) as error:  # OSError: also a file that is not what it is called
            reason = " ".join(str(error).split()) or "no answer in time"
        else:
            connection.close()
            return External("kafka", kafka.bootstrap, UP)
    return External("kafka", kafka.bootstrap, DOWN, f"{reason} ({kafka.security_protocol})")


async def _ksqldb(url: str) -> External:
    from ksqldb.client import KsqlClient, KsqlClientError

    try:
        async with asyncio.timeout(_WITHIN), KsqlClient(url) as client:
            await client.info()
    except (KsqlClientError, ValueError, TimeoutError) as error:
        return External("ksqldb", without_password(url), DOWN, str(error) or "no answer in time")
    return External("ksqldb", without_password(url), UP)


async def _postgres(dsn: str) -> External:
    import asyncpg

    try:
        connection = await asyncpg.connect(dsn, timeout=_WITHIN)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, ValueError) as error:
        return External("postgres", without_password(dsn), DOWN, str(error) or "no answer in time")
    await connection.close()
    return External("postgres", without_password(dsn), UP)


def without_password(url: str) -> str:
    """The URL to show: a password may stand before the host and, in PostgreSQL's, among the parameters."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    netloc = f"{name}:***{at}{host}" if colon else parts.netloc
    query = re.sub(r"(?i)\b(\w*password=)[^&]*", r"\1***", parts.query)
    return urlunsplit(parts._replace(netloc=netloc, query=query))
