"""Each private part of Textual that ``tui.terminal`` relies on; a new version that moves one fails here, by name."""

from __future__ import annotations

import gc
import inspect
import weakref

from rich.console import Console
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.color import Color
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip

from tui.terminal.driver import GuardedDriver
from tui.terminal.pacing import PacedScreen, forget_closed_screens
from tui.terminal.paint import pieces_of


def test_the_screen_paints_in_one_method() -> None:
    assert "_compositor_refresh" in vars(Screen)
    source = inspect.getsource(Screen)
    assert source.count("._display(") == 2, "painting happens in another place than _compositor_refresh"
    assert "_dirty_widgets" in inspect.getsource(Screen._compositor_refresh)


def test_dirty_regions_stay_with_the_compositor_until_they_are_rendered() -> None:
    refresh = inspect.getsource(Screen._on_timer_update)
    assert refresh.index("update_widgets") < refresh.index("_compositor_refresh")


def test_the_driver_writes_reads_and_stops_through_what_is_overridden() -> None:
    for name in ("write", "_get_terminal_size", "start_application_mode", "disable_input", "close", "run_input_thread"):
        assert name in vars(LinuxDriver)
        assert name in vars(GuardedDriver)
    assert "self.run_input_thread()" in inspect.getsource(LinuxDriver._run_input_thread)
    assert "disable_input" in inspect.getsource(LinuxDriver.stop_application_mode)


def test_the_parser_is_fed_and_ticked() -> None:
    parser = XTermParser(False)
    events = list(parser.feed("a")) + list(parser.tick())
    assert [getattr(event, "character", None) for event in events] == ["a"]


def test_every_frame_is_displayed_by_one_method_and_its_strips_are_where_the_painter_looks() -> None:
    assert "renderable.render_segments(console)" in inspect.getsource(App._display)
    strip = Strip.blank(3)
    assert list(pieces_of(LayoutUpdate([[strip]], Region(0, 2, 3, 1))) or ()) == [(2, 0, strip)]
    chops = ChopsUpdate([{0: strip, 3: None, 5: strip}], [(0, 0, 4)], [[3, 5, 8]])
    assert list(pieces_of(chops) or ()) == [(0, 0, strip)]
    assert "self._color_system:" in inspect.getsource(Console)


def test_a_new_screen_is_registered_before_it_is_asked_whether_it_missed_a_change_of_style() -> None:
    assert "child._post_register(self)" in inspect.getsource(App._register_child)
    mode = inspect.getsource(App._init_mode)
    assert mode.index("self._get_screen(") < mode.index("if screen._css_update_count != self._css_update_count")
    assert "_post_register" in vars(PacedScreen)


def test_a_screen_gets_its_classes_before_it_is_styled_and_a_visit_styles_by_a_method_of_the_screen() -> None:
    register = inspect.getsource(App._register)
    assert register.index("self._register_child(") < register.index("apply_stylesheet(widget")
    assert "_get_breakpoint_classes(" in inspect.getsource(Screen._on_resize)
    assert "self.update_node_styles(" in inspect.getsource(Screen._on_screen_resume)
    assert "self._css_update_count += 1" in inspect.getsource(App._invalidate_css)
    assert "_classes" in vars(Screen())


def test_what_textual_remembers_of_closed_widgets_can_be_forgotten() -> None:
    cache = StylesCache()
    cache.get_inner_outer(Color(0, 0, 0), Color(1, 1, 1))
    kept = weakref.ref(cache)
    del cache
    assert kept() is not None, "Textual keeps none any more: nothing is left to forget"
    forget_closed_screens()
    gc.collect()
    assert kept() is None


def test_the_app_keeps_its_driver_where_pacing_looks() -> None:
    assert "self._driver" in inspect.getsource(App.__init__)
    assert issubclass(PacedScreen, Screen)
