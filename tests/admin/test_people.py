"""Inviting people, granting roles and closing accounts, through HTTP."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import text

from seedtrust.core.permissions import Role
from seedtrust.domain.identity import second_factor
from seedtrust.domain.identity.service import invitation_aad
from seedtrust.domain.identity.states import UserKind
from seedtrust.ext import reading
from tests.factories.identity import PASSWORD, Person
from tests.support.doors import ApiClient, Browser, person_in


@pytest.fixture
def it_admin(app: Flask) -> Browser:
    browser = Browser(app)
    browser.sign_in(person_in(app, Role.IT_ADMIN))
    return browser


@pytest.fixture
def legal(app: Flask) -> Browser:
    browser = Browser(app)
    browser.sign_in(person_in(app, Role.LEGAL))
    return browser


def link_of_last_invitation(app: Flask) -> str:
    """Open the sealed link as the mail job does."""
    with app.app_context():
        row = reading(
            lambda session: session.execute(
                text(
                    "SELECT event_key, facts FROM notice_deliveries "
                    "WHERE event = 'identity.invited' ORDER BY id DESC LIMIT 1"
                )
            ).one()
        )
    sealed = re.search(r'"token_sealed": "([^"]+)"', str(row.facts))
    assert sealed is not None
    keyring = app.extensions["seedtrust"].keyring
    return f"/admin/welcome/{keyring.open(sealed[1], invitation_aad(row.event_key))}"


def invite(browser: Browser, **overrides: str) -> str:
    form = {
        "display_name": "Dana Example",
        "email": "dana@example.com",
        "kind": "party",
        "role": "surrogate",
        **overrides,
    }
    answer = browser.submit("/admin/people/invite", form)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def test_somebody_outside_is_invited_and_signs_in_to_the_api(app: Flask, it_admin: Browser) -> None:
    invite(it_admin)
    visitor, link = Browser(app), link_of_last_invitation(app)
    assert "Dana Example" in visitor.get(link).text
    assert visitor.submit(link, {"password": PASSWORD}).location == "/admin/welcome"
    program = ApiClient(app)
    answer = program.token(grant_type="password", username="dana@example.com", password=PASSWORD)
    assert answer.status_code == 200
    assert program.get("/me").get_json()["roles"] == ["surrogate"]


def test_a_colleague_is_invited_enrols_and_gets_a_role_from_legal(
    app: Flask, it_admin: Browser, legal: Browser
) -> None:
    page = invite(it_admin, kind="staff", role="")
    colleague, link = Browser(app), link_of_last_invitation(app)
    assert colleague.submit(link, {"password": PASSWORD}).location == "/admin/sign-in/enrol"
    shown = re.search(
        r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})", colleague.get("/admin/sign-in/enrol").text
    )
    assert shown is not None
    seed = shown[1].replace(" ", "")
    code = second_factor.code_at(seed, colleague.clock.now())
    assert colleague.submit("/admin/sign-in/enrol", {"code": code}).status_code == 303
    assert colleague.get("/admin/people").status_code == 403
    granted = legal.submit(f"{page}/roles", {"role": "auditor"}, page=page)
    assert granted.status_code == 303
    assert colleague.get("/admin/people").status_code == 200


def test_a_link_works_once(app: Flask, it_admin: Browser) -> None:
    invite(it_admin)
    link = link_of_last_invitation(app)
    first = Browser(app)
    first.submit(link, {"password": PASSWORD})
    again = Browser(app).get(link)
    assert again.status_code == 422
    assert "was used already or is too old" in again.text


def test_a_new_invitation_ends_the_old_link(app: Flask, it_admin: Browser) -> None:
    page = invite(it_admin)
    old = link_of_last_invitation(app)
    assert it_admin.submit(f"{page}/invite-again", page=page).status_code == 303
    assert Browser(app).get(old).status_code == 422
    assert Browser(app).get(link_of_last_invitation(app)).status_code == 200


@pytest.mark.parametrize(
    "password,sentence",
    [
        ("short", "Use at least 12 characters"),
        ("x" * 200, "Use at most 128 characters"),
        ("seedtrust2026!", "easy to guess"),
        ("dana.example.1", "easy to guess"),
        ("", "Choose a password"),
    ],
)
def test_a_bad_password_is_refused_with_what_to_do(
    app: Flask, it_admin: Browser, password: str, sentence: str
) -> None:
    invite(it_admin)
    link = link_of_last_invitation(app)
    refused = Browser(app).submit(link, {"password": password})
    assert refused.status_code == 422
    assert sentence in refused.text
    assert Browser(app).get(link).status_code == 200


def test_an_address_is_invited_once(it_admin: Browser) -> None:
    invite(it_admin)
    again = it_admin.submit(
        "/admin/people/invite",
        {"display_name": "Dana", "email": "DANA@example.com", "kind": "party", "role": "donor"},
    )
    assert again.status_code == 409
    assert "has an account already" in again.text
    assert 'value="DANA@example.com"' in again.text


@pytest.mark.parametrize(
    "changes,sentence",
    [
        ({"display_name": ""}, "Enter the person&#39;s name."),
        ({"email": ""}, "Enter the person&#39;s e-mail address."),
        ({"kind": "robot"}, "Not a valid choice"),
        ({"role": "controller"}, "Not a valid choice"),
    ],
)
def test_a_bad_invitation_names_the_field(
    it_admin: Browser, changes: dict[str, str], sentence: str
) -> None:
    form = {"display_name": "Dana", "email": "d@example.com", "kind": "party", "role": "donor"}
    refused = it_admin.submit("/admin/people/invite", {**form, **changes})
    assert refused.status_code == 422
    assert sentence in refused.text


def test_building_and_releasing_never_meet_in_one_person(app: Flask, legal: Browser) -> None:
    builder = person_in(app, Role.PAYMENTS_SPECIALIST)
    page = f"/admin/people/{builder.reference}"
    refused = legal.submit(f"{page}/roles", {"role": "controller"}, page=page)
    assert refused.status_code == 409
    shown = refused.text
    assert '<option selected value="controller">' in shown
    assert "nobody may act twice on the same money" in shown.replace("\n", " ")
    assert "Controller" not in re.sub(
        r"<option.*?</option>|<div class=\"notice.*?</div>", "", shown
    )


def test_nobody_grants_to_themselves(app: Flask) -> None:
    lawyer = person_in(app, Role.LEGAL)
    browser = Browser(app)
    browser.sign_in(lawyer)
    page = f"/admin/people/{lawyer.reference}"
    refused = browser.submit(f"{page}/roles", {"role": "auditor"}, page="/admin/account")
    assert refused.status_code == 409
    assert "Nobody changes their own roles" in refused.text


def test_taking_a_role_away_ends_sessions_and_asks_why(app: Flask, legal: Browser) -> None:
    auditor = person_in(app, Role.AUDITOR)
    theirs = Browser(app)
    theirs.sign_in(auditor)
    page = f"/admin/people/{auditor.reference}"
    path = f"{page}/roles/auditor/revoke"
    assert legal.submit(path, {"reason": ""}).status_code == 422
    assert theirs.get("/admin/people").status_code == 200
    assert legal.submit(path, {"reason": "moved to another team"}).status_code == 303
    assert theirs.get("/admin/people").status_code == 303
    assert "moved to another team" in legal.get(page).text


def test_closing_an_account_ends_everything(app: Flask, it_admin: Browser) -> None:
    auditor = person_in(app, Role.AUDITOR)
    theirs = Browser(app)
    theirs.sign_in(auditor)
    path = f"/admin/people/{auditor.reference}/close"
    assert it_admin.submit(path, {"reason": "left"}).status_code == 303
    assert theirs.get("/admin/account").status_code == 303
    refused = theirs.submit(
        "/admin/sign-in", {"email": auditor.email, "password": auditor.password}
    )
    assert refused.status_code == 422


def test_the_list_can_be_searched_and_filtered(app: Flask, it_admin: Browser) -> None:
    donor = person_in(app, Role.DONOR)
    assert donor.email in it_admin.get(f"/admin/people?q={donor.email}").text
    assert donor.email not in it_admin.get("/admin/people?kind=staff").text
    assert "Nobody fits" in it_admin.get("/admin/people?q=zzzz").text
    assert it_admin.get("/admin/people?kind=robot&status=x").status_code == 200


def test_an_unknown_person_is_not_found(it_admin: Browser) -> None:
    assert it_admin.get("/admin/people/AAAAAAAAAAAAAAA").status_code == 404


@pytest.mark.parametrize("role", [Role.PAYMENTS_LEAD, Role.AUDITOR])
def test_inviting_needs_the_permission(app: Flask, role: Role) -> None:
    browser = Browser(app)
    browser.sign_in(person_in(app, role))
    assert browser.get("/admin/people").status_code == 200
    assert browser.get("/admin/people/invite").status_code == 403


def test_a_party_reaches_no_page_of_the_staff(app: Flask) -> None:
    donor = person_in(app, Role.DONOR, kind=UserKind.PARTY)
    browser = Browser(app)
    browser.submit("/admin/sign-in", {"email": donor.email, "password": donor.password})
    assert browser.get("/admin/people").status_code == 303


def test_a_person_of_tests_can_sign_in(app: Flask) -> None:
    person: Person = person_in(app, Role.AUDITOR)
    assert Browser(app).sign_in(person).location == "/admin/"
