"""PROTOBUF_NOSR: rows as protocol buffers messages whose schema follows from the columns.

Columns are the fields 1, 2, ... of one message, in order: int32, int64, double, bool, string, bytes, repeated fields
for arrays, entry messages (key 1, value 2) for maps, nested messages for structs, and the messages that Confluent and
Google publish for decimals, dates, times of day and timestamps.

NULL: by default a NULL number, text or boolean is not written, and reads back as 0, "" or false; messages read back as
NULL, arrays and maps as empty. ``OPTIONAL`` makes the absence of a plain field count as NULL; ``WRAPPER`` puts each
plain value in a message of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from ksqldb.engine.errors import DecodeError, FunctionError
from ksqldb.engine.formats import protobuf_wire as wire
from ksqldb.engine.formats.codec import Columns, Row
from ksqldb.engine.types import BIGINT, INTEGER, ArrayType, Base, DecimalType, MapType, SqlType, StructType
from ksqldb.engine.values.numbers import WIDE
from ksqldb.engine.values.times import civil, days_of

Value: TypeAlias = int | bytes
Occurrences: TypeAlias = Sequence[tuple[int, Value]]  # wire kind and value of each time a field comes in a message


@dataclass(frozen=True, slots=True)
class Form:
    """How one value is written: its wire kind, its payload, and what a message without it means (plain types)."""

    kind: int
    encode: Callable[[Any], bytes]
    decode: Callable[[Any], Any]
    default: Any = None
    plain: bool = False

    def tagged(self, number: int, value: Any) -> bytes:
        payload = self.encode(value)
        return wire.field(number, payload) if self.kind == wire.BYTES else wire.tag(number, self.kind) + payload

    def read(self, kind: int, value: Value) -> Any:
        if kind != self.kind:
            raise DecodeError(f"not PROTOBUF of this schema: a field of kind {kind} where {self.kind} was expected")
        return self.decode(value)


@dataclass(frozen=True, slots=True)
class FieldCodec:
    """One numbered field of a message."""

    encode: Callable[[Any], bytes]
    decode: Callable[[Occurrences], Any]


class ProtobufCodec:
    """``nulls`` is the nullable representation: None, ``OPTIONAL`` or ``WRAPPER``."""

    def __init__(self, columns: Columns, nulls: str | None) -> None:
        self._fields = _fields([sql_type for _name, sql_type in columns], nulls)

    def decode(self, data: bytes | None) -> Row | None:
        if data is None:
            return None
        try:
            return tuple(_decode_message(self._fields, data))
        except (ValueError, OverflowError) as error:
            raise DecodeError(f"not PROTOBUF of this schema: {error}") from None

    def encode(self, row: Row | None) -> bytes | None:
        return None if row is None else _encode_message(self._fields, row)


# ---------------------------------------------------------------------------------------------- messages


def _fields(types: Iterable[SqlType], nulls: str | None) -> list[FieldCodec]:
    return [_field(number, sql_type, nulls) for number, sql_type in enumerate(types, start=1)]


def _encode_message(fields: Sequence[FieldCodec], values: Iterable[Any]) -> bytes:
    return b"".join(field.encode(value) for field, value in zip(fields, values, strict=True))


def _decode_message(fields: Sequence[FieldCodec], data: bytes) -> list[Any]:
    found: dict[int, list[tuple[int, Value]]] = {}
    for number, kind, value in wire.read_fields(data):
        found.setdefault(number, []).append((kind, value))
    return [field.decode(found.get(number, ())) for number, field in enumerate(fields, start=1)]


def _field(number: int, sql_type: SqlType, nulls: str | None) -> FieldCodec:
    match sql_type:
        case ArrayType(element=element):
            return _repeated(number, _form(element, nulls))
        case MapType(key=key, value=value):
            return _entries(number, _fields((key, value), None))
    form = _form(sql_type, nulls)
    if form.plain and nulls == "WRAPPER":
        form = _wrapper(form)
    absent = form.default if nulls is None else None

    def encode(value: Any) -> bytes:
        if value is None or (form.plain and nulls is None and value == form.default):
            return b""
        return form.tagged(number, value)

    return FieldCodec(encode, lambda found: form.read(*found[-1]) if found else absent)


def _wrapper(inner: Form) -> Form:
    """google.protobuf's Int32Value and its like: a message with the value as field 1."""

    def decode(data: bytes) -> Any:
        values = [inner.read(kind, value) for number, kind, value in wire.read_fields(data) if number == 1]
        return values[-1] if values else inner.default

    return Form(wire.BYTES, lambda value: b"" if value == inner.default else inner.tagged(1, value), decode)


