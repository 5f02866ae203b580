"""One partition's detection: payments and rule rows in, standing decisions and alerts out.

A payment's standing decision is a function of the set of signals it has: its own features', which depend on the order
of payments alone, and those of every rule incident that covers it. Rows and payments may therefore interleave in any
way: the decisions they end with are the same. ``flush`` hands out what changed since the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from itertools import compress, product
from typing import Any, NamedTuple

import msgspec

from core.detection import account as accounts
from core.detection.account import Account, Incident, Recent
from core.detection.decision import REVIEW_FROM, decide, severity
from core.detection.features import FEATURES, NEEDED, Context, Insufficient, Outcome, own_amount
from core.detection.incidents import Row, join, refresh
from core.detection.lists import NOTHING, Lists
from core.detection.payment import Payment
from core.detection.population import Population
from schema.alert import RuleAlert
from schema.events import AlertExtended, AlertRaised, PaymentDecided, Signal, Source
from schema.transaction import TOPIC, centavos

DEFAULT_POINTS = 400
MIN_COMMON = 40
"""Payments before a rule's line can be found too low for this currency or clientele."""

_OWN_AMOUNT = FEATURES.index(own_amount.OwnAmount)


class _Asked(NamedTuple):
    """The features that a payment concerns, each with the place of its state among an account's."""

    assess: list[tuple[int, Callable[[Any, Payment, Context], Outcome]]]
    learn: list[tuple[int, Callable[[Any, Payment, Context], None]]]


def _asked(fields: Container[str | None]) -> _Asked:
    features = [(i, feature) for i, feature in enumerate(FEATURES) if feature.needs in fields]
    return _Asked(
        [(i, feature.assess) for i, feature in features],
        [(i, feature.learn) for i, feature in features if feature.State.__struct_fields__],
    )


# By which of the fields NEEDED a payment has: a card's knows no payee, a Pix no merchant.
_ASKED = {has: _asked({None, *compress(NEEDED, has)}) for has in product((False, True), repeat=len(NEEDED))}


class RulePolicy(msgspec.Struct, frozen=True, gc=False):
    """What a ksqlDB rule's row is worth: points 0-1000, the words of its reason, and what its count or amount (reais)
    goes beyond."""

    points: int
    title: str
    threshold: float | None = None
    windowed: bool = True
    """Whether the rule counts over a window; else each of its rows finds one payment, by its amount alone if there is a
    threshold."""


class Changes(msgspec.Struct, frozen=True, gc=False):
    """What a flush hands out, each in the order of first change."""

    decisions: list[PaymentDecided]
    alerts: list[AlertRaised | AlertExtended]


