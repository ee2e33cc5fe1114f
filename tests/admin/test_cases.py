"""Cases through the staff's pages: list, overview, ledger, statement."""

from __future__ import annotations

import pytest

from tests.factories.desk_world import DeskWorld


def test_the_list_shows_the_money_of_everything_that_is_filtered(desk: DeskWorld) -> None:
    seen = desk.of("auditor").get("/admin/cases?view=open").text
    assert "28,500.00" in seen
    assert "All 1 case" in seen


@pytest.mark.parametrize(
    "query,found",
    [("q=ashgrove", True), ("q=nobody", False), ("kind=surrogacy", False), ("view=closed", False)],
)
def test_filters_stand_in_the_address(desk: DeskWorld, query: str, *, found: bool) -> None:
    seen = desk.of("auditor").get(f"/admin/cases?{query}").text
    assert (f"/admin/cases/{desk.case}" in seen) is found


def test_the_overview_shows_course_money_people_and_aliases(desk: DeskWorld) -> None:
    desk.ready(12_345)
    seen = desk.of("second").get(f"/admin/cases/{desk.case}").text
    for words in (
        "$28,500.00",
        "$123.45",
        "$28,376.55",
        "Rosalind Ashgrove",
        "the other side reads",
    ):
        assert words in seen
    assert 'aria-current="step"' in seen


def test_a_line_of_the_ledger_opens_its_deposit_and_kinds_filter(desk: DeskWorld) -> None:
    auditor = desk.of("auditor")
    page = f"/admin/cases/{desk.case}/ledger"
    assert "/admin/deposits/" in auditor.get(page).text
    assert "No line here" in auditor.get(f"{page}?kind=REFUND").text
    assert "No line here" in auditor.get(f"{page}?until=2025-01-01").text


def test_the_statement_runs_from_an_opening_to_a_closing_balance(desk: DeskWorld) -> None:
    auditor = desk.of("auditor")
    whole = auditor.get(f"/admin/cases/{desk.case}/statement").text
    assert "the beginning" in whole
    later = auditor.get(f"/admin/cases/{desk.case}/statement?since=2026-02-01").text
    assert "$28,500.00" in later
    assert "No line in these days" in later
