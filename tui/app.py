"""The control center: wires ports to screens and answers the keys that work everywhere. Screens do the rest."""

from __future__ import annotations

import gc
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path, PurePath
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.command import Provider
from textual.screen import Screen

from tui import format as show
from tui import keymap, theme
from tui.live import Live
from tui.notices import Notices
from tui.ports import Done, Ports, ServiceState, Unavailable, Verdict
from tui.screens import catalogue
from tui.screens.base import ControlScreen
from tui.screens.dialogs import Choice, HelpPanel, MenuPanel, MessagesPanel
from tui.session import Session
from tui.terminal import clipboard
from tui.terminal.crash import ReportingApp
from tui.terminal.driver import GuardedDriver
from tui.terminal.pacing import PacedScreen, forget_closed_screens
from tui.terminal.sanitise import clean
from tui.widgets.keybar import active_actions
from tui.widgets.prompt import Prompt
from tui.widgets.too_small import LEAST

BREAKPOINTS = ((0, "-too-narrow"), (LEAST[0], "-tiny"), (70, "-narrow"), (110, "-wide"), (180, "-full"))
"""Widths from which screens get their classes: beside the list a detail, then chart, list and detail."""
HEIGHTS = ((0, "-too-low"), (LEAST[1], "-short"), (18, "-tall"))
"""Heights likewise: a short screen shows what moves, and nothing else."""
STYLE_SHEETS: list[str | PurePath] = [
    Path(__file__).with_name("app.tcss"),
    *sorted(Path(__file__).parent.glob("screens/*/*.tcss")),
]
"""All at the start: a screen that brings its own makes every widget be styled anew when it is first opened."""
TIDY_S = 600.0


def _palette() -> type[Provider]:
    from tui.palette import Palette

    return Palette


def tidy() -> None:
    """Let go of closed screens, whose widgets hold each other: the collector itself looks at old objects too seldom."""
    forget_closed_screens()
    gc.collect()


