"""Properties that come with a request or by SET: which there are, and what values they take."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from ksqldb.engine.errors import KsqlError

_PREFIXES = ("ksql.streams.consumer.", "ksql.streams.producer.", "ksql.streams.", "consumer.", "producer.")
_LONG = ("LONG", -(2**63), 2**63 - 1)
_INT = ("INT", -(2**31), 2**31 - 1)
# Of Kafka Streams, its consumers and producers: those with values of their own kind, then the rest.
_CHOICES = {
    "auto.offset.reset": ("latest", "earliest", "none"),
    "processing.guarantee": ("at_least_once", "exactly_once", "exactly_once_beta", "exactly_once_v2"),
    "isolation.level": ("read_committed", "read_uncommitted"),
    "topology.optimization": ("all", "none"),
}
_WHOLE = {
    "commit.interval.ms": _LONG,
    "cache.max.bytes.buffering": _LONG,
    "statestore.cache.max.bytes": _LONG,
    "num.stream.threads": _INT,
    "num.standby.replicas": _INT,
    "replication.factor": _INT,
    "max.task.idle.ms": _LONG,
    "poll.ms": _LONG,
    "buffered.records.per.partition": _INT,
    "state.cleanup.delay.ms": _LONG,
    "request.timeout.ms": _INT,
    "retry.backoff.ms": _LONG,
    "max.poll.records": _INT,
    "max.poll.interval.ms": _INT,
    "session.timeout.ms": _INT,
    "heartbeat.interval.ms": _INT,
    "fetch.min.bytes": _INT,
    "fetch.max.bytes": _INT,
    "fetch.max.wait.ms": _INT,
    "max.partition.fetch.bytes": _INT,
    "linger.ms": _LONG,
    "batch.size": _INT,
    "buffer.memory": _LONG,
    "max.request.size": _INT,
    "delivery.timeout.ms": _INT,
    "max.block.ms": _LONG,
    "retries": _INT,
}
_OTHERS = frozenset(
    {
        "acks", "application.id", "application.server", "bootstrap.servers", "client.id", "client.rack",
        "compression.type", "default.deserialization.exception.handler", "default.key.serde",
        "default.production.exception.handler", "default.timestamp.extractor", "default.value.serde",
        "enable.auto.commit", "enable.idempotence", "group.id", "group.instance.id", "interceptor.classes",
        "metric.reporters", "metrics.recording.level", "metadata.max.age.ms", "partitioner.class",
        "reconnect.backoff.ms", "reconnect.backoff.max.ms",
        "rocksdb.config.setter", "sasl.jaas.config", "sasl.mechanism", "security.protocol",
        "shutdown.timeout.ms", "ssl.keystore.location", "ssl.keystore.password", "ssl.truststore.location",
        "ssl.truststore.password", "state.dir", "upgrade.from", "window.size.ms",
    }
)  # fmt: skip
_FLAGS = frozenset(
    {
        "ksql.query.pull.table.scan.enabled", "ksql.query.pull.range.scan.enabled", "ksql.query.pull.stream.enabled",
        "ksql.query.pull.limit.clause.enabled", "ksql.query.pull.interpreter.enabled", "ksql.query.push.v2.enabled",
        "ksql.variable.substitution.enable", "ksql.new.query.planner.enabled", "ksql.timestamp.throw.on.invalid",
        "ksql.cast.strings.preserve.nulls", "ksql.nested.error.set.null", "ksql.persistence.wrap.single.values",
        "ksql.suppress.enabled", "ksql.lambdas.enabled", "ksql.headers.columns.enabled",
        "ksql.create.or.replace.enabled", "ksql.insert.into.values.enabled", "ksql.udfs.enabled",
    }
)  # fmt: skip


def refuse_denied(names: Iterable[str], denylist: str) -> None:
    """KsqlError for properties that only the server's own configuration may set."""
    denied = {"ksql.service.id", *denylist.split(",")}
    found = [name for name in names if name in denied]
    if found:
        raise KsqlError(
            "One or more properties overrides set locally are prohibited by the KSQL server (use UNSET to reset their "
            f"default value): [{', '.join(found)}]"
        )


def check_values(properties: Mapping[str, object]) -> None:
    """KsqlError for the first value that its property cannot have."""
    for name, value in properties.items():
        problem = None if value is None else wrong_value(name, str(value))
        if problem is not None:
            cause = "\n".join(textwrap.wrap(f"Caused by: {problem}", 80, subsequent_indent="\t"))
            raise KsqlError(f"Failed to coerce type of value '{value}' for key '{name}'\n{cause}")


def wrong_value(name: str, value: str) -> str | None:
    """Why a property cannot have a value; None where it can."""
    bare, given = _bare(name), value.strip()
    reason = None
    if bare in _CHOICES and given not in _CHOICES[bare]:
        reason = f"String must be one of: {', '.join(_CHOICES[bare])}"
    elif bare in _WHOLE and not _is_whole(given, *_WHOLE[bare][1:]):
        reason = f"Not a number of type {_WHOLE[bare][0]}"
    elif name in _FLAGS and given.lower() not in ("true", "false"):
        reason = "Expected value to be either true or false"
    return None if reason is None else f"Invalid value {value} for configuration {bare}: {reason}"


def is_known(name: str, strict: bool = False) -> bool:
    """Whether there is a property of this name. ``strict``: as SET looks at it; a request may also name properties that
    only their prefix tells to be ksqlDB's or Kafka Streams'."""
    bare = _bare(name)
    if bare in _CHOICES or bare in _WHOLE or bare in _OTHERS:
        return True
    return name.startswith("ksql.") and not (strict and name.startswith("ksql.streams."))


def _bare(name: str) -> str:
    """A property of Kafka's without its prefix."""
    return name.removeprefix(next((prefix for prefix in _PREFIXES if name.startswith(prefix)), ""))


def _is_whole(text: str, low: int, high: int) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and low <= int(text) <= high
