"""Labelled files of any columns: what is read, what is refused and what is said then."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from core.replay.mapping import MappingError, duration, known, load
from core.replay.source import Source
from tests.shared_data import shared

DAY = 86_400_000

PLAIN = """
[fields]
account_id = "who"
merchant_id = "shop"
[time]
column = "when"
format = "{format}"
origin = "2020-01-01"
[amount]
column = "cents"
unit = "centavos"
[label]
column = "bad"
scenario = "kind"
no_scenario = "-"
"""


def source(tmp_path: Path, rows: str, time_format: str = "epoch_s", delay: int | None = 7 * DAY) -> Source:
    mapping = tmp_path / "map.toml"
    mapping.write_text(PLAIN.replace("{format}", time_format))
    file = tmp_path / "data.csv"
    file.write_text("who,shop,when,cents,bad,kind\n" + rows)
    return Source(file, load(str(mapping)), delay)


def test_a_row_becomes_a_payment_and_its_label(tmp_path: Path) -> None:
    found = list(source(tmp_path, "a,s,100,1999,1,stolen\nb,,160,5,0,-\n").payments(in_order=True))
    first, label = found[0]
    assert (first.account_id, first.merchant_id, first.amount, first.event_time) == (
        "a",
        "s",
        Decimal("19.99"),
        100_000,
    )
    assert first.transaction_id == "row-2"
    assert label is not None
    assert (label.is_fraud, label.scenario, label.known_at) == (True, "stolen", 100_000 + 7 * DAY)
    second, honest = found[1]
    assert (second.merchant_id, second.amount) == (None, Decimal("0.05"))
    assert honest is not None
    assert (honest.is_fraud, honest.scenario) == (False, None)


@pytest.mark.parametrize(
    ("time_format", "text", "millis"),
    [
        ("epoch_ms", "1500", 1_500),
        ("epoch_s", "1.5", 1_500),
        ("hours", "2", 1_577_836_800_000 + 7_200_000),
        ("iso", "2020-01-01T00:00:01", 1_577_836_801_000),
        ("iso", "2020-01-01 00:00:01+01:00", 1_577_836_801_000 - 3_600_000),
        ("%d/%m/%Y %H:%M", "02/01/2020 00:00", 1_577_836_800_000 + DAY),
    ],
)
def test_times_of_many_kinds(tmp_path: Path, time_format: str, text: str, millis: int) -> None:
    (payment, _), *_ = source(tmp_path, f"a,s,{text},1,0,-\n", time_format).payments(in_order=True)
    assert payment.event_time == millis


def test_rows_that_are_no_payments_are_counted_and_named(tmp_path: Path) -> None:
    survey = source(tmp_path, "a,s,1,100,0,-\n,s,2,100,0,-\na,s,x,100,0,-\na,s,3,-5,0,-\na,s,4,NaN,0,-\na,s\n").survey()
    assert (survey.payments, survey.rejected) == (1, 5)
    assert [error.split(":")[0] for error in survey.errors] == ["line 3", "line 4", "line 5", "line 6", "line 7"]
    assert "the account is empty" in survey.errors[0]


def test_a_file_out_of_order_is_replayed_in_order(tmp_path: Path) -> None:
    file = source(tmp_path, "a,s,30,1,0,-\na,s,10,1,0,-\na,s,20,1,0,-\n")
    survey = file.survey()
    assert not survey.in_order
    times = [payment.event_time for payment, _ in file.payments(survey.in_order)]
    assert times == [10_000, 20_000, 30_000]


def test_gzip_is_seen_by_its_first_bytes(tmp_path: Path) -> None:
    plain = source(tmp_path, "a,s,1,100,0,-\n")
    packed = tmp_path / "data.csv"
    packed.write_bytes(gzip.compress(packed.read_bytes()))
    assert plain.survey().payments == 1


def test_a_wrong_mapping_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"there is no mapping 'nope': name a TOML file or one of handbook"):
        load("nope")
    bad = tmp_path / "bad.toml"
    bad.write_text(PLAIN.replace("{format}", "iso").replace("shop", "Shop"))
    file = tmp_path / "data.csv"
    file.write_text("who,shop,when,cents,bad,kind\n1,2,3,4,5,6\n")
    with pytest.raises(MappingError, match=r"no column 'Shop'; its columns are who, shop"):
        Source(file, load(str(bad)), None).survey()
    bad.write_text('[fields]\nwho = "x"\n[time]\ncolumn="t"\n[amount]\ncolumn="a"\n')
    with pytest.raises(MappingError, match=r"'who' is no field; there are transaction_id, account_id"):
        load(str(bad))
    bad.write_text("[fields\n")
    with pytest.raises(MappingError, match=r"bad\.toml"):
        load(str(bad))
    file.write_text("")
    with pytest.raises(MappingError, match="is empty"):
        Source(file, load("handbook"), None).survey()


def test_durations() -> None:
    assert [duration(text) for text in ("7d", "1.5h", "30m", "45s", "250ms")] == [
        7 * DAY,
        5_400_000,
        1_800_000,
        45_000,
        250,
    ]
    with pytest.raises(MappingError, match="write 7d, 12h"):
        duration("a week")


def test_every_mapping_of_the_product_loads() -> None:
    assert known() == ["handbook", "paysim", "paysim_raw", "sparkov", "sparkov_raw"]
    for name in known():
        assert load(name).fields["account_id"]


def test_the_handbook_file_is_read_whole() -> None:
    path = shared("data/handbook_2018-07-25_08-14.csv.gz")
    survey = Source(path, load("handbook"), 7 * DAY).survey()
    assert (survey.payments, survey.rejected, survey.in_order) == (201_295, 0, True)
