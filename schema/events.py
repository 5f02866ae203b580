"""Every event type of the log, versioned.

An event is a frozen struct registered under its name and newest version. Old versions stay readable: an upcaster takes
the decoded JSON object of version n to that of n + 1. A version newer than this program knows is refused, not guessed.
Streams: ``account-<id>``, ``alert-<id>``, ``case-<id>``, ``scenario-<run>``, ``rule-<id>``, ``operator-<name>``,
and for a party that is no account ``merchant-<id>``, ``payee-<id>`` or ``device-<id>``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec


class UnknownEvent(Exception):
    """The log holds a type or a version that this program does not know."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all events; subclasses are registered with ``event``."""


E = TypeVar("E", bound=type[Event])
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

REGISTRY: dict[str, tuple[int, type[Event]]] = {}
UPCASTERS: dict[tuple[str, int], Upcaster] = {}
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {}


def event(version: int = 1) -> Callable[[E], E]:
    """Register an event class under its own name at its newest version."""

    def register(cls: E) -> E:
        REGISTRY[cls.__name__] = (version, cls)
        _DECODERS[cls.__name__] = msgspec.json.Decoder(cls)
        return cls

    return register


def upcaster(name: str, from_version: int) -> Callable[[Upcaster], Upcaster]:
    """Register the step from ``from_version`` to the next one."""

    def register(step: Upcaster) -> Upcaster:
        UPCASTERS[name, from_version] = step
        return step

    return register


def encode(item: Event) -> tuple[str, int, bytes]:
    """``(type, version, JSON bytes)`` as the log stores it."""
    name = type(item).__name__
    return name, REGISTRY[name][0], _ENCODER.encode(item)


def decode(name: str, version: int, data: bytes | str) -> Event:
    """The event of a stored row, upcast to the newest version; raises ``UnknownEvent``."""
    known = REGISTRY.get(name)
    if known is None:
        raise UnknownEvent(f"event type {name!r} is not known to this version of Stream Guard")
    newest, cls = known
    if version == newest:
        decoded: Event = _DECODERS[name].decode(data)
        return decoded
    if version > newest:
        raise UnknownEvent(f"{name} version {version} is newer than the {newest} this version of Stream Guard knows")
    payload: dict[str, Any] = msgspec.json.decode(data)
    for step in range(version, newest):
        payload = UPCASTERS[name, step](payload)
    return msgspec.convert(payload, cls)


# ---------------------------------------------------------------------------------------------- values inside events


