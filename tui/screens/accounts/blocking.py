"""Putting parties on lists and taking them off, with the questions that belong to it."""

from __future__ import annotations

from tui.screens.base import ControlScreen
from tui.terminal.sanitise import clean, fit

NAME_CELLS = 24

KINDS = ("account", "merchant", "payee", "device")
_CONSEQUENCES = {
    "block": "every payment is refused until it is unblocked",
    "unblock": "it may pay again",
    "allow": "context signals do not hold it back",
    "disallow": "it is judged as any other again",
    "approve": "every payment is refused, as was proposed",
    "refuse": "the proposed block is dropped",
}


async def ask_and_list(screen: ControlScreen, act: str, kind: str, party: str) -> bool:
    """Ask for the reason and append the event. True when it was done.

    ``act`` is block, unblock, allow, disallow, or approve or refuse of a proposal, whose reason is there already.
    """
    named = fit(party, NAME_CELLS).strip()  # however long a name is, the question is read to its end
    consequence = f"{act} {kind} {named}: {_CONSEQUENCES[act]}"
    if act == "approve":
        return await screen.sure(consequence) and await _list(screen, act, kind, party, "")
    reason = await screen.ask(f"{consequence}. Reason (empty = no)", danger=act == "block")
    if not reason or not reason.strip():
        screen.say("nothing done")
        return False
    return await _list(screen, act, kind, party, reason.strip())


async def _list(screen: ControlScreen, act: str, kind: str, party: str, reason: str) -> bool:
    return await screen.center.command(screen.live.ports.commands.list_party(act, kind, party, reason))


async def ask_party(screen: ControlScreen, act: str) -> tuple[str, str] | None:
    """Which party: its kind and its name, typed as ``merchant m-88``; an account needs no kind."""
    question = f"{act} which? [account|merchant|payee|device] NAME (esc = none)"
    return _party(await screen.ask(question, more=True, check=_no_party) or "")


def _party(text: str) -> tuple[str, str] | None:
    words = text.split()
    if len(words) == 1:
        return "account", words[0]
    return (words[0], words[1]) if len(words) == 2 and words[0] in KINDS else None


def _no_party(text: str) -> str:
    if not text.strip() or _party(text) is not None:
        return ""
    return f"{clean(text, 40)} names no party: {', '.join(KINDS)}, then its name"
