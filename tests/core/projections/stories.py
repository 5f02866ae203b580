"""Random but lawful histories of the log: payments, revisions, alerts, cases, scenario runs."""

from __future__ import annotations

import random

from core.eventlog import Item, Meta
from schema import events
from schema.events import Event

META = Meta(actor="test")


def story(seed: int, length: int = 120) -> list[Item]:
    """Appends of about ``length`` events, the same for the same seed."""
    dice = random.Random(seed)
    items: list[Item] = []
    payments: list[events.PaymentDecided] = []
    alerts: list[events.AlertRaised] = []
    runs: list[str] = []
    rules: list[str] = []

    def add(stream: str, event: Event) -> None:
        items.append(Item(stream, [event], META))

    while len(items) < length:
        match dice.choices(
            ("pay", "revise", "raise", "extend", "case", "run", "rule", "list"), (45, 10, 10, 6, 16, 6, 4, 8)
        )[0]:
            case "pay":
                payment = _payment(dice, f"t{seed}-{len(payments)}")
                payments.append(payment)
                add(f"account-{payment.account_id}", payment)
            case "revise" if payments:
                old = dice.choice(payments)
                new = events.PaymentDecided(
                    transaction_id=old.transaction_id,
                    account_id=old.account_id,
                    amount=old.amount,
                    decision=dice.choice(("approve", "review", "block")),
                    score=dice.randrange(1000),
                    event_time=old.event_time,
                    revision=dice.randrange(1, 4),
                )
                add(f"account-{old.account_id}", new)
            case "raise" if payments:
                alert = _alert(dice, f"a{seed}-{len(alerts)}", payments)
                alerts.append(alert)
                add(f"alert-{alert.alert_id}", alert)
            case "extend" if alerts:
                alert = dice.choice(alerts)
                fields = {name: getattr(alert, name) for name in alert.__struct_fields__}
                same = [p.transaction_id for p in payments if p.account_id == alert.account_id]
                more = tuple(dict.fromkeys((*alert.transactions, dice.choice(same))))
                add(f"alert-{alert.alert_id}", events.AlertExtended(**{**fields, "score": 999, "transactions": more}))
            case "case" if alerts:
                alert = dice.choice(alerts)
                add(f"case-{alert.alert_id}", _case(dice, alert))
            case "run":
                if not runs or dice.random() < 0.4:
                    runs.append(f"run{seed}-{len(runs)}")
                    add(
                        f"scenario-{runs[-1]}",
                        events.ScenarioRequested(run_id=runs[-1], scenario="s", seed=dice.randrange(99)),
                    )
                else:
                    add(f"scenario-{runs[-1]}", _run(dice, dice.choice(runs)))
            case "rule":
                rule = dice.choice(("high_amount", "high_velocity"))
                add(f"rule-{rule}", _rule(dice, rule, deployed=rule in rules))
                rules.append(rule)
            case "list":
                add(*_listing(dice))
            case _:
                continue
    return items


def _payment(dice: random.Random, transaction_id: str) -> events.PaymentDecided:
    return events.PaymentDecided(
        transaction_id=transaction_id,
        account_id=f"acc-{dice.randrange(6)}",
        amount=dice.randrange(1, 900_000),
        decision=dice.choices(("approve", "review", "block"), (8, 1, 1))[0],
        score=dice.randrange(1000),
        event_time=1_700_000_000_000 + dice.randrange(10**8),
    )


def _alert(dice: random.Random, alert_id: str, payments: list[events.PaymentDecided]) -> events.AlertRaised:
    about = dice.choice(payments)
    same = [p.transaction_id for p in payments if p.account_id == about.account_id]
    return events.AlertRaised(
        alert_id=alert_id,
        rule_id=dice.choice(("high_amount", "high_velocity")),
        account_id=about.account_id,
        incident_start=about.event_time,
        incident_end=about.event_time + 1000,
        event_time=about.event_time,
        score=dice.randrange(1000),
        decision="review",
        severity="high",
        amount=about.amount,
        transactions=tuple(same[-3:]),
        produced_at=about.event_time,
    )


def _case(dice: random.Random, alert: events.AlertRaised) -> Event:
    case, operator = alert.alert_id, dice.choice(("ana", "bo"))
    some = alert.transactions[:1] if dice.random() < 0.3 else ()
    return dice.choice(
        (
            events.CaseClaimed(case_id=case, operator=operator),
            events.CaseConfirmed(case_id=case, operator=operator, transactions=some),
            events.CaseDismissed(case_id=case, operator=operator, reason="known customer"),
            events.CaseEscalated(case_id=case, operator=operator),
            events.CaseReopened(case_id=case, operator=operator),
            events.CaseNoted(case_id=case, operator=operator, text="called her"),
        )
    )


def _rule(dice: random.Random, rule: str, *, deployed: bool) -> Event:
    new = events.RuleDeployed(rule_id=rule, version=str(dice.randrange(1, 4)), sql_sha256="0" * 64)
    if not deployed:
        return new
    return dice.choice(
        (new, events.RulePaused(rule_id=rule, operator="ana"), events.RuleResumed(rule_id=rule, operator="bo"))
    )


def _listing(dice: random.Random) -> tuple[str, Event]:
    account, until = f"acc-{dice.randrange(6)}", dice.choice((None, 1_800_000_000_000))
    kind, party = dice.choice((("merchant", "m-1"), ("device", "d-1"), ("account", account)))
    name = dice.choice(("block", "allow")) if kind != "account" else "allow"
    rule = dice.choice(("high_amount", "high_velocity"))
    return dice.choice(
        (
            (f"account-{account}", events.AccountBlocked(account_id=account, reason="stolen card", until=until)),
            (f"account-{account}", events.AccountUnblocked(account_id=account, reason="new card")),
            (
                f"rule-{rule}",
                events.RuleSnoozed(rule_id=rule, account_id=account, until=1_800_000_000_000, operator="ana"),
            ),
            (
                f"{kind}-{party}",
                events.PartyListed(list=name, kind=kind, party=party, operator="bo", reason="seen", until=until),
            ),
            (
                f"{kind}-{party}",
                events.PartyUnlisted(list=name, kind=kind, party=party, operator="bo", reason="an error"),
            ),
        )
    )


def _run(dice: random.Random, run: str) -> Event:
    return dice.choice(
        (
            events.ScenarioClaimed(run_id=run, worker="w1"),
            events.ScenarioSent(
                run_id=run,
                transactions=9,
                fraud_transactions=4,
                expected=("a", "b"),
                accounts=("x",),
                first_fraud_at=1,
                last_fraud_at=2,
            ),
            events.ScenarioScored(
                run_id=run, scenario="s", expected=2, caught=1, missed=1, false_alerts=dice.randrange(3)
            ),
            events.ScenarioFailed(run_id=run, reason="no broker"),
        )
    )