class Signal(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One reason for a score: what was measured against which threshold, and the points it gave."""

    id: str
    points: int
    reason: str
    value: float | None = None
    threshold: float | None = None
    transactions: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Where a record came from."""

    topic: str
    partition: int
    offset: int


# ---------------------------------------------------------------------------------------------- account-<account_id>


@event()
class PaymentDecided(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The standing decision on one payment; ``revision`` rises when a rule's alert or a person changes it.

    ``amount`` is centavos, ``score`` 0-1000, ``decision`` approve, review or block; times are epoch ms.
    """

    transaction_id: str
    account_id: str
    amount: int
    decision: str
    score: int
    event_time: int
    revision: int = 0
    signals: tuple[Signal, ...] = ()
    merchant_id: str | None = None
    payee_id: str | None = None
    channel: str | None = None
    source: Source | None = None
    produced_at: int | None = None


@event()
class AccountBlocked(Event, frozen=True, kw_only=True, omit_defaults=True):
    """``approver``: the second pair of eyes, where two are due."""

    account_id: str
    reason: str
    until: int | None = None
    approver: str | None = None


@event()
class AccountUnblocked(Event, frozen=True, kw_only=True, omit_defaults=True):
    account_id: str
    reason: str


# ---------------------------------------------------------------------------------------------- <kind>-<party>


@event()
class PartyListed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A party comes on a list, or its entry there is replaced; ``until`` is event time (epoch ms), None = until lifted.

    ``list`` is block or allow; ``kind`` is account, merchant, payee or device. Accounts are blocked by
    ``AccountBlocked``.
    """

    list: str
    kind: str
    party: str
    operator: str
    reason: str
    until: int | None = None
    approver: str | None = None


@event()
class PartyUnlisted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The party's entry on a list is lifted."""

    list: str
    kind: str
    party: str
    operator: str
    reason: str


@event()
class BlockProposed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Under four eyes: one operator wants a party blocked; another approves (the block's own event) or refuses."""

    kind: str
    party: str
    operator: str
    reason: str
    until: int | None = None


@event()
class BlockRefused(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The proposal is turned down, or withdrawn by who made it."""

    kind: str
    party: str
    operator: str
    reason: str


# ---------------------------------------------------------------------------------------------- alert-<alert_id>


class Incident(Event, frozen=True, kw_only=True, omit_defaults=True):
    """What a rule's incident has come to: its payments, score and decision. Times are epoch ms, ``amount`` centavos."""

    alert_id: str
    rule_id: str
    account_id: str
    incident_start: int
    incident_end: int
    event_time: int
    score: int
    decision: str
    severity: str
    amount: int | None = None
    txn_count: int | None = None
    transactions: tuple[str, ...] = ()
    signals: tuple[Signal, ...] = ()
    sources: tuple[Source, ...] = ()
    produced_at: int | None = None


@event()
class AlertRaised(Incident, frozen=True, kw_only=True, omit_defaults=True):
    """A rule's incident opened. ``alert_id`` is derived from rule, account and incident, so a replay raises it once."""


@event()
class AlertExtended(Incident, frozen=True, kw_only=True, omit_defaults=True):
    """More rows joined the incident; every field is the incident's new total."""


# ---------------------------------------------------------------------------------------------- case-<alert_id>


@event()
class CaseClaimed(Event, frozen=True, kw_only=True, omit_defaults=True):
    case_id: str
    operator: str


@event()
class CaseConfirmed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Fraud, in full or for the payments named."""

    case_id: str
    operator: str
    reason: str = ""
    transactions: tuple[str, ...] = ()


@event()
class CaseDismissed(Event, frozen=True, kw_only=True, omit_defaults=True):
    case_id: str
    operator: str
    reason: str


@event()
class CaseEscalated(Event, frozen=True, kw_only=True, omit_defaults=True):
    case_id: str
    operator: str
    reason: str = ""


@event()
class CaseReopened(Event, frozen=True, kw_only=True, omit_defaults=True):
    case_id: str
    operator: str
    reason: str = ""


@event()
class CaseNoted(Event, frozen=True, kw_only=True, omit_defaults=True):
    case_id: str
    operator: str
    text: str


# ---------------------------------------------------------------------------------------------- scenario-<run_id>


@event()
class ScenarioRequested(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An operator asks for a run; a scenario worker claims it by appending the stream's next event."""

    run_id: str
    scenario: str
    seed: int
    parameters: dict[str, float | int | str | bool] = {}


@event()
class ScenarioClaimed(Event, frozen=True, kw_only=True, omit_defaults=True):
    run_id: str
    worker: str


@event()
class ScenarioSent(Event, frozen=True, kw_only=True, omit_defaults=True):
    """All payments of the run are on the topic. ``expected`` names the incidents that rules should find."""

    run_id: str
    transactions: int
    fraud_transactions: int
    expected: tuple[str, ...]
    accounts: tuple[str, ...]
    first_fraud_at: int
    last_fraud_at: int


@event()
class ScenarioScored(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The verdict; ``time_to_detect_ms`` counts from the first fraudulent payment to the first alert, event time.

    ``caught_by``: alerts on the run's frauds by rule.
    """

    run_id: str
    scenario: str
    expected: int
    caught: int
    missed: int
    false_alerts: int
    time_to_detect_ms: int | None = None
    detected_wall_ms: int | None = None
    money_lost: int = 0
    caught_by: dict[str, int] = {}


@event()
class ScenarioFailed(Event, frozen=True, kw_only=True, omit_defaults=True):
    run_id: str
    reason: str


@event()
class ScenarioStopped(Event, frozen=True, kw_only=True, omit_defaults=True):
    run_id: str
    operator: str


@event()
class TrafficRateSet(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Normal traffic, payments per second over all producers; stream ``scenario-traffic``; 0 stops it."""

    rate: int
    operator: str


# ---------------------------------------------------------------------------------------------- rule-<rule_id>


@event()
class RuleDeployed(Event, frozen=True, kw_only=True, omit_defaults=True):
    rule_id: str
    version: str
    sql_sha256: str


@event()
class RulePaused(Event, frozen=True, kw_only=True, omit_defaults=True):
    rule_id: str
    operator: str


@event()
class RuleResumed(Event, frozen=True, kw_only=True, omit_defaults=True):
    rule_id: str
    operator: str


@event()
class RuleSnoozed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Alerts of one rule on one account are not raised until ``until`` (epoch ms, event time)."""

    rule_id: str
    account_id: str
    until: int
    operator: str
    reason: str = ""


@event()
class RuleWanted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An operator wants a rule on the server, or off it, whatever its file says of deployment."""

    rule_id: str
    wanted: bool
    operator: str


# ---------------------------------------------------------------------------------------------- operator-<name>


@event()
class CasePolicySet(Event, frozen=True, kw_only=True, omit_defaults=True):
    """How cases are worked, stream ``operator-policy``; the newest holds. ``four_eyes``: a block takes two operators.

    ``limit_ms``: a case that nobody has closed so long after it was raised gets the ``default`` action, escalate or
    dismiss; None = no limit.
    """

    four_eyes: bool = False
    limit_ms: int | None = None
    default: str = "escalate"
    operator: str = ""


@event()
class DeadLetterRequeued(Event, frozen=True, kw_only=True, omit_defaults=True):
    dead_letter_id: int
    operator: str


@event()
class DeadLetterDiscarded(Event, frozen=True, kw_only=True, omit_defaults=True):
    dead_letter_id: int
    operator: str
    reason: str = ""


@event()
class MessageProduced(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person sent a message to a topic by hand."""

    topic: str
    partition: int
    offset: int
    operator: str


@event()
class MessagesProduced(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person sent the lines of a file to a topic."""

    topic: str
    messages: int
    operator: str


@event()
class OffsetReset(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The inlet goes on elsewhere than where it stood: ``from_offset`` to ``to_offset`` was lost, or begins anew."""

    topic: str
    partition: int
    from_offset: int
    to_offset: int
    operator: str


@event()
class ProjectionRetried(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A parked projection takes up the event it stopped at once more."""

    projection: str
    position: int
    operator: str


@event()
class ProjectionSkipped(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A parked projection passes over the event it stopped at; from here on it differs from a plain replay."""

    projection: str
    position: int
    operator: str
    reason: str


@event()
class ProjectionRebuilt(Event, frozen=True, kw_only=True, omit_defaults=True):
    projection: str
    generation: int
    operator: str


@event()
class LogVerified(Event, frozen=True, kw_only=True, omit_defaults=True):
    operator: str
    from_position: int
    to_position: int
    result: str


@event()
class LogArchived(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The positions left the database for a file."""

    from_position: int
    to_position: int
    file: str
    operator: str


@event()
class LogRestored(LogArchived, frozen=True, kw_only=True, omit_defaults=True):
    """The positions are in the database again."""
