"""Reading BAI2: the format's own rules, the habits of banks, and files that are broken."""

from __future__ import annotations

from datetime import date

import pytest

from seedtrust.formats import bai2

# The two-group shape of the manual's sample: a 03 record is broken off by a slash inside a set.
CLASSIC = b"""01,0004,12345,060321,0829,001,80,1,2/
02,12345,0004,1,060317,,CAD,/
03,10200123456,CAD,040,+000,,,045,+000,,/
88,100,000000000208500,00003,V,060316,,400,000000000208500,00008,V,060316,/
16,409,000000000002500,V,060316,,,,RETURNED CHEQUE     /
16,409,000000000090000,V,060316,,,,RTN-UNKNOWN         /
16,108,000000000208500,V,060316,,,,TFR 1020 0345678    /
49,000000000000718000,6/
98,000000000000718000,1,8/
99,000000000000718000,1,10/
"""

PLAIN = b"""01,044000024,SEEDTRUST,260123,0600,1,,,2/
02,SEEDTRUST,044000024,1,260122,2400,USD,2/
03,01234567890,,010,0,,Z,015,2850000,,Z,100,2850000,1,Z,400,0,0,Z/
16,195,2850000,Z,WT-1,,WIRE IN FROM R, LEE / FUNDING
88,TRACE=123/
49,8550000,4/
98,8550000,1,6/
99,8550000,1,8/
"""


def faults_of(data: bytes) -> set[str]:
    with pytest.raises(bai2.Bai2Error) as caught:
        bai2.read(data)
    errors = [item for item in caught.value.findings if not item.is_warning]
    assert errors
    return {item.code for item in errors}


def only_account(data: bytes) -> bai2.Account:
    (group,) = bai2.read(data).groups
    (account,) = group.accounts
    return account


def wrapped(detail: bytes, total: bytes, records: int) -> bytes:
    """Put detail records into an account, group and file whose trailers are right."""
    return (
        b"01,BANK,US,260105,0600,7,,,2/\n02,US,BANK,1,260102,,USD,2/\n03,0042,,,,,/\n"
        + detail
        + b"49,%b,%d/\n98,%b,1,%d/\n99,%b,1,%d/\n"
        % (total, records + 2, total, records + 4, total, records + 6)
    )


def test_a_03_record_may_break_between_two_sets() -> None:
    account = only_account(CLASSIC)
    assert [item.type_code for item in account.balances] == ["040", "045", "100", "400"]
    assert account.balance_cents("100") == 208_500
    assert account.balances[3].item_count == 8
    assert account.balances[3].funds == bai2.Funds("V", value_on=date(2006, 3, 16))


def test_a_03_record_may_break_inside_a_set() -> None:
    broken = PLAIN.replace(b"015,2850000,,Z", b"015,2850000/\n88,,Z").replace(b",4/", b",5/")
    broken = broken.replace(b",1,6/", b",1,7/").replace(b",1,8/", b",1,9/")
    assert only_account(broken) == only_account(PLAIN)


def test_text_keeps_commas_and_slashes_and_loses_only_a_terminator() -> None:
    (item,) = only_account(PLAIN).transactions
    assert item.text_lines == ("WIRE IN FROM R, LEE / FUNDING", "TRACE=123")
    assert item.text == "WIRE IN FROM R, LEE / FUNDINGTRACE=123"


def test_raw_records_and_line_numbers_are_kept() -> None:
    (item,) = only_account(PLAIN).transactions
    assert item.source == bai2.Source(
        4, ("16,195,2850000,Z,WT-1,,WIRE IN FROM R, LEE / FUNDING", "88,TRACE=123/")
    )


def test_header_values_are_typed() -> None:
    file = bai2.read(PLAIN)
    assert (file.sender, file.receiver, file.file_id) == ("044000024", "SEEDTRUST", "1")
    assert (file.created_on, file.created_time) == (date(2026, 1, 23), "0600")
    assert file.record_length is None
    assert file.groups[0].is_final_previous_day
    assert file.groups[0].as_of_on == date(2026, 1, 22)
    assert file.findings == ()


def test_leading_zeros_of_account_numbers_stay() -> None:
    assert only_account(PLAIN).account_number == "01234567890"


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\n", b"\r"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.rstrip(b"\n"),
        lambda data: data + b"\n\n  \n\x1a",
        lambda data: b"\n".join(line.ljust(80) for line in data.split(b"\n")),
    ],
    ids=["crlf", "cr", "byte order mark", "no last line end", "blank tail", "padded"],
)
def test_physical_variants_read_the_same(change: object) -> None:
    assert callable(change)
    assert bai2.read(change(PLAIN)) == bai2.read(PLAIN)


