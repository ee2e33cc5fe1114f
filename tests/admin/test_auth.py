"""Signing in to the staff pages, through HTTP."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from seedtrust.core.clock import FixedClock
from seedtrust.core.permissions import Role
from seedtrust.domain.identity import second_factor
from seedtrust.domain.identity.states import UserKind
from seedtrust.settings import Settings
from tests.factories.identity import Person
from tests.support.doors import ApiClient, Browser, person_in


@pytest.fixture
def lead(app: Flask) -> Person:
    return person_in(app, Role.PAYMENTS_LEAD)


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)


def test_password_and_code_open_the_staff_pages(browser: Browser, lead: Person) -> None:
    asked = browser.submit("/admin/sign-in", {"email": lead.email, "password": lead.password})
    assert (asked.status_code, asked.location) == (303, "/admin/sign-in/code")
    opened = browser.submit("/admin/sign-in/code", {"code": browser.next_code(lead)})
    assert (opened.status_code, opened.location) == (303, "/admin/")
    assert lead.name in browser.get("/admin/account").text


def test_addresses_are_not_told_apart_by_case(browser: Browser, lead: Person) -> None:
    asked = browser.submit(
        "/admin/sign-in", {"email": lead.email.upper(), "password": lead.password}
    )
    assert asked.location == "/admin/sign-in/code"


def test_a_password_alone_opens_nothing(browser: Browser, lead: Person) -> None:
    browser.submit("/admin/sign-in", {"email": lead.email, "password": lead.password})
    refused = browser.get("/admin/account")
    assert (refused.status_code, refused.location) == (
        303,
        "/admin/sign-in?next=/admin/account",
    )


@pytest.mark.parametrize(
    "email,password",
    [
        ("nobody@example.com", "lantern orchard velvet"),
        ("not an address", "lantern orchard velvet"),
        (None, "another orchard velvet"),
    ],
)
def test_wrong_address_and_wrong_password_look_the_same(
    browser: Browser, lead: Person, email: str | None, password: str
) -> None:
    refused = browser.submit("/admin/sign-in", {"email": email or lead.email, "password": password})
    assert refused.status_code == 422
    assert "E-mail address or password is not right" in refused.text


def test_an_empty_form_names_its_fields(browser: Browser) -> None:
    refused = browser.submit("/admin/sign-in", {})
    assert refused.status_code == 422
    assert "Enter your e-mail address." in refused.text
    assert "Enter your password." in refused.text


def test_people_outside_are_led_to_their_app(app: Flask, browser: Browser) -> None:
    surrogate = person_in(app, Role.SURROGATE)
    refused = browser.submit(
        "/admin/sign-in", {"email": surrogate.email, "password": surrogate.password}
    )
    assert refused.status_code == 422
    assert "Use the app you were invited to" in refused.text


def test_a_wrong_code_is_refused_and_a_right_one_then_works(browser: Browser, lead: Person) -> None:
    browser.submit("/admin/sign-in", {"email": lead.email, "password": lead.password})
    code = browser.next_code(lead)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    refused = browser.submit("/admin/sign-in/code", {"code": wrong})
    assert refused.status_code == 422
    assert "This code is not right" in refused.text
    assert browser.submit("/admin/sign-in/code", {"code": code}).status_code == 303


def test_a_code_works_once(app: Flask, lead: Person) -> None:
    first, second = Browser(app), Browser(app)
    for browser in (first, second):
        browser.submit("/admin/sign-in", {"email": lead.email, "password": lead.password})
    code = first.next_code(lead)
    assert first.submit("/admin/sign-in/code", {"code": code}).status_code == 303
    again = second.submit("/admin/sign-in/code", {"code": code})
    assert again.status_code == 422
    assert "was used already" in again.text


def test_guessing_is_slowed_down_and_the_wait_ends_by_itself(
    browser: Browser, lead: Person, clock: FixedClock
) -> None:
    for _ in range(5):
        browser.submit("/admin/sign-in", {"email": lead.email, "password": "wrong wrong wrong"})
    slowed = browser.submit("/admin/sign-in", {"email": lead.email, "password": lead.password})
    assert slowed.status_code == 303
    assert "Too many attempts did not work" in browser.get("/admin/sign-in").text
    clock.advance(timedelta(seconds=3))
    open_again = browser.submit("/admin/sign-in", {"email": lead.email, "password": lead.password})
    assert open_again.location == "/admin/sign-in/code"


def test_signing_in_gives_a_new_cookie_and_the_old_one_is_dead(
    app: Flask, browser: Browser, lead: Person
) -> None:
    browser.submit("/admin/sign-in", {"email": lead.email, "password": lead.password})
    before = browser.client.get_cookie("seedtrust")
    assert before is not None
    browser.submit("/admin/sign-in/code", {"code": browser.next_code(lead)})
    after = browser.client.get_cookie("seedtrust")
    assert after is not None
    assert before.value != after.value
    thief = app.test_client()
    thief.set_cookie("seedtrust", before.value)
    assert thief.get("/admin/account").status_code == 303


def test_the_cookie_cannot_be_read_by_scripts_or_sent_by_other_sites(
    browser: Browser, lead: Person
) -> None:
    answer = browser.sign_in(lead)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_where_the_visitor_wanted_to_go_is_kept_over_both_steps(
    browser: Browser, lead: Person
) -> None:
    browser.get("/admin/sign-in?next=/admin/people?kind=staff")
    assert browser.sign_in(lead).location == "/admin/people?kind=staff"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "/\t/evil.example",
        "%2F%2Fevil.example",
        "https://localhost@evil.example/",
    ],
)
def test_nobody_is_led_to_another_site(browser: Browser, lead: Person, wanted: str) -> None:
    browser.get("/admin/sign-in", query_string={"next": wanted})
    assert browser.sign_in(lead).location == "/admin/"


def test_an_idle_session_ends(browser: Browser, lead: Person, clock: FixedClock) -> None:
    browser.sign_in(lead)
    clock.advance(timedelta(seconds=899))
    assert browser.get("/admin/account").status_code == 200
    clock.advance(timedelta(seconds=899))
    assert browser.get("/admin/account").status_code == 200
    clock.advance(timedelta(seconds=901))
    ended = browser.get("/admin/account")
    assert ended.status_code == 303
    assert "was not used for a while" in browser.get(ended.location).text


def test_a_busy_session_ends_after_twelve_hours(
    browser: Browser, lead: Person, clock: FixedClock
) -> None:
    browser.sign_in(lead)
    answers = []
    for _ in range(12 * 6 + 1):
        clock.advance(timedelta(minutes=10))
        answers.append(browser.get("/admin/account").status_code)
    assert answers[:-2] == [200] * (len(answers) - 2)
    assert answers[-1] == 303


def test_signing_out_ends_the_session_itself(app: Flask, browser: Browser, lead: Person) -> None:
    browser.sign_in(lead)
    cookie = browser.client.get_cookie("seedtrust")
    assert cookie is not None
    assert browser.submit("/admin/sign-out", page="/admin/account").location == "/admin/sign-in"
    thief = app.test_client()
    thief.set_cookie("seedtrust", cookie.value)
    assert thief.get("/admin/account").status_code == 303


def test_signing_out_everywhere_ends_both_doors(app: Flask, browser: Browser, lead: Person) -> None:
    other, program = Browser(app), ApiClient(app)
    for door in (browser, other, program):
        door.sign_in(lead)
    assert browser.submit("/admin/account/sessions/end", page="/admin/account").status_code == 303
    assert other.get("/admin/account").status_code == 303
    refused = program.get("/me")
    assert refused.status_code == 401
    assert (refused.get_json()["code"], refused.get_json()["reason"]) == (
        "session_ended",
        "revoked",
    )


def test_one_session_can_be_ended_from_another(app: Flask, lead: Person) -> None:
    here, there = Browser(app), Browser(app)
    there.sign_in(lead)
    here.sign_in(lead)
    page = here.get("/admin/account").text
    assert "This session" in page
    path = re.search(r'action="(/admin/account/sessions/[A-Z2-7]{15}/end)"', page)
    assert path is not None
    assert here.submit(path[1], page="/admin/account").status_code == 303
    assert there.get("/admin/account").status_code == 303
    assert here.get("/admin/account").status_code == 200


def test_staff_without_an_app_can_only_set_one_up(app: Flask, browser: Browser) -> None:
    newcomer = person_in(app, Role.AUDITOR, seed=None)
    asked = browser.submit(
        "/admin/sign-in", {"email": newcomer.email, "password": newcomer.password}
    )
    assert asked.location == "/admin/sign-in/enrol"
    assert browser.get("/admin/account").status_code == 303
    page = browser.get("/admin/sign-in/enrol").text
    assert "<svg" in page
    found = re.search(r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})", page)
    assert found is not None
    seed = found[1].replace(" ", "")
    code = second_factor.code_at(seed, browser.clock.now())
    assert browser.submit("/admin/sign-in/enrol", {"code": code}).location == "/admin/"
    assert browser.get("/admin/account").status_code == 200


def test_a_step_up_asks_for_a_code_of_its_own(browser: Browser, lead: Person) -> None:
    browser.submit("/admin/sign-in", {"email": lead.email, "password": lead.password})
    code = browser.next_code(lead)
    browser.submit("/admin/sign-in/code", {"code": code})
    browser.get("/admin/confirm?next=/admin/people")
    again = browser.submit("/admin/confirm", {"code": code})
    assert again.status_code == 422
    assert "was used already" in again.text
    before = browser.client.get_cookie("seedtrust")
    confirmed = browser.submit("/admin/confirm", {"code": browser.next_code(lead)})
    after = browser.client.get_cookie("seedtrust")
    assert confirmed.location == "/admin/people"
    assert before is not None
    assert after is not None
    assert before.value != after.value


def test_a_bearer_token_opens_no_page(app: Flask, lead: Person) -> None:
    program = ApiClient(app)
    program.sign_in(lead)
    refused = app.test_client().get(
        "/admin/account", headers={"Authorization": f"Bearer {program.access_token}"}
    )
    assert refused.status_code == 303


@pytest.mark.parametrize("kind", [UserKind.STAFF, UserKind.PARTY])
def test_pages_of_the_way_in_have_one_heading(app: Flask, kind: UserKind) -> None:
    person = person_in(app, kind=kind)
    browser = Browser(app)
    browser.submit("/admin/sign-in", {"email": person.email, "password": person.password})
    for path in ("/admin/sign-in", "/admin/sign-in/code", "/admin/welcome"):
        page = browser.get(path)
        assert page.text.count("<h1") == 1 or page.status_code == 303


def test_over_tls_the_cookie_is_bound_to_this_host(settings: Settings, clock: FixedClock) -> None:
    from seedtrust.app import create_app

    app = create_app(settings.model_copy(update={"cookie_secure": True}), clock=clock)
    cookie = app.test_client().get("/admin/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("__Host-seedtrust=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    "proxies,forwarded,shown",
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "203.0.113.9, 10.0.0.1", "203.0.113.9"),
    ],
)
def test_only_trusted_proxies_name_the_address(
    settings: Settings, clock: FixedClock, proxies: int, forwarded: str, shown: str
) -> None:
    from seedtrust.app import create_app

    app = create_app(settings.model_copy(update={"trusted_proxies": proxies}), clock=clock)
    browser = Browser(app)
    browser.client.environ_base["HTTP_X_FORWARDED_FOR"] = forwarded
    browser.sign_in(person_in(app, Role.AUDITOR))
    assert shown in browser.get("/admin/account").text
