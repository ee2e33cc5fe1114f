"""What somebody typed into a form of the staff's pages survives every refusal."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest
from flask import Flask

from seedtrust.web.guard import Door, route_table
from tests.factories.desk_world import DeskWorld
from tests.support.doors import Browser

# Passwords and codes are typed anew each time; an address stays, as the verb returns its refusal.
SECRETS: Final = {"sign_in", "sign_in_code", "enrol", "step_up", "welcome"}
_MAKES_A_FORM: Final = re.compile(r"\b\w*Form\(")
# An act on its own page is shown again by the function that does it, rehearsed first or not.
_SHOWN_AGAIN: Final = re.compile(r"\b(?:show_again|rehearsed|act_on)\(")


@dataclass(frozen=True)
class Typed:
    """A form that a verb refuses: who sends it where, and what must stand on the answer."""

    browser: Browser
    path: str
    form: dict[str, str]
    kept: list[str]
    page: str | None = None
    status: int = 409


def new_request(desk: DeskWorld) -> Typed:
    form = {
        "category": "mileage",
        "payee": desk.api.payees["carrier"].reference,
        "amount_cents": "42.50",
        "description": "Parking at the clinic",
        "pay_on": "2026-03-02",
    }
    browser, path = desk.of("specialist"), f"/admin/requests/new?case={desk.case}"
    assert browser.submit(path, form).status_code == 303
    kept = [f'value="{text}"' for key, text in form.items() if key not in {"category", "payee"}]
    chosen = [f'<option selected value="{form[key]}">' for key in ("category", "payee")]
    return Typed(browser, path, form, kept + chosen)


def accepted_in_part(desk: DeskWorld) -> Typed:
    path, browser = f"/admin/requests/{desk.request(20_000)}", desk.of("second")
    version = re.search(r'name="accept-version"[^>]*value="(\d+)"', browser.get(path).text)
    assert version is not None
    form = {"accept-amount_cents": "150.00", "accept-version": version[1]}
    return Typed(browser, f"{path}/accept", form, ['value="150.00"'], path, 422)


def bank_details(desk: DeskWorld) -> Typed:
    path = f"/admin/payees/{desk.api.payees['attorney'].reference}/account"
    form = {
        "holder_name": "Victor Brandt",
        "bank_name": "Charles River Savings",
        "account_type": "savings",
        "routing_number": "011234507",
        "account_number": "8800442211",
    }
    return Typed(desk.of("specialist"), path, form, ['value="Victor Brandt"'], status=422)


def role_that_does_not_go_together(desk: DeskWorld) -> Typed:
    page = f"/admin/people/{desk.builder.reference}"
    kept = ['<option selected value="controller">']
    return Typed(desk.of("legal"), f"{page}/roles", {"role": "controller"}, kept, page)


def invited_twice(desk: DeskWorld) -> Typed:
    form = {
        "display_name": "Dana Example",
        "email": desk.builder.email,
        "kind": "party",
        "role": "donor",
    }
    kept = ['value="Dana Example"', f'value="{desk.builder.email}"']
    return Typed(desk.browser(desk.it), "/admin/people/invite", form, kept)


def role_taken_twice(desk: DeskWorld) -> Typed:
    path = f"/admin/people/{desk.builder.reference}/roles/auditor/revoke"
    reason = {"reason": "Has moved to another team"}
    return Typed(desk.of("legal"), path, reason, ["Has moved to another team</textarea>"])


def account_closed_by_its_owner(desk: DeskWorld) -> Typed:
    path = f"/admin/people/{desk.it.reference}/close"
    reason = {"reason": "Leaves in May"}
    return Typed(desk.browser(desk.it), path, reason, ["Leaves in May</textarea>"])


def run_opened_twice(desk: DeskWorld) -> Typed:
    path, browser = f"/admin/runs/{desk.locked_run()}/reopen", desk.browser(desk.builder)
    assert browser.submit(path, {"reason": "A payee called."}).status_code == 303
    reason = {"reason": "Another payee called."}
    return Typed(browser, path, reason, ["Another payee called.</textarea>"])


def run_cancelled_twice(desk: DeskWorld) -> Typed:
    path, browser = f"/admin/runs/{desk.locked_run()}/cancel", desk.browser(desk.builder)
    assert browser.submit(path, {"reason": "Tomorrow."}).status_code == 303
    reason = {"reason": "Really tomorrow."}
    return Typed(browser, path, reason, ["Really tomorrow.</textarea>"])


def payment_out_of_a_locked_run(desk: DeskWorld) -> Typed:
    run, browser = f"/admin/runs/{desk.locked_run()}", desk.browser(desk.builder)
    browser.submit(f"{run}/reopen", {"reason": "One is wrong."})
    removal = re.search(rf"{run}/remove/[A-Z0-9]+", browser.get(run).text)
    assert removal is not None
    browser.submit(f"{run}/lock", page=run)
    reason = {"reason": "The receipt is missing."}
    return Typed(browser, removal[0], reason, ["The receipt is missing.</textarea>"])


REFUSED: Final[tuple[Callable[[DeskWorld], Typed], ...]] = (
    new_request,
    accepted_in_part,
    bank_details,
    role_that_does_not_go_together,
    invited_twice,
    role_taken_twice,
    account_closed_by_its_owner,
    run_opened_twice,
    run_cancelled_twice,
    payment_out_of_a_locked_run,
)


@pytest.mark.parametrize("refused", REFUSED, ids=lambda made: made.__name__)
def test_a_refusal_keeps_what_was_typed(
    desk: DeskWorld, refused: Callable[[DeskWorld], Typed]
) -> None:
    typed = refused(desk)
    answer = typed.browser.submit(typed.path, typed.form, page=typed.page)
    assert answer.status_code == typed.status, answer.text
    assert [text for text in typed.kept if text not in answer.text] == []
    assert 'class="notice tone-bad"' in answer.text


def test_every_form_of_the_staff_is_shown_again_when_a_verb_refuses_it(app: Flask) -> None:
    forgetful = set()
    for route in route_table(app):
        name = route.endpoint.removeprefix("admin.")
        if route.door is not Door.ADMIN or "POST" not in route.methods or name in SECRETS:
            continue
        source = inspect.getsource(inspect.unwrap(app.view_functions[route.endpoint]))
        if _MAKES_A_FORM.search(source) and not _SHOWN_AGAIN.search(source):
            forgetful.add(name)
    assert forgetful == set()
