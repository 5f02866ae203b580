"""The keeper of the rules on a real engine: what an operator wishes is done, and says whose wish it was."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from core.eventlog import EventLog
from core.kafka.admin import ensure_topics
from core.rules.switching import pause, want
from core.workers.rules import RuleKeeper
from core.workers.sender import TOPICS
from ksqldb import rulebook
from schema.events import RuleDeployed
from tests import engines
from tests.brokers import Broker
from tests.core.kafka.intake import until
from tests.core.workers.test_tasks import running

_DEPLOYED = "select exists (select from log.event where stream = 'rule-' || $1 and type = 'RuleDeployed')"


async def test_a_rule_that_an_operator_wants_is_deployed_because_of_the_wish(
    broker: Broker, pool: Any, log: EventLog, tmp_path: Path
) -> None:
    with engines.running(broker.address, tmp_path / "engine") as engine:
        topics = partial(ensure_topics, broker.kafka, dict.fromkeys(TOPICS, 4))
        async with running(RuleKeeper(engine.url, pool, log, "w1", topics)):
            await until(pool, _DEPLOYED, "high_amount")
            await want(log, "fan_in", "ana", wanted=True)
            await until(pool, _DEPLOYED, "fan_in")
            await pause(log, "fan_in", "ana")
            async with engine.client() as client:
                while await status(client, "fan_in") is not rulebook.Status.PAUSED:
                    await pool.execute("select pg_sleep(0.05)")
    (by_file,) = await log.read_stream("rule-high_amount")
    assert (by_file.meta.actor, by_file.meta.causation_id) == ("worker w1", None)
    wish, deployed, _ = await log.read_stream("rule-fan_in")
    assert isinstance(deployed.event, RuleDeployed)
    assert deployed.meta.causation_id == f"event-{wish.pos}"
    assert deployed.meta.correlation_id == wish.meta.correlation_id


async def status(client: Any, rule_id: str) -> rulebook.Status:
    states = {state.rule.id: state.status for state in await rulebook.states(client, rulebook.load())}
    return states[rule_id]
