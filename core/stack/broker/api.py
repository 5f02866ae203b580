"""Which requests the broker serves, in which versions, and the answer to the first of them: ApiVersions."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.stack.broker import api_admin, api_cluster, api_data, api_groups, api_sasl
from core.stack.broker.broker import Broker
from core.stack.broker.errors import Code
from core.stack.broker.request import Handler, Request, no_throttle
from core.stack.broker.wire import Writer

API_VERSIONS = 18
BEFORE_LOGIN = frozenset({17, API_VERSIONS, 36})
_NEVER = 1000


@dataclass(frozen=True, slots=True)
class Api:
    name: str
    first: int
    last: int
    handle: Handler
    flexible_from: int = _NEVER


def _api_versions(broker: Broker, request: Request, out: Writer) -> None:
    write_api_versions(request, out, Code.NONE)


def write_api_versions(request: Request, out: Writer, code: Code) -> None:
    """A client that asks in a version not known here is told so in version 0, with what is known (KIP-511)."""

    def write(entry: tuple[int, Api]) -> None:
        key, api = entry
        out.i16(key)
        out.i16(api.first)
        out.i16(api.last)
        out.tags()

    out.i16(code)
    out.array(APIS.items(), write)
    no_throttle(request, out, since=1)
    out.tags()


# The newest version before the flexible encoding, unless a client needs a flexible one.
APIS: Mapping[int, Api] = {
    0: Api("Produce", 0, 8, api_data.produce),  # 0-2 are only named: librdkafka looks for them before it compresses
    1: Api("Fetch", 4, 11, api_data.fetch),
    2: Api("ListOffsets", 1, 7, api_data.list_offsets, flexible_from=6),
    3: Api("Metadata", 0, 8, api_cluster.metadata),
    8: Api("OffsetCommit", 2, 6, api_groups.offset_commit),
    9: Api("OffsetFetch", 1, 5, api_groups.offset_fetch),
    10: Api("FindCoordinator", 0, 2, api_cluster.find_coordinator),
    11: Api("JoinGroup", 0, 4, api_groups.join_group),
    12: Api("Heartbeat", 0, 2, api_groups.heartbeat),
    13: Api("LeaveGroup", 0, 2, api_groups.leave_group),
    14: Api("SyncGroup", 0, 2, api_groups.sync_group),
    15: Api("DescribeGroups", 0, 3, api_groups.describe_groups),
    16: Api("ListGroups", 0, 4, api_groups.list_groups, flexible_from=3),
    17: Api("SaslHandshake", 1, 1, api_sasl.sasl_handshake),
    API_VERSIONS: Api("ApiVersions", 0, 3, _api_versions, flexible_from=3),
    19: Api("CreateTopics", 0, 4, api_admin.create_topics),
    20: Api("DeleteTopics", 0, 3, api_admin.delete_topics),
    21: Api("DeleteRecords", 0, 1, api_data.delete_records),
    22: Api("InitProducerId", 0, 1, api_cluster.init_producer_id),
    32: Api("DescribeConfigs", 0, 3, api_admin.describe_configs),
    33: Api("AlterConfigs", 0, 1, api_admin.alter_configs),
    36: Api("SaslAuthenticate", 0, 1, api_sasl.sasl_authenticate),
    37: Api("CreatePartitions", 0, 1, api_admin.create_partitions),
    42: Api("DeleteGroups", 0, 1, api_groups.delete_groups),
    44: Api("IncrementalAlterConfigs", 0, 0, api_admin.incremental_alter_configs),
    60: Api("DescribeCluster", 0, 1, api_cluster.describe_cluster, flexible_from=0),
}
