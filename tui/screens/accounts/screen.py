"""Accounts by risk, with the newest of the selected one beside them, and the lists below."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from core.cases.timeline import Moment
from tui import format as show
from tui import keymap
from tui.ports import Listed, Unavailable
from tui.screens.accounts.account import AccountScreen
from tui.screens.accounts.blocking import ask_and_list, ask_party
from tui.screens.accounts.port import ORDERS, Profile
from tui.screens.accounts.rows import ACCOUNTS, LISTS, account_cells, facts, listed_cells, moment_cells, standing_cells
from tui.screens.base import ControlScreen
from tui.widgets.canvas import Line
from tui.widgets.feed import Feed
from tui.widgets.flow import flow
from tui.widgets.lines import Lines

EVERY_S = 2.0
"""Between two looks at the table."""
ROWS = 200
_LIFTS = {"block": "unblock", "allow": "disallow", "proposed": "refuse"}
PREVIEWED = 60


class Accounts(Feed[Profile]):
    """The risk table; its keys work on the selected account."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("accounts")]

    def action_list(self, act: str) -> None:
        screen, row = self.screen, self.selected
        if row is not None and isinstance(screen, AccountsScreen):
            screen.list_party(act, "account", row.account_id)


class Lists(Feed[Listed]):
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("lists")]

    def action_add(self, act: str) -> None:
        if isinstance(self.screen, AccountsScreen):
            self.screen.add_party(act)

    def action_settle(self, act: str) -> None:
        screen, row = self.screen, self.selected
        if row is None or not isinstance(screen, AccountsScreen):
            return
        if row.effect == "proposed":
            screen.list_party(act, row.kind, row.party)
        else:
            screen.say(f"nothing is proposed for {row.kind} {row.party}")

    def action_lift(self) -> None:
        screen, row = self.screen, self.selected
        if row is not None and isinstance(screen, AccountsScreen):
            screen.lift(row)


