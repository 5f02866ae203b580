"""Functions over URLs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote_plus, unquote, unquote_plus

from ksqldb.engine.errors import FunctionError
from ksqldb.engine.functions.registry import Function, scalar

_URI = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_ILLEGAL = re.compile(r'[\x00-\x20"<>\\^`{|}\x7f]|%(?![0-9A-Fa-f]{2})')
_AUTHORITY = re.compile(r"(?:[^@]*@)?(\[[^\]]*\]|[A-Za-z0-9.-]*)(?::(\d*))?")


@dataclass(frozen=True, slots=True)
class Uri:
    """The parts of a URI (RFC 2396 as java.net.URI reads it), percent escapes resolved; None where there is none."""

    scheme: str | None
    host: str | None
    port: int | None
    path: str | None
    query: str | None
    fragment: str | None


@lru_cache(1024)
def uri_of(text: str) -> Uri:
    """The parts of a URI; FunctionError when the text is none."""
    match = _URI.fullmatch(text)
    if match is None or _ILLEGAL.search(text) or not text:
        raise FunctionError(f"URL input has invalid syntax: {text}")
    scheme, authority, path, query, fragment = match.groups()
    if scheme is not None and authority is None and not path.startswith("/"):  # opaque, as mailto:a@b
        return Uri(scheme, None, None, None, None, _decoded(fragment))
    server = _AUTHORITY.fullmatch(authority) if authority else None
    return Uri(
        scheme,
        server[1] or None if server else None,
        int(server[2]) if server and server[2] else None,
        unquote(path),
        _decoded(query),
        _decoded(fragment),
    )


def _decoded(text: str | None) -> str | None:
    return None if text is None else unquote(text)


def _declare(name: str, part: str, returns: str, read: Callable[[Uri], object]) -> Function:
    function = scalar(name, "URL", f"The {part} of a URL.")

    def extract(url: str) -> object:
        return read(uri_of(url))

    extract.__doc__ = f"The {part} of a URL; NULL where it has none.\n\ninput: The URL."
    function.overload("VARCHAR input", returns)(extract)
    return function


URL_EXTRACT_FRAGMENT = _declare("url_extract_fragment", "fragment", "VARCHAR", lambda uri: uri.fragment)
URL_EXTRACT_HOST = _declare("url_extract_host", "host name", "VARCHAR", lambda uri: uri.host)
URL_EXTRACT_PATH = _declare("url_extract_path", "path", "VARCHAR", lambda uri: uri.path)
URL_EXTRACT_PORT = _declare("url_extract_port", "port", "INT", lambda uri: uri.port)
URL_EXTRACT_PROTOCOL = _declare("url_extract_protocol", "protocol", "VARCHAR", lambda uri: uri.scheme)
URL_EXTRACT_QUERY = _declare("url_extract_query", "query", "VARCHAR", lambda uri: uri.query)

URL_EXTRACT_PARAMETER = scalar("url_extract_parameter", "URL", "The value of a parameter in a URL's query.")
URL_ENCODE_PARAM = scalar("url_encode_param", "URL", "Escapes a text for use as a parameter in a URL.")
URL_DECODE_PARAM = scalar("url_decode_param", "URL", "Resolves the escapes of a parameter in a URL.")


@URL_EXTRACT_PARAMETER.overload("VARCHAR input, VARCHAR paramToFind", "VARCHAR")
def url_extract_parameter(url: str, wanted: str) -> str | None:
    """The value of a parameter in the query; empty where it has none, NULL where there is no such parameter.

    input: The URL.
    paramToFind: The name of the parameter.
    """
    for pair in (uri_of(url).query or "").split("&"):
        name, _, value = pair.partition("=")
        if name == wanted:
            return value
    return None


@URL_ENCODE_PARAM.overload("VARCHAR input", "VARCHAR")
def url_encode_param(text: str) -> str:
    """Escapes everything but letters, digits and .-*_ ; a blank becomes +.

    input: The text to escape.
    """
    return quote_plus(text, safe="*").replace("~", "%7E")


@URL_DECODE_PARAM.overload("VARCHAR input", "VARCHAR")
def url_decode_param(text: str) -> str:
    """Resolves escapes; + becomes a blank.

    input: The text to decode.
    """
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise FunctionError(f"url_decode_param udf encountered an encoding exception while decoding: {text}")
    return unquote_plus(text, errors="replace")
