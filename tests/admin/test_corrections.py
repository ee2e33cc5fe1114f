"""Correcting a milestone through the staff's pages: propose, look, accept or reject."""

from __future__ import annotations

from tests.factories.desk_world import DeskWorld

CODE = "agreement_executed"


def _propose(desk: DeskWorld, day: str = "2026-02-17") -> str:
    """Propose another day for the signed agreement; return the correction's page."""
    page = f"/admin/cases/{desk.case}/milestones/{CODE}/correct"
    made = desk.of("specialist").submit(page, {"occurred_on": day, "reason": "As on the paper"})
    assert made.status_code == 303, made.text
    return made.location


def test_a_correction_is_proposed_by_one_and_accepted_by_another(desk: DeskWorld) -> None:
    schedule = f"/admin/cases/{desk.case}/schedule"
    assert f"/milestones/{CODE}/correct" in desk.of("specialist").get(schedule).text
    page = _propose(desk)
    proposer, legal = desk.of("specialist"), desk.of("legal")
    seen = proposer.get(page).text
    assert "As on the paper" in seen
    assert "/accept" not in seen
    assert "Take it back" in seen
    assert proposer.submit(f"{page}/accept", page=page).status_code == 403
    assert "/accept" in legal.get(page).text
    assert legal.submit(f"{page}/accept", page=page).status_code == 303
    assert "The milestone and the payments have their new days." in legal.get(page).text
    assert "Corrections of milestones" in legal.get(schedule).text


def test_rejecting_needs_a_reason_and_moves_nothing(desk: DeskWorld) -> None:
    page, legal = _propose(desk), desk.of("legal")
    assert legal.submit(f"{page}/reject", {"reject-reason": ""}, page=page).status_code == 422
    legal.submit(f"{page}/reject", {"reject-reason": "The paper says the 18th."}, page=page)
    assert "The paper says the 18th." in legal.get(page).text


def test_a_day_that_cannot_be_stays_in_its_field_with_what_was_typed(desk: DeskWorld) -> None:
    page = f"/admin/cases/{desk.case}/milestones/{CODE}/correct"
    specialist = desk.of("specialist")
    for day in ("", "2099-01-01", "soon"):
        answer = specialist.submit(page, {"occurred_on": day, "reason": "Kept words"})
        assert answer.status_code == 422, day
        assert "Kept words" in answer.text
    missing = f"/admin/cases/{desk.case}/milestones/delivered/correct"
    assert specialist.get(missing).status_code == 404
    assert desk.of("auditor").get(page).status_code == 403
