"""E-checks through the staff's pages: checked, asked for, released by another, called off."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from seedtrust.domain.echecks import authorising
from seedtrust.domain.funding import asking
from tests.factories.api_world import wiring_of
from tests.factories.desk_world import DeskWorld
from tests.factories.payment_world import OTHER_ROUTING
from tests.support.queries import MOST, counted


def authorised(desk: DeskWorld) -> str:
    """Have the parent authorise an account; return the authorisation's reference."""
    api = desk.api

    def work(session: Session) -> str:
        return authorising.give_authorisation(
            session,
            api.world.parent,
            case_ref=desk.case,
            holder_name="Rosalind Ashgrove",
            account_type="checking",
            routing_number=OTHER_ROUTING,
            account_number="5501882200",
            accepted_text=authorising.text_for(session, api.world.parent, desk.case),
            given_from="192.0.2.17",
            keyring=wiring_of(desk.app).keyring,
            moment=api.moment(),
        ).reference

    return api.do(work)


def sent_request(desk: DeskWorld) -> str:
    """Ask the parents for funds and send it."""
    reference = desk.asked_for_funds()
    api = desk.api
    api.do(
        lambda session: asking.send_request(
            session, api.world.specialist, funding_ref=reference, moment=api.moment()
        )
    )
    return reference


def test_an_account_is_checked_and_drawn_from_by_two_people(desk: DeskWorld) -> None:
    authorisation = authorised(desk)
    lead, builder = desk.of("payments_lead"), desk.browser(desk.builder)
    accounts = f"/admin/cases/{desk.case}/debit-authorisations"
    page = lead.get(accounts).text
    assert "Waiting for the account" in page
    assert "5501882200" not in page
    check = f"{accounts}/{authorisation}/check"
    assert lead.submit(check, {"note": ""}, page=check).status_code == 422
    assert lead.submit(check, {"note": "Micro-entries."}, page=check).status_code == 303
    funding = sent_request(desk)
    draw = f"/admin/funding/{funding}/draw"
    assert "Draw it by e-check" in builder.get(f"/admin/funding/{funding}").text
    typed = {"authorisation": authorisation, "amount_cents": "99,000.00"}
    refused = builder.submit(draw, typed, page=draw)
    assert refused.status_code in {409, 422}
    assert "99,000.00" in refused.text
    made = builder.submit(draw, typed | {"amount_cents": "10.00"}, page=draw)
    assert made.status_code == 303
    detail = made.location or ""
    assert "Release it" not in builder.get(detail).text
    assert builder.get(f"{detail}/release").status_code == 403
    assert "Release it" in lead.get(detail).text
    release = f"{detail}/release"
    lead.step_up(desk.api.logins["payments_lead"])
    assert lead.submit(release, {}, page=release).status_code == 303
    assert "Goes with the next file" in lead.get(detail).text
    assert "Rosalind Ashgrove" in lead.get("/admin/echecks?state=RELEASED").text
    cancel = f"{detail}/cancel"
    assert builder.submit(cancel, {"reason": "A wire came."}, page=cancel).status_code == 303
    assert "A wire came." in builder.get(detail).text
    revoke = f"{accounts}/{authorisation}/revoke"
    assert builder.submit(revoke, {"reason": "By letter."}, page=revoke).status_code == 303
    assert "By letter." in builder.get(accounts).text


@pytest.mark.parametrize("address", ["/admin/echecks", "/admin/cases/{case}/debit-authorisations"])
def test_an_auditor_reads_and_does_not_act(desk: DeskWorld, address: str) -> None:
    authorisation = authorised(desk)
    auditor = desk.of("auditor")
    assert auditor.get(address.format(case=desk.case)).status_code == 200
    check = f"/admin/cases/{desk.case}/debit-authorisations/{authorisation}/check"
    assert auditor.get(check).status_code == 403


def test_the_pages_ask_little_of_the_database(desk: DeskWorld) -> None:
    authorised(desk)
    auditor = desk.of("auditor")
    for address in ("/admin/echecks", f"/admin/cases/{desk.case}/debit-authorisations"):
        auditor.get(address)
        with counted(desk.app) as asked:
            assert auditor.get(address).status_code == 200
        assert len(asked) <= MOST
