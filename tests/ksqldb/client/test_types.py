from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ksqldb.client import Column
from ksqldb.client._types import parse_schema, row_decoder


def test_a_schema_text_gives_names_types_and_keys() -> None:
    text = "`ID` STRING KEY, `a``b, c` DECIMAL(4, 2), `M` MAP<STRING, ARRAY<STRUCT<`X y` INTEGER>>>, N BIGINT"
    assert parse_schema(text) == [
        Column("ID", "STRING", key=True),
        Column("a`b, c", "DECIMAL(4, 2)"),
        Column("M", "MAP<STRING, ARRAY<STRUCT<`X y` INTEGER>>>"),
        Column("N", "BIGINT"),
    ]


def test_an_empty_schema_has_no_columns() -> None:
    assert parse_schema("") == []


@pytest.mark.parametrize(
    ("kind", "json", "value"),
    [
        ("BOOLEAN", "true", True),
        ("BIGINT", "-9223372036854775808", -(2**63)),
        ("DOUBLE", "1.0E300", 1e300),
        ("DOUBLE", '"Infinity"', "Infinity"),
        ("DECIMAL(38, 20)", "1234567890.12345678901234567890", Decimal("1234567890.12345678901234567890")),
        ("BYTES", '"AQID/w=="', b"\x01\x02\x03\xff"),
        ("TIMESTAMP", '"2023-11-14T22:13:20.123"', "2023-11-14T22:13:20.123"),
        ("MAP<STRING, DECIMAL(3, 1)>", '{"k":1.0,"n":null}', {"k": Decimal("1.0"), "n": None}),
        ("ARRAY<STRUCT<`X` INTEGER>>", '[{"X":1},null]', [{"X": 1}, None]),
        ("SOMETHING_NEW", "[1]", [1]),
        ("STRING", "null", None),
    ],
)
def test_values_of_a_type(kind: str, json: str, value: Any) -> None:
    row = row_decoder([Column("C", kind)]).decode(f"[{json}]")
    assert row == (value,)
    assert type(row[0]) is type(value)
