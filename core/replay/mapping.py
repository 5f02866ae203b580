"""A mapping file says which column of a CSV is what; everything but account, amount and time may be left out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from importlib import resources
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import msgspec

from schema.label import Label
from schema.transaction import Transaction

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_STEPS = {"epoch_ms": 1, "epoch_s": 1_000, "seconds": 1_000, "minutes": 60_000, "hours": 3_600_000, "days": 86_400_000}
_CENT = Decimal("0.01")
_LAST = 4_102_444_800_000  # the year 2100
_MAX_ID = 128
_IDS = ("transaction_id", "account_id", "merchant_id", "payee_id", "device_id", "channel")
_MAX_AMOUNT = 10**10  # reais: what DECIMAL(12, 2) holds
TEXT_FIELDS = (
    "transaction_id",
    "account_id",
    "channel",
    "merchant_id",
    "merchant_name",
    "merchant_category",
    "payee_id",
    "device_id",
    "city",
    "state",
)


class MappingError(Exception):
    """A mapping that cannot be used; the text names the file, the key and what to write."""


class RowError(Exception):
    """A row that is no payment; the text says which value is wrong."""


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class TimeColumn(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``format``: epoch_ms, epoch_s, seconds, minutes, hours or days since ``origin``, iso, or a strptime pattern."""

    column: str
    format: str = "iso"
    origin: str = "1970-01-01"


