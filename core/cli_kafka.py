"""`streamguard topics` and `streamguard groups`: what a Kafka cluster has and how far its readers are."""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from core.access import changes, looks
from core.cli import HERE, Json, Where, Yes, with_services
from core.cli_log import OPERATOR, Operator
from core.failures import UsageError
from core.kafka import commands
from core.kafka.connection import Kafka
from core.kafka.reset import reset_offsets
from core.settings import Settings
from core.stack.client import Addresses

topics = App(name="topics", help="Kafka topics: list, show, read, produce, create, delete.", help_format="plaintext")
groups = App(name="groups", help="Kafka consumer groups: list, show, delete, reset.", help_format="plaintext")


def _with_kafka(where: Where, body: Callable[[Kafka], int]) -> int:
    chosen = where.settings()
    if chosen.kafka is not None:  # then nothing else is needed
        return body(chosen.cluster(chosen.kafka))

    async def run(addresses: Addresses, settings: Settings) -> int:
        return await asyncio.to_thread(body, settings.cluster(addresses.kafka))

    return with_services(where, run)


@topics.command(name="list")
@looks
def topics_list(*, json: Json = False, where: Where = HERE) -> int:
    """Topics, their partitions and how many records they hold."""
    return _with_kafka(where, lambda kafka: commands.list_topics(kafka, as_json=json))


@topics.command(name="show")
@looks
def topics_show(topic: str, /, *, json: Json = False, where: Where = HERE) -> int:
    """The partitions of a topic with their offsets, and the settings made for it."""
    return _with_kafka(where, lambda kafka: commands.show_topic(kafka, topic, as_json=json))


@topics.command(name="read")
@looks
def topics_read(
    topic: str,
    /,
    *,
    start: Annotated[
        str | None, Parameter(name="--from", help="beginning, end, an offset or a time; else the newest")
    ] = None,
    partition: Annotated[int | None, Parameter(validator=Number(gte=0))] = None,
    count: Annotated[int, Parameter(validator=Number(gte=0), help="at most so many; 0: all")] = 20,
    follow: Annotated[bool, Parameter(negative=(), help="go on with what comes, until ctrl-c")] = False,
    json: Json = False,
    where: Where = HERE,
) -> int:
    """Messages of a topic with partition, offset, time and key; nobody's offsets move."""
    from core.kafka import messages

    def body(kafka: Kafka) -> int:
        return asyncio.run(messages.read(kafka, topic, start, count, partition=partition, follow=follow, as_json=json))

    return _with_kafka(where, body)


@topics.command(name="produce")
@changes
def topics_produce(
    topic: str,
    file: Annotated[Path | None, Parameter(help="JSON lines; stdin without it")] = None,
    /,
    *,
    key: Annotated[str, Parameter(help="the field that is a message's key")] = "account_id",
    operator: Operator = OPERATOR,
    where: Where = HERE,
) -> int:
    """Send JSON lines to a topic, a message a line."""
    from core.kafka import messages

    with contextlib.ExitStack() as opened:
        lines = sys.stdin.buffer if file is None else opened.enter_context(file.open("rb"))
        name = "stdin" if file is None else str(file)
        return with_services(
            where,
            lambda at, chosen: messages.produce(
                chosen.cluster(at.kafka), at.postgres, topic, lines, name, key, operator
            ),
        )


@topics.command(name="create")
@changes
def topics_create(
    topic: str,
    /,
    *,
    partitions: Annotated[int, Parameter(validator=Number(gte=1))] = 4,
    replication: Annotated[int, Parameter(validator=Number(gte=1))] = 1,
    set: Annotated[tuple[str, ...], Parameter(negative=(), help="a setting as NAME=VALUE; may be repeated")] = (),
    where: Where = HERE,
) -> int:
    """Create a topic."""
    if wrong := [setting for setting in set if "=" not in setting]:
        raise UsageError(f"--set {wrong[0]}: expected NAME=VALUE")
    return _with_kafka(where, lambda kafka: commands.create_topic(kafka, topic, partitions, replication, set))


@topics.command(name="delete")
@changes
def topics_delete(topic: str, /, *, yes: Yes = False, where: Where = HERE) -> int:
    """Delete a topic with its records."""
    return _with_kafka(where, lambda kafka: commands.delete_topic(kafka, topic, yes=yes))


@groups.command(name="list")
@looks
def groups_list(*, json: Json = False, where: Where = HERE) -> int:
    """Consumer groups, their state, members and lag."""
    return _with_kafka(where, lambda kafka: commands.list_groups(kafka, as_json=json))


@groups.command(name="show")
@looks
def groups_show(group: str, /, *, json: Json = False, where: Where = HERE) -> int:
    """Committed offsets and lag of a group by partition, and its members."""
    return _with_kafka(where, lambda kafka: commands.show_group(kafka, group, as_json=json))


@groups.command(name="delete")
@changes
def groups_delete(group: str, /, *, yes: Yes = False, where: Where = HERE) -> int:
    """Delete a group without members, with the offsets it committed."""
    return _with_kafka(where, lambda kafka: commands.delete_group(kafka, group, yes=yes))


@groups.command(name="reset")
@changes
def groups_reset(
    *,
    yes: Yes = False,
    operator: Operator = OPERATOR,
    where: Where = HERE,
) -> int:
    """Let a halted inlet go on: offsets that a topic lost or never had move to the nearest it has."""
    if not yes:
        raise UsageError("records between the old and the new offsets are given up or read again: say --yes to mean it")
    return with_services(where, lambda at, chosen: reset_offsets(at.postgres, chosen.cluster(at.kafka), operator))
