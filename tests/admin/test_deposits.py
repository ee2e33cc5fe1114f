"""Giving a deposit to its case through the staff's pages."""

from __future__ import annotations

from tests.factories.desk_world import STRANGER, DeskWorld


def test_a_stray_deposit_is_given_to_a_case_after_the_consequence(desk: DeskWorld) -> None:
    page = f"/admin/deposits/{desk.stray_deposit()}"
    builder = desk.browser(desk.builder)
    assert STRANGER in builder.get("/admin/deposits?state=UNIDENTIFIED").text
    asked = builder.get(f"{page}?case={desk.case}")
    assert "effective today" in asked.text
    told = builder.submit(f"{page}/match", {"case": desk.case}, page=page)
    assert (told.status_code, told.location) == (303, page)
    assert "belongs to the case now" in builder.get(page).text
    assert "1,500.00" in builder.get(f"/admin/cases/{desk.case}/ledger").text


def test_a_case_that_does_not_exist_takes_no_deposit(desk: DeskWorld) -> None:
    page = f"/admin/deposits/{desk.stray_deposit()}"
    answer = desk.browser(desk.builder).submit(f"{page}/match", {"case": "NOSUCH"}, page=page)
    assert answer.status_code == 404


def test_only_the_payments_team_matches(desk: DeskWorld) -> None:
    page = f"/admin/deposits/{desk.stray_deposit()}"
    auditor = desk.of("auditor")
    assert "The payments team finds the case" in auditor.get(page).text
    assert auditor.submit(f"{page}/match", {"case": desk.case}, page=page).status_code == 403