class AccountsScreen(ControlScreen):
    AUTO_FOCUS = "#accounts"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("risk")]
    title_name = "accounts"

    def __init__(self) -> None:
        super().__init__()
        self._accounts = Accounts(
            "accounts by risk",
            ACCOUNTS,
            lambda row: account_cells(row, self._now_ms),
            lambda row: row.account_id,
            live=False,
            empty="no account has paid yet: s launches a scenario",
            id="accounts",
        )
        self._lists = Lists(
            "lists",
            LISTS,
            lambda row: listed_cells(row, self._now_ms),
            lambda row: (row.effect, row.kind, row.party),
            live=False,
            empty="nobody is blocked or allowed: B blocks, A allows",
            id="lists",
        )
        self._order = ORDERS[0]
        self._begins = ""
        self._looked = asyncio.Event()
        self._newest: tuple[str, Sequence[Moment]] = ("", ())
        self._preview_problem = ""

    @property
    def _now_ms(self) -> int:
        return int(self.live.ports.now() * 1000)

    def body(self) -> Iterator[Widget]:
        with Horizontal(id="split"):
            yield self._accounts
            yield Lines(id="preview")
        yield self._lists

    def on_mount(self) -> None:
        self.run_worker(self._keep_looking(), group="accounts")

    def drain(self) -> None:
        chosen = f"accounts beginning with {self._begins}" if self._begins else f"accounts by {self._order}"
        self._accounts.title_text = chosen
        self._accounts.redraw()
        self._preview()

    # ------------------------------------------------------------------------------------------ looking

    async def _keep_looking(self) -> None:
        """Again and again while the screen is shown; at once when something else is wanted."""
        while True:
            if self.is_current and not self.writer_behind:
                await self._look()
            self._looked.clear()
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._looked.wait()
            except TimeoutError:
                continue

    async def _look(self) -> None:
        port, wanted = self.live.ports.accounts, (self._order, self._begins)
        try:
            rows = await port.find(self._begins, ROWS) if self._begins else await port.riskiest(self._order, ROWS)
            listed = await port.lists(ROWS)
        except Unavailable as error:
            self._accounts.note = [(f"{error} ", "bad")]
            return
        if wanted != (self._order, self._begins):
            return
        self._accounts.note = [("the first 200 ", "dim")] if len(rows) == ROWS else ()
        self._accounts.replace(rows)
        self._lists.title_text = f"lists: {show.number(len(listed))}"
        self._lists.replace(listed)
        self._read_preview()

    def _look_now(self) -> None:
        self._looked.set()

    # ------------------------------------------------------------------------------------------ the selected one

    def on_feed_moved(self) -> None:
        self._preview()
        self._read_preview()

    def on_screen_resume(self) -> None:
        self._look_now()

    def _read_preview(self) -> None:
        row = self._accounts.selected
        if row is not None and self.query_one("#preview", Lines).display:
            self.run_worker(self._fetch_preview(row.account_id), group="preview", exclusive=True)

    async def _fetch_preview(self, account_id: str) -> None:
        try:
            self._newest = account_id, await self.live.ports.accounts.timeline(account_id, PREVIEWED)
            self._preview_problem = ""
        except Unavailable as error:
            self._preview_problem = str(error)
        self._preview()

    def _preview(self) -> None:
        pane = self.query_one("#preview", Lines)
        row = self._accounts.selected
        if not pane.display:
            return
        if row is None:
            pane.show([])
            return
        width = max(20, pane.size.width - 1)
        lines: list[Line] = [[(f" {row.account_id}", "strong"), *standing_cells(row)]]
        lines += [*flow(facts(row, self._now_ms), width), []]
        if self._preview_problem:
            lines.append([(f" {self._preview_problem}", "bad")])
        elif self._newest[0] == row.account_id:
            for moment in reversed(self._newest[1]):
                time, sign, _, what, amount, *_ = moment_cells(moment, self._now_ms)
                lines.append([(f" {time[0]:>11} ", "dim"), sign, (f"{amount[0]:>13} ", "text"), what])
        pane.show(lines)

    def on_feed_opened(self, event: Feed.Opened) -> None:
        event.stop()
        row = event.row
        if isinstance(row, Profile):
            self.app.push_screen(AccountScreen(row.account_id))
        elif isinstance(row, Listed) and row.kind == "account":
            self.app.push_screen(AccountScreen(row.party))
        elif isinstance(row, Listed):
            self.say(f"{row.effect} {row.kind} {row.party} by {row.actor}: {row.reason}")

    # ------------------------------------------------------------------------------------------ keys

    def action_order(self) -> None:
        self._order = ORDERS[(ORDERS.index(self._order) + 1) % len(ORDERS)]
        self._begins = ""
        self._look_now()
        self.tick()

    def action_find(self) -> None:
        self.talk(self._ask_account(), "ask")

    async def _ask_account(self) -> None:
        answer = await self.ask("accounts whose names begin with (empty = all, by risk)", value=self._begins)
        if answer is not None:
            self._begins = answer.strip()
            self._look_now()
            self.tick()

    def step_back(self) -> bool:
        if super().step_back():
            return True
        if self._begins:
            self._begins = ""
            self._look_now()
            return True
        return False

    def list_party(self, act: str, kind: str, party: str) -> None:
        self.talk(self._list_party(act, kind, party), "ask")

    async def _list_party(self, act: str, kind: str, party: str) -> None:
        await ask_and_list(self, act, kind, party)
        self._look_now()

    def add_party(self, act: str) -> None:
        self.talk(self._add_party(act), "ask")

    async def _add_party(self, act: str) -> None:
        named = await ask_party(self, act)
        if named is not None:
            await self._list_party(act, *named)

    def lift(self, row: Listed) -> None:
        self.list_party(_LIFTS[row.effect], row.kind, row.party)
