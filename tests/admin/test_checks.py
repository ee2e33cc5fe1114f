"""The check register through the staff's pages."""

from __future__ import annotations

from tests.factories.desk_world import DeskWorld
from tests.support.queries import MOST, counted

ADDRESS = "12 Elm Street, Dover DE 19901"


def test_a_check_is_prepared_issued_and_stopped_by_two_people(desk: DeskWorld) -> None:
    builder, lead = desk.browser(desk.builder), desk.of("payments_lead")
    request = f"/admin/requests/{desk.ready(5_000)}"
    assert "Pay it by check" in builder.get(request).text
    new = f"{request}/check"
    empty = builder.submit(new, {"mail_to": ""}, page=new)
    assert empty.status_code == 422
    made = builder.submit(new, {"mail_to": ADDRESS}, page=new)
    assert made.status_code == 303
    page = made.location or ""
    assert "Issue it" not in builder.get(page).text
    assert builder.get(f"{page}/issue").status_code == 403
    issue = f"{page}/issue"
    lead.step_up(desk.api.logins["payments_lead"])
    assert lead.submit(issue, {}, page=issue).status_code == 303
    seen = lead.get(page).text
    assert "1001" in seen
    assert ADDRESS in seen
    assert "1001" in lead.get("/admin/checks?state=ISSUED").text
    stop = f"{page}/stop"
    assert builder.submit(stop, {"reason": ""}, page=stop).status_code == 422
    assert builder.submit(stop, {"reason": "Lost"}, page=stop).status_code == 303
    keep = f"{page}/keep"
    assert lead.submit(keep, {}, page=keep).status_code == 303
    assert builder.submit(stop, {"reason": "Lost again"}, page=stop).status_code == 303
    confirm = f"{page}/confirm-stop"
    assert lead.submit(confirm, {}, page=confirm).status_code == 303
    assert "Stopped" in builder.get(page).text
    assert "Pay it by check" in builder.get(request).text


def test_a_check_is_given_up_or_made_void(desk: DeskWorld) -> None:
    builder, lead = desk.browser(desk.builder), desk.of("payments_lead")
    new = f"/admin/requests/{desk.ready(5_000)}/check"
    page = builder.submit(new, {"mail_to": ADDRESS}, page=new).location or ""
    cancel = f"{page}/cancel"
    assert builder.submit(cancel, {"reason": "By bank"}, page=cancel).status_code == 303
    assert "Not issued" in builder.get(page).text
    page = builder.submit(new, {"mail_to": ADDRESS}, page=new).location or ""
    issue, void = f"{page}/issue", f"{page}/void"
    lead.step_up(desk.api.logins["payments_lead"])
    assert lead.submit(issue, {}, page=issue).status_code == 303
    controller = desk.of("controller")
    controller.step_up(desk.api.logins["controller"])
    assert controller.submit(void, {"reason": "Spoiled"}, page=void).status_code == 303
    assert "Spoiled" in controller.get(page).text


def test_the_register_asks_little_of_the_database(desk: DeskWorld) -> None:
    auditor = desk.of("auditor")
    auditor.get("/admin/checks")
    with counted(desk.app) as asked:
        assert auditor.get("/admin/checks").status_code == 200
    assert len(asked) <= MOST
