"""Search in the top bar: by number, reference, name and alias, within reach."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from seedtrust.domain.cases.models import CaseParty
from seedtrust.domain.payments.models import PaymentInstruction
from tests.factories.desk_world import DeskWorld
from tests.support.queries import MOST, counted


def test_a_whole_number_or_reference_leads_straight_to_its_page(desk: DeskWorld) -> None:
    run, auditor = desk.locked_run(), desk.of("auditor")
    request = desk.request(4_321)
    deposit = desk.stray_deposit()
    payment = desk.api.do(
        lambda session: session.execute(select(PaymentInstruction.reference)).scalar_one()
    )
    for text, page in (
        (str(desk.api.world.case.number), f"/admin/cases/{desk.case}"),
        (desk.case.lower(), f"/admin/cases/{desk.case}"),
        (request, f"/admin/requests/{request}"),
        (run, f"/admin/runs/{run}"),
        (payment, f"/admin/payments/{payment}"),
        (deposit, f"/admin/deposits/{deposit}"),
        (desk.api.payees["firm"].reference, f"/admin/payees/{desk.api.payees['firm'].reference}"),
    ):
        answer = auditor.get(f"/admin/search?q={text}")
        assert (answer.status_code, answer.location) == (303, page), text
        assert auditor.get(f"/admin/search?q={text}&all=1").status_code == 200


def test_names_and_aliases_find_cases_and_payees_in_groups(desk: DeskWorld) -> None:
    alias = desk.api.do(
        lambda session: session.execute(
            select(CaseParty.alias).where(CaseParty.name == "Delphine Quarles")
        ).scalar_one()
    )
    auditor = desk.of("auditor")
    by_alias = auditor.get(f"/admin/search?q={alias}").text
    assert f"/admin/cases/{desk.case}" in by_alias
    by_name = auditor.get("/admin/search?q=quarles").text
    assert f"/admin/cases/{desk.case}" in by_name
    assert f"/admin/payees/{desk.api.payees['carrier'].reference}" in by_name
    assert by_name.index('id="case-hits"') < by_name.index('id="payee-hits"')


@pytest.mark.parametrize("text", ["", "x", "nobody here", "%", "_", "ünïcödé 测试", "0" * 400])
def test_what_fits_nothing_says_what_can_be_found(desk: DeskWorld, text: str) -> None:
    answer = desk.of("auditor").get("/admin/search", query_string={"q": text})
    assert answer.status_code == 200
    assert "Cases are found by number" in answer.text
    assert "-hits" not in answer.text


def test_the_beginning_of_a_reference_lists_and_more_lead_to_the_list(desk: DeskWorld) -> None:
    request, auditor = desk.request(), desk.of("auditor")
    assert f"/admin/requests/{request}" in auditor.get(f"/admin/search?q={request[:6]}").text
    seen = auditor.get("/admin/search?q=example").text
    assert "/admin/people?q=example" in seen


def test_only_what_the_reader_may_see_is_searched(desk: DeskWorld) -> None:
    it = desk.browser(desk.it)
    seen = it.get(f"/admin/search?q={desk.api.world.case.number}")
    assert seen.status_code == 200
    assert "/admin/cases/" not in seen.text
    assert "/admin/people/" in it.get(f"/admin/search?q={desk.builder.email}").text


def test_a_search_asks_the_database_a_bounded_number_of_things(desk: DeskWorld) -> None:
    lead = desk.of("payments_lead")
    for number in range(12):
        desk.stray_deposit(100_000 + number, number)
    with counted(desk.app) as statements:
        assert lead.get("/admin/search?q=ashgrove").status_code == 200
    assert len(statements) <= MOST


def test_the_top_bar_of_every_page_searches(desk: DeskWorld) -> None:
    auditor = desk.of("auditor")
    form = 'role="search" method="get" action="/admin/search"'
    assert form in auditor.get("/admin/today").text
    found = auditor.get("/admin/search?q=quarles").text
    assert form in found
    assert 'value="quarles"' in found
