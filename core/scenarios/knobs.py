"""What of a scenario can be set: typed parameters with bounds, told apart from their scenario's code.

A scenario's ``Parameters`` struct annotates each field with one of the kinds below and a ``Meta(description=...)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Some = Annotated[int, Meta(ge=1, le=200)]
"""People, cards, payments of one: so many that a run stays one that somebody watches."""
Hops = Annotated[int, Meta(ge=2, le=20)]
Hours = Annotated[int, Meta(ge=1, le=720)]
Days = Annotated[int, Meta(ge=1, le=365)]
Reais = Annotated[float, Meta(ge=0.01, le=1_000_000)]
Wait = Annotated[float, Meta(ge=0, le=3_600)]
"""Between two steps, in seconds or minutes."""
Factor = Annotated[float, Meta(ge=0.01, le=1_000)]
Share = Annotated[float, Meta(ge=0, le=0.95)]

UNBOUNDED = 1_000_000
"""The most that a parameter without bounds of its own takes; the least is 0."""


class WrongParameter(ValueError):
    """A name that is none of the parameters, or a value out of its bounds; the text says what fits."""


class Parameter(msgspec.Struct, frozen=True):
    """One parameter as a dialog shows it: ``kind`` is int or float, the bounds belong to what is allowed."""

    name: str
    kind: type[int] | type[float]
    default: int | float
    lowest: int | float
    highest: int | float
    about: str

    def value(self, given: object) -> int | float:
        """``given``, a number or its text, as the parameter's own type; raises ``WrongParameter``."""
        try:
            if isinstance(given, bool) or not isinstance(given, int | float | str):
                raise TypeError
            number = self.kind(given)
            if not self.lowest <= number <= self.highest or (not isinstance(given, str) and number != given):
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            what = "a whole number" if self.kind is int else "a number"
            bounds = f"from {self.lowest:,} to {self.highest:,}"
            raise WrongParameter(f"{self.name} takes {what} {bounds}, not {given!r:.40}") from None
        return number


def parameters(struct: type[msgspec.Struct]) -> tuple[Parameter, ...]:
    """The parameters of a scenario's struct, in its order."""
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, msgspec.inspect.StructType)
    return tuple(_parameter(field) for field in info.fields)


def given(settings: Sequence[str]) -> dict[str, str]:
    """``NAME=VALUE`` texts by name; raises ``WrongParameter``."""
    for setting in settings:
        if "=" not in setting:
            raise WrongParameter(f"--set takes NAME=VALUE, not {setting!r}")
    return {name.strip(): value.strip() for name, _, value in (setting.partition("=") for setting in settings)}


def settled(struct: type[msgspec.Struct], chosen: Mapping[str, object]) -> dict[str, int | float]:
    """Every parameter with its value: as given, numbers or their texts, or by default. Raises ``WrongParameter``."""
    known = {parameter.name: parameter for parameter in parameters(struct)}
    for name in chosen:
        if name not in known:
            raise WrongParameter(f"there is no parameter {name!r}; there are {', '.join(known)}")
    return {name: p.value(chosen[name]) if name in chosen else p.default for name, p in known.items()}


def _parameter(field: msgspec.inspect.Field) -> Parameter:
    kind: Any = field.type
    about = ""
    if isinstance(kind, msgspec.inspect.Metadata):
        about = (kind.extra_json_schema or {}).get("description", "")
        kind = kind.type
    assert isinstance(kind, msgspec.inspect.IntType | msgspec.inspect.FloatType), field.name
    number = int if isinstance(kind, msgspec.inspect.IntType) else float
    lowest = 0 if kind.ge is None else kind.ge
    highest = UNBOUNDED if kind.le is None else kind.le
    return Parameter(field.name, number, number(field.default), lowest, highest, about)
