"""The plainest folds there are, in Python over decoded events: what projections and as-of answers are held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from core.eventlog import Recorded
from schema import events

STATUS: dict[type[Any], str] = {
    events.CaseClaimed: "claimed",
    events.CaseConfirmed: "confirmed",
    events.CaseDismissed: "dismissed",
    events.CaseEscalated: "escalated",
    events.CaseReopened: "open",
}
COUNTED = ("alerts", "extended", "open", "claimed", "confirmed", "dismissed", "escalated")
FLOW = ("payments", "approve", "review", "block", "revised", "amount", "alerts")
Key = tuple[str, ...]


def statuses(log: Iterable[Recorded]) -> dict[str, tuple[str, str | None]]:
    """Case -> (status, assignee)."""
    found: dict[str, tuple[str, str | None]] = {}
    for recorded in log:
        event: Any = recorded.event
        if (status := STATUS.get(type(event))) is not None:
            found[event.case_id] = (status, None if status == "open" else event.operator)
    return found


def lists(log: Iterable[Recorded]) -> dict[Key, tuple[bool, str, int]]:
    """(list, kind, party, rule) -> (active, reason, position of the listing that holds)."""
    found: dict[Key, tuple[bool, str, int]] = {}
    for recorded in log:
        match recorded.event:
            case events.AccountBlocked() as event:
                found["block", "account", event.account_id, ""] = (True, event.reason, recorded.pos)
            case events.PartyListed() as listed:
                found[listed.list, listed.kind, listed.party, ""] = (True, listed.reason, recorded.pos)
            case events.RuleSnoozed() as snoozed:
                found["snooze", "account", snoozed.account_id, snoozed.rule_id] = (True, snoozed.reason, recorded.pos)
            case events.AccountUnblocked() as freed:
                _lift(found, ("block", "account", freed.account_id, ""))
            case events.PartyUnlisted() as freed:
                _lift(found, (freed.list, freed.kind, freed.party, ""))
            case _:
                pass
    return found


def _lift(found: dict[Key, tuple[bool, str, int]], key: Key) -> None:
    if key in found:
        found[key] = (False, *found[key][1:])


def rule_stats(log: Iterable[Recorded]) -> dict[tuple[str, str, datetime], Counter[str]]:
    """(rule, version, hour) -> how many alerts, further rows, and alerts in each status."""
    log = list(log)
    standing = statuses(log)
    versions: dict[str, str] = {}
    raised: dict[str, tuple[str, str, datetime]] = {}
    found: dict[tuple[str, str, datetime], Counter[str]] = {}
    for recorded in log:
        event = recorded.event
        if isinstance(event, events.RuleDeployed):
            versions[event.rule_id] = event.version
        elif isinstance(event, events.AlertRaised | events.AlertExtended):
            if event.alert_id not in raised:
                hour = datetime.fromtimestamp(event.event_time // 3_600_000 * 3_600, UTC)
                key = raised[event.alert_id] = (event.rule_id, versions.get(event.rule_id, ""), hour)
                status = standing.get(event.alert_id, ("open", None))[0]
                found.setdefault(key, Counter()).update(["alerts", status])
            else:
                found[raised[event.alert_id]]["extended"] += 1
    return found


def throughput(log: Iterable[Recorded]) -> dict[datetime, Counter[str]]:
    """Minute of the commit -> payments, each decision, revisions, alerts and centavos."""
    found: dict[datetime, Counter[str]] = {}
    for recorded in log:
        event = recorded.event
        minute = found.setdefault(recorded.at.replace(second=0, microsecond=0), Counter())
        if isinstance(event, events.PaymentDecided):
            if event.revision:
                minute["revised"] += 1
            else:
                minute.update({"payments": 1, event.decision: 1, "amount": event.amount})
        elif isinstance(event, events.AlertRaised):
            minute["alerts"] += 1
    return {minute: counts for minute, counts in found.items() if counts}


def acts(log: Iterable[Recorded]) -> list[tuple[int, str]]:
    """(position, type) of every act of a person in these stories."""
    people: tuple[type[Any], ...] = (
        *STATUS,
        events.CaseNoted,
        events.ScenarioRequested,
        events.AccountBlocked,
        events.AccountUnblocked,
        events.PartyListed,
        events.PartyUnlisted,
        events.RuleSnoozed,
        events.RulePaused,
        events.RuleResumed,
    )
    return [(recorded.pos, recorded.type) for recorded in log if isinstance(recorded.event, people)]


def rules(log: Iterable[Recorded]) -> dict[str, tuple[str, bool]]:
    """Rule -> (version deployed, whether it is paused)."""
    found: dict[str, tuple[str, bool]] = {}
    for recorded in log:
        event = recorded.event
        if isinstance(event, events.RuleDeployed):
            found[event.rule_id] = (event.version, found.get(event.rule_id, ("", False))[1])
        elif isinstance(event, events.RulePaused | events.RuleResumed) and event.rule_id in found:
            found[event.rule_id] = (found[event.rule_id][0], isinstance(event, events.RulePaused))
    return found


def _judged(log: Iterable[Recorded]) -> tuple[dict[str, events.PaymentDecided], dict[str, int], dict[str, bool | None]]:
    """Of each payment its standing decision, its amount, and a person's word on it."""
    payments: dict[str, events.PaymentDecided] = {}
    amounts: dict[str, int] = {}
    verdicts: dict[str, bool | None] = {}
    named: dict[str, tuple[str, ...]] = {}
    for recorded in log:
        event = recorded.event
        if isinstance(event, events.PaymentDecided):
            if event.revision == 0:
                amounts[event.transaction_id] = event.amount
            payments[event.transaction_id] = event
        elif isinstance(event, events.AlertRaised | events.AlertExtended):
            named[event.alert_id] = event.transactions
        elif isinstance(event, events.CaseConfirmed):
            verdicts.update(dict.fromkeys(event.transactions or named[event.case_id], True))
        elif isinstance(event, events.CaseDismissed):
            verdicts.update(dict.fromkeys(named[event.case_id], False))
        elif isinstance(event, events.CaseReopened):
            verdicts.update(dict.fromkeys(named[event.case_id], None))
    return payments, amounts, verdicts


def _is_fraud(payment: events.PaymentDecided, verdict: bool | None) -> bool:
    return payment.decision != "approve" if verdict is None else verdict


def risk(log: Iterable[Recorded]) -> dict[str, tuple[int, int, int]]:
    """Account -> (payments, of them fraud, amount)."""
    payments, amounts, verdicts = _judged(log)
    totals: dict[str, tuple[int, int, int]] = {}
    for transaction, payment in payments.items():
        n, frauds, amount = totals.get(payment.account_id, (0, 0, 0))
        fraud = _is_fraud(payment, verdicts.get(transaction))
        totals[payment.account_id] = (n + 1, frauds + fraud, amount + amounts[transaction])
    return totals


def fraud(log: Iterable[Recorded], account: str) -> dict[str, bool]:
    """Payment of the account -> whether it is taken for fraud."""
    payments, _, verdicts = _judged(log)
    return {t: _is_fraud(p, verdicts.get(t)) for t, p in payments.items() if p.account_id == account}


def alerts(log: Iterable[Recorded], account: str) -> set[str]:
    """The account's alerts."""
    found = (recorded.event for recorded in log)
    return {e.alert_id for e in found if isinstance(e, events.AlertRaised) and e.account_id == account}


def acts_on(log: Iterable[Recorded], cases: set[str]) -> Counter[str]:
    """Case -> how many acts, notes too."""
    return Counter(case for r in log if (case := getattr(r.event, "case_id", None)) in cases)