def test_a_fixed_length_file_without_line_ends_is_cut_by_its_declared_length() -> None:
    lines = PLAIN.replace(b",1,,,2/", b",1,80,1,2/").splitlines()
    assert bai2.read(b"".join(line.ljust(80) for line in lines)).groups == bai2.read(PLAIN).groups


def test_records_that_end_with_comma_and_slash_are_understood() -> None:
    data = PLAIN.replace(b"400,0,0,Z/", b"400,0,0,Z,/")
    assert bai2.read(data) == bai2.read(PLAIN)


def test_several_records_on_one_line_are_read_with_a_warning() -> None:
    data = PLAIN.replace(b"2/\n02,", b"2/02,").replace(b"4/\n98,", b"4/ 98,")
    file = bai2.read(data)
    assert file == bai2.read(PLAIN)
    assert {item.code for item in file.findings} == {"several_records"}


def test_funds_types_take_their_own_number_of_fields() -> None:
    detail = (
        b"16,165,300,S,100,50,150,B1,C1,T\n16,165,300,D,2,0,100,3,200,B2,C2,T\n"
        b"16,165,300,V,260106,2400,B3,C3,T\n16,165,300,1,B4,C4,T\n16,165,300,,B5,C5,T\n"
    )
    items = only_account(wrapped(detail, b"1500", 5)).transactions
    assert [item.funds.parts for item in items] == [
        ((0, 100), (1, 50), (2, 150)),
        ((0, 100), (3, 200)),
        (),
        (),
        (),
    ]
    assert items[2].funds.value_on == date(2026, 1, 6)
    assert [item.customer_reference for item in items] == ["C1", "C2", "C3", "C4", "C5"]


def test_unknown_and_custom_codes_are_kept() -> None:
    detail = b"16,925,100,Z,,,A\n16,965,40,Z,,,B\n16,777,1,Z,,,C\n16,890,,,,,NOTICE\n"
    items = only_account(wrapped(detail, b"141", 4)).transactions
    assert [item.signed_cents for item in items] == [100, -40, 0, 0]
    assert items[3].amount_cents is None
    assert bai2.name_of("925") == "Code 925"


def test_a_transaction_may_end_before_its_text() -> None:
    (item,) = only_account(wrapped(b"16,475,9900,0,BK,1042/\n", b"9900", 1)).transactions
    assert (item.customer_reference, item.text) == ("1042", "")


def test_text_may_begin_on_the_continuation_record() -> None:
    detail = b"16,475,9900,0,BK,1042/\n88,CHECK, PAID\n"
    (item,) = only_account(wrapped(detail, b"9900", 2)).transactions
    assert item.text_lines == ("CHECK, PAID",)


def test_a_signed_transaction_amount_is_a_warning() -> None:
    file = bai2.read(wrapped(b"16,699,-5,Z,,,X\n", b"-5", 1))
    assert [item.code for item in file.findings] == ["signed_amount"]
    assert file.groups[0].accounts[0].transactions[0].signed_cents == 5


def test_characters_outside_ascii_are_a_warning() -> None:
    file = bai2.read(PLAIN.replace(b"FUNDING", b"FUND\xe9"))
    assert [item.code for item in file.findings] == ["not_ascii"]


def test_two_digit_years_are_windowed() -> None:
    old = PLAIN.replace(b",1,260122,", b",1,991231,")
    assert bai2.read(old).groups[0].as_of_on == date(1999, 12, 31)


