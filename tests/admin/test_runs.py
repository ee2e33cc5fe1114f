"""Building, locking and releasing payment runs through the staff's pages."""

from __future__ import annotations

import re

from tests.factories.desk_world import DeskWorld


def hash_on(text: str) -> str:
    """Return the content that the form of release is bound to."""
    found = re.search(r'name="content_hash" value="([0-9a-f]{64})"', text)
    assert found is not None
    return found[1]


def test_one_builds_and_another_releases_with_a_fresh_code(desk: DeskWorld) -> None:
    desk.activate_account()
    desk.ready(12_000)
    builder, lead = desk.browser(desk.builder), desk.of("payments_lead")
    account = str(desk.api.world.case.trust_account_id)
    built = builder.submit("/admin/runs/build", {"account": account, "rail": "ach"})
    assert built.status_code == 303
    run = built.location
    assert "$120.00" in builder.get(run).text
    builder.submit(f"{run}/lock", page=run)
    assert "Another person has to release it now." in builder.get(run).text
    release = f"{run}/release"
    assert "Enter a code" in lead.get(release).text
    lead.step_up(desk.api.logins["payments_lead"])
    shown = lead.get(release)
    assert "First payment" in shown.text
    told = lead.submit(release, {"content_hash": hash_on(shown.text)})
    assert (told.status_code, told.location) == (303, run)
    assert "on its way to the bank" in lead.get(run).text


def test_without_a_fresh_code_a_release_leads_to_the_confirmation(desk: DeskWorld) -> None:
    release = f"/admin/runs/{desk.locked_run()}/release"
    refused = desk.of("controller").submit(release, {"content_hash": "0" * 64})
    assert refused.status_code == 303
    assert refused.location.startswith("/admin/confirm?next=")


def test_a_release_of_something_else_than_was_shown_is_refused(desk: DeskWorld) -> None:
    release = f"/admin/runs/{desk.locked_run()}/release"
    lead = desk.of("payments_lead")
    lead.step_up(desk.api.logins["payments_lead"])
    lead.submit(release, {"content_hash": "0" * 64})
    assert "is not the one you looked at" in lead.get(release).text


def test_what_cannot_be_paid_stands_on_the_list_with_its_reason(desk: DeskWorld) -> None:
    desk.ready()
    builder = desk.browser(desk.builder)
    account = str(desk.api.world.case.trust_account_id)
    run = builder.submit("/admin/runs/build", {"account": account, "rail": "ach"}).location
    seen = builder.get(run).text
    assert "Left out" in seen
    assert "account" in seen
    assert "Nothing is in this run" in seen


def test_nothing_due_makes_no_run(desk: DeskWorld) -> None:
    builder = desk.browser(desk.builder)
    account = str(desk.api.world.case.trust_account_id)
    answer = builder.submit("/admin/runs/build", {"account": account, "rail": "wire"})
    assert answer.location == "/admin/runs/build"
    assert "Nothing is due by Wire" in builder.get("/admin/runs/build").text


def test_opening_again_and_cancelling_show_what_they_do_and_need_a_reason(
    desk: DeskWorld,
) -> None:
    run = f"/admin/runs/{desk.locked_run()}"
    builder = desk.browser(desk.builder)
    assert "may change again" in builder.get(f"{run}/reopen").text
    assert builder.submit(f"{run}/reopen", {"reason": ""}).status_code == 422
    builder.submit(f"{run}/reopen", {"reason": "A payee called."})
    assert "The run is open again." in builder.get(run).text
    builder.submit(f"{run}/cancel", {"reason": "Tomorrow."})
    assert "reserved for the next one" in builder.get(run).text


def test_a_payment_is_taken_out_of_an_open_run_with_a_reason(desk: DeskWorld) -> None:
    run = f"/admin/runs/{desk.locked_run(payments=2)}"
    builder = desk.browser(desk.builder)
    builder.submit(f"{run}/reopen", {"reason": "One is wrong."})
    removal = re.search(rf"{run}/remove/[A-Z0-9]+", builder.get(run).text)
    assert removal is not None
    assert "stays reserved" in builder.get(removal[0]).text
    told = builder.submit(removal[0], {"reason": "The receipt is missing."})
    assert told.status_code == 303
    assert "The payment is out of the run." in builder.get(run).text


def test_roles_decide_who_builds_releases_and_downloads(desk: DeskWorld) -> None:
    run = f"/admin/runs/{desk.locked_run()}"
    auditor, builder = desk.of("auditor"), desk.browser(desk.builder)
    assert auditor.get("/admin/runs/build").status_code == 403
    assert builder.get(f"{run}/release").status_code == 403
    assert auditor.get("/admin/runs/files/NOSUCHFILE").status_code == 403
    assert desk.of("payments_lead").get("/admin/runs/files/NOSUCHFILE").status_code == 404