class AmountColumn(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``unit`` of the column's numbers."""

    column: str
    unit: Literal["reais", "centavos"] = "reais"


class LabelColumn(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``fraud``: values that mean fraud, ``unknown``: that nobody knows; upper or lower case. ``scenario``: a column
    naming the kind, ``no_scenario`` its empty value."""

    column: str
    fraud: tuple[str, ...] = ("1", "1.0", "true", "t", "yes", "y", "fraud", "fraudulent")
    unknown: tuple[str, ...] = ("", "na", "nan", "null", "none", "unknown")
    scenario: str | None = None
    no_scenario: str = ""
    delay: str = "7d"


class FileMapping(_Table, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping file as it is written."""

    description: str = ""
    delimiter: str = ","
    encoding: str = "utf-8"
    fields: dict[str, str]
    time: TimeColumn
    amount: AmountColumn
    label: LabelColumn | None = None
    latitude: str | None = None
    longitude: str | None = None
    balance: str | None = None
    """What lay on the account before the payment, in the unit of the amount."""
    incoming: tuple[str, ...] = ()
    """Values of the channel's column that mean money coming to the account, upper or lower case."""
    constants: dict[str, str] = {}


def duration(text: str) -> int:
    """``7d``, ``12h``, ``30m``, ``45s`` or ``250ms`` as milliseconds; raises ``MappingError``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text.strip())
    if found is None:
        raise MappingError(f"{text!r} is no duration; write 7d, 12h, 30m, 45s or 250ms")
    return int(float(found[1]) * _UNITS[found[2]])


def instant(text: str) -> int:
    """An ISO date or time as epoch milliseconds, UTC where it has no zone; raises ``MappingError``."""
    try:
        return _millis(datetime.fromisoformat(text))
    except ValueError:
        raise MappingError(f"{text!r} is no time; write 2018-08-08 or 2018-08-08T12:00") from None


def known() -> list[str]:
    """Names of the mappings that come with the product."""
    folder = resources.files("core.replay") / "mappings"
    return sorted(e.name.removesuffix(".toml") for e in folder.iterdir() if e.name.endswith(".toml"))


def load(name: str) -> FileMapping:
    """A mapping by its name, or from a TOML file; raises ``MappingError``."""
    path = Path(name)
    try:
        if path.suffix == ".toml" or path.exists():
            text = path.read_text("utf-8")
        elif name in known():
            text = (resources.files("core.replay") / "mappings" / f"{name}.toml").read_text("utf-8")
        else:
            raise MappingError(f"there is no mapping {name!r}: name a TOML file or one of {', '.join(known())}")
        mapping = msgspec.convert(tomllib.loads(text), FileMapping)
    except OSError as error:
        raise MappingError(f"{name} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise MappingError(f"mapping {name}: {error}") from None
    for field in [*mapping.fields, *mapping.constants]:
        if field not in TEXT_FIELDS:
            raise MappingError(f"mapping {name}: {field!r} is no field; there are {', '.join(TEXT_FIELDS)}")
    if "account_id" not in mapping.fields:
        raise MappingError(f"mapping {name}: fields.account_id is missing; name the column of the paying account")
    return mapping


def columns(mapping: FileMapping) -> list[str]:
    """Every column that the mapping needs."""
    needed = [*mapping.fields.values(), mapping.time.column, mapping.amount.column]
    if mapping.label is not None:
        needed.append(mapping.label.column)
        if mapping.label.scenario:
            needed.append(mapping.label.scenario)
    return needed + [column for column in (mapping.latitude, mapping.longitude, mapping.balance) if column]


def clean(header: list[str]) -> list[str]:
    """Column names without byte-order mark and surrounding blanks."""
    return [column.strip().removeprefix("\ufeff").strip().strip('"') for column in header]


def as_toml(mapping: FileMapping) -> str:
    """The mapping as the file that would say the same."""
    built: dict[str, Any] = msgspec.to_builtins(mapping)
    empty = msgspec.to_builtins(FileMapping(fields={}, time=TimeColumn(column=""), amount=AmountColumn(column="")))
    plain = [f"{k} = {_toml(v)}" for k, v in built.items() if not isinstance(v, dict) and v != empty[k]]
    tables = [
        "\n".join([f"[{k}]", *(f"{name} = {_toml(value)}" for name, value in v.items() if value is not None)])
        for k, v in built.items()
        if isinstance(v, dict) and v
    ]
    return "\n".join([*plain, *tables]) + "\n"


def _toml(value: Any) -> str:
    return msgspec.json.encode(value).decode()


class Reader:
    """Rows (column -> text) -> payments and labels, by a mapping whose columns ``header`` has.

    ``delay``: ms from a payment to the moment its label is known; None = labels only score, nothing learns them.
    """

    def __init__(self, mapping: FileMapping, header: list[str], delay: int | None) -> None:
        self._mapping = mapping
        self._delay = delay
        self._at = {column: index for index, column in enumerate(header)}
        if missing := [column for column in columns(mapping) if column not in self._at]:
            raise MappingError(
                f"the file has no column {missing[0]!r}; its columns are {', '.join(header)}"
                + _nearest(missing[0], header)
                + ". --map auto finds a mapping by the columns' names"
            )
        self._time = _time_reader(mapping.time)
        self._texts = [(name, self._at[column]) for name, column in mapping.fields.items()]
        self._incoming = frozenset(value.lower() for value in mapping.incoming)
        self._factor = Decimal(1) if mapping.amount.unit == "reais" else Decimal("0.01")

    def read(self, row: list[str], number: int) -> tuple[Transaction, Label | None]:
        """The payment of a row and its label, if the file has labels; raises ``RowError``."""
        try:
            values: dict[str, Any] = dict(self._mapping.constants)
            for name, at in self._texts:
                if text := row[at].strip().replace("\0", ""):
                    values[name] = text
            if "account_id" not in values:
                raise RowError("the account is empty")
            values.setdefault("transaction_id", f"row-{number}")
            amount = (number_of(row[self._at[self._mapping.amount.column]]) * self._factor).quantize(_CENT)
            if not 0 <= amount < _MAX_AMOUNT:
                raise RowError(f"the amount {amount} does not lie in [0, {_MAX_AMOUNT:,})")
            time = self._time(row[self._at[self._mapping.time.column]].strip())
            if not 0 <= time < _LAST:
                raise RowError("the time lies before 1970 or after 2099")
            if self._mapping.balance is not None and (text := row[self._at[self._mapping.balance]].strip()):
                balance = (number_of(text) * self._factor).quantize(_CENT)
                # Below nothing lies nothing.
                values["balance"] = max(balance, Decimal(0)) if balance < _MAX_AMOUNT else None
            if self._incoming and values.get("channel", "").lower() in self._incoming:
                values["incoming"] = True
            if long := [name for name in _IDS if len(values.get(name) or "-") > _MAX_ID]:
                raise RowError(f"{long[0]} has more than {_MAX_ID} characters")
            for name in ("latitude", "longitude"):
                column: str | None = getattr(self._mapping, name)
                if column is not None and (text := row[self._at[column]].strip()):
                    values[name] = degrees if isfinite(degrees := float(text)) else None
        except IndexError:
            raise RowError(f"the row has {len(row)} columns, {len(self._at)} were expected") from None
        except (InvalidOperation, ValueError, OverflowError) as error:
            raise RowError(f"a value cannot be read: {error}") from None
        return Transaction(amount=amount, event_time=time, **values), self._label(row, values, time)

    def _label(self, row: list[str], values: Mapping[str, Any], time: int) -> Label | None:
        described = self._mapping.label
        if described is None:
            return None
        said = row[self._at[described.column]].strip().lower()
        if said in described.unknown:
            return None
        fraud = said in (value.lower() for value in described.fraud)
        scenario = None
        if fraud and described.scenario:
            named = row[self._at[described.scenario]].strip()
            scenario = None if named == described.no_scenario else named
        return Label(
            transaction_id=values["transaction_id"],
            account_id=values["account_id"],
            is_fraud=fraud,
            known_at=time + (self._delay or 0),
            scenario=scenario,
        )


def number_of(text: str) -> Decimal:
    """A sum as people write it: 1234.5, 1,234.50, 1.234,50, R$ 12,30, $5; raises ``InvalidOperation``."""
    plain = text.strip()
    if not plain[:1].isdigit() or "," in plain:
        plain = re.sub(r"^([+-]?)\s*[^\d.,+-]*\s*", r"\1", plain) if any(c.isdigit() for c in plain) else plain
        if "," in plain and (plain.rfind(",") > plain.rfind(".") and len(plain) - plain.rfind(",") != 4):
            plain = plain.replace(".", "").replace(",", ".")
        else:
            plain = plain.replace(",", "")
    return Decimal(plain)


def _nearest(wanted: str, header: list[str]) -> str:
    close = get_close_matches(wanted.lower(), [column.lower() for column in header], 1, 0.6)
    return f"; did you mean {header[[c.lower() for c in header].index(close[0])]!r}?" if close else ""


def _time_reader(column: TimeColumn) -> Callable[[str], int]:
    if column.format in _STEPS:
        scale = _STEPS[column.format]
        origin = 0 if column.format.startswith("epoch") else _millis(datetime.fromisoformat(column.origin))
        return lambda text: origin + int(float(text) * scale)
    if column.format in ("iso", "%Y-%m-%d %H:%M:%S"):
        return lambda text: _millis(datetime.fromisoformat(text))
    return lambda text: _millis(datetime.strptime(text, column.format))


def _millis(time: datetime) -> int:
    """Epoch milliseconds; a time without a zone is UTC."""
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