class ControlCenter(ReportingApp):
    """``files`` is where exports and copies go; ``keys`` is the user's keymap (action name to keys).

    ``session`` is what is found again from the last time.
    """

    CSS_PATH = STYLE_SHEETS
    TITLE = "stream guard"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[Any]] = {_palette}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("app")]
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        name: partial(catalogue.make, name) for name in catalogue.CLASSES
    }
    DEFAULT_MODE = "boot"

    def __init__(
        self,
        ports: Ports,
        files: Path,
        *,
        theme_name: str = "guard-dark",
        keys: Mapping[str, str] | None = None,
        session: Session | None = None,
    ) -> None:
        super().__init__(driver_class=GuardedDriver)
        self.HORIZONTAL_BREAKPOINTS = [*BREAKPOINTS]
        self.VERTICAL_BREAKPOINTS = [*HEIGHTS]
        for known in theme.THEMES:
            self.register_theme(known)
        self.theme = theme_name if theme_name in self.available_themes else "guard-dark"
        self.ports: Ports = ports
        self.live = Live(ports)
        self._gone: dict[str, float] = {}
        """Services that are not up, and since when."""
        self.files = files
        self.notices = Notices()
        self.start_problem = ""
        """Why the stack did not come up at the last try."""
        self.session = session or Session()
        self.user_keys, self._keymap_problems = keymap.user_keymap(keys or {})
        self._wanted_theme = theme_name
        self._troubles: set[str] = set()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.DEFAULTS

    def on_mount(self) -> None:
        self.set_keymap(self.user_keys)
        for sentence in self._keymap_problems:
            self.say(sentence, "warn")
        if self.theme != self._wanted_theme:
            self.say(f"there is no theme {self._wanted_theme!r}; there are {', '.join(self.available_themes)}", "warn")
        self.set_interval(1.0, self._tell_troubles, name="troubles")
        self.set_interval(TIDY_S, tidy, name="tidy")
        self.ports.watchdog.start()

    def _tell_troubles(self) -> None:
        """Say once why something cannot be known, and once that it can be again."""
        now = set(self.live.troubles())
        for sentence in sorted(now - self._troubles):
            self.say(sentence, "warn")
        if self._troubles and not now:
            self.say("every source answers again", "good")
        self._troubles = now

    # ------------------------------------------------------------------------------------------ start and end

    async def open_stack(self) -> None:
        """Bring the stack up, then go live. The boot screen runs this, and runs it again on its retry key."""
        try:
            await self.ports.stack.open(self.stack_changed)
        except Unavailable as error:
            self.start_problem = clean(str(error))
            self.say(self.start_problem, "bad")
            return
        self.start_problem = ""
        self.live.start()
        if self.current_mode == "boot":
            wanted = self.session.screen if self.session.screen in keymap.SCREENS else "overview"
            await catalogue.load(wanted)
            await self.switch_mode(wanted)

    def stack_changed(self, state: ServiceState) -> None:
        before = self.live.services.get(state.name)
        self.live.service_changed(state)
        now, up = self.ports.now(), state.state == "up"
        gone = self._gone.pop(state.name, now) if up else self._gone.setdefault(state.name, now)
        if self.live.ready and state.state != ("up" if before is None else before.state):
            style = "good" if up else "bad" if state.state == "failed" else "warn"
            away = f", was away for {show.age(now - gone)}" if up else ""
            self.say(f"{state.name}: {state.state} {state.detail}".rstrip() + away, style)

    async def close_all(self) -> None:
        """Keep the session; stop polling, the hosted worker and the lease on the stack."""
        if self.current_mode in keymap.SCREENS:
            self.session.screen = self.current_mode
        self.session.theme = self.theme if self.theme != self._wanted_theme else self.session.theme
        self.session.save()
        self.ports.watchdog.stop()
        await self.live.stop()
        await self.ports.stack.close()

    def terminal_drained(self) -> None:
        """The driver's word that the terminal has taken the last frame."""
        if self._screen_stacks and isinstance(self.screen, PacedScreen):
            self.screen.pay_frame()

    def terminal_lost(self) -> None:
        """The terminal is gone: nobody is left to show anything to."""
        self.exit(return_code=129)

    @property
    def place(self) -> str:
        """Where the operator is: the name of the screen and, a line each, the commands that open what is over it."""
        over = [screen.address for screen in self.screen_stack[1:] if isinstance(screen, ControlScreen)]
        return "\n".join((self.current_mode, *(clean(line) for line in over if line)))

    # ------------------------------------------------------------------------------------------ messages

    def say(self, text: str, style: str = "text") -> None:
        """A line for the operator, shown for some seconds and kept in the history."""
        self.notices.say(self.ports.now(), style, clean(text))

    def tell(self, verdict: Verdict) -> None:
        """What came of a command."""
        self.say(verdict.text, "good" if isinstance(verdict, Done) else "warn")

    def counts(self) -> dict[str, int]:
        """News per screen for the second line: undecided alerts."""
        totals = self.live.totals.value
        return {"alerts": totals.open_cases} if totals else {}

    # ------------------------------------------------------------------------------------------ actions

    async def action_show(self, name: str) -> None:
        if not self.live.ready:
            self.say("the stack is still starting", "warn")
            return
        while len(self.screen_stack) > 1 and self.current_mode == name:
            await self.pop_screen()
        await self._turn_to(name)

    async def _turn_to(self, name: str) -> None:
        await self.switch_mode(name)
        if isinstance(self.screen, ControlScreen):
            self.screen.fill()

    async def action_back(self) -> None:
        screen = self.screen
        if isinstance(screen, ControlScreen) and screen.step_back():
            return
        if len(self.screen_stack) > 1:
            await self.pop_screen()
        elif self.live.ready and self.current_mode != "overview":
            await self._turn_to("overview")
        else:
            self.say("ctrl+q leaves stream guard")

    async def action_quit(self) -> None:
        self.exit(return_code=0)

    async def action_help(self) -> None:
        if not isinstance(self.screen, HelpPanel):
            await self.push_screen(HelpPanel(self.screen, self.user_keys))

    async def action_messages(self) -> None:
        if not isinstance(self.screen, MessagesPanel):
            await self.push_screen(MessagesPanel(self.notices.said))

    def action_fullscreen(self) -> None:
        screen = self.screen
        if screen.maximized is not None:
            screen.minimize()
        elif screen.focused is not None:
            screen.maximize(screen.focused, container=False)

    def action_actions(self) -> None:
        """A menu of what the focused pane can do with the selected thing."""
        choices = [
            Choice(key, action.name, action.help)
            for action, keys in active_actions(self.screen)
            if action.scope not in keymap.COMMON and (key := next((key for key in keys if len(key) == 1), ""))
        ]
        if choices and isinstance(self.screen, ControlScreen):
            self.push_screen(MenuPanel("actions", choices), self._act)
        else:
            self.say("there is nothing to do here but to look: ? shows every key")

    async def _act(self, name: str | None) -> None:
        for active in self.screen.active_bindings.values():
            if name is not None and active.binding.id == name:
                await self.run_action(active.binding.action, active.node)
                return

    def action_launch(self) -> None:
        if not self.live.ready:
            self.say("the stack is still starting", "warn")
            return
        choices = [Choice(info.key, info.name, info.title) for info in self.ports.scenarios.catalogue()]
        choices.append(Choice("t", "traffic", "normal traffic, 200 payments a second, on or off"))
        self.push_screen(MenuPanel("launch", choices), self._launch)

    def _launch(self, name: str | None) -> None:
        if name == "traffic":
            self.run_worker(self.set_traffic(0 if self.live.traffic.value else 200), group="command")
        elif name is not None:
            self.run_worker(self.launch(name), group="command")

    async def launch(self, scenario: str, seed: int | None = None, given: Mapping[str, object] | None = None) -> None:
        """Ask for a run through the log; a worker somewhere claims it. Without a seed the clock gives one."""
        chosen = int(self.ports.now() * 1000) % 1_000_000 if seed is None else seed
        await self.command(self.ports.commands.launch(scenario, chosen, given))

    async def set_traffic(self, rate: int) -> None:
        await self.command(self.ports.commands.set_traffic(rate))

    async def command(self, running: Awaitable[Verdict]) -> bool:
        """Await a command of ``CommandsPort`` and say what came of it; true when it was done."""
        try:
            verdict = await running
        except Unavailable as error:
            self.say(str(error), "bad")
            return False
        self.tell(verdict)
        return isinstance(verdict, Done)

    async def action_command(self) -> None:
        if isinstance(self.screen, ControlScreen):
            self.screen.talk(self._ask_command(self.screen), "command-line")

    async def _ask_command(self, screen: ControlScreen) -> None:
        from tui import commands

        line = await screen.query_one(Prompt).ask(
            "a command: tab completes, up brings back",
            options=commands.lines(self),
            earlier=self.session.commands,
            check=commands.wrong,
        )
        if line is not None and line.strip():
            self.session.typed(line.strip())
            await commands.run(self, line)

    async def action_jump(self) -> None:
        from tui.screens.jump import JumpPanel

        if isinstance(self.screen, ControlScreen):
            await self.push_screen(JumpPanel(self.screen))

    def copy_or_save(self, text: str, file_name: str | None) -> None:
        """To the clipboard of the terminal, and to a file as the fallback (or the wanted place)."""
        name = file_name or "copied.txt"
        try:
            path = clipboard.save(text, self.files, name)
        except OSError as error:
            self.say(f"cannot write {self.files / name}: {error.strerror}", "bad")
            return
        if file_name is not None:
            self.say(f"wrote {path}", "good")
            return
        sequence = clipboard.osc52(text, os.environ)
        driver = self._driver
        if sequence is None or driver is None:
            self.say(f"too long for the clipboard; wrote {path}", "warn")
            return
        driver.write(sequence)
        self.say(f"copied {show.number(len(text))} characters; also in {path}", "good")