class PartitionState:
    """Accounts are loaded and dropped by the caller (``missing``, ``load``, ``trim``); everything else is pure."""

    def __init__(self, partition: int, rules: Mapping[str, RulePolicy], header: bytes | None = None) -> None:
        self.partition = partition
        self.rules = rules
        self.population = Population() if header is None else msgspec.msgpack.decode(header, type=Population)
        self._lines = [(r, p.threshold * 100) for r, p in rules.items() if not p.windowed and p.threshold is not None]
        self._context = Context(self.population, NOTHING)
        self.accounts: dict[str, Account] = {}
        self.duplicates = 0
        self._touched: dict[str, None] = {}
        self._payments: dict[tuple[str, str], Recent] = {}
        self._incidents: dict[str, tuple[str, Incident]] = {}

    # -------------------------------------------------------------------------------------------------- memory

    def missing(self, account_ids: Iterable[str]) -> list[str]:
        """Those that must be loaded before their records are given."""
        known = self.accounts
        return [name for name in dict.fromkeys(account_ids) if name not in known]

    def load(self, account_id: str, data: bytes | None) -> None:
        """Put a stored account into memory; None = never seen."""
        self.accounts[account_id] = accounts.new_account() if data is None else accounts.from_bytes(data)

    def header(self) -> bytes:
        """What belongs to the partition and to no account."""
        return msgspec.msgpack.encode(self.population)

    def touched(self) -> dict[str, bytes]:
        """Accounts changed since the last call, as they are to be stored."""
        changed = {name: accounts.to_bytes(self.accounts[name]) for name in self._touched}
        self._touched = {}
        return changed

    def trim(self, keep: int) -> None:
        """Drop the accounts used longest ago from memory; they must have been stored."""
        excess = len(self.accounts) - keep
        if excess > 0:
            for name in [name for name, _ in zip(self.accounts, range(excess), strict=False)]:
                if name not in self._touched:
                    del self.accounts[name]

    def snapshot(self) -> bytes:
        """The whole state; equal states give equal bytes."""
        stored = {name: accounts.to_bytes(self.accounts[name]) for name in sorted(self.accounts)}
        return msgspec.msgpack.encode((self.header(), stored))

    @classmethod
    def restore(cls, partition: int, rules: Mapping[str, RulePolicy], data: bytes) -> PartitionState:
        """The state that gave the snapshot."""
        header, stored = msgspec.msgpack.decode(data, type=tuple[bytes, dict[str, bytes]])
        state = cls(partition, rules, header)
        for name, account in stored.items():
            state.load(name, account)
        return state

    # -------------------------------------------------------------------------------------------------- records

    def on_payment(self, payment: Payment, lists: Lists = NOTHING, offset: int = -1) -> bool:
        """Decide one payment; False if the account remembers it: a repeated record changes nothing."""
        account = self._account(payment.account_id)
        if payment.transaction_id in account.recent:
            self.duplicates += 1
            return False
        if not account.recent and account.forgotten < 0:
            self.population.accounts += 1
        if self._context.lists is not lists:
            self._context = Context(self.population, lists)
        context = self._context
        states = account.features
        signals: list[Signal] = []
        insufficient: list[Insufficient] = []
        if not payment.incoming:
            asked = _ASKED[  # in the order of NEEDED
                payment.merchant_id is not None,
                payment.payee_id is not None,
                payment.device_id is not None,
                payment.latitude is not None,
                payment.balance is not None,
            ]
            for i, assess in asked.assess:
                outcome = assess(states[i], payment, context)
                if outcome is not None:
                    if isinstance(outcome, Insufficient):
                        insufficient.append(outcome)
                    else:
                        signals.append(outcome)
            for i, learn in asked.learn:
                learn(states[i], payment, context)
            self.population.learn(payment.kind, payment.channel, payment.amount, payment.time)
        recent = Recent(
            payment.transaction_id,
            payment.time,
            payment.amount,
            offset,
            payment.produced_at,
            payment.channel,
            payment.merchant_id,
            payment.payee_id,
        )
        if payment.time > account.clock:
            account.clock = payment.time
        account.recent[payment.transaction_id] = recent
        self._payments[payment.account_id, payment.transaction_id] = recent
        if self._lines:
            signals.extend(self._unsaid(payment, states[_OWN_AMOUNT]))
        if signals:
            recent.signals = signals
            if recent.score >= REVIEW_FROM:
                self._raise_context(payment, signals, lists, account, offset)
            signals.extend(outcome.as_signal() for outcome in insufficient)
        if account.incidents:
            self._spread(payment.account_id, account, [recent])
        account.forget()
        return True

    def on_alert(self, alert: RuleAlert, lists: Lists = NOTHING, source: tuple[str, int, int] | None = None) -> None:
        """Join a row of a ksqlDB rule to its incident and to the payments that the incident covers."""
        policy = self.rules.get(alert.rule_id) or RulePolicy(DEFAULT_POINTS, f"rule {alert.rule_id}")
        window = None
        if alert.window_start is not None and alert.window_end is not None:
            window = alert.window_start, alert.window_end
        event_time = alert.event_time
        if event_time is None:
            event_time = window[1] - 1 if window else 0
        if lists.snoozed(alert.rule_id, alert.account_id, event_time):
            return
        account = self._account(alert.account_id)
        account.clock = max(account.clock, event_time)
        if window is None and alert.transaction_id is not None:
            named = account.recent.get(alert.transaction_id)
            if named is not None and named.has(_unsaid(alert.rule_id)):
                return
        row = Row(
            alert.rule_id,
            alert.account_id,
            event_time,
            policy.points,
            policy.title,
            alert.transaction_id,
            window,
            centavos(alert.amount) if alert.amount is not None else 0,
            alert.txn_count or 0,
            alert.produced_at,
            source,
        )
        self._join(account, row)
        self._spread(alert.account_id, account, account.recent.values())
        account.forget()

    def out_of_memory(self, alert: RuleAlert) -> tuple[int, int] | None:
        """The span of event time (both ends included) whose payments must be recalled before the row is joined, if the
        account has forgotten some of it."""
        account = self.accounts.get(alert.account_id)
        until = alert.event_time
        if account is None or until is None:
            return None
        since = until if alert.window_start is None else min(until, alert.window_start)
        return (since, until) if account.forgotten >= since else None

    def recall(self, account_id: str, payments: Iterable[Recent]) -> None:
        """Put payments that the account has forgotten back into its memory, for the row that is joined next."""
        account = self._account(account_id)
        # What changed since the last flush is newer than any stored copy of it.
        pending = {key[1]: payment for key, payment in self._payments.items() if key[0] == account_id}
        found = {payment.transaction_id: payment for payment in payments} | pending
        forgotten = [payment for name, payment in found.items() if name not in account.recent]
        forgotten.sort(key=lambda payment: payment.time)
        account.recent = {payment.transaction_id: payment for payment in (*forgotten, *account.recent.values())}

    def flush(self) -> Changes:
        """Everything that changed since the last flush."""
        decisions = [self._decided(key[0], recent) for key, recent in self._payments.items()]
        alerts = [
            self._alert(account_id, incident)
            for account_id, incident in self._incidents.values()
            if incident.emitted != incident.shape()
        ]
        self._payments, self._incidents = {}, {}
        return Changes(decisions, alerts)

    # -------------------------------------------------------------------------------------------------- inside

    def _account(self, account_id: str) -> Account:
        account = self.accounts.pop(account_id, None) or accounts.new_account()
        self.accounts[account_id] = account  # re-inserted: the dict's order is the order of last use
        self._touched[account_id] = None
        return account

    def _raise_context(
        self, payment: Payment, signals: list[Signal], lists: Lists, account: Account, offset: int
    ) -> None:
        strongest = max(signals, key=lambda signal: (signal.points, signal.id))
        if lists.snoozed(strongest.id, payment.account_id, payment.time):
            return
        source = (TOPIC, self.partition, offset) if offset >= 0 else None
        self._join(
            account,
            Row(
                strongest.id,
                payment.account_id,
                payment.time,
                strongest.points,
                strongest.reason,
                payment.transaction_id,
                amount=payment.amount,
                count=1,
                produced_at=payment.produced_at,
                source=source,
            ),
        )

    def _join(self, account: Account, row: Row) -> None:
        incident = join(account, row)
        self._incidents[incident.alert_id] = row.account_id, incident

    def _spread(self, account_id: str, account: Account, payments: Iterable[Recent]) -> None:
        """Give each payment the signals of the incidents that cover it, then bring those incidents up to date."""
        stale: dict[str, Incident] = {}
        for payment in payments:
            for incident in account.incidents:
                if not incident.covers(payment):
                    continue
                if not payment.has(incident.rule_id):
                    payment.signals = [*payment.signals, self._signal(incident, payment)]
                    self._payments[account_id, payment.transaction_id] = payment
                    stale.update((other.alert_id, other) for other in account.incidents if other.covers(payment))
                elif payment.transaction_id not in incident.amounts:
                    stale[incident.alert_id] = incident
        for name, incident in stale.items():
            refresh(incident, account)
            self._incidents[name] = account_id, incident

    def _unsaid(self, payment: Payment, habits: own_amount.History) -> Iterator[Signal]:
        """Rules whose line in reais the payment crosses and that say nothing by it, each with the reason."""
        population = self.population
        population.payments += 1
        for rule_id, line in self._lines:
            if payment.amount <= line:
                continue
            over = population.over[rule_id] = population.over.get(rule_id, 0) + 1
            if payment.incoming:
                reason = "money that comes in"
            elif not payment.drains:
                reason = "the account held much more, or less than that"
            elif own_amount.is_usual(habits, payment, population):
                reason = "no more than twice what the account usually pays"
            elif population.payments >= MIN_COMMON and 2 * over > population.payments:
                reason = "more than half of all payments cross this rule's line"
            else:
                continue
            yield Signal(id=_unsaid(rule_id), points=0, reason=reason)

    def _signal(self, incident: Incident, payment: Recent) -> Signal:
        policy = self.rules.get(incident.rule_id) or RulePolicy(DEFAULT_POINTS, f"rule {incident.rule_id}")
        value = float(incident.row_count) if incident.windowed else payment.amount / 100
        return Signal(
            id=incident.rule_id,
            points=0 if payment.has(_unsaid(incident.rule_id)) else policy.points,
            reason=policy.title,
            value=value,
            threshold=policy.threshold,
        )

    def _decided(self, account_id: str, recent: Recent) -> PaymentDecided:
        recent.revision += 1
        points = recent.score
        return PaymentDecided(
            transaction_id=recent.transaction_id,
            account_id=account_id,
            amount=recent.amount,
            decision=decide(points),
            score=points,
            event_time=recent.time,
            revision=recent.revision,
            signals=tuple(recent.signals),
            merchant_id=recent.merchant_id,
            payee_id=recent.payee_id,
            channel=recent.channel,
            source=Source(topic=TOPIC, partition=self.partition, offset=recent.offset) if recent.offset >= 0 else None,
            produced_at=recent.produced_at,
        )

    @staticmethod
    def _alert(account_id: str, incident: Incident) -> AlertRaised | AlertExtended:
        kind = AlertRaised if incident.emitted is None else AlertExtended
        incident.emitted = incident.shape()
        return kind(
            alert_id=incident.alert_id,
            rule_id=incident.rule_id,
            account_id=account_id,
            incident_start=incident.start,
            incident_end=incident.end,
            event_time=incident.event_time,
            score=incident.score,
            decision=decide(incident.score),
            severity=severity(incident.score),
            amount=sum(incident.amounts.values()) or incident.row_amount,
            txn_count=max(len(incident.amounts), incident.row_count),
            transactions=tuple(incident.amounts) or tuple(incident.named),
            signals=tuple(incident.signals),
            sources=tuple(Source(topic=t, partition=p, offset=o) for t, p, o in incident.sources),
            produced_at=incident.produced_at,
        )


def _unsaid(rule_id: str) -> str:
    """The name, on a payment, of a rule's finding that says nothing there."""
    return f"not_{rule_id}"
