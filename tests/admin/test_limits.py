"""The limit of first payments through the staff's pages."""

from __future__ import annotations

from tests.factories.desk_world import DeskWorld


def test_a_lead_proposes_and_a_controller_decides(desk: DeskWorld) -> None:
    lead, controller, page = desk.of("payments_lead"), desk.of("controller"), "/admin/limits"
    listed = lead.get(page).text
    assert "7,500.00" in listed
    address = listed.split('href="/admin/limits/')[1].split('"')[0]
    form = f"{page}/{address}"
    refused = lead.submit(form, {"limit_cents": "12,000.00", "reason": ""})
    assert refused.status_code == 422
    assert "Say why" in refused.text
    assert 'value="12,000.00"' in refused.text
    assert lead.submit(form, {"limit_cents": "12,000.00", "reason": "Lump sum"}).location == page
    assert ">Approve<" not in lead.get(page).text
    again = lead.submit(form, {"limit_cents": "13,000.00", "reason": "Lump sum"})
    assert again.status_code == 409
    seen = controller.get(page).text
    change = seen.split('action="/admin/limits/changes/')[1].split("/")[0]
    assert lead.submit(f"{page}/changes/{change}/approve", {}, page=page).status_code == 403
    assert controller.submit(f"{page}/changes/{change}/approve", {}, page=page).location == page
    seen = controller.get(page).text
    assert "In force" in seen
    assert "12,000.00" in seen


def test_a_proposal_is_turned_down(desk: DeskWorld) -> None:
    lead, controller, page = desk.of("payments_lead"), desk.of("controller"), "/admin/limits"
    address = lead.get(page).text.split('href="/admin/limits/')[1].split('"')[0]
    lead.submit(f"{page}/{address}", {"limit_cents": "", "reason": "No need for it"})
    seen = controller.get(page).text
    assert "no limit" in seen
    change = seen.split('action="/admin/limits/changes/')[1].split("/")[0]
    controller.submit(f"{page}/changes/{change}/refuse", {}, page=page)
    assert "Turned down" in controller.get(page).text
