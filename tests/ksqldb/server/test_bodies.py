"""Request bodies: what is read, and the words in which a real server refuses the rest."""

from __future__ import annotations

import pytest

from ksqldb.engine.server import bodies
from ksqldb.engine.server.errors import RequestError


def test_a_request_with_everything() -> None:
    body = (
        b'{"ksql":"SHOW STREAMS;","streamsProperties":{"auto.offset.reset":"earliest"},'
        b'"sessionVariables":{"a":"x","n":1},"commandSequenceNumber":"3","foo":1}'
    )
    asked = bodies.ksql_request(body)
    assert asked.sql == "SHOW STREAMS;"
    assert asked.properties == {"auto.offset.reset": "earliest"}
    assert asked.variables == {"a": "x", "n": "1"}
    assert asked.sequence == 3


@pytest.mark.parametrize("body", [b"{}", b'{"sql":"SHOW STREAMS;"}', b'{"ksql":null,"streamsProperties":null}'])
def test_what_is_missing_or_null_is_empty(body: bytes) -> None:
    asked = bodies.ksql_request(body)
    assert (asked.sql, asked.properties, asked.variables, asked.sequence) == (None, {}, {}, None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            '{"ksql":',
            "Unexpected end-of-input within/between Object entries\n"
            ' at [Source: (byte[])"{"ksql":"; line: 1, column: 9]',
        ),
        (
            "{",
            "Unexpected end-of-input: expected close marker for Object (start marker at "
            '[Source: (byte[])"{"; line: 1, column: 1])\n at [Source: (byte[])"{"; line: 1, column: 2]',
        ),
        (
            '{"ksql": "SHOW STREAMS;"',
            "Unexpected end-of-input: expected close marker for Object (start marker at "
            '[Source: (byte[])"{"ksql": "SHOW STREAMS;""; line: 1, column: 1])\n'
            ' at [Source: (byte[])"{"ksql": "SHOW STREAMS;""; line: 1, column: 25]',
        ),
        (
            "hello",
            "Unrecognized token 'hello': was expecting (JSON String, Number, Array, Object or token "
            "'null', 'true' or 'false')\n at [Source: (byte[])\"hello\"; line: 1, column: 6]",
        ),
        (
            "SHOW STREAMS;",
            "Unrecognized token 'SHOW': was expecting (JSON String, Number, Array, Object or token "
            "'null', 'true' or 'false')\n at [Source: (byte[])\"SHOW STREAMS;\"; line: 1, column: 6]",
        ),
        (
            "[]",
            "Cannot deserialize value of type `io.confluent.ksql.rest.entity.KsqlRequest` from Array value "
            '(token `JsonToken.START_ARRAY`)\n at [Source: (byte[])"[]"; line: 1, column: 1]',
        ),
        (
            '{"ksql": "SHOW STREAMS;", "commandSequenceNumber": "abc"}',
            'Cannot deserialize value of type `java.lang.Long` from String "abc": not a valid `java.lang.Long` value\n'
            ' at [Source: (byte[])"{"ksql": "SHOW STREAMS;", "commandSequenceNumber": "abc"}"; line: 1, column: 52] '
            '(through reference chain: io.confluent.ksql.rest.entity.KsqlRequest["commandSequenceNumber"])',
        ),
    ],
)
def test_what_is_not_a_request_is_refused_as_jackson_does(body: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        bodies.ksql_request(body.encode())
    assert caught.value.message == "Invalid JSON in request: " + message
    assert caught.value.error_code == 40000


def test_a_required_property_is_named() -> None:
    with pytest.raises(RequestError) as caught:
        bodies.query_stream_args(b'{"ksql":"SELECT 1;"}')
    assert caught.value.message == (
        "Invalid JSON in request: Missing required creator property 'sql' (index 0)\n"
        ' at [Source: (byte[])"{"ksql":"SELECT 1;"}"; line: 1, column: 20] '
        '(through reference chain: io.confluent.ksql.rest.entity.QueryStreamArgs["sql"])'
    )


def test_an_empty_body_is_an_internal_error() -> None:
    with pytest.raises(RequestError) as caught:
        bodies.ksql_request(b"")
    assert caught.value.error_code == 50000


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b'"', b"}", b"{]", b'{"a":}', b"[1,", b"\x00", b"tru", b"1 2", b'{"a" 1}']
)
def test_no_bytes_are_beyond_it(body: bytes) -> None:
    with pytest.raises(RequestError, match="Invalid JSON in request"):
        bodies.ksql_request(body)
