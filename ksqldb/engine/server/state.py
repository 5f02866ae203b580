"""What every handler of one server shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from ksqldb.engine.engine import Engine

VERSION = "0.29.0"


class Phase(Enum):
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"


@dataclass(slots=True)
class Server:
    """``users`` maps a name to its password; None leaves the server open, ``own_user`` to processes of its own user.
    ``sequence`` is the number of the last command."""

    engine: Engine
    users: dict[str, str] | None = None
    own_user: bool = False
    phase: Phase = Phase.STARTING
    sequence: int = field(default=-1)

    def setting(self, name: str, default: str) -> str:
        return self.engine.config.properties.get(name, default)

    @property
    def service_id(self) -> str:
        return self.setting("ksql.service.id", "default_")

    @property
    def max_push_queries(self) -> int:
        return int(self.setting("ksql.max.push.queries", "100"))
