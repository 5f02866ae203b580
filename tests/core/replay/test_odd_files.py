"""Labelled files as they are met: other columns, quoting, marks, gaps; read, or refused with what to do."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC
from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks import paysim, sparkov
from core.detection.features.emptied_balance import EmptiedBalance
from core.detection.payment import payment_of
from core.detection.state import PartitionState
from core.replay.guess import describe
from core.replay.mapping import MappingError, Reader, as_toml, load, number_of
from core.replay.source import Source
from schema.label import Label
from schema.transaction import Transaction

SPARKOV = (
    ",trans_date_trans_time,cc_num,merchant,category,amt,first,last,gender,street,city,state,zip,lat,long,city_pop,job,"
    "dob,trans_num,unix_time,merch_lat,merch_long,is_fraud\r\n"
    '0,2019-01-01 00:00:18,2703186189652095,"fraud_Rippin, Kub and Mann",misc_net,4.97,Jennifer,Banks,F,'
    '"561 Perry Cove, Apt 2",Moravian Falls,NC,28654,36.0788,-81.1781,3495,"Psychologist, counselling",1988-03-09,'
    "0b242abb623afc578575680df30655b9,1325376018,36.011293,-82.048315,0\r\n"
    '1,2019-01-01 00:00:44,630423337322,"fraud_Heller, Gutmann and Zieme",grocery_pos,107.23,Stephanie,Gill,F,"43039",'
    'Orient,WA,99160,48.8878,-118.2105,149,"Special ""educational"" teacher",1978-06-21,'
    "1f76529f8574734946361c461b024d99,1325376044,49.159047,-118.186462,1\r\n"
)
PAYSIM = (
    "step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,isFraud,isFlaggedFraud\n"
    "1,PAYMENT,9839.64,C1231006815,170136.0,160296.36,M1979787155,0.0,0.0,0,0\n"
    "1,TRANSFER,181.0,C1305486145,181.0,0.0,C553264065,0.0,0.0,1,0\n"
    "2,CASH_OUT,181000.0,C840083671,181000.0,0.0,C38997010,21182.0,0.0,1,0\n"
)


def read(
    file: Path, name: str = "auto", delay: int | None = 0
) -> tuple[list[tuple[Transaction, Label | None]], list[str]]:
    told: list[str] = []
    source = Source(file, describe(name, file, told.append), delay)
    return list(source.payments(source.survey().in_order)), told


def write(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "data.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_sparkov_is_known_by_its_columns_with_its_quoting_and_line_ends(tmp_path: Path) -> None:
    rows, told = read(write(tmp_path, SPARKOV))
    assert told == ["data.csv has the columns of mapping sparkov"]
    (first, honest), (second, fraud) = rows
    assert (first.account_id, first.merchant_id, first.amount) == (
        "2703186189652095",
        "fraud_Rippin, Kub and Mann",
        Decimal("4.97"),
    )
    assert (second.merchant_category, second.city, second.event_time) == ("grocery_pos", "Orient", 1546300844000)
    assert honest is not None
    assert fraud is not None
    assert (honest.is_fraud, fraud.is_fraud) == (False, True)


def test_paysim_brings_balances_and_an_emptied_one_is_seen(tmp_path: Path) -> None:
    rows, told = read(write(tmp_path, PAYSIM))
    assert told == ["data.csv has the columns of mapping paysim"]
    assert [(tx.channel, tx.balance) for tx, _ in rows] == [
        ("PAYMENT", Decimal("170136.00")),
        ("TRANSFER", Decimal("181.00")),
        ("CASH_OUT", Decimal("181000.00")),
    ]
    state = PartitionState(0, {})
    for tx, _ in rows:
        state.on_payment(payment_of(tx))
    raised = {d.transaction_id: [s.id for s in d.signals if s.points] for d in state.flush().decisions}
    assert raised == {"row-2": [], "row-3": [], "row-4": [EmptiedBalance.id]}  # 181.00 is below the least sum


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress])
def test_marks_semicolons_and_commas_for_points(tmp_path: Path, pack: object) -> None:
    text = "\ufeffCliente; data ;Value;Fraud\r\nx\r\n".replace("Cliente", "client").replace("data", "timestamp")
    text = text.replace("x\r\n", 'a;2020-01-01T00:00:00Z;"1.234,50";Yes\r\n\r\nb;2020-01-02 10:00:00;R$ 12,30;\r\n')
    data = text.encode()
    rows, told = read(write(tmp_path, pack(data)))  # type: ignore[operator]
    assert [(tx.account_id, tx.amount) for tx, _ in rows] == [("a", Decimal("1234.50")), ("b", Decimal("12.30"))]
    assert rows[0][1] is not None
    assert rows[0][1].is_fraud
    assert rows[1][1] is None  # an empty label is none
    assert any('account_id = "client"' in line for line in told)


def test_a_guess_is_a_mapping_file(tmp_path: Path) -> None:
    file = write(
        tmp_path, "Time,Source,Target,Amount,Location,Type,Labels\n0,S1,T1,42.5,L1,TP1,0\n7,S2,T1,10,L2,TP2,2\n"
    )
    guessed = describe("auto", file, lambda line: None)
    saved = tmp_path / "guess.toml"
    saved.write_text(as_toml(guessed))
    assert load(str(saved)) == guessed
    rows, _ = read(file, str(saved))
    assert [(tx.account_id, tx.merchant_id, tx.event_time) for tx, _ in rows] == [("S1", "T1", 0), ("S2", "T1", 7000)]


@pytest.mark.parametrize(
    ("text", "sum_"),
    [
        ("12", "12"),
        ("1,234.5", "1234.5"),
        ("1.234,50", "1234.50"),
        ("12,3", "12.3"),
        ("1,234", "1234"),
        ("$5.10", "5.10"),
        ("R$ -3", "-3"),
        ("-7.5", "-7.5"),
        ("1e3", "1000"),
    ],
)
def test_sums_as_people_write_them(text: str, sum_: str) -> None:
    assert number_of(text) == Decimal(sum_)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "no column looks like the account; its columns are a, b"),
        ("account,amount,time\nx,1,yesterday\n", r"the times of column 'time' \(yesterday\) are of no known form"),
        ("", "is empty"),
        ("account,amount,time\n", "of no known form"),
        ("account,amount,time\n,1,5\n", "holds no payment; line 2: the account is empty"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(MappingError, match=words):
        read(write(tmp_path, text))


def test_a_mapping_that_nearly_fits_is_told_so(tmp_path: Path) -> None:
    file = write(tmp_path, SPARKOV.replace(",amt,", ",Amount,").replace("cc_num", "CC_NUM"))
    with pytest.raises(MappingError, match=r"no column 'cc_num'; its columns are .*; did you mean 'CC_NUM'\?"):
        read(file, "sparkov")


@pytest.mark.parametrize(
    "row",
    [
        "a,inf,5",
        "a,1,1e400",
        "a,1,-5",
        "a,1,99999999999999",
        "a,,5",
        "a,1",
        "x" * 200 + ",1,5",
        "a,1e30,5",
        'a,"1""2",5',
    ],
)
def test_no_row_brings_the_reading_down(tmp_path: Path, row: str) -> None:
    file = write(tmp_path, f"account,amount,time\nb,1,5\n{row}\nc,2,6\n")
    source = Source(file, describe("auto", file, lambda line: None), None)
    survey = source.survey()
    assert (survey.payments, survey.rejected) == (2, 1)
    assert survey.errors[0].startswith("line 3:")


def test_another_encoding_is_named_in_the_mapping(tmp_path: Path) -> None:
    file = write(tmp_path, "account,amount,time,city\njoão,1,5,São Paulo\n".encode("latin-1"))
    mapping = tmp_path / "m.toml"
    text = '[fields]\naccount_id = "account"\ncity = "city"\n[time]\ncolumn = "time"\nformat = "epoch_s"\n'
    text += '[amount]\ncolumn = "amount"\n'
    mapping.write_text(text)
    with pytest.raises(MappingError, match=r"no CSV in utf-8.*another encoding"):
        read(file, str(mapping))
    mapping.write_text('encoding = "latin-1"\n' + text)
    ((tx, _),), _ = read(file, str(mapping))
    assert (tx.account_id, tx.city) == ("joão", "São Paulo")
    mapping.write_text('encoding = "klingon"\n' + text)
    with pytest.raises(MappingError, match="there is no encoding 'klingon'"):
        read(file, str(mapping))


def test_a_reader_needs_every_column_of_its_mapping() -> None:
    with pytest.raises(MappingError, match="no column 'oldbalanceOrg'"):
        Reader(load("paysim"), ["step", "type", "amount", "nameOrig", "nameDest", "isFraud"], None)


def test_what_the_generators_write_themselves_is_known_by_its_columns(tmp_path: Path) -> None:
    cards = tmp_path / "cards.psv"
    purchases = sparkov.simulate(3, 8, 1)
    with cards.open("w", newline="") as out:
        writer = csv.DictWriter(out, sparkov.RAW, extrasaction="ignore", delimiter="|")
        writer.writeheader()
        writer.writerows(sparkov.rows(purchases, 1))
    rows, told = read(cards)
    assert told == ["cards.psv has the columns of mapping sparkov_raw"]
    assert len(rows) == len(purchases)
    first, label = rows[0]
    assert label is not None
    assert (first.event_time, first.merchant_category, label.is_fraud) == (
        int(purchases[0].time.replace(tzinfo=UTC).timestamp() * 1000),
        purchases[0].category,
        purchases[0].fraud,
    )


@pytest.mark.parametrize(
    "header", [",".join(paysim.RAW), "Step,Type,Amount,Sender,Old_Balance_Orig,x,Receiver,y,z,Is Fraud,p,q"]
)
def test_money_that_comes_in_is_told_apart_and_a_debt_is_nothing(tmp_path: Path, header: str) -> None:
    lines = [
        "1,CASH_IN,100.00,C1,20.00,120.00,M1,0,0,0,0,0",
        "2,CASH_OUT,500.00,C1,-25000.00,-25500.00,M2,0,0,1,0,0",
    ]
    rows, _ = read(write(tmp_path, "\n".join([header, *lines]) + "\n"))
    assert [(tx.incoming, tx.balance, tx.channel) for tx, _ in rows] == [
        (True, Decimal(20), "CASH_IN"),
        (False, Decimal(0), "CASH_OUT"),
    ]
    assert [label is not None and label.is_fraud for _, label in rows] == [False, True]


def test_transfers_between_accounts_by_day_are_guessed_as_amlsim_writes_them(tmp_path: Path) -> None:
    rows = "".join(
        f"{n},{n % 7},{n % 5 + 10},TRANSFER,{n}.5,{n // 40},{'True' if n == 9 else 'False'},-1\n" for n in range(80)
    )
    header = "tran_id,orig_acct,bene_acct,tx_type,base_amt,tran_timestamp,is_sar,alert_id\n"
    read_, _ = read(write(tmp_path, header + rows))
    tx, _ = read_[9]
    assert (tx.transaction_id, tx.account_id, tx.payee_id, tx.channel, tx.amount) == (
        "9",
        "2",
        "14",
        "TRANSFER",
        Decimal("9.5"),
    )
    assert [tx.transaction_id for tx, label in read_ if label is not None and label.is_fraud] == ["9"]
    assert read_[79][0].event_time - read_[0][0].event_time == 86_400_000


def test_a_label_that_says_neither_is_one_that_nobody_knows(tmp_path: Path) -> None:
    header = "Time,Source,Target,Amount,Location,Type,Labels\n"
    text = header + "0,S1,T1,5.0,L1,TP1,0\n1,S2,T1,6.0,L1,TP1,2\n2,S3,T1,7.0,L1,TP1,1\n"
    rows, told = read(write(tmp_path, text))
    assert [None if label is None else label.is_fraud for _, label in rows] == [False, None, True]
    assert any(line.strip().startswith("unknown") and '"2"' in line for line in told)
