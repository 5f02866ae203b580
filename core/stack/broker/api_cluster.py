"""Who and where the cluster is: Metadata, DescribeCluster, FindCoordinator, InitProducerId."""

from core.stack.broker.broker import NODE_ID, Broker
from core.stack.broker.errors import Code, KafkaError
from core.stack.broker.log import LEADER_EPOCH
from core.stack.broker.request import Request, no_throttle
from core.stack.broker.topics import Topic
from core.stack.broker.wire import Writer

_NOT_ASKED = -(2**31)
_READ, _WRITE, _CREATE, _DELETE, _ALTER, _DESCRIBE, _CLUSTER_ACTION = 3, 4, 5, 6, 7, 8, 9
_DESCRIBE_CONFIGS, _ALTER_CONFIGS, _IDEMPOTENT_WRITE = 10, 11, 12
_GROUP_KEY = 0


def _may(*operations: int) -> int:
    """A bit field of ACL operations; there is no authoriser, so everyone may everything there is."""
    return sum(1 << operation for operation in operations)


TOPIC_OPERATIONS = _may(_READ, _WRITE, _CREATE, _DELETE, _ALTER, _DESCRIBE, _DESCRIBE_CONFIGS, _ALTER_CONFIGS)
CLUSTER_OPERATIONS = _may(
    _CREATE, _ALTER, _DESCRIBE, _CLUSTER_ACTION, _DESCRIBE_CONFIGS, _ALTER_CONFIGS, _IDEMPOTENT_WRITE
)
GROUP_OPERATIONS = _may(_READ, _DELETE, _DESCRIBE)


def metadata(broker: Broker, request: Request, out: Writer) -> None:
    body, version = request.body, request.version
    names = body.array_or_none(body.string)
    everything = names is None or (version == 0 and not names)
    create = body.boolean() if version >= 4 else True
    cluster_operations = body.boolean() if version >= 8 else False
    topic_operations = body.boolean() if version >= 8 else False

    def write_partition(index: int) -> None:
        out.i16(Code.NONE)
        out.i32(index)
        out.i32(NODE_ID)
        if version >= 7:
            out.i32(LEADER_EPOCH)
        out.array([NODE_ID], out.i32)
        out.array([NODE_ID], out.i32)
        if version >= 5:
            out.array([], out.i32)

    def write_topic(name: str) -> None:
        topic, code = _found_or_made(broker, name, create)
        out.i16(code)
        out.string(name)
        if version >= 1:
            out.boolean(False)
        out.array(range(len(topic.partitions) if topic else 0), write_partition)
        if version >= 8:
            out.i32(TOPIC_OPERATIONS if topic_operations else _NOT_ASKED)

    no_throttle(request, out, since=3)
    out.array([broker.address], lambda _: _write_node(broker, out, rack=version >= 1))
    if version >= 2:
        out.string(broker.cluster_id)
    if version >= 1:
        out.i32(NODE_ID)
    out.array(broker.topics.names() if everything or names is None else names, write_topic)
    if version >= 8:
        out.i32(CLUSTER_OPERATIONS if cluster_operations else _NOT_ASKED)


def _write_node(broker: Broker, out: Writer, rack: bool) -> None:
    out.i32(NODE_ID)
    out.string(broker.address.host)
    out.i32(broker.address.port)
    if rack:
        out.string(None)


def _found_or_made(broker: Broker, name: str, create: bool) -> tuple[Topic | None, Code]:
    topic = broker.topics.get(name)
    if topic is not None:
        return topic, Code.NONE
    if not (create and broker.auto_create):
        return None, Code.UNKNOWN_TOPIC_OR_PARTITION
    try:
        return broker.topics.create(name, -1, {}), Code.NONE
    except KafkaError as error:
        return None, error.code
    except OSError:
        return None, Code.KAFKA_STORAGE_ERROR


def describe_cluster(broker: Broker, request: Request, out: Writer) -> None:
    wants_operations = request.body.boolean()
    no_throttle(request, out)
    out.i16(Code.NONE)
    out.string(None)
    if request.version >= 1:
        out.i8(1)  # endpoints of brokers
    out.string(broker.cluster_id)
    out.i32(NODE_ID)

    def write_broker(_: object) -> None:
        _write_node(broker, out, rack=True)
        out.tags()

    out.array([broker.address], write_broker)
    out.i32(CLUSTER_OPERATIONS if wants_operations else _NOT_ASKED)
    out.tags()


def find_coordinator(broker: Broker, request: Request, out: Writer) -> None:
    request.body.string()
    of_group = request.version == 0 or request.body.i8() == _GROUP_KEY
    no_throttle(request, out, since=1)
    out.i16(Code.NONE if of_group else Code.COORDINATOR_NOT_AVAILABLE)
    if request.version >= 1:
        out.string(None if of_group else "the embedded broker has no transactions")
    out.i32(NODE_ID if of_group else -1)
    out.string(broker.address.host if of_group else "")
    out.i32(broker.address.port if of_group else -1)


def init_producer_id(broker: Broker, request: Request, out: Writer) -> None:
    transactional = request.body.string_or_none() is not None
    code, producer_id = Code.NONE, -1
    if transactional:
        code = Code.UNSUPPORTED_VERSION
    else:
        try:
            producer_id = broker.new_producer_id()
        except OSError:
            code = Code.KAFKA_STORAGE_ERROR
    no_throttle(request, out)
    out.i16(code)
    out.i64(producer_id)
    out.i16(0 if code == Code.NONE else -1)
