"""Writing BAI2: what is written reads back the same, and what cannot be written is refused."""

from __future__ import annotations

import string
from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.formats import bai2

FIELD = st.text(string.ascii_letters + string.digits + "-._", max_size=20)
NAME = st.text(string.ascii_letters + string.digits, min_size=1, max_size=17)
CENTS = st.integers(min_value=0, max_value=10**14)
DAY = st.dates(date(1980, 1, 1), date(2079, 12, 31))
TIME = st.sampled_from(["", "0000", "0829", "2359", "2400", "9999"])
CODE = st.integers(1, 999).map("{:03d}".format)
PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
TEXT = st.text(PRINTABLE, max_size=200).map(lambda text: " ".join(text.lstrip(",/ ").split()))
LINES = st.lists(TEXT.filter(bool), max_size=3).map(tuple)

FUNDS = st.one_of(
    st.sampled_from(["", "0", "1", "2", "Z"]).map(bai2.Funds),
    st.builds(bai2.Funds, st.just("V"), st.none() | DAY, TIME),
    st.builds(
        lambda cents: bai2.Funds("S", parts=tuple(enumerate(cents))), st.tuples(CENTS, CENTS, CENTS)
    ),
    st.builds(
        lambda parts: bai2.Funds("D", parts=tuple(parts)),
        st.lists(st.tuples(st.integers(0, 99), CENTS), max_size=8),
    ),
)
BALANCES = st.builds(
    bai2.Balance,
    CODE,
    st.none() | st.integers(-(10**14), 10**14),
    st.none() | CENTS.map(lambda value: value % 10**6),
    FUNDS,
)
TRANSACTIONS = st.builds(bai2.Transaction, CODE, st.none() | CENTS, FUNDS, FIELD, FIELD, LINES)
ACCOUNTS = st.builds(
    bai2.Account,
    NAME,
    st.sampled_from(["", "USD", "CAD"]),
    st.lists(BALANCES, max_size=5).map(tuple),
    st.lists(TRANSACTIONS, max_size=4).map(tuple),
)
GROUPS = st.builds(
    bai2.Group,
    NAME,
    DAY,
    FIELD,
    st.sampled_from("1234"),
    TIME,
    st.sampled_from(["", "USD"]),
    st.sampled_from(["", *"1234"]),
    st.lists(ACCOUNTS, max_size=3).map(tuple),
)
FILES = st.builds(
    bai2.Bai2File,
    NAME,
    NAME,
    DAY,
    TIME,
    NAME,
    st.none(),
    st.none() | st.integers(1, 99),
    st.lists(GROUPS, max_size=3).map(tuple),
)


def texts(file: bai2.Bai2File) -> list[str]:
    return [
        item.text
        for group in file.groups
        for account in group.accounts
        for item in account.transactions
    ]


def without_text(file: bai2.Bai2File) -> bai2.Bai2File:
    def bare(account: bai2.Account) -> bai2.Account:
        items = tuple(replace(item, text_lines=()) for item in account.transactions)
        return replace(account, transactions=items)

    groups = tuple(
        replace(group, accounts=tuple(bare(account) for account in group.accounts))
        for group in file.groups
    )
    return replace(file, groups=groups)


@given(FILES, st.integers(40, 120))
def test_what_is_written_reads_back_the_same(file: bai2.Bai2File, max_length: int) -> None:
    data = bai2.write(file, max_length=max_length)
    assert all(len(line) <= max_length for line in data.splitlines())
    again = bai2.read(data)
    assert without_text(again) == without_text(file)
    assert texts(again) == texts(file)
    assert [item for item in again.findings if "sign" not in item.code] == []


@given(FILES)
def test_writing_again_what_was_read_changes_no_byte(file: bai2.Bai2File) -> None:
    data = bai2.write(file)
    assert bai2.write(bai2.read(data)) == data


@given(FILES, st.data())
def test_a_damaged_file_is_read_or_refused_but_never_crashes(
    file: bai2.Bai2File, data: st.DataObject
) -> None:
    whole = bytearray(bai2.write(file))
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with suppress(bai2.Bai2Error):
        assert isinstance(bai2.read(bytes(whole)), bai2.Bai2File)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(bai2.Bai2Error):
        bai2.read(data)


def one(**changes: object) -> bai2.Bai2File:
    item = bai2.Transaction("195", 100, bai2.Funds("Z"), "B", "C", ("TEXT",))
    item = replace(item, **changes)  # type: ignore[arg-type]
    account = bai2.Account("0042", transactions=(item,))
    group = bai2.Group("BANK", date(2026, 1, 2), accounts=(account,))
    return bai2.Bai2File("BANK", "US", date(2026, 1, 5), "0600", "1", groups=(group,))


@pytest.mark.parametrize(
    "changes",
    [
        {"type_code": "95"},
        {"bank_reference": "A,B"},
        {"customer_reference": "A/B"},
        {"customer_reference": " A"},
        {"text_lines": (",A",)},
        {"text_lines": ("/A",)},
        {"text_lines": ("CAFÉ",)},
        {"text_lines": ("A ",)},
        {"text_lines": ("A\nB",)},
        {"text_lines": ("A" + " " * 90 + "B",)},
        {"funds": bai2.Funds("Q")},
        {"funds": bai2.Funds("S", parts=((0, 1),))},
        {"funds": bai2.Funds("V", value_on=date(2080, 1, 1))},
        {"customer_reference": "A" * 90},
    ],
)
def test_values_that_the_format_cannot_hold_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(bai2.Bai2Error):
        bai2.write(one(**changes))


def test_lines_shorter_than_a_record_needs_are_refused() -> None:
    with pytest.raises(bai2.Bai2Error, match="40"):
        bai2.write(one(), max_length=39)


def test_text_lines_stand_on_continuation_records_of_their_own() -> None:
    data = bai2.write(one(text_lines=("WIRE OUT", "TRACE=1", "REASON=R02")))
    assert data.splitlines()[3:6] == [b"16,195,100,Z,B,C,WIRE OUT", b"88,TRACE=1", b"88,REASON=R02"]
    assert data.splitlines()[-1] == b"99,100,1,9/"