def _repeated(number: int, form: Form) -> FieldCodec:
    """Numbers are packed into one field when written; both forms are read."""

    def encode(values: list[Any] | None) -> bytes:
        if not values:
            return b""
        if None in values:
            raise FunctionError("PROTOBUF has no NULL among the elements of an array")
        if form.kind != wire.BYTES:
            return wire.field(number, b"".join(map(form.encode, values)))
        return b"".join(form.tagged(number, value) for value in values)

    def decode(found: Occurrences) -> list[Any]:
        values: list[Any] = []
        for kind, value in found:
            if kind == wire.BYTES and form.kind != wire.BYTES and isinstance(value, bytes):
                values.extend(form.decode(item) for item in wire.unpack(value, form.kind))
            else:
                values.append(form.read(kind, value))
        return values

    return FieldCodec(encode, decode)


def _entries(number: int, fields: Sequence[FieldCodec]) -> FieldCodec:
    def encode(entries: dict[Any, Any] | None) -> bytes:
        messages = (_encode_message(fields, entry) for entry in (entries or {}).items())
        return b"".join(wire.field(number, message) for message in messages)

    def decode(found: Occurrences) -> dict[Any, Any]:
        pairs = (_decode_message(fields, value) for _kind, value in found if isinstance(value, bytes))
        return {entry[0]: entry[1] for entry in pairs}

    return FieldCodec(encode, decode)


# ---------------------------------------------------------------------------------------------- values


def _form(sql_type: SqlType, nulls: str | None) -> Form:
    match sql_type:
        case DecimalType():
            return _decimal(sql_type)
        case StructType(fields=fields):
            names = [field.name for field in fields]
            inner = _fields([field.type for field in fields], nulls)
            return Form(
                wire.BYTES,
                lambda value: _encode_message(inner, (value[name] for name in names)),
                lambda data: dict(zip(names, _decode_message(inner, data), strict=True)),
            )
    form = _FORMS.get(sql_type.base)
    if form is None:
        raise FunctionError(f"PROTOBUF has no {sql_type} inside an array")
    return form


def _integer(bits: int) -> Form:
    return Form(wire.VARINT, wire.varint, lambda value: wire.signed(value, bits), 0, True)


def _of_numbers(
    count: int, split: Callable[[int], tuple[int, ...]], join: Callable[[Sequence[int]], int], first: SqlType = INTEGER
) -> Form:
    """A message of whole numbers, one field each."""
    fields = _fields((first, *[INTEGER] * (count - 1)), None)
    return Form(
        wire.BYTES,
        lambda value: _encode_message(fields, split(value)),
        lambda data: join(_decode_message(fields, data)),
    )


def _clock(ms: int) -> tuple[int, int, int, int]:
    return ms // 3_600_000, ms // 60_000 % 60, ms // 1000 % 60, ms % 1000 * 1_000_000


def _decimal(sql_type: DecimalType) -> Form:
    """confluent.type.Decimal: the unscaled number as big-endian bytes, the precision, the scale."""
    fields = _fields((_BYTES, INTEGER, INTEGER), None)
    exponent = -sql_type.scale

    def encode(value: Decimal) -> bytes:
        unscaled = int(value.scaleb(sql_type.scale, WIDE))
        size = (unscaled + (unscaled < 0)).bit_length() // 8 + 1
        return _encode_message(
            fields, (unscaled.to_bytes(size, "big", signed=True), sql_type.precision, sql_type.scale)
        )

    def decode(data: bytes) -> Decimal:
        unscaled = int.from_bytes(_decode_message(fields, data)[0], "big", signed=True)
        return Decimal(unscaled).scaleb(exponent, WIDE)

    return Form(wire.BYTES, encode, decode)


_BYTES = SqlType(Base.BYTES)
_FORMS: dict[Base, Form] = {
    Base.BOOLEAN: Form(wire.VARINT, lambda value: b"\x01" if value else b"\x00", bool, False, True),
    Base.INTEGER: _integer(32),
    Base.BIGINT: _integer(64),
    Base.DOUBLE: Form(wire.FIXED64, wire.double, wire.double_of, 0.0, True),
    Base.STRING: Form(wire.BYTES, str.encode, lambda data: data.decode("utf-8"), "", True),
    Base.BYTES: Form(wire.BYTES, bytes, bytes, b"", True),
}
# google.type.Date, google.type.TimeOfDay, google.protobuf.Timestamp
_FORMS[Base.DATE] = _of_numbers(3, civil, lambda numbers: days_of(*numbers))
_FORMS[Base.TIME] = _of_numbers(4, _clock, lambda n: n[0] * 3_600_000 + n[1] * 60_000 + n[2] * 1000 + n[3] // 1_000_000)
_FORMS[Base.TIMESTAMP] = _of_numbers(
    2, lambda ms: (ms // 1000, ms % 1000 * 1_000_000), lambda n: n[0] * 1000 + n[1] // 1_000_000, BIGINT
)
