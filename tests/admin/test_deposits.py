"""Giving a deposit to its case through the staff's pages."""

from __future__ import annotations

from seedtrust.core.permissions import Actor
from seedtrust.domain.funding.returning import DepositReturn, return_deposit
from seedtrust.domain.funding.service import Receipt, receive
from seedtrust.domain.funding.states import ReceiptRail
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


def test_a_check_says_until_when_it_may_come_back_and_then_that_it_did(desk: DeskWorld) -> None:
    moment, bank = desk.api.moment(), Actor.system("tests")
    account_id = desk.api.world.case.trust_account_id
    receipt = Receipt(
        account_id, "main", "main", "check-1", 4_000, "Drawer", STRANGER, moment.today
    )
    deposit = desk.api.do(
        lambda session: receive(session, bank, receipt, ReceiptRail.CHECK, moment=moment)
    )
    page = f"/admin/deposits/{deposit.reference}"
    browser = desk.browser(desk.builder)
    assert "Its money can be spent from" in browser.get(page).text
    said = DepositReturn("main", "main", "check-1", 4_000, "Closed account", "line-2", moment.today)
    desk.api.do(lambda session: return_deposit(session, bank, said, moment=moment))
    seen = browser.get(page).text
    assert "This check came back on" in seen
    assert "Closed account. The money has left the books again." in seen


def test_a_stray_deposit_is_sent_back_after_a_second_look(desk: DeskWorld) -> None:
    page = f"/admin/deposits/{desk.stray_deposit()}"
    builder = desk.browser(desk.builder)
    assert "Send $1,500.00 back to the sender?" not in builder.get(page).text
    assert "back to the sender?" in builder.get(f"{page}?back=yes").text
    ordered = builder.submit(f"{page}/send-back", {}, page=f"{page}?back=yes")
    assert ordered.status_code == 303
    seen = builder.get(page).text
    assert "Make the transfer at the bank now, with the reference" in seen
    assert "Sent back" in seen
    listed = builder.get("/admin/reconciliation").text
    assert "Deposit back to its sender" in listed
    cancel = listed.split('action="/admin/reconciliation/transfers/')[1].split('"')[0]
    address = f"/admin/reconciliation/transfers/{cancel}"
    assert builder.submit(address, {}, page="/admin/reconciliation").status_code == 303
    assert "No case yet" in builder.get(page).text
    assert desk.of("auditor").get(f"{page}?back=yes").text.count("back to the sender?") == 0


def test_fees_are_swept_by_those_who_review(desk: DeskWorld) -> None:
    lead, page = desk.of("payments_lead"), "/admin/reconciliation"
    account = lead.get(page).text.split('name="account" value="')[1].split('"')[0]
    swept = lead.submit(f"{page}/sweep", {"account": account}, page=page)
    assert swept.status_code == 303
    told = lead.get(page).text
    assert "No fees wait on this account" in told or "with the reference" in told
    assert f'action="{page}/sweep"' not in desk.browser(desk.builder).get(page).text
