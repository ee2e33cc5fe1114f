"""E-checks through HTTP: a parent authorises an account, and money is drawn once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from seedtrust.domain.echecks.authorising import check_account
from seedtrust.domain.funding import asking
from tests.factories.api_world import ApiWorld, new_key

NUMBER = "7719204418"


def authorise(world: ApiWorld, **changes: Any) -> Any:
    """Authorise an account of the parent, as the server asks for it."""
    program = world.program("parent")
    listed = program.get(f"/cases/{world.case}/debit-authorisations").get_json()
    body = {
        "holder_name": "Rosalind Ashgrove",
        "account_type": "checking",
        "routing_number": "021000021",
        "account_number": NUMBER,
        "accepted_text": listed["text"],
    }
    address = f"/cases/{world.case}/debit-authorisations"
    return program.post(address, body | changes, key=new_key())


def asked_for(world: ApiWorld, cents: int = 200_000) -> str:
    """Ask the parents for funds."""

    def work(session: Session) -> str:
        actor, moment = world.world.specialist, world.moment()
        row = asking.draft_request(
            session,
            actor,
            case_ref=world.case,
            amount_cents=cents,
            reason="The second half of the cycle",
            moment=moment,
        )
        session.flush()
        asking.send_request(session, actor, funding_ref=row.reference, moment=moment)
        return row.reference

    return world.do(work)


def checked(world: ApiWorld, reference: str) -> None:
    """Have the payments lead check the account."""
    world.do(
        lambda session: check_account(
            session,
            world.world.payments_lead,
            authorisation_ref=reference,
            note="Micro-entries named.",
            moment=world.moment(),
        )
    )


def test_a_parent_authorises_an_account_and_draws_from_it_once(world: ApiWorld) -> None:
    given = authorise(world)
    body = given.get_json()
    assert (given.status_code, body["state"], body["account"]) == (201, "GIVEN", "••••4418")
    checked(world, body["reference"])
    wanted = {
        "authorisation": body["reference"],
        "funding_request": asked_for(world),
        "amount_cents": 150_000,
    }
    key, program = new_key(), world.program("parent")
    made = program.post("/echecks", wanted, key=key)
    assert (made.status_code, made.get_json()["state"]) == (201, "RELEASED")
    again = program.post("/echecks", wanted, key=key)
    assert again.get_json() == made.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    other = program.post("/echecks", wanted, key=new_key())
    assert (other.status_code, other.get_json()["code"]) == (409, "echeck_under_way")
    listed = program.get(f"/cases/{world.case}/echecks").get_json()["data"]
    assert listed == [made.get_json()]
    assert NUMBER not in given.text + made.text


def test_the_number_is_nowhere_in_the_database(world: ApiWorld) -> None:
    authorise(world)

    def held(session: Session) -> str:
        tables = ("debit_authorisations", "idempotency_keys", "audit_events")
        return "".join(
            str(session.execute(text(f"SELECT * FROM {table}")).all()) for table in tables
        )

    assert NUMBER not in world.do(held)


def test_a_revoked_account_is_not_debited(world: ApiWorld) -> None:
    reference = authorise(world).get_json()["reference"]
    program, address = world.program("parent"), f"/debit-authorisations/{reference}/revoke"
    done = program.post(address, {"reason": "We send wires."}, key=new_key())
    assert (done.status_code, done.get_json()["state"]) == (200, "REVOKED")
    wanted = {
        "authorisation": reference,
        "funding_request": asked_for(world),
        "amount_cents": 1_000,
    }
    refused = program.post("/echecks", wanted, key=new_key())
    assert (refused.status_code, refused.get_json()["code"]) == (409, "debit_not_authorised")


@pytest.mark.parametrize(
    "changes, field, code",
    [
        ({"routing_number": "12345"}, "routing_number", "invalid"),
        ({"account_number": "000"}, "account_number", "invalid"),
        ({"account_type": "gold"}, "account_type", "invalid"),
        ({"holder_name": ""}, "holder_name", "invalid"),
    ],
)
def test_what_cannot_be_debited_is_refused_by_field(
    world: ApiWorld, changes: dict[str, Any], field: str, code: str
) -> None:
    refused = authorise(world, **changes)
    assert (refused.status_code, refused.get_json()["code"]) == (422, code)
    assert field in refused.get_json()["errors"]


@pytest.mark.parametrize("who", ["carrier", "agency_admin", "case_manager", "attorney"])
def test_nobody_else_sees_or_draws_from_the_account(world: ApiWorld, who: str) -> None:
    authorise(world)
    program = world.program(who)
    assert program.get(f"/cases/{world.case}/debit-authorisations").status_code == 403
    assert program.get(f"/cases/{world.case}/echecks").status_code == 403
