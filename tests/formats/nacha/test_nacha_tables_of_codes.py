"""The tables of codes: complete, consistent, and what follows from each."""

from __future__ import annotations

import pytest

from seedtrust.formats.nacha import (
    CHANGE_CODES,
    RETURN_CODES,
    SEC_CODES,
    TRANSACTION_CODES,
    Account,
    Deadline,
    Meaning,
    Rate,
    Retry,
)
from seedtrust.formats.nacha.rules import entry_rules, refusal_of_code


def test_every_return_code_of_the_rules_is_there() -> None:
    numbers = [
        *range(1, 48),
        *range(50, 54),
        61,
        62,
        *range(67, 78),
        *range(80, 86),
        90,
    ]
    assert list(RETURN_CODES) == [f"R{number:02d}" for number in numbers]


def test_every_change_code_of_the_rules_is_there() -> None:
    numbers = [*range(1, 10), 13, 14, *range(61, 70)]
    assert list(CHANGE_CODES) == [f"C{number:02d}" for number in numbers]


def test_meanings_are_sentences() -> None:
    meanings = [row.meaning for row in RETURN_CODES.values()]
    meanings += [row.meaning for row in CHANGE_CODES.values()]
    for meaning in meanings:
        assert meaning[0].isupper()
        assert meaning.endswith(".")


def test_only_unpaid_debits_may_be_presented_again() -> None:
    assert {row.code for row in RETURN_CODES.values() if row.may_be_represented} == {"R01", "R09"}


def test_returns_that_speak_of_the_account_block_it() -> None:
    blocking = {row.code for row in RETURN_CODES.values() if row.blocks_account}
    assert {"R02", "R03", "R04", "R12", "R13", "R14", "R15", "R16", "R20"} <= blocking
    assert not blocking & {"R01", "R08", "R09", "R10", "R11", "R23", "R24"}


def test_rates_count_what_the_network_counts() -> None:
    by_rate = {
        rate: {row.code for row in RETURN_CODES.values() if row.rate is rate} for rate in Rate
    }
    assert by_rate[Rate.UNAUTHORISED] == {"R05", "R07", "R10", "R11", "R29", "R51"}
    assert by_rate[Rate.ADMINISTRATIVE] == {"R02", "R03", "R04"}


def test_unauthorised_debits_end_the_authorisation_unless_it_was_a_slip() -> None:
    ended = {row.code for row in RETURN_CODES.values() if row.revokes_authorisation}
    assert ended == {"R05", "R07", "R10", "R29"}
    assert RETURN_CODES["R11"].retry is Retry.AFTER_CORRECTION
    assert RETURN_CODES["R08"].retry is Retry.AFTER_APPROVAL


def test_consumers_have_sixty_days_and_businesses_two() -> None:
    sixty = {row.code for row in RETURN_CODES.values() if row.deadline is Deadline.SIXTY_DAYS}
    assert {"R05", "R07", "R10", "R11"} <= sixty
    assert RETURN_CODES["R29"].deadline is Deadline.TWO_BANKING_DAYS


def test_disputes_are_between_banks() -> None:
    codes = {row.code for row in RETURN_CODES.values() if row.is_bank_to_bank}
    assert codes == {"R61", "R62", *(f"R{number}" for number in range(67, 78))}
    assert {row.code for row in CHANGE_CODES.values() if row.is_bank_to_bank} == {
        f"C{number}" for number in range(61, 70)
    }


def test_our_own_defects_are_marked() -> None:
    defects = {row.code for row in RETURN_CODES.values() if row.is_our_defect}
    assert defects == {"R18", "R19", "R25", "R26", "R27", "R28", "R35", "R36"}


@pytest.mark.parametrize("code", TRANSACTION_CODES)
def test_a_live_code_is_undone_by_one_that_it_undoes(code: int) -> None:
    row = TRANSACTION_CODES[code]
    if row.reversed_by is None:
        assert row.meaning is not Meaning.LIVE or row.account is Account.ADVICE
    else:
        other = TRANSACTION_CODES[row.reversed_by]
        assert other.reversed_by == row.code
        assert other.account is row.account
        assert other.is_debit is not row.is_debit


def test_the_codes_of_checking_accounts_are_those_of_the_rules() -> None:
    checking = {row.code for row in TRANSACTION_CODES.values() if row.account == "checking"}
    assert checking == {21, 22, 23, 24, 26, 27, 28, 29}
    assert TRANSACTION_CODES[52].reversed_by == 55


@pytest.mark.parametrize(
    "sec_code, service_class, allowed, refused",
    [
        ("PPD", 220, {"21", "22", "23", "32", "42", "52"}, {"24", "26", "27", "28", "81"}),
        ("PPD", 225, {"26", "27", "28", "37", "55"}, {"21", "22", "29"}),
        ("CCD", 200, {"22", "24", "27", "29", "34", "39"}, {"20", "25", "81"}),
        ("COR", 200, {"21", "26", "31", "36"}, {"22", "23", "27"}),
        ("ADV", 280, {"81", "88"}, {"22", "80", "89"}),
        ("", 0, {"21", "22", "24", "27"}, {"20", "81"}),
    ],
)
def test_a_batch_knows_the_codes_that_it_may_hold(
    sec_code: str, service_class: int, allowed: set[str], refused: set[str]
) -> None:
    rules = entry_rules(sec_code, service_class)
    assert allowed <= rules.keys()
    assert not refused & rules.keys()


@pytest.mark.parametrize(
    "code, part",
    [("20", "no transaction code"), ("24", "may not stand in a PPD"), ("27", "is a debit")],
)
def test_a_refused_code_is_explained(code: str, part: str) -> None:
    assert part in refusal_of_code("PPD", 220, code)


def test_a_credit_among_debits_is_explained() -> None:
    assert "is a credit" in refusal_of_code("PPD", 225, "22")


def test_the_classes_that_we_send_are_those_of_the_product() -> None:
    sent = {row.code for row in SEC_CODES.values() if row.is_originated}
    assert sent == {"PPD", "CCD", "CTX", "WEB", "TEL"}
