"""Topics and settings: CreateTopics, DeleteTopics, CreatePartitions, DescribeConfigs, (Incremental)AlterConfigs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from core.stack.broker.broker import NODE_ID, Broker
from core.stack.broker.configs import DEFINITIONS, Kind
from core.stack.broker.errors import Code, KafkaError
from core.stack.broker.request import Request, no_throttle
from core.stack.broker.wire import Writer

_TOPIC, _BROKER = 2, 4
_SET_ON_TOPIC, _SET_AT_START, _BY_DEFAULT = 1, 4, 5  # sources of a value
_SET, _DELETE, _APPEND, _SUBTRACT = range(4)

Outcome = tuple[str, Code, str | None]


def _outcome(name: str, act: Callable[[], object]) -> Outcome:
    try:
        act()
    except KafkaError as error:
        return name, error.code, error.message
    except OSError as error:
        return name, Code.KAFKA_STORAGE_ERROR, str(error)
    return name, Code.NONE, None


def _write_outcomes(out: Writer, outcomes: list[Outcome], with_message: bool) -> None:
    def write(outcome: Outcome) -> None:
        name, code, message = outcome
        out.string(name)
        out.i16(code)
        if with_message:
            out.string(message)

    out.array(outcomes, write)


@dataclass(frozen=True, slots=True)
class _NewTopic:
    name: str
    partitions: int
    replication: int
    assigned: list[tuple[int, list[int]]]
    configs: dict[str, str | None]


def create_topics(broker: Broker, request: Request, out: Writer) -> None:
    body = request.body

    def topic() -> _NewTopic:
        return _NewTopic(
            body.string(),
            body.i32(),
            body.i16(),
            body.array(lambda: (body.i32(), body.array(body.i32))),
            dict(body.array(lambda: (body.string(), body.string_or_none()))),
        )

    topics = body.array(topic)
    body.i32()
    dry = body.boolean() if request.version >= 1 else False

    def create(new: _NewTopic) -> None:
        if new.replication not in (-1, 1):
            raise KafkaError(
                Code.INVALID_REPLICATION_FACTOR,
                f"Unable to replicate the partition {new.replication} time(s): The target replication factor of "
                f"{new.replication} cannot be reached because only 1 broker(s) are registered.",
            )
        broker.topics.create(new.name, len(new.assigned) or new.partitions, new.configs, dry)

    no_throttle(request, out, since=2)
    outcomes = [_outcome(new.name, partial(create, new)) for new in topics]
    _write_outcomes(out, outcomes, with_message=request.version >= 1)


def delete_topics(broker: Broker, request: Request, out: Writer) -> None:
    def delete(name: str) -> None:
        broker.topics.delete(name)
        broker.offsets.forget_topic(name)

    no_throttle(request, out, since=1)
    names = request.body.array(request.body.string)
    _write_outcomes(out, [_outcome(name, partial(delete, name)) for name in names], with_message=False)


def create_partitions(broker: Broker, request: Request, out: Writer) -> None:
    body = request.body

    def topic() -> tuple[str, int]:
        name, count = body.string(), body.i32()
        body.array(lambda: body.array(body.i32))
        return name, count

    topics = body.array(topic)
    body.i32()
    dry = body.boolean()
    no_throttle(request, out)
    outcomes = [_outcome(name, partial(broker.topics.grow, name, count, dry)) for name, count in topics]
    _write_outcomes(out, outcomes, with_message=True)


@dataclass(frozen=True, slots=True)
class _Setting:
    name: str
    value: str
    source: int
    default: str | None
    kind: Kind


def _settings(broker: Broker, kind: int, name: str) -> list[_Setting]:
    if kind == _TOPIC:
        config = broker.topics.topic(name).config
        return [
            _Setting(
                key,
                config.value(key),
                _SET_ON_TOPIC if key in config.overrides else _BY_DEFAULT,
                definition.default,
                definition.kind,
            )
            for key, definition in DEFINITIONS.items()
        ]
    if kind == _BROKER and name in ("", str(NODE_ID)):
        address = broker.address
        return [
            _Setting(
                "advertised.listeners", f"PLAINTEXT://{address.host}:{address.port}", _SET_AT_START, None, Kind.STRING
            ),
            _Setting("auto.create.topics.enable", str(broker.auto_create).lower(), _SET_AT_START, "true", Kind.BOOLEAN),
            _Setting("broker.id", str(NODE_ID), _SET_AT_START, None, Kind.INT),
            _Setting("default.replication.factor", "1", _BY_DEFAULT, "1", Kind.INT),
            _Setting("delete.topic.enable", "true", _BY_DEFAULT, "true", Kind.BOOLEAN),
            _Setting("num.partitions", str(broker.topics.default_partitions), _SET_AT_START, "1", Kind.INT),
        ]
    raise KafkaError(Code.INVALID_REQUEST, f"no resource of type {kind} named {name!r}")


def describe_configs(broker: Broker, request: Request, out: Writer) -> None:
    body, version = request.body, request.version
    resources = body.array(lambda: (body.i8(), body.string(), body.array_or_none(body.string)))
    with_synonyms = body.boolean() if version >= 1 else False

    def write_setting(setting: _Setting) -> None:
        out.string(setting.name)
        out.string(setting.value)
        out.boolean(setting.source == _SET_AT_START)  # read only
        if version == 0:
            out.boolean(setting.source == _BY_DEFAULT)
        else:
            out.i8(setting.source)
        out.boolean(False)  # sensitive
        if version >= 1:
            synonyms = [(setting.value, setting.source)] if setting.source != _BY_DEFAULT else []
            if setting.default is not None:
                synonyms.append((setting.default, _BY_DEFAULT))
            out.array(synonyms if with_synonyms else [], lambda synonym: write_synonym(setting.name, *synonym))
        if version >= 3:
            out.i8(setting.kind)
            out.string(None)

    def write_synonym(name: str, value: str, source: int) -> None:
        out.string(name)
        out.string(value)
        out.i8(source)

    def write_resource(resource: tuple[int, str, list[str] | None]) -> None:
        kind, name, keys = resource
        code, message, found = Code.NONE, None, list[_Setting]()
        try:
            found = [setting for setting in _settings(broker, kind, name) if keys is None or setting.name in keys]
        except KafkaError as error:
            code, message = error.code, error.message
        out.i16(code)
        out.string(message)
        out.i8(kind)
        out.string(name)
        out.array(found, write_setting)

    no_throttle(request, out)
    out.array(resources, write_resource)


def alter_configs(broker: Broker, request: Request, out: Writer) -> None:
    """Replaces all settings of a topic; what is not named falls back to its default."""
    body = request.body

    def resource() -> tuple[int, str, dict[str, str]]:
        kind, name = body.i8(), body.string()
        return kind, name, dict(body.array(lambda: (body.string(), body.string_or_none() or "")))

    resources = body.array(resource)
    dry = body.boolean()
    outcomes = [(kind, _outcome(name, partial(_alter, broker, kind, name, new, dry))) for kind, name, new in resources]
    _write_altered(request, out, outcomes)


def incremental_alter_configs(broker: Broker, request: Request, out: Writer) -> None:
    body = request.body

    def resource() -> tuple[int, str, list[tuple[str, int, str | None]]]:
        kind, name = body.i8(), body.string()
        return kind, name, body.array(lambda: (body.string(), body.i8(), body.string_or_none()))

    resources = body.array(resource)
    dry = body.boolean()

    def change(kind: int, name: str, steps: list[tuple[str, int, str | None]]) -> None:
        config = broker.topics.topic(name).config if kind == _TOPIC else None
        overrides = dict(config.overrides) if config else {}
        for key, operation, value in steps:
            current = config.value(key) if config and key in DEFINITIONS else ""
            _step(overrides, key, operation, value or "", overrides.get(key, current))
        _alter(broker, kind, name, overrides, dry)

    outcomes = [(kind, _outcome(name, partial(change, kind, name, steps))) for kind, name, steps in resources]
    _write_altered(request, out, outcomes)


def _step(overrides: dict[str, str], key: str, operation: int, value: str, current: str) -> None:
    """One change of IncrementalAlterConfigs to `overrides`. Raises KafkaError(INVALID_CONFIG | INVALID_REQUEST)."""
    if operation == _SET:
        overrides[key] = value
    elif operation == _DELETE:
        overrides.pop(key, None)
    elif operation in (_APPEND, _SUBTRACT):
        if key not in DEFINITIONS or DEFINITIONS[key].kind != Kind.LIST:
            raise KafkaError(
                Code.INVALID_CONFIG, f"Config value append or subtract is not allowed for config key: {key}"
            )
        items, given = [item for item in current.split(",") if item], value.split(",")
        kept = [item for item in items if item not in given]
        overrides[key] = ",".join([*items, *(g for g in given if g not in items)] if operation == _APPEND else kept)
    else:
        raise KafkaError(Code.INVALID_REQUEST, f"unknown operation {operation}")


def _alter(broker: Broker, kind: int, name: str, overrides: dict[str, str], dry: bool) -> None:
    if kind != _TOPIC:
        raise KafkaError(Code.INVALID_REQUEST, "only settings of topics can be changed while the broker runs")
    config = broker.topics.topic(name).config
    before = config.overrides
    config.replace(overrides)
    if dry:
        config.replace(before)
    else:
        broker.topics.save()


def _write_altered(request: Request, out: Writer, outcomes: list[tuple[int, Outcome]]) -> None:
    def write(altered: tuple[int, Outcome]) -> None:
        kind, (name, code, message) = altered
        out.i16(code)
        out.string(message)
        out.i8(kind)
        out.string(name)

    no_throttle(request, out)
    out.array(outcomes, write)
