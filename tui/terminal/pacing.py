"""Frames that wait for the terminal: a screen that paints only when the last frame has been taken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

from textual import events
from textual._compositor import CompositorUpdate
from textual._styles_cache import StylesCache
from textual.app import App
from textual.filter import LineFilter, NoColor
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, TextArea

from tui.terminal.driver import GuardedDriver
from tui.terminal.paint import Frame, pieces_of

Result = TypeVar("Result")


def forget_closed_screens() -> None:
    """Empty Textual's cache of two colours, whose keys keep the painted lines of up to 1,024 closed widgets."""
    StylesCache.get_inner_outer.cache_clear()


NO_COLOURS = (NoColor(),)


class TerminalApp(App[int]):
    """Has every frame, of whatever screen, written by the driver's painter, and works off keys in their order."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        """With NO_COLOR the terminal's own colours alone. Textual's greys would be black on black in an ansi theme."""
        return NO_COLOURS if self.no_color else super().get_line_filters()

    async def on_event(self, event: events.Event) -> None:
        """Run what a key is bound to before the next key is looked at.

        Textual hands a key to the focused widget and runs its binding when the key has bubbled up again: until then
        keys typed fast go to a list although the first of them opens a question. Keys behind the one that leaves are
        for nobody.
        """
        if isinstance(event, events.Key) and not self.screen_stack:
            return
        if (
            isinstance(event, events.Key)
            and not event.is_forwarded
            and not isinstance(self.focused, Input | TextArea)
            and not isinstance(self.screen, ModalScreen)
            and self.screen.maximized is None
            and await self.run_binding(event.key)
        ):
            return
        await super().on_event(event)

    async def run_binding(self, key: str) -> bool:
        """Run what a key is bound to from the focus up; false when it is bound to nothing."""
        return await self._check_bindings(key)

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        driver = self._driver
        if isinstance(renderable, CompositorUpdate) and isinstance(driver, GuardedDriver):
            pieces = pieces_of(renderable)
            if pieces is not None:
                renderable = Frame(pieces, driver.painter)
        super()._display(screen, renderable)


class PacedScreen(Screen[Result]):
    """Defers painting while the terminal is behind; the compositor keeps the dirty regions until then.

    What the user sees is then always the newest state, however slow the link: frames are skipped, never queued.
    """

    _frame_owed = False
    frames_skipped = 0
    _styled_by: object = None

    def _post_register(self, app: App[Any]) -> None:
        """Give the screen the classes of its size, and count the style sheet as known: what it mounts is styled once.

        Textual takes a new screen for one that has missed a change: it parses every sheet again and styles every
        widget of the app anew, twice, before the first frame; and once more when the classes of its size come late.
        """
        super()._post_register(app)
        self._css_update_count = app._css_update_count
        for length, points in (
            (app.size.width, app.HORIZONTAL_BREAKPOINTS),
            (app.size.height, app.VERTICAL_BREAKPOINTS),
        ):
            self._classes |= self._get_breakpoint_classes(length, points or [])
        self._styled_by = self._what_styles_all(app)

    def _what_styles_all(self, app: App[Any]) -> object:
        """What the looks of widgets come from beside themselves: when it changes, all are styled anew."""
        return app._css_update_count, app.classes, app.get_pseudo_classes(), self.classes

    def update_node_styles(self, animate: bool = True) -> None:
        """Style every widget anew, unless all would look as before: Textual asks for it at each visit, twice at first.

        A widget that changes itself is styled by itself.
        """
        by = self._what_styles_all(self.app)
        if by != self._styled_by:
            self._styled_by = by
            super().update_node_styles(animate)

    async def on_event(self, event: events.Event) -> None:
        """Let others have their turn after each event: a new screen gets a dozen, and Textual works them off in one."""
        await super().on_event(event)
        await asyncio.sleep(0)

    @property
    def writer_behind(self) -> bool:
        driver = self.app._driver
        return isinstance(driver, GuardedDriver) and driver.behind

    def _compositor_refresh(self) -> None:
        if self.writer_behind:
            self._frame_owed = True
            self.frames_skipped += 1
            self._dirty_widgets.clear()
            return
        self._frame_owed = False
        super()._compositor_refresh()

    def on_resize(self) -> None:
        """Paint everything: a terminal may have moved or dropped lines even if its size is the same as before."""
        driver = self.app._driver
        if isinstance(driver, GuardedDriver):
            driver.painter.forget()
        self.refresh()

    def pay_frame(self) -> None:
        """Paint what was put off; called when the terminal has taken the last frame."""
        if self._frame_owed:
            self._compositor_refresh()
