"""Deciding how a case is paid, on its page."""

from __future__ import annotations

from tests.factories.desk_world import DeskWorld


def test_a_lead_sees_why_and_cannot_change_it_after_the_first_cent(desk: DeskWorld) -> None:
    page = f"/admin/cases/{desk.case}/rail"
    lead = desk.of("payments_lead")
    text = lead.get(page).text
    assert "NACHA files" in text
    assert "Money has moved on this case, so its rail stays as it is." in text
    refused = lead.submit(
        page, {"rail": "nacha", "reason": "As before."}, page=f"/admin/cases/{desk.case}"
    )
    assert refused.status_code == 409
    assert "As before." in refused.text or "rail stays as it is" in refused.text
    assert desk.of("auditor").get(page).status_code == 403
