"""`streamguard alerts`, `cases` and `accounts`: what the screens show and do, without a screen."""

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from core.access import changes, hold_back, looks
from core.cases import commands
from core.cli import HERE, Json, Limit, Where
from core.cli_log import OPERATOR, Operator, with_postgres
from core.replay.mapping import duration

Reason = Annotated[str, Parameter(help="why, for the record")]

alerts = App(name="alerts", help="Alerts: list, show.", help_format="plaintext")
cases = App(
    name="cases",
    help="Cases: list, show, claim, confirm, dismiss, escalate, reopen, note, policy.",
    help_format="plaintext",
)
accounts = App(name="accounts", help="Accounts: list, show, block, unblock, snooze.", help_format="plaintext")


@alerts.command(name="list")
@cases.command(name="list")
@looks
def alerts_list(
    *,
    status: Annotated[str | None, Parameter(help="open, claimed, confirmed, dismissed or escalated")] = None,
    rule: Annotated[str | None, Parameter(help="of one rule")] = None,
    account: Annotated[str | None, Parameter(help="of one account")] = None,
    limit: Limit = 50,
    json: Json = False,
    where: Where = HERE,
) -> int:
    """The newest alerts with the standing of their cases."""
    return with_postgres(where, lambda dsn: commands.list_alerts(dsn, status, rule, account, limit, as_json=json))


@alerts.command(name="show")
@cases.command(name="show")
@looks
def alerts_show(alert: str, /, *, json: Json = False, where: Where = HERE) -> int:
    """One alert: its reasons, payments and history."""
    return with_postgres(where, lambda dsn: commands.show_alert(dsn, alert, as_json=json))


@cases.command(name="claim")
@changes
def cases_claim(case: str, /, *, operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """Take a case; of two operators at once one gets it."""
    return with_postgres(where, lambda dsn: commands.act_on_case(dsn, "claim", case, operator, "", ()))


@cases.command(name="confirm")
@changes
def cases_confirm(
    case: str,
    /,
    *,
    payment: Annotated[
        tuple[str, ...], Parameter(negative=(), help="only this payment is fraud; may be repeated")
    ] = (),
    reason: Reason = "",
    operator: Operator = OPERATOR,
    where: Where = HERE,
) -> int:
    """It is fraud: all of it, or the payments named."""
    return with_postgres(where, lambda dsn: commands.act_on_case(dsn, "confirm", case, operator, reason, payment))


@cases.command(name="dismiss")
@changes
def cases_dismiss(case: str, /, *, reason: Reason, operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """It is no fraud."""
    return with_postgres(where, lambda dsn: commands.act_on_case(dsn, "dismiss", case, operator, reason, ()))


@cases.command(name="escalate")
@changes
def cases_escalate(case: str, /, *, reason: Reason = "", operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """Somebody else must look."""
    return with_postgres(where, lambda dsn: commands.act_on_case(dsn, "escalate", case, operator, reason, ()))


@cases.command(name="reopen")
@changes
def cases_reopen(case: str, /, *, reason: Reason = "", operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """Undo what closed a case: it is open again, and what was decided on it no longer counts."""
    return with_postgres(where, lambda dsn: commands.act_on_case(dsn, "reopen", case, operator, reason, ()))


@cases.command(name="note")
@changes
def cases_note(case: str, /, *, reason: Reason, operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """Write something down on a case."""
    return with_postgres(where, lambda dsn: commands.act_on_case(dsn, "note", case, operator, reason, ()))


@cases.command(name="policy")
@looks
def cases_policy(
    *,
    four_eyes: Annotated[bool | None, Parameter(help="a block takes two operators")] = None,
    limit: Annotated[
        str | None, Parameter(help="close what nobody has closed after so long, such as 24h; none")
    ] = None,
    default: Annotated[str | None, Parameter(help="what then happens: escalate or dismiss")] = None,
    operator: Operator = OPERATOR,
    json: Json = False,
    where: Where = HERE,
) -> int:
    """How cases are worked; with options, from now on."""
    if four_eyes is None and limit is None and default is None:
        return with_postgres(where, lambda dsn: commands.show_policy(dsn, as_json=json))
    hold_back(changes(commands.set_policy), lambda: where.settings().read_only)
    lasting = None if limit in (None, "none") else duration(limit)
    return with_postgres(
        where,
        lambda dsn: commands.set_policy(dsn, operator, four_eyes, lasting, default, no_limit=limit == "none"),
    )


@accounts.command(name="list")
@looks
def accounts_list(*, limit: Limit = 50, json: Json = False, where: Where = HERE) -> int:
    """Accounts by their share of fraud."""
    return with_postgres(where, lambda dsn: commands.list_accounts(dsn, limit, as_json=json))


@accounts.command(name="show")
@looks
def accounts_show(
    account: str,
    /,
    *,
    at: Annotated[datetime | None, Parameter(help="as it stood at this time; UTC where no zone is said")] = None,
    position: Annotated[int | None, Parameter(validator=Number(gte=0), help="as it stood at this position")] = None,
    json: Json = False,
    where: Where = HERE,
) -> int:
    """An account's profile, alerts and last payments; or its totals, alerts and verdicts in the past."""
    if at is None and position is None:
        return with_postgres(where, lambda dsn: commands.show_account(dsn, account, as_json=json))
    from core.projections.past import show_account_at

    when = at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
    return with_postgres(where, lambda dsn: show_account_at(dsn, account, when=when, position=position, as_json=json))


@accounts.command(name="timeline")
@looks
def accounts_timeline(account: str, /, *, limit: Limit = 100, json: Json = False, where: Where = HERE) -> int:
    """Everything that happened to an account: payments, decisions, alerts, cases, blocks."""
    from core.cases.account_commands import show_timeline

    return with_postgres(where, lambda dsn: show_timeline(dsn, account, limit, as_json=json))


@accounts.command(name="block")
@changes
def accounts_block(
    account: str,
    /,
    *,
    reason: Reason,
    length: Annotated[str | None, Parameter(name="--for", help="such as 12h or 7d; otherwise until lifted")] = None,
    operator: Operator = OPERATOR,
    where: Where = HERE,
) -> int:
    """Block every payment of an account from now on."""
    lasting = None if length is None else duration(length)
    return with_postgres(
        where, lambda dsn: commands.change_list(dsn, "block", "account", account, operator, reason, lasting)
    )


@accounts.command(name="unblock")
@changes
def accounts_unblock(account: str, /, *, reason: Reason, operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """Lift an account's block."""
    return with_postgres(where, lambda dsn: commands.change_list(dsn, "unblock", "account", account, operator, reason))


@accounts.command(name="snooze")
@changes
def accounts_snooze(
    account: str,
    rule: str,
    /,
    *,
    length: Annotated[str, Parameter(name="--for", help="such as 12h or 7d")] = "24h",
    reason: Reason = "",
    operator: Operator = OPERATOR,
    where: Where = HERE,
) -> int:
    """Silence one rule on one account for a while."""
    lasting = duration(length)
    return with_postgres(where, lambda dsn: commands.snooze_rule(dsn, rule, account, lasting, operator, reason))
