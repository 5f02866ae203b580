"""What a scenario is: typed parameters, a plan of payments, and the rules that should catch it."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import msgspec

from core.scenarios.campaign import Builder


class Scenario(Protocol):
    """One way of stealing. ``plan`` fills the builder; times are relative to ``builder.start``."""

    id: ClassVar[str]
    title: ClassVar[str]
    story: ClassVar[str]
    """What happens, in a sentence, with the source of its numbers."""
    caught_by: ClassVar[tuple[str, ...]]
    """Rules and features that should raise it, the likeliest first."""
    hard: ClassVar[bool]
    """Recall is expected to be low and is reported as it is."""
    Parameters: ClassVar[type[msgspec.Struct]]

    @staticmethod
    def plan(builder: Builder, parameters: Any) -> None:
        """Put the run's payments into the builder and say which accounts must be alerted."""
        ...
