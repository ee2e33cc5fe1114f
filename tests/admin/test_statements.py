"""The bank's statements and the proof through the staff's pages."""

from __future__ import annotations

from datetime import date, timedelta

from seedtrust.core.permissions import Actor
from seedtrust.domain.reconciliation.service import import_statement
from seedtrust.domain.reconciliation.signing import take_stock
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


def reconciled(desk: DeskWorld) -> str:
    """Have the night take stock of a day with a line that belongs to nothing known."""
    imported(desk, date(2026, 1, 22), 2_850_000, Line(125, text="Nobody's"))
    moment, account = desk.api.moment(), desk.api.world.case.trust_account_id
    return desk.api.do(
        lambda session: (
            take_stock(
                session,
                Actor.system("tests"),
                trust_account_id=account,
                on=date(2026, 1, 22),
                moment=moment,
            ).reference
        )
    )


def hash_on(page: str) -> str:
    """Return the hash of the figures that a page shows."""
    return page.split('name="content_hash"')[1].split('value="')[1].split('"', maxsplit=1)[0]


def test_two_people_sign_a_day_on_its_page(desk: DeskWorld) -> None:
    reference = reconciled(desk)
    page = f"/admin/reconciliation/{reference}"
    builder, lead = desk.browser(desk.builder), desk.of("payments_lead")
    seen = builder.get(page).text
    assert "Statement line without a match" in seen
    form = {"content_hash": hash_on(seen), "note": ""}
    refused = builder.submit(f"{page}/prepare", form, page=page)
    assert refused.status_code == 422
    assert "Say where the difference comes from" in refused.text
    form["note"] = "The bank books 1.25 in error; Chen asks."
    assert builder.submit(f"{page}/prepare", form, page=page).status_code == 303
    reviewed = {"content_hash": hash_on(lead.get(page).text)}
    assert lead.submit(f"{page}/review", reviewed, page=page).status_code == 303
    assert lead.submit(f"{page}/lock", {}, page=page).status_code == 303
    done = desk.of("auditor").get(page).text
    assert "Locked" in done
    assert "The bank books 1.25 in error" in done
    listed = desk.of("auditor").get("/admin/reconciliation").text
    assert f"/admin/reconciliation/{reference}" in listed
    assert "reviewed by" in listed


def test_a_figure_of_a_day_opens_what_is_behind_it(desk: DeskWorld) -> None:
    page = f"/admin/reconciliation/{reconciled(desk)}"
    auditor = desk.of("auditor")
    assert f"{page}/behind/case" in auditor.get(page).text
    assert "28,500.00" in auditor.get(f"{page}/behind/case").text
    assert "Latest lines" in auditor.get(f"{page}/behind/bank_cash").text
    assert auditor.get(f"{page}/behind/nothing").status_code == 404
    assert auditor.get(f"{page}/behind/fee_income").status_code == 404


def test_a_day_is_chosen_before_today_and_an_account_that_exists(desk: DeskWorld) -> None:
    builder = desk.browser(desk.builder)
    account = builder.get("/admin/reconciliation").text.split('id="start-account"')[1]
    reference = account.split('value="')[1].split('"')[0]
    for account_ref, on, sentence in (
        (reference, "2030-01-01", "Choose a day before today"),
        (reference, "soon", "Choose a day before today"),
        ("NOBODYS", "2026-01-21", "Choose one of the trust accounts"),
    ):
        refused = builder.submit("/admin/reconciliation", {"account": account_ref, "on": on})
        assert refused.status_code == 422
        assert sentence in refused.text
        assert f'value="{on}"' in refused.text
    taken = builder.submit("/admin/reconciliation", {"account": reference, "on": "2026-01-21"})
    assert "/admin/reconciliation/" in taken.location
    assert "The bank has not reported this day" in builder.get(taken.location).text


def test_the_history_of_days_is_a_file_as_well(desk: DeskWorld) -> None:
    reconciled(desk)
    found = desk.of("auditor").get("/admin/reconciliation?format=csv")
    assert found.text.splitlines()[0].startswith("Day,Account,Version,Status")
    assert "2026-01-22" in found.text


def test_a_person_matches_a_line_and_undoes_it_with_a_reason(desk: DeskWorld) -> None:
    first, second = desk.stray_deposit(150_000, 1), desk.stray_deposit(150_000, 2)
    on = desk.api.moment().today
    page = f"/admin/statements/{imported(desk, on, 2_850_000, Line(150_000, text='Wire'))}/lines/1"
    builder = desk.browser(desk.builder)
    seen = builder.get(page).text
    assert f"deposit:{first}" in seen
    assert f"deposit:{second}" in seen
    wrong = builder.submit(f"{page}/match", {"candidate": "deposit:NOBODYS"}, page=page)
    assert (wrong.status_code, "Choose one of the candidates" in wrong.text) == (422, True)
    chosen = builder.submit(f"{page}/match", {"candidate": f"deposit:{second}"}, page=page)
    assert chosen.status_code == 303
    assert f"/admin/deposits/{second}" in builder.get(page).text
    silent = builder.submit(f"{page}/undo", {"reason": " "}, page=page)
    assert (silent.status_code, "Say why the match is wrong" in silent.text) == (422, True)
    undone = builder.submit(f"{page}/undo", {"reason": "The other wire"}, page=page)
    assert undone.status_code == 303
    assert f"deposit:{first}" in builder.get(page).text
    assert desk.of("auditor").get(f"{page[:-1]}9").status_code == 404
    assert f"{page}/match" not in desk.of("auditor").get(page).text


def test_reconciled_days_come_in_pages(desk: DeskWorld) -> None:
    moment, account = desk.api.moment(), desk.api.world.case.trust_account_id
    for number in range(27):
        on = date(2026, 1, 1) + timedelta(days=number)
        desk.api.do(
            lambda session, day=on: take_stock(  # type: ignore[misc]
                session, Actor.system("tests"), trust_account_id=account, on=day, moment=moment
            )
        )
    auditor = desk.of("auditor")
    first, second = (auditor.get(f"/admin/reconciliation?page={n}").text for n in (1, 2))
    assert "1–25 of 27 days" in " ".join(first.split())
    assert first.count('href="/admin/reconciliation/') == 25
    assert second.count('href="/admin/reconciliation/') == 2
    assert len(auditor.get("/admin/reconciliation?format=csv").text.splitlines()) == 28
