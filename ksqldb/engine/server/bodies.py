"""Request bodies: JSON read as ksqlDB's (Jackson) reads it, refused in its words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from ksqldb.engine.server.errors import RequestError

_PACKAGE = "io.confluent.ksql.rest.entity."
_SHOWN = 500
_TOKENS = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_BLANK = " \t\r\n"


@dataclass(frozen=True, slots=True)
class KsqlRequest:
    """Body of ``/ksql`` and ``/query``."""

    sql: str | None
    properties: dict[str, object]
    variables: dict[str, str]
    sequence: int | None


@dataclass(frozen=True, slots=True)
class QueryStreamArgs:
    """Body of ``/query-stream``."""

    sql: str
    properties: dict[str, object]
    variables: dict[str, str]


def ksql_request(body: bytes) -> KsqlRequest:
    value = _object(body, "KsqlRequest")
    sql = value.get("ksql")
    sequence = value.get("commandSequenceNumber")
    if isinstance(sequence, str):
        try:
            sequence = int(sequence)
        except ValueError:
            text = body.decode(errors="replace")
            column = _value_column(text, "commandSequenceNumber")
            raise _invalid(
                f'Cannot deserialize value of type `java.lang.Long` from String "{sequence}": '
                "not a valid `java.lang.Long` value",
                text,
                column,
                'KsqlRequest["commandSequenceNumber"]',
            ) from None
    return KsqlRequest(
        sql if isinstance(sql, str) else None,
        _mapping(value.get("streamsProperties")),
        _texts(value.get("sessionVariables")),
        sequence if isinstance(sequence, int) else None,
    )


def query_stream_args(body: bytes) -> QueryStreamArgs:
    value = _object(body, "QueryStreamArgs")
    return QueryStreamArgs(
        str(_required(value, "sql", "QueryStreamArgs", body)),
        _mapping(value.get("properties")),
        _texts(value.get("sessionVariables")),
    )


def close_query_args(body: bytes) -> str:
    """The query id."""
    return str(_required(_object(body, "CloseQueryArgs"), "queryId", "CloseQueryArgs", body))


def inserts_stream_args(line: bytes) -> str:
    """The target of an inserts stream, from its first line."""
    return str(_required(_object(line, "InsertsStreamArgs"), "target", "InsertsStreamArgs", line))


def cluster_terminate_patterns(body: bytes) -> list[re.Pattern[str]]:
    """The patterns of topics to delete, none for an empty body; raises re.error for one that is no pattern."""
    names = _object(body, "ClusterTerminateRequest").get("deleteTopicList") if body else None
    return [re.compile(str(name)) for name in names or ()]


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> dict[str, str]:
    return {k: v if isinstance(v, str) else msgspec.json.encode(v).decode() for k, v in _mapping(value).items()}


def _required(value: dict[str, Any], name: str, kind: str, body: bytes) -> object:
    if name not in value:
        text = body.decode(errors="replace").rstrip()
        raise _invalid(f"Missing required creator property '{name}' (index 0)", text, len(text), f'{kind}["{name}"]')
    return value[name]


def _object(body: bytes, kind: str) -> dict[str, Any]:
    if not body:
        raise RequestError("", 50000)  # a real server answers with the text of a NullPointerException, mostly empty
    text = body.decode(errors="replace")
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _malformed(text) from None
    if isinstance(value, dict):
        return value
    name, token = ("Array", "START_ARRAY") if isinstance(value, list) else _scalar(value)
    column = len(text) - len(text.lstrip()) + 1
    what = f"{name} value (token `JsonToken.{token}`)"
    raise _invalid(f"Cannot deserialize value of type `{_PACKAGE}{kind}` from {what}", text, column)


def _scalar(value: object) -> tuple[str, str]:
    if isinstance(value, bool):
        return "Boolean", "VALUE_TRUE" if value else "VALUE_FALSE"
    if isinstance(value, int):
        return "Integer", "VALUE_NUMBER_INT"
    if isinstance(value, float):
        return "Floating-point", "VALUE_NUMBER_FLOAT"
    return ("String", "VALUE_STRING") if isinstance(value, str) else ("Null", "VALUE_NULL")


def _value_column(text: str, name: str) -> int:
    found = re.search(rf'"{name}"\s*:\s*', text)
    return found.end() + 1 if found else 1


def _source(text: str) -> str:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}"
    more = f"[truncated {len(text) - _SHOWN} bytes]" if len(text) > _SHOWN else ""
    return f'[Source: (byte[])"{shown}"{more}; line: 1, column: '


def _invalid(what: str, text: str, column: int, chain: str = "") -> RequestError:
    tail = f" (through reference chain: {_PACKAGE}{chain})" if chain else ""
    return RequestError(f"Invalid JSON in request: {what}\n at {_source(text)}{column}]{tail}")


def _malformed(text: str) -> RequestError:
    """What Jackson says of text that is not JSON: ended too early, or a token it does not know."""
    opened, in_text, expects_value = _scan(text)
    end = len(text) + 1
    if isinstance(opened, _Bad):
        return _invalid(opened.message, text, opened.column)
    if in_text:
        return _invalid("Unexpected end-of-input in VALUE_STRING", text, end)
    if opened:
        sign, at = opened[-1]
        kind = "Object" if sign == "{" else "Array"
        if expects_value:
            return _invalid(f"Unexpected end-of-input within/between {kind} entries", text, end)
        start = f"(start marker at {_source(text)}{at + 1}])"
        return _invalid(f"Unexpected end-of-input: expected close marker for {kind} {start}", text, end)
    return _invalid("Unexpected content", text, end)


@dataclass(frozen=True, slots=True)
class _Bad:
    message: str
    column: int


_LITERAL = re.compile(r"(?:null|true|false|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?!\w)")
_WORD = re.compile(r"[\w$]+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.S)


def _scan(text: str) -> tuple[list[tuple[str, int]] | _Bad, bool, bool]:
    """Walk over tokens to the end or to the first that does not belong: what is open, whether inside a text, and
    whether a value is still due."""
    opened: list[tuple[str, int]] = []
    at, due = 0, False
    while at < len(text):
        sign = text[at]
        if sign in _BLANK:
            at += 1
        elif sign == '"':
            found = _STRING.match(text, at)
            if not found:
                return opened, True, due
            at, due = found.end(), False
        elif sign in "{[":
            opened.append((sign, at))
            at, due = at + 1, False
        elif sign in "}]":
            if not opened:
                return (
                    _Bad(f"Unexpected close marker '{sign}': expected {']' if sign == '}' else '}'}", at + 1),
                    False,
                    due,
                )
            opened.pop()
            at, due = at + 1, False
        elif sign in ":,":
            at, due = at + 1, True
        elif literal := _LITERAL.match(text, at):
            at, due = literal.end(), False
        elif word := _WORD.match(text, at):
            # Jackson has read one character beyond the token when it complains, unless the text ends there.
            column = word.end() + (2 if word.end() < len(text) else 1)
            return _Bad(f"Unrecognized token '{word[0]}': was expecting {_TOKENS}", column), False, due
        else:
            message = f"Unexpected character ('{sign}' (code {ord(sign)})): expected a valid value {_TOKENS}"
            return _Bad(message, at + 1), False, due
    return opened, False, due
