"""The mapping of a file that nobody has described: a known one whose columns it has, or one read off its header.

A guess is told to the person as the mapping file that it is, to be corrected and named with ``--map``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from core.replay import mapping
from core.replay.mapping import AmountColumn, FileMapping, LabelColumn, MappingError, TimeColumn
from core.replay.source import opened

AUTO = "auto"
_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 200
_DAYS_BELOW = 10_000
_TIED = 10
# Names as they are met, squeezed to lower-case letters and digits; the likelier first.
_NAMES: dict[str, tuple[str, ...]] = {
    "account_id": (
        *("accountid", "account", "customerid", "customer", "ccnum", "cardid", "card", "cardnumber", "clientid"),
        *("client", "userid", "user", "nameorig", "sender", "senderid", "payer", "payerid", "source", "origin"),
        *("fromaccount", "custid", "origacct", "origaccount", "senderaccount", "senderaccountid", "card1"),
    ),
    "transaction_id": ("transactionid", "txid", "transnum", "transactionno", "trxid", "tranid", "paymentid", "id"),
    "merchant_id": ("merchantid", "merchant", "terminalid", "terminal", "shopid", "shop", "store", "storeid", "target"),
    "merchant_name": ("merchantname", "shopname"),
    "merchant_category": ("merchantcategory", "category", "mcc", "merchanttype"),
    "payee_id": (
        *("payeeid", "payee", "namedest", "beneficiary", "beneficiaryid", "receiver", "recipient", "toaccount"),
        *("beneacct", "beneaccount", "receiveraccount", "receiveraccountid"),
    ),
    "device_id": ("deviceid", "device", "deviceinfo"),
    "channel": ("channel", "type", "action", "transactiontype", "txtype", "paymenttype", "paymentmethod", "method"),
    "city": ("city",),
    "state": ("state", "region"),
    "amount": ("amount", "amt", "txamount", "transactionamount", "transactionamt", "baseamt", "value", "sum", "price"),
    "time": (
        *("eventtime", "timestamp", "txdatetime", "transdatetranstime", "datetime", "transactiondatetime", "date"),
        *(
            "transactiondate",
            "time",
            "transactiontime",
            "transactiondt",
            "trantimestamp",
            "unixtime",
            "step",
            "createdat",
        ),
    ),
    "label": (
        *("isfraud", "txfraud", "fraud", "fraudlabel", "isfraudulent", "fraudulent", "issar", "islaundering"),
        *("label", "labels", "class"),
    ),
    "scenario": ("scenario", "fraudscenario", "txfraudscenario", "fraudtype"),
    "balance": ("oldbalanceorg", "oldbalanceorig", "balancebefore", "accountbalance"),
}
_HONEST = ("0", "0.0", "false", "f", "no", "n", "normal", "genuine", "legit", "legitimate", "honest", "valid")
_INCOMING = ("cashin", "deposit", "topup", "refund")
_FORMATS = (
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y"),
    *("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%Y%m%d%H%M%S", "%d-%m-%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S"),
)


def describe(name: str, file: Path, tell: Callable[[str], None]) -> FileMapping:
    """The mapping of that name; for ``auto`` one that fits the file, told to ``tell``. Raises ``MappingError``."""
    if name != AUTO:
        return mapping.load(name)
    delimiter, header, rows = _sample(file)
    for known in mapping.known():
        described = mapping.load(known)
        if described.delimiter == delimiter and set(mapping.columns(described)) <= set(header):
            tell(f"{file.name} has the columns of mapping {known}")
            return described
    guessed = _guess(file, delimiter, header, rows)
    tell(f"{file.name} is read by this guess; where it is wrong, correct it in a file and name that with --map:")
    for line in mapping.as_toml(guessed).splitlines():
        tell(f"  {line}")
    return guessed


def _sample(file: Path) -> tuple[str, list[str], list[list[str]]]:
    try:
        with opened(file, "utf-8", errors="replace") as text:
            lines = list(islice(text, _SAMPLE))
    except (OSError, EOFError) as error:
        raise MappingError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not lines:
        raise MappingError(f"{file} is empty")
    delimiter = max(_DELIMITERS, key=lines[0].count)
    try:
        header, *rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise MappingError(f"{file} is no CSV: {error}") from None
    return delimiter, mapping.clean(header), rows


def _guess(file: Path, delimiter: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> FileMapping:
    squeezed = {_squeezed(column): column for column in header}
    found: dict[str, str] = {}
    for field, names in _NAMES.items():
        for name in names:
            if name in squeezed and squeezed[name] not in found.values():
                found[field] = squeezed[name]
                break
    if missing := [field for field in ("account_id", "time", "amount") if field not in found]:
        raise MappingError(
            f"{file.name}: no column looks like the {missing[0].removesuffix('_id')}; its columns are "
            f"{', '.join(header)}. Write a mapping file (docs/replay.md) and name it with --map"
        )
    time_column, amount = found.pop("time"), found.pop("amount")
    label, scenario, balance = found.pop("label", None), found.pop("scenario", None), found.pop("balance", None)
    times = _column(header, rows, time_column)
    kind = _time_format(time_column, times)
    if kind is None:
        raise MappingError(
            f"{file.name}: the times of column {time_column!r} ({times[0] if times else 'none'}) are of no known form; "
            "write a mapping file with [time] format (docs/replay.md) and name it with --map"
        )
    constants = {} if "channel" in found else {"channel": "CREDIT" if "merchant_id" in found else "PIX"}
    return FileMapping(
        description=f"a guess for {file.name}",
        delimiter=delimiter,
        fields=found,
        time=TimeColumn(column=time_column, format=kind),
        amount=AmountColumn(column=amount),
        label=None if label is None else _label(label, _column(header, rows, label), scenario),
        balance=balance,
        incoming=tuple(sorted({v for v in _column(header, rows, found.get("channel")) if _squeezed(v) in _INCOMING})),
        constants=constants,
    )


def _label(column: str, values: Sequence[str], scenario: str | None) -> LabelColumn:
    """A value that says neither fraud nor honest, as the 2 of some files, is taken for one that nobody knows."""
    plain = LabelColumn(column=column, scenario=scenario, no_scenario="0")
    met = {value.lower() for value in values}
    if not met & {*plain.fraud, *_HONEST}:
        return plain
    odd = sorted(met - {*plain.fraud, *plain.unknown, *_HONEST})
    return replace(plain, unknown=(*plain.unknown, *odd))


def _squeezed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _column(header: Sequence[str], rows: Sequence[Sequence[str]], name: str | None) -> list[str]:
    """What the sample has in a column, blanks left out."""
    if name is None:
        return []
    at = header.index(name)
    return [row[at].strip() for row in rows if len(row) > at and row[at].strip()]


def _time_format(column: str, times: Sequence[str]) -> str | None:
    if not times:
        return None
    numbers = [float(text) for text in times if re.fullmatch(r"\d+(\.\d+)?", text)]
    if _most(numbers, times):
        if "step" in column.lower():
            return "hours"
        # Small whole numbers that hundreds of payments share count days, as AMLSim's do; a clock would move on.
        if max(numbers) < _DAYS_BELOW and len(times) > _TIED * len(set(times)):
            return "days"
        if sum(len(text) == 14 for text in times) == len(numbers):
            return "%Y%m%d%H%M%S"
        return "epoch_ms" if max(numbers) > 1e11 else "epoch_s"
    if _most([text for text in times if _reads(datetime.fromisoformat, text)], times):
        return "iso"
    for form in _FORMATS:
        if _most([text for text in times if _reads(partial(_strptime, form), text)], times):
            return form
    return None


def _most(fitting: Sequence[object], every: Sequence[object]) -> bool:
    """A few broken rows do not decide the form of all."""
    return 2 * len(fitting) > len(every)


def _strptime(form: str, text: str) -> datetime:
    return datetime.strptime(text, form)


def _reads(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True
