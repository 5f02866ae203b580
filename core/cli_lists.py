"""`streamguard lists`: who is blocked or allowed, by one operator or two."""

from typing import Annotated

from cyclopts import App, Parameter

from core.access import changes, looks
from core.cases import commands
from core.cli import HERE, Json, Where
from core.cli_log import OPERATOR, Operator, with_postgres
from core.replay.mapping import duration

Kind = Annotated[str, Parameter(help="account, merchant, payee or device")]
Reason = Annotated[str, Parameter(help="why, for the record")]
Length = Annotated[str | None, Parameter(name="--for", help="such as 12h or 7d; otherwise until lifted")]

lists = App(
    name="lists",
    help="Block and allow lists: show, block, unblock, allow, disallow, approve, refuse.",
    help_format="plaintext",
)


@lists.command
@looks
def show(*, json: Json = False, where: Where = HERE) -> int:
    """Accounts, merchants, payees and devices that are blocked or allowed now."""
    from core.cases.account_commands import show_lists

    return with_postgres(where, lambda dsn: show_lists(dsn, as_json=json))


@lists.command
@changes
def block(
    kind: Kind,
    party: str,
    /,
    *,
    reason: Reason,
    length: Length = None,
    operator: Operator = OPERATOR,
    where: Where = HERE,
) -> int:
    """Block payments of a party from now on; under four eyes it is a proposal."""
    return _change("block", kind, party, operator, reason, where, length)


@lists.command
@changes
def unblock(kind: Kind, party: str, /, *, reason: Reason, operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """Lift a block."""
    return _change("unblock", kind, party, operator, reason, where)


@lists.command
@changes
def allow(
    kind: Kind,
    party: str,
    /,
    *,
    reason: Reason,
    length: Length = None,
    operator: Operator = OPERATOR,
    where: Where = HERE,
) -> int:
    """No block of the party holds, whoever sets one."""
    return _change("allow", kind, party, operator, reason, where, length)


@lists.command
@changes
def disallow(kind: Kind, party: str, /, *, reason: Reason, operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """Take a party off the allow list."""
    return _change("disallow", kind, party, operator, reason, where)


@lists.command
@changes
def approve(kind: Kind, party: str, /, *, operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """The second pair of eyes: the block that another operator proposed takes effect."""
    return _change("approve", kind, party, operator, "", where)


@lists.command
@changes
def refuse(kind: Kind, party: str, /, *, reason: Reason, operator: Operator = OPERATOR, where: Where = HERE) -> int:
    """Turn down a proposed block."""
    return _change("refuse", kind, party, operator, reason, where)


def _change(
    action: str, kind: str, party: str, operator: str, reason: str, where: Where, length: str | None = None
) -> int:
    lasting = None if length is None else duration(length)
    return with_postgres(where, lambda dsn: commands.change_list(dsn, action, kind, party, operator, reason, lasting))
