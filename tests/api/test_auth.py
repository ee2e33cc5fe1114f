"""Signing in at the API, through HTTP."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask

from seedtrust.core.clock import FixedClock
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.identity import service
from seedtrust.ext import in_transaction
from seedtrust.settings import Settings
from tests.factories.identity import Person
from tests.support.doors import ApiClient, Browser, person_in


@pytest.fixture
def donor(app: Flask) -> Person:
    """Return a party without a second factor."""
    return person_in(app, Role.DONOR, seed=None)


@pytest.fixture
def lead(app: Flask) -> Person:
    return person_in(app, Role.PAYMENTS_LEAD)


@pytest.fixture
def program(app: Flask) -> ApiClient:
    return ApiClient(app)


def test_a_password_gives_tokens(program: ApiClient, donor: Person) -> None:
    answer = program.sign_in(donor)
    body = answer.get_json()
    assert answer.status_code == 200
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    assert answer.headers["Cache-Control"] == "no-store"
    assert program.get("/me").get_json()["email"] == donor.email


def test_a_form_works_as_well_as_json(app: Flask, donor: Person) -> None:
    answer = app.test_client().post(
        "/api/v1/auth/token",
        data={"grant_type": "password", "username": donor.email, "password": donor.password},
    )
    assert answer.status_code == 200


def test_a_second_factor_is_asked_for_and_checked(program: ApiClient, lead: Person) -> None:
    asked = program.token(grant_type="password", username=lead.email, password=lead.password)
    body = asked.get_json()
    assert (asked.status_code, body["error"]) == (403, "mfa_required")
    mfa = "urn:seedtrust:params:oauth:grant-type:mfa-otp"
    code = program.next_code(lead)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    refused = program.token(grant_type=mfa, mfa_token=body["mfa_token"], otp=wrong)
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_grant")
    assert program.token(grant_type=mfa, mfa_token=body["mfa_token"], otp=code).status_code == 200
    again = program.token(grant_type=mfa, mfa_token=body["mfa_token"], otp=program.next_code(lead))
    assert again.get_json()["error"] == "invalid_grant"


def test_an_mfa_token_lives_five_minutes(
    program: ApiClient, lead: Person, clock: FixedClock
) -> None:
    body = program.token(
        grant_type="password", username=lead.email, password=lead.password
    ).get_json()
    clock.advance(timedelta(seconds=300))
    late = program.token(
        grant_type="urn:seedtrust:params:oauth:grant-type:mfa-otp",
        mfa_token=body["mfa_token"],
        otp=program.next_code(lead),
    )
    assert late.get_json()["error"] == "invalid_grant"


def test_staff_without_a_second_factor_are_sent_to_set_one_up(
    app: Flask, program: ApiClient
) -> None:
    newcomer = person_in(app, Role.AUDITOR, seed=None)
    refused = program.sign_in(newcomer)
    body = refused.get_json()
    assert (refused.status_code, body["error"]) == (400, "invalid_grant")
    assert body["code"] == "second_factor_missing"


@pytest.mark.parametrize("username", ["nobody@example.com", "no address", "\udce9@example.com"])
def test_an_unknown_address_looks_like_a_wrong_password(
    program: ApiClient, donor: Person, username: str
) -> None:
    wrong = program.token(grant_type="password", username=donor.email, password="not the password")
    unknown = program.token(
        grant_type="password",
        username=username.encode("utf-8", "replace").decode(),
        password="not the password",
    )
    assert (wrong.status_code, wrong.get_json()) == (unknown.status_code, unknown.get_json())
    assert wrong.get_json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "body,error",
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "invalid_request"),
        ({"grant_type": "password", "username": "a@b.example"}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": ["password"]}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x" * 5000}, "invalid_request"),
        ([], "invalid_request"),
    ],
)
def test_bad_requests_get_oauths_own_errors(app: Flask, body: object, error: str) -> None:
    answer = app.test_client().post("/api/v1/auth/token", json=body)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert answer.get_json()["error_description"]


def test_guessing_is_slowed_down_by_429_with_a_time(program: ApiClient, donor: Person) -> None:
    for _ in range(5):
        program.token(grant_type="password", username=donor.email, password="wrong wrong")
    slowed = program.token(grant_type="password", username=donor.email, password=donor.password)
    assert slowed.status_code == 429
    assert int(slowed.headers["Retry-After"]) >= 1


def test_the_limit_per_address_answers_429_for_everybody_there(
    settings: Settings, clock: FixedClock
) -> None:
    from seedtrust.app import create_app

    app = create_app(settings.model_copy(update={"sign_in_limit": "2 per minute"}), clock=clock)
    answers = [app.test_client().post("/api/v1/auth/token", json={}).status_code for _ in range(3)]
    assert answers == [400, 400, 429]


def test_without_a_token_the_answer_says_so(program: ApiClient) -> None:
    refused = program.get("/me")
    body = refused.get_json()
    assert (refused.status_code, body["code"]) == (401, "unauthenticated")
    assert refused.content_type == "application/problem+json"
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="seedtrust"'


def test_an_expired_access_token_asks_for_a_refresh(
    program: ApiClient, donor: Person, clock: FixedClock
) -> None:
    program.sign_in(donor)
    clock.advance(timedelta(seconds=599))
    assert program.get("/me").status_code == 200
    clock.advance(timedelta(seconds=1))
    refused = program.get("/me")
    assert (refused.status_code, refused.get_json()["code"]) == (401, "token_expired")
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert program.refresh().status_code == 200
    assert program.get("/me").status_code == 200


def test_a_refresh_token_rotates(program: ApiClient, donor: Person) -> None:
    program.sign_in(donor)
    first = program.refresh_token
    assert program.refresh().status_code == 200
    assert program.refresh_token != first


def test_a_lost_answer_is_given_again_within_ten_seconds(
    program: ApiClient, donor: Person, clock: FixedClock
) -> None:
    program.sign_in(donor)
    first = program.refresh_token
    program.refresh()
    successor = program.refresh_token
    clock.advance(timedelta(seconds=10))
    again = program.token(grant_type="refresh_token", refresh_token=first)
    assert again.get_json()["refresh_token"] == successor
    assert program.refresh().status_code == 200


def test_a_used_token_that_comes_back_later_ends_the_family(
    program: ApiClient, donor: Person, clock: FixedClock
) -> None:
    program.sign_in(donor)
    first = program.refresh_token
    program.refresh()
    successor = program.refresh_token
    clock.advance(timedelta(seconds=11))
    stolen = program.token(grant_type="refresh_token", refresh_token=first)
    assert (stolen.get_json()["error"], stolen.get_json()["reason"]) == (
        "invalid_grant",
        "refresh_reused",
    )
    refused = program.get("/me")
    assert (refused.status_code, refused.get_json()["reason"]) == (401, "refresh_reused")
    heir = program.token(grant_type="refresh_token", refresh_token=successor)
    assert heir.get_json()["reason"] == "refresh_reused"


def test_a_used_token_whose_successor_was_used_is_no_second_branch(
    program: ApiClient, donor: Person
) -> None:
    program.sign_in(donor)
    first = program.refresh_token
    program.refresh()
    program.refresh()
    refused = program.token(grant_type="refresh_token", refresh_token=first)
    assert refused.get_json()["reason"] == "refresh_reused"


def test_a_session_not_used_for_a_week_is_over(
    program: ApiClient, donor: Person, clock: FixedClock
) -> None:
    program.sign_in(donor)
    clock.advance(timedelta(days=7))
    refused = program.refresh()
    assert (refused.get_json()["error"], refused.get_json()["reason"]) == (
        "invalid_grant",
        "expired",
    )


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_revoking_either_token_ends_the_session(
    program: ApiClient, donor: Person, kind: str
) -> None:
    program.sign_in(donor)
    answer = program.post("/auth/revoke", {"token": getattr(program, kind)})
    assert answer.status_code == 200
    refused = program.get("/me")
    assert (refused.status_code, refused.get_json()["reason"]) == (401, "signed_out")


def test_revoking_an_unknown_token_says_nothing(program: ApiClient) -> None:
    assert program.post("/auth/revoke", {"token": "unknown"}).status_code == 200


def test_sessions_are_listed_and_ended(app: Flask, donor: Person) -> None:
    here, there = ApiClient(app), ApiClient(app)
    there.sign_in(donor)
    here.clock.advance(timedelta(seconds=1))
    here.sign_in(donor)
    found = here.get("/auth/sessions").get_json()["data"]
    assert [(one["door"], one["current"]) for one in found] == [("api", True), ("api", False)]
    assert here.call("DELETE", f"/auth/sessions/{found[1]['reference']}").status_code == 204
    assert there.get("/me").get_json()["reason"] == "revoked"
    assert here.call("DELETE", "/auth/sessions").status_code == 204
    assert here.get("/me").get_json()["code"] == "session_ended"


def test_nobody_ends_somebody_elses_session(app: Flask, donor: Person) -> None:
    mine, theirs = ApiClient(app), ApiClient(app)
    mine.sign_in(donor)
    theirs.sign_in(person_in(app, Role.SURROGATE, seed=None))
    reference = theirs.get("/auth/sessions").get_json()["data"][0]["reference"]
    assert mine.call("DELETE", f"/auth/sessions/{reference}").status_code == 404
    assert theirs.get("/me").status_code == 200


def test_a_closed_account_ends_every_session_at_once(
    app: Flask, program: ApiClient, donor: Person, clock: FixedClock
) -> None:
    program.sign_in(donor)
    with app.app_context():
        in_transaction(
            lambda session: service.disable_user(
                session,
                Actor.system("test"),
                donor.reference,
                reason="left the company",
                now=clock.now(),
            )
        )
    refused = program.get("/me")
    assert (refused.status_code, refused.get_json()["reason"]) == (401, "account_disabled")
    again = program.sign_in(donor)
    assert again.get_json()["error"] == "invalid_grant"


def test_stepping_up_takes_a_fresh_code(program: ApiClient, lead: Person) -> None:
    program.sign_in(lead)
    refused = program.post("/auth/step-up", {"code": "000000"})
    assert (refused.status_code, refused.get_json()["code"]) == (422, "code_refused")
    confirmed = program.post("/auth/step-up", {"code": program.next_code(lead)})
    assert confirmed.get_json() == {"valid_for_seconds": 300}


def test_a_cookie_is_worth_nothing_at_the_api(app: Flask, lead: Person) -> None:
    browser = Browser(app)
    browser.sign_in(lead)
    refused = browser.client.get("/api/v1/me")
    assert refused.status_code == 401
    assert "Set-Cookie" not in refused.headers


def _segment(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_forged_access_tokens_are_refused(
    program: ApiClient, donor: Person, settings: Settings, clock: FixedClock
) -> None:
    program.sign_in(donor)
    key = Ed25519PrivateKey.from_private_bytes(settings.jwt_seed)
    good = jwt.decode(program.access_token, options={"verify_signature": False})
    typed = {"typ": "at+jwt"}
    now = int(clock.now().timestamp())
    other = Ed25519PrivateKey.generate()

    def signed(changes: dict[str, Any], headers: dict[str, Any] | None = None) -> str:
        claims = {name: value for name, value in {**good, **changes}.items() if value is not None}
        return jwt.encode(claims, key, algorithm="EdDSA", headers=headers or typed)

    forged = {
        "none": f"{_segment({'alg': 'none', 'typ': 'at+jwt'})}.{_segment(good)}.",
        "HS256": jwt.encode(good, "x" * 64, algorithm="HS256", headers=typed),
        "other key": jwt.encode(good, other, algorithm="EdDSA", headers=typed),
        "wrong type": signed({}, {"typ": "JWT"}),
        "crit": signed({}, {"typ": "at+jwt", "crit": ["exp"]}),
        "audience": signed({"aud": "https://elsewhere.example"}),
        "issuer": signed({"iss": "https://elsewhere.example"}),
        "future": signed({"iat": now + 3600}),
        "no expiry": signed({"exp": None}),
        "no session": signed({"sid": None}),
        "huge time": signed({"exp": 10**30}),
        "text time": signed({"auth_time": "now"}),
        "version": signed({"ver": 2}),
        "cut": program.access_token[:-4],
        "long": "x" * 10_000,
        "empty": "",
        "not ascii": "\u00e9.\u00e9.\u00e9",
    }
    codes = {
        name: program.get("/me", headers={"Authorization": f"Bearer {token}"})
        for name, token in forged.items()
    }
    refused = {name: (got.status_code, got.get_json()["code"]) for name, got in codes.items()}
    assert refused == dict.fromkeys(forged, (401, "invalid_token"))
    assert program.get("/me").status_code == 200


def test_a_token_of_somebody_elses_session_is_refused(
    program: ApiClient, donor: Person, lead: Person, settings: Settings
) -> None:
    program.sign_in(donor)
    key = Ed25519PrivateKey.from_private_bytes(settings.jwt_seed)
    claims = jwt.decode(program.access_token, options={"verify_signature": False})
    mixed = jwt.encode(
        {**claims, "sub": lead.reference}, key, algorithm="EdDSA", headers={"typ": "at+jwt"}
    )
    refused = program.get("/me", headers={"Authorization": f"Bearer {mixed}"})
    assert (refused.status_code, refused.get_json()["code"]) == (401, "session_ended")
