"""The bank's statements and the proof through the staff's pages."""

from __future__ import annotations

from datetime import date

from seedtrust.core.permissions import Actor
from seedtrust.domain.reconciliation.service import import_statement
from tests.factories.desk_world import DeskWorld
from tests.factories.statements import Line, statement


def imported(desk: DeskWorld, on: date, opening_cents: int, line: Line) -> str:
    """Import a statement of one day with one line."""
    data = statement(on, opening_cents, line)
    moment = desk.api.moment()
    found = desk.api.do(
        lambda session: import_statement(
            session, Actor.system("tests"), file_name="prior.bai", data=data, moment=moment
        )
    )
    return found[0].reference


def test_a_statement_shows_what_each_line_belongs_to(desk: DeskWorld) -> None:
    desk.stray_deposit(150_000)
    line = Line(150_000, bank_reference="stray-1", text="Wire in")
    reference = imported(desk, date(2026, 2, 19), 2_850_000, line)
    auditor = desk.of("auditor")
    assert "All matched" in auditor.get("/admin/statements").text
    seen = auditor.get(f"/admin/statements/{reference}").text
    assert "Wire in" in seen
    assert "/admin/deposits/" in seen
    assert "by bank reference and amount" in seen


def test_the_proof_names_its_day_and_its_source(desk: DeskWorld) -> None:
    imported(desk, date(2026, 1, 22), 0, Line(2_850_000, text="Wire in"))
    seen = desk.of("auditor").get("/admin/statements/proof").text
    assert "Jan 22, 2026" in seen
    assert "Agrees" in seen
    early = desk.of("auditor").get("/admin/statements/proof?on=2026-01-10").text
    assert "No statement of the bank has come" in early
