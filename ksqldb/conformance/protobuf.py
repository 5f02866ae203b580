"""Messages as protocol buffers' own text form, read by the schema that came with them."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field

from ksqldb.engine.formats import protobuf_wire as wire

_OPEN = r"message (?P<message>\w+) \{"
_FIELD = r"(?:repeated )?(?P<type>\w+) (?P<name>\w+) = (?P<number>\d+);"
_LINE = re.compile(rf"\s*(?:{_OPEN}|{_FIELD})")


@dataclass
class _Message:
    fields: dict[int, tuple[str, str]] = field(default_factory=dict)  # number -> name, type
    messages: dict[str, _Message] = field(default_factory=dict)


def text_of(schema: str, message: str) -> str:
    """The text form of a message in base64. ``schema`` holds one message, with nested ones."""
    root = _Message()
    open_messages = [root]
    for line in schema.splitlines():
        if line.strip() == "}":
            open_messages.pop()
        elif (found := _LINE.match(line)) and found["message"]:
            inner = open_messages[-1].messages[found["message"]] = _Message()
            open_messages.append(inner)
        elif found:
            open_messages[-1].fields[int(found["number"])] = found["name"], found["type"]
    (top,) = root.messages.values()
    return "".join(f"{line}\n" for line in _lines(top, base64.b64decode(message)))


def _lines(schema: _Message, data: bytes) -> list[str]:
    lines: list[str] = []
    for number, _, value in wire.read_fields(data):
        name, kind = schema.fields[number]
        if isinstance(value, bytes) and kind in schema.messages:
            inner = (f"  {line}" for line in _lines(schema.messages[kind], value))
            lines += [f"{name} {{", *inner, "}"]
        else:
            lines.append(f"{name}: {_scalar(kind, value)}")
    return lines


def _scalar(kind: str, value: int | bytes) -> str:
    match kind, value:
        case ("int32", int()):
            return str(wire.signed(value, 32))
        case ("int64", int()):
            return str(wire.signed(value, 64))
        case ("bool", int()):
            return "true" if value else "false"
        case ("double", bytes()):
            return repr(wire.double_of(value))
        case ("string" | "bytes", bytes()):
            return f'"{"".join(map(_escaped, value))}"'
    raise ValueError(f"a field of type {kind} cannot hold {value!r}")


def _escaped(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