@pytest.mark.parametrize(
    "old, new, code",
    [
        (b"49,8550000,4/", b"49,8550001,4/", "wrong_account_total"),
        (b"49,8550000,4/", b"49,8550000,5/", "wrong_account_record_count"),
        (b"98,8550000,1,6/", b"98,8550000,2,6/", "wrong_account_count"),
        (b"98,8550000,1,6/", b"98,8550000,1,7/", "wrong_group_record_count"),
        (b"98,8550000,1,6/", b"98,1,1,6/", "wrong_group_total"),
        (b"99,8550000,1,8/", b"99,1,1,8/", "wrong_file_total"),
        (b"99,8550000,1,8/", b"99,8550000,2,8/", "wrong_group_count"),
        (b"99,8550000,1,8/", b"99,8550000,1,9/", "wrong_file_record_count"),
        (b"99,8550000,1,8/\n", b"", "no_trailer"),
        (b"99,8550000,1,8/\n", b"99,8550000,1,8/\n16,195,1,Z,,,X\n", "after_file"),
        (b"98,8550000,1,6/\n", b"", "missing_group_trailer"),
        (b"49,8550000,4/\n", b"", "missing_account_trailer"),
        (b"03,01234567890", b"03,", "missing_field"),
        (b"03,01234567890", b"16,01234567890", "transaction_outside_account"),
        (b"02,SEEDTRUST", b"99,SEEDTRUST", "bad_value"),
        (b"01,044000024", b"02,044000024", "no_header"),
        (b"01,044000024", b"88,044000024", "stray_continuation"),
        (b"01,044000024", b"HELLO", "unknown_record"),
        (b",,,2/", b",,,3/", "bad_value"),
        (b",1,260122,", b",9,260122,", "bad_value"),
        (b",1,260122,", b",1,260230,", "bad_value"),
        (b",1,260122,", b",1,,", "missing_field"),
        (b",2400,", b",2460,", "bad_value"),
        (b"USD,2/", b"usd,2/", "bad_value"),
        (b"USD,2/", b"USD,2,X/", "extra_field"),
        (b"USD,2/", b"USD,2/X", "after_end"),
        (b"16,195,2850000", b"16,95,2850000", "bad_type_code"),
        (b"16,195,2850000", b"16,195,28500.00", "bad_value"),
        (b"16,195,2850000,Z", b"16,195,2850000,Q", "bad_funds_type"),
        (b"16,195,2850000,Z", b"16,195,2850000,D,900", "bad_value"),
        (b",Z,015,", b",Z,15,", "bad_type_code"),
        (b"WT-1,,WIRE", b"WT-1,,/WIRE", "after_end"),
        (b"49,8550000,4/", b"49,,4/", "missing_field"),
    ],
)
def test_a_broken_file_is_refused_with_its_reason(old: bytes, new: bytes, code: str) -> None:
    assert old in PLAIN
    assert code in faults_of(PLAIN.replace(old, new, 1))


def test_every_error_of_a_file_is_reported_with_its_line() -> None:
    data = PLAIN.replace(b"28500", b"285x0").replace(b",1,8/", b",7,8/")
    with pytest.raises(bai2.Bai2Error) as caught:
        bai2.read(data)
    assert {item.line for item in caught.value.findings} >= {3, 4, 8}
    assert str(caught.value).startswith("line 3: error bad_value")


def test_announced_availability_that_is_not_given_is_an_error() -> None:
    assert "missing_field" in faults_of(wrapped(b"16,165,3,D,9,0,3/\n", b"3", 1))


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\x00\x01\x02", b"PK\x03\x04", b"01"])
def test_what_is_no_bai2_file_is_refused(data: bytes) -> None:
    assert faults_of(data)


def test_trailers_without_their_openings_are_refused() -> None:
    assert "stray_trailer" in faults_of(b"01,A,B,260105,,1,,,2/\n49,0,2/\n98,0,0,1/\n99,0,0,4/\n")


def test_a_second_file_in_the_same_data_is_refused() -> None:
    assert "after_file" in faults_of(PLAIN + PLAIN)
    half = PLAIN[: PLAIN.index(b"98,")]
    assert "second_header" in faults_of(half + PLAIN)


def test_groups_and_accounts_out_of_place_are_refused() -> None:
    lines = PLAIN.splitlines(keepends=True)
    assert "account_outside_group" in faults_of(b"".join([lines[0], *lines[2:]]))
    assert "missing_group_trailer" in faults_of(b"".join([*lines[:6], *lines[1:]]))
    assert "missing_account_trailer" in faults_of(b"".join([*lines[:5], *lines[2:]]))


def test_an_empty_field_too_many_is_let_pass() -> None:
    assert bai2.read(PLAIN.replace(b"USD,2/", b"USD,2,,/")) == bai2.read(PLAIN)


def test_a_record_without_any_field_is_refused() -> None:
    assert "missing_field" in faults_of(PLAIN.replace(b"99,8550000,1,8/", b"99/"))


def test_what_is_no_code_has_no_direction() -> None:
    assert bai2.direction_of("95") is bai2.Direction.NONE
    assert bai2.direction_of("195") is bai2.Direction.CREDIT
    assert bai2.direction_of("495") is bai2.Direction.DEBIT


def test_an_empty_last_field_on_a_line_of_its_own_is_not_missing() -> None:
    lines = (
        "01,122099999,123456789,040621,0200,1,,,2/",
        "02,031001234,122099999,1,040620,2359,,2/",
        "03,0123456789,,010,100,,V,040620/",
        "88,/",
        "49,100,3/",
        "98,100,1,5/",
        "99,100,1,7/",
    )
    file = bai2.read("\n".join(lines).encode())
    assert [item.code for item in file.findings] == []
    assert file.groups[0].accounts[0].balances[0].funds.value_time == ""
