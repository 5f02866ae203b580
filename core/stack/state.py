"""What the supervisor tells its clients: one snapshot of all services, a JSON object a line."""

import json
from dataclasses import asdict, dataclass
from typing import Any

STARTING, UP, RESTARTING, FAILED, DOWN = "starting", "up", "restarting", "failed", "down"
SERVICES = ("postgres", "kafka", "ksqldb")


@dataclass(frozen=True, slots=True)
class Service:
    """`state`: starting; up; restarting (it was up and ended); failed (it could not be started, it is tried again);
    down (stopped, or it does not answer). `detail` is the step it is at or the reason of its state, `since` and
    `up_since` are seconds since 1970, `restarts` counts starts after the first, `failures` bad ends in a row.
    """

    name: str
    state: str
    address: str
    pid: int | None
    detail: str
    since: float
    up_since: float | None
    restarts: int
    failures: int


@dataclass(frozen=True, slots=True)
class Status:
    """`on_demand`: the stack stops with its last client. `stopping`: somebody asked it to stop; no crash, and no reason
    to start it again. `problems`: sentences about the whole, such as a full disk.
    """

    home: str
    pid: int
    on_demand: bool
    stopping: bool
    clients: int
    started_at: float
    problems: tuple[str, ...]
    services: tuple[Service, ...]

    def service(self, name: str) -> Service | None:
        return next((service for service in self.services if service.name == name), None)

    def to_line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "Status":
        value: dict[str, Any] = json.loads(line)
        value["services"] = tuple(Service(**service) for service in value["services"])
        value["problems"] = tuple(value["problems"])
        return cls(**value)
