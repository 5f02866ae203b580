"""The scenario worker: claims runs that operators ask for, sends their payments, awaits alerts, gives the verdict."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import time
from typing import Any
from uuid import UUID, uuid5

import msgspec
import structlog

from core.eventlog import Appended, Duplicate, EventLog, Meta, Recorded, caused_by
from core.kafka.connection import Kafka
from core.scenarios import registry
from core.scenarios.campaign import Campaign, Planned
from core.scenarios.runs import stream_of
from core.scenarios.scorecard import Found, Verdict, judge
from core.workers.outlast import PatientReads, outlast
from core.workers.producer import population_for
from core.workers.sender import Sender, ground_truth, payment
from core.workers.task import Status, until_stopped
from schema.events import (
    Event,
    ScenarioClaimed,
    ScenarioFailed,
    ScenarioRequested,
    ScenarioScored,
    ScenarioSent,
    ScenarioStopped,
)

PATIENCE_S = 15.0
_CHUNK = 500
_COMMANDS = UUID("6f3c9d58-0d7e-4f0c-9c55-5c0c0f0e7a11")  # name space of command ids
_log = structlog.get_logger(__name__)


class ScenarioWorker:
    name = "scenario"

    def __init__(self, kafka: Kafka, pool: Any, log: EventLog, worker_id: str) -> None:
        self.status = Status()
        self._kafka = kafka
        self._pool = pool
        self._log = log
        self._worker = worker_id
        self._meta = Meta(actor=f"worker {worker_id}")
        self._metas: dict[str, Meta] = {}  # of runs under way: each event names its request as the cause
        self._runs: dict[str, asyncio.Task[None]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Serve runs until stopped; runs under way then end without a verdict and say so."""
        async with Sender(self._kafka) as sender:
            try:
                await until_stopped(stop, asyncio.create_task(self._follow(sender)))
            finally:
                for task in self._runs.values():
                    task.cancel()
                await asyncio.gather(*self._runs.values(), return_exceptions=True)
        self.status.state = "stopped"

    async def _follow(self, sender: Sender) -> None:
        # From where the projection stands, not from the log's head: what lies between is in no row yet.
        projected = await self._pool.fetchval("select pos from ops.projection where name = 'scenario_run' and live")
        await self._give_up_orphans()
        for row in await self._pool.fetch("select run_id from read.scenario_run where status = 'requested'"):
            for recorded in (await self._log.read_stream(stream_of(row["run_id"])))[:1]:
                self._consider(recorded, sender)
        self._show()
        async for batch in self._log.subscribe(projected + 1, prefix="scenario-"):
            for recorded in batch:
                self._consider(recorded, sender)

    async def _give_up_orphans(self) -> None:
        """Runs of workers that are gone can have no verdict any more, nor those of this task's earlier life."""
        rows = await self._pool.fetch(
            "select run_id from read.scenario_run r where status in ('claimed', 'sent')"
            " and (r.worker = $1 or not exists ("
            "select from ops.worker_status s where s.worker_id = r.worker"
            " and s.updated_at > clock_timestamp() - interval '10 seconds'))",
            self._worker,
        )
        for row in rows:
            await self._append(row["run_id"], ScenarioFailed(run_id=row["run_id"], reason="its worker is gone"))

    def _consider(self, recorded: Recorded, sender: Sender) -> None:
        event = recorded.event
        if isinstance(event, ScenarioRequested) and event.run_id not in self._runs:
            self._metas[event.run_id] = caused_by(recorded, self._meta.actor)
            task = asyncio.create_task(self._serve(event, sender))
            self._runs[event.run_id] = task
            task.add_done_callback(lambda _: self._ended(event.run_id))
            self._show()
        elif isinstance(event, ScenarioStopped) and event.run_id in self._runs:
            self._runs[event.run_id].cancel()

    def _ended(self, run_id: str) -> None:
        self._runs.pop(run_id, None)
        self._metas.pop(run_id, None)
        self._show()

    def _show(self) -> None:
        self.status.state = "running" if self._runs else "idle"
        self.status.detail = {"runs": sorted(self._runs)}

    # ------------------------------------------------------------------------------------------------- one run

    async def _serve(self, request: ScenarioRequested, sender: Sender) -> None:
        claim = await self._append(request.run_id, ScenarioClaimed(run_id=request.run_id, worker=self._worker), 1)
        if not claim:
            return  # another worker has it
        try:
            campaign = registry.build(
                request.scenario,
                request.run_id,
                request.seed,
                int(time() * 1000),
                await asyncio.to_thread(population_for, 0),
                request.parameters,
            )
            started = await self._send(campaign, sender)
            await self._append(request.run_id, _sent(request.run_id, campaign))
            verdict = await self._watch(campaign, started)
            await self._append(
                request.run_id,
                ScenarioScored(
                    run_id=request.run_id,
                    scenario=request.scenario,
                    expected=verdict.expected,
                    caught=verdict.caught,
                    missed=verdict.missed,
                    false_alerts=verdict.false_alerts,
                    time_to_detect_ms=verdict.time_to_detect_ms,
                    detected_wall_ms=verdict.detected_wall_ms,
                    money_lost=verdict.money_lost,
                    caught_by=dict(verdict.caught_by),
                ),
            )
        except registry.UnknownScenario as error:
            await self._append(request.run_id, ScenarioFailed(run_id=request.run_id, reason=str(error)))
        except Exception as error:
            _log.exception("a scenario run failed", run=request.run_id)
            reason = f"{type(error).__name__}: {error}"[:300]
            await self._append(request.run_id, ScenarioFailed(run_id=request.run_id, reason=reason))

    async def _append(self, run_id: str, event: Event, expected_version: int | None = None) -> bool:
        """Append, also over a restart of the database: a commit whose outcome is unknown is asked for again under the
        same command id, and counts once."""
        command = uuid5(_COMMANDS, f"{self._worker} {run_id} {type(event).__name__}")
        verdict = await outlast(
            lambda: self._log.append(
                stream_of(run_id),
                [event],
                meta=self._metas.get(run_id, self._meta),
                expected_version=expected_version,
                command_id=command,
            )
        )
        return isinstance(verdict, Appended | Duplicate)

    async def _send(self, campaign: Campaign, sender: Sender) -> int:
        """Send history at once and the rest as its time comes; returns the wall clock (ms) of the first fraud sent."""
        started: int | None = None
        waiting = list(campaign.payments)
        while waiting:
            now = int(time() * 1000)
            due = [p for p in waiting if p.transaction.event_time <= now][:_CHUNK]
            if not due:
                await asyncio.sleep((waiting[0].transaction.event_time - now) / 1000)
                continue
            waiting = waiting[len(due) :]
            await self._send_due(due, now, sender)
            if started is None and any(p.label.is_fraud for p in due):
                started = now
        return started or int(time() * 1000)

    @staticmethod
    async def _send_due(due: Sequence[Planned], now: int, sender: Sender) -> None:
        records = []
        for planned in due:
            records.append(payment(msgspec.structs.replace(planned.transaction, produced_at=now)))
            records.append(ground_truth(planned.label, now))
        await sender.send(records)

    async def _watch(self, campaign: Campaign, started: int) -> Verdict:
        """Wait until every expected account has its alert, or patience ends."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            verdict = judge(campaign, await find_alerts(PatientReads(self._pool), campaign), started)
            if verdict.missed == 0 or asyncio.get_running_loop().time() > deadline:
                return verdict
            await asyncio.sleep(0.1)


async def find_alerts(pool: Any, campaign: Campaign) -> list[Found]:
    """Alerts that name payments of the campaign, each with the event time at which it was first raised."""
    rows = await pool.fetch(
        "select a.alert_id, a.rule_id, a.account_id, a.transactions, a.raised_at,"
        " coalesce((select (e.data ->> 'event_time')::bigint from log.event e"
        "  where e.stream = 'alert-' || a.alert_id and e.version = 1), 0) as event_time"
        " from read.alert a where a.account_id = any($1) and a.transactions && $2::text[]",
        list(campaign.accounts),
        [planned.transaction.transaction_id for planned in campaign.payments],
    )
    return [
        Found(
            row["alert_id"],
            row["rule_id"],
            row["account_id"],
            row["event_time"],
            int(row["raised_at"].timestamp() * 1000),
            tuple(row["transactions"]),
        )
        for row in rows
    ]


def _sent(run_id: str, campaign: Campaign) -> ScenarioSent:
    frauds = [planned.transaction.event_time for planned in campaign.frauds]
    return ScenarioSent(
        run_id=run_id,
        transactions=len(campaign.payments),
        fraud_transactions=len(frauds),
        expected=campaign.expected,
        accounts=campaign.accounts,
        first_fraud_at=min(frauds, default=0),
        last_fraud_at=max(frauds, default=0),
    )
