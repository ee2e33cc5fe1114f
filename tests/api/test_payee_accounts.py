"""Bank details through HTTP: who submits whose, refused by name, never shown whole."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.factories.api_world import ApiWorld, new_key

NUMBER = "7719204418"
ROUTING = "021000021"


def submit(world: ApiWorld, who: str = "parent", payee: str = "", **changes: Any) -> TestResponse:
    body = {
        "payee": world.payees[payee or who].reference,
        "account_type": "checking",
        "holder_name": world.logins[who].name,
        "bank_name": "Charles River Savings",
        "routing_number": ROUTING,
        "account_number": NUMBER,
    }
    return world.program(who).post("/me/payee-accounts", body | changes, key=new_key())


def test_an_account_is_submitted_and_shown_masked(world: ApiWorld) -> None:
    made = submit(world)
    body = made.get_json()
    assert (made.status_code, body["state"], body["account"]) == (201, "SUBMITTED", "••••4418")
    listed = world.program("parent").get("/me/payee-accounts")
    assert listed.get_json()["data"][0]["accounts"] == [body]
    assert NUMBER not in made.text + listed.text
    assert ROUTING not in made.text + listed.text


def test_the_number_is_nowhere_in_the_database(world: ApiWorld) -> None:
    submit(world)

    def held(session: Any) -> str:
        tables = ("payee_accounts", "idempotency_keys", "audit_events", "outbox_messages")
        return "".join(
            str(session.execute(text(f"SELECT * FROM {table}")).all()) for table in tables
        )

    assert NUMBER not in world.do(held)


@pytest.mark.parametrize(
    "changes,field,code",
    [
        ({"routing_number": "021000022"}, "routing_number", "invalid_routing_number"),
        ({"routing_number": "12345"}, "routing_number", "invalid_routing_number"),
        ({"account_number": "0000"}, "account_number", "invalid_account_number"),
        ({"account_type": "gold"}, "account_type", "invalid"),
        ({"holder_name": ""}, "holder_name", "invalid"),
        ({"routing_number": 21000021}, "routing_number", "invalid"),
    ],
)
def test_details_that_cannot_be_name_their_field(
    world: ApiWorld, changes: dict[str, Any], field: str, code: str
) -> None:
    refused = submit(world, **changes)
    problem = refused.get_json()
    assert (refused.status_code, problem["code"]) == (422, code)
    assert list(problem["errors"]) == [field]
    assert world.program("parent").get("/me/payee-accounts").get_json()["data"][0]["accounts"] == []


def test_nobody_changes_the_account_of_somebody_else(world: ApiWorld) -> None:
    refused = submit(world, "carrier", "parent")
    assert (refused.status_code, refused.get_json()["code"]) == (404, "not_found")
    attorney = submit(world, "attorney")
    assert (attorney.status_code, attorney.get_json()["code"]) == (403, "forbidden")


def test_a_second_change_waits_for_the_first(world: ApiWorld) -> None:
    submit(world)
    refused = submit(world, account_number="99887766")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "account_change_open")
