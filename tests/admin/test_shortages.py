"""Making a shortage good through the staff's pages."""

from __future__ import annotations

from sqlalchemy import select

from seedtrust.core.permissions import Actor
from seedtrust.domain.funding.models import ShortageDecision
from seedtrust.domain.funding.service import receive_wire
from tests.factories.desk_world import DeskWorld


def decision(desk: DeskWorld) -> str:
    """Return the reference of the newest decision."""
    query = select(ShortageDecision.reference).order_by(ShortageDecision.id.desc()).limit(1)
    return desk.api.do(lambda session: session.execute(query).scalar_one())


def wire(desk: DeskWorld, cents: int, text: str, reference: str) -> str:
    """Have the bank tell of a wire; return the deposit."""
    moment = desk.api.moment()
    return desk.api.do(
        lambda session: (
            receive_wire(
                session,
                Actor.system("tests"),
                trust_account_id=desk.api.world.case.trust_account_id,
                trust_code="main",
                bank="main",
                bank_reference=reference,
                amount_cents=cents,
                sender_name="",
                text=text,
                received_on=moment.today,
                moment=moment,
            ).reference
        )
    )


def test_two_people_advance_what_is_missing_and_the_case_goes_on(desk: DeskWorld) -> None:
    page = f"/admin/shortages/{desk.short()}"
    specialist, controller = desk.of("specialist"), desk.of("controller")
    assert "This case is on hold" in specialist.get(f"/admin/cases/{desk.case}").text
    asked = specialist.submit(f"{page}/propose/advance", {"reason": ""})
    assert (asked.status_code, "Say why" in asked.text) == (422, True)
    assert specialist.submit(f"{page}/propose/advance", {"reason": "Soon"}).location == page
    seen = specialist.get(page).text
    assert "Waits for a second person" in seen
    assert ">Approve<" not in seen
    address = f"/admin/shortages/decisions/{decision(desk)}/approve"
    assert specialist.submit(address, {}, page=page).status_code == 403
    assert ">Approve<" in controller.get(page).text
    assert controller.submit(address, {}, page=page).location == page
    told = controller.get(page).text
    assert f"Make the transfer at the bank now, with the reference {decision(desk)}" in told
    assert "Waits for the money" in told
    stray = f"/admin/deposits/{wire(desk, 4_000, 'OPERATING', 'adv-1')}"
    builder = desk.browser(desk.builder)
    assert "It is this advance" in builder.get(stray).text
    given = builder.submit(f"{stray}/advance", {"decision": decision(desk)}, page=stray)
    assert given.location == stray
    seen = controller.get(page).text
    assert "Made good" in seen
    assert "The company&#39;s advance" in seen
    assert "This case is on hold" not in specialist.get(f"/admin/cases/{desk.case}").text
    listed = controller.get("/admin/shortages?state=CURED").text
    assert "Missing of all" in listed


def test_the_case_repays_the_company_with_two_people(desk: DeskWorld) -> None:
    page = f"/admin/shortages/{desk.short()}"
    specialist, controller = desk.of("specialist"), desk.of("controller")
    specialist.submit(f"{page}/propose/advance", {"reason": "Soon"})
    controller.submit(f"/admin/shortages/decisions/{decision(desk)}/approve", {}, page=page)
    wire(desk, 4_000, decision(desk), "adv-1")
    wire(desk, 9_000, desk.case, "wire-1")
    assert "Propose a repayment" in specialist.get(page).text
    specialist.submit(f"{page}/propose/repayment", {"reason": "They have paid"})
    controller.submit(f"/admin/shortages/decisions/{decision(desk)}/approve", {}, page=page)
    assert "Advance back to the operating account" in controller.get("/admin/reconciliation").text
    assert "Propose a repayment" not in specialist.get(page).text


def test_a_freeze_is_lifted_by_two_and_the_case_may_pay_by_hand(desk: DeskWorld) -> None:
    page = f"/admin/shortages/{desk.short()}"
    specialist, controller = desk.of("specialist"), desk.of("controller")
    specialist.submit(f"{page}/propose/lift", {"reason": "Court order"})
    address = f"/admin/shortages/decisions/{decision(desk)}/lift"
    assert controller.submit(address, {}, page=page).location == page
    seen = controller.get(page).text
    assert "not frozen by this" in seen
    assert "Let the case pay" not in seen
    refused = controller.submit(f"{page}/cure", {}, page=page)
    assert refused.status_code in {303, 409}
    assert "Missing" in controller.get(page).text


def test_a_proposal_may_be_withdrawn(desk: DeskWorld) -> None:
    page = f"/admin/shortages/{desk.short()}"
    specialist = desk.of("specialist")
    specialist.submit(f"{page}/propose/advance", {"reason": "Soon"})
    address = f"/admin/shortages/decisions/{decision(desk)}/withdraw"
    assert "Nothing has moved" in specialist.get(address).text
    assert specialist.submit(address, {"reason": "They wire today"}).location == page
    assert "Withdrawn" in specialist.get(page).text
    assert specialist.get(f"{page}/propose/nothing").status_code == 404
    assert specialist.get("/admin/shortages/decisions/NOSUCH/withdraw").status_code == 404
    assert specialist.get("/admin/shortages/NOSUCH").status_code == 404
