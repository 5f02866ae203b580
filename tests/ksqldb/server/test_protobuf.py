"""Rows as protocol buffers: what a reader that knows only the header can make of them."""

from __future__ import annotations

import base64
import json

import httpx

from ksqldb.conformance.protobuf import text_of
from ksqldb.engine.engine import Column
from ksqldb.engine.server.http import V1_PROTOBUF
from ksqldb.engine.server.protobuf import proto_schema
from ksqldb.engine.types import BIGINT, BOOLEAN, DOUBLE, INTEGER, STRING, ArrayType, Field, MapType, SqlType, StructType
from tests.ksqldb.conftest import EngineAddress


def schema(**columns: SqlType) -> str:
    return proto_schema([Column(name, kind) for name, kind in columns.items()])


def test_columns_are_numbered_fields_and_structs_messages_of_their_own() -> None:
    point = StructType((Field("X", DOUBLE), Field("TAGS", ArrayType(STRING))))
    assert schema(K=STRING, N=INTEGER, P=point, L=ArrayType(point), M=MapType(STRING, BIGINT), B=BOOLEAN) == (
        'syntax = "proto3";\n\nmessage ConnectDefault1 {\n  string K = 1;\n  int32 N = 2;\n  ConnectDefault2 P = 3;\n'
        "  repeated ConnectDefault3 L = 4;\n  map<string, int64> M = 5;\n  bool B = 6;\n\n"
        "  message ConnectDefault2 {\n    double X = 1;\n    repeated string TAGS = 2;\n  }\n\n"
        "  message ConnectDefault3 {\n    double X = 1;\n    repeated string TAGS = 2;\n  }\n}\n"
    )


async def test_a_query_answers_in_protobuf(engine: EngineAddress, stream: str) -> None:
    sql = f"SELECT k, n FROM {stream};"
    async with httpx.AsyncClient(base_url=engine.url) as http:
        response = await http.post("/query-stream", json={"sql": sql}, headers={"Accept": V1_PROTOBUF})
    assert (response.status_code, response.headers["content-type"]) == (200, V1_PROTOBUF)
    header, *rows, last = json.loads(response.text)
    assert header["header"]["schema"] == "`K` STRING, `N` INTEGER"
    shown = [text_of(header["header"]["protoSchema"], row["row"]["protobufBytes"]) for row in rows]
    assert shown == ['K: "a"\nN: 1\n', 'K: "b"\nN: 2\n', 'K: "a"\nN: 3\n']
    assert last == {"finalMessage": "Query Completed"}
    assert base64.b64decode(rows[0]["row"]["protobufBytes"]) == b"\x0a\x01a\x10\x01"
