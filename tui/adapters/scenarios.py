"""The scenario catalogue, its runs, and how much normal traffic was asked for."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence

from tui.adapters.database import Database, epoch_ms
from tui.ports import ScenarioInfo, ScenarioRun

TAKEN = "tq"
"""Letters of the launch menu that mean something else: traffic, and leaving."""


def letters(names: Iterable[str]) -> dict[str, str]:
    """A letter per name: the first of its own letters that is free, else any that is."""
    given: dict[str, str] = {}
    used = set(TAKEN)
    for name in names:
        initials = "".join(part[:1] for part in name.split("_"))
        wanted = [*initials, *name, *string.ascii_lowercase, *string.digits]
        letter = next((c for c in wanted if c.isalnum() and c not in used), "")
        if letter:
            used.add(letter)
            given[name] = letter
    return given


class LogScenarios:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._catalogue: tuple[ScenarioInfo, ...] = ()

    def catalogue(self) -> Sequence[ScenarioInfo]:
        if not self._catalogue:
            from core.scenarios.registry import SCENARIOS

            keys = letters(SCENARIOS)
            self._catalogue = tuple(
                ScenarioInfo(name, scenario.title, _expects(scenario.caught_by, scenario.hard), keys.get(name, ""))
                for name, scenario in SCENARIOS.items()
            )
        return self._catalogue

    async def runs(self, limit: int) -> Sequence[ScenarioRun]:
        rows = await self._database.fetch(
            "select * from read.scenario_run order by requested_at desc, run_id limit $1", limit
        )
        return [
            ScenarioRun(
                run_id=row["run_id"],
                scenario=row["scenario"],
                seed=row["seed"],
                status=row["status"],
                worker=row["worker"] or "",
                requested_at=epoch_ms(row["requested_at"]),
                expected=row["expected"],
                caught=row["caught"],
                missed=row["missed"],
                false_alerts=row["false_alerts"],
                time_to_detect_ms=row["time_to_detect_ms"],
                detected_wall_ms=row["detected_wall_ms"],
                money_lost=row["money_lost"],
                last_pos=row["last_pos"],
            )
            for row in rows
        ]

    async def traffic_rate(self) -> int:
        row = await self._database.fetch_row(
            "select (data ->> 'rate')::int as rate from log.event where stream = 'scenario-traffic'"
            " order by version desc limit 1"
        )
        return 0 if row is None else int(row["rate"])


def _expects(caught_by: Sequence[str], hard: bool) -> str:
    return ", ".join(caught_by) + (" (hard: recall is reported as it is)" if hard else "")
