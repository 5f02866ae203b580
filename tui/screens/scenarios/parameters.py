"""The dialog that sets a scenario's parameters: a line a parameter, checked as it is typed, launched by enter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.strip import Strip

from core.scenarios import knobs
from tui import format as show
from tui.ports import Knob, ScenarioInfo
from tui.terminal.pacing import PacedScreen
from tui.terminal.sanitise import clean, fit
from tui.widgets.canvas import COMPONENTS, Canvas, Cell, Line

NAME, VALUE, BOUNDS = 18, 14, 20
NAMED = 30
"""Characters of the scenario's name in the head."""
SEED = Knob("seed", True, 0, 0, (1 << 31) - 1, "the same seed and parameters make the same run; empty: a new one")
_TYPED = frozenset("0123456789.,-")
_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was entered: a seed, when one was, and the parameters that differ from their defaults."""

    seed: int | None
    given: Mapping[str, object]


def text_of(value: int | float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}".replace(".", ",")


def value_of(knob: Knob, text: str) -> int | float:
    """The number, with a comma or a point; raises ``knobs.WrongParameter`` with a sentence."""
    kind: type[int] | type[float] = int if knob.whole else float
    known = knobs.Parameter(clean(knob.name, NAME), kind, knob.default, knob.lowest, knob.highest, knob.about)
    return known.value(text.replace(",", "."))


@dataclass
class FormModel:
    """Fields with the texts that stand in them; the first stroke in a field replaces its text."""

    knobs: Sequence[Knob]
    texts: list[str] = field(default_factory=list)
    at: int = 0
    _fresh: bool = True

    @classmethod
    def of(cls, info: ScenarioInfo) -> FormModel:
        return cls((*info.knobs, SEED), [*(text_of(knob.default) for knob in info.knobs), ""])

    def move(self, step: int) -> None:
        self.at = (self.at + step) % len(self.knobs)
        self._fresh = True

    def type(self, char: str) -> None:
        self.texts[self.at] = (("" if self._fresh else self.texts[self.at]) + char)[:_LENGTH]
        self._fresh = False

    def rub(self) -> None:
        self.texts[self.at] = self.texts[self.at][:-1]
        self._fresh = False

    def reset(self) -> None:
        knob = self.knobs[self.at]
        self.texts[self.at] = "" if knob is SEED else text_of(knob.default)
        self._fresh = True

    def problem(self, index: int) -> str:
        """Why the text of a field is no value; empty when it is one."""
        knob, text = self.knobs[index], self.texts[index]
        if knob is SEED and not text:
            return ""
        try:
            value_of(knob, text)
        except knobs.WrongParameter as error:
            return str(error)
        return ""

    def wanted(self) -> Wanted | None:
        """What to launch with; None, with the cursor on it, when a field is wrong."""
        for index in range(len(self.knobs)):
            if self.problem(index):
                self.at, self._fresh = index, True
                return None
        values = {knob.name: value_of(knob, text) for knob, text in zip(self.knobs, self.texts, strict=True) if text}
        seed = values.pop(SEED.name, None)
        changed = {knob.name: values[knob.name] for knob in self.knobs[:-1] if values[knob.name] != knob.default}
        return Wanted(None if seed is None else int(seed), changed)


def form_lines(title: str, model: FormModel, width: int) -> list[Line]:
    """The head, a line a field, and what is wrong with the one under the cursor."""
    lines: list[Line] = [
        [(f" {clean(title, NAMED)}", "title"), ("  enter launches, tab next, r its default, esc leaves", "dim")],
    ]
    for index, knob in enumerate(model.knobs):
        here, wrong = index == model.at, bool(model.problem(index))
        text = model.texts[index] + ("▏" if here else "")
        bounds = "any" if knob is SEED else f"{text_of(knob.lowest)} to {show.number(knob.highest)}"
        changed = knob is not SEED and model.texts[index] != text_of(knob.default)
        style = "bad" if wrong else "accent" if changed else "text"
        row: list[Cell] = [
            ("▌" if here else " ", "accent"),
            (fit(knob.name, NAME), "strong" if here else "text"),
            (fit(text, VALUE), style),
            (fit(bounds, BOUNDS), "dim"),
            (fit(knob.about, max(0, width - NAME - VALUE - BOUNDS - 3)), "dim"),
        ]
        lines.append(row)
    problem = model.problem(model.at)
    lines.append([(f" {problem or model.knobs[model.at].about}", "bad" if problem else "dim")])
    return lines


class Form(Canvas):
    """Draws the model and takes its keys."""

    can_focus = True

    def __init__(self, title: str, model: FormModel, launch: Callable[[], None]) -> None:
        super().__init__(id="panel")
        self._title = title
        self._model = model
        self._launch = launch

    @property
    def height_wanted(self) -> int:
        return len(self._model.knobs) + 2

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        lines = form_lines(self._title, self._model, width)
        return self.strip(lines[y], width) if y < len(lines) else self.blank(width)

    def on_key(self, event: events.Key) -> None:
        model = self._model
        if event.character is not None and event.character in _TYPED:
            model.type(event.character)
        elif event.key == "backspace":
            model.rub()
        elif event.key in ("tab", "down", "j"):
            model.move(1)
        elif event.key in ("shift+tab", "up", "k"):
            model.move(-1)
        elif event.key == "r":
            model.reset()
        elif event.key == "enter":
            self._launch()
        else:
            return
        event.stop()
        event.prevent_default()
        self.refresh()


class ParametersPanel(PacedScreen[Wanted | None], ModalScreen[Wanted | None]):
    """Ends with what to launch with, or without a result when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "close", "close", show=False)]
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    AUTO_FOCUS = "#panel"

    def __init__(self, info: ScenarioInfo, **options: Any) -> None:
        super().__init__(**options)
        self._info = info
        self.model = FormModel.of(info)

    def compose(self) -> ComposeResult:
        form = Form(self._info.name, self.model, self._launch)
        form.styles.height = form.height_wanted + 1
        yield form

    def _launch(self) -> None:
        wanted = self.model.wanted()
        if wanted is not None and self.is_current:  # not once more for a key behind it
            self.dismiss(wanted)

    def action_close(self) -> None:
        self.dismiss(None)
