"""Every page of the staff: it opens, asks the database a bounded number of things, and refuses."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from flask import Flask
from sqlalchemy import select

from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases.models import Agreement
from seedtrust.domain.documents.models import Document
from seedtrust.domain.payments.models import PaymentInstruction
from seedtrust.domain.reconciliation.signing import take_stock
from seedtrust.domain.terms.models import ContractTerm
from tests.factories.desk_world import DeskWorld
from tests.support.databases import on_both_databases
from tests.support.doors import Browser, person_in
from tests.support.queries import MOST, counted

MANY = 15


def references(desk: DeskWorld) -> dict[str, str]:
    """Fill the desk with many rows and return the reference of one of each kind."""
    run = desk.locked_run(payments=MANY)
    for number in range(MANY):
        desk.stray_deposit(100_000 + number, number)
    stored = desk.api.upload("carrier")
    assert stored.status_code == 201
    payment = desk.api.do(
        lambda session: session.execute(select(PaymentInstruction.reference)).scalars().first()
    )
    document = desk.api.do(
        lambda session: session.execute(select(Document.reference)).scalars().first()
    )
    return {
        "case": desk.case,
        "request": desk.request(22_222),
        "run": run,
        "payment": payment or "",
        "document": document or "",
        "account": desk.waiting_account(),
        "payee": desk.api.payees["carrier"].reference,
        "deposit": desk.stray_deposit(number=MANY),
        "agreement": newest(desk, Agreement),
        "term": newest(desk, ContractTerm),
        "day": _day(desk),
        "correction": _proposed_correction(desk),
        "funding": max(desk.asked_for_funds(number) for number in range(MANY)),
        # The last, because it stops the case.
        "shortage": max(desk.short(number) for number in range(MANY)),
    }


def newest(desk: DeskWorld, model: type[Agreement | ContractTerm]) -> str:
    """Return the reference of the newest row of a table."""
    query = select(model.reference).order_by(model.id.desc()).limit(1)
    return desk.api.do(lambda session: session.execute(query).scalar_one())


def _proposed_correction(desk: DeskWorld) -> str:
    page = f"/admin/cases/{desk.case}/milestones/agreement_executed/correct"
    form = {"occurred_on": "2026-02-17", "reason": "The last signature is of Tuesday"}
    return desk.of("specialist").submit(page, form).location.rpartition("/")[2]


def _day(desk: DeskWorld) -> str:
    moment, account = desk.api.moment(), desk.api.world.case.trust_account_id
    return desk.api.do(
        lambda session: (
            take_stock(
                session,
                Actor.system("tests"),
                trust_account_id=account,
                on=moment.today,
                moment=moment,
            ).reference
        )
    )


PAGES = (
    "/admin/today",
    "/admin/today/exceptions",
    "/admin/cases",
    "/admin/cases?view=mine&q=ash&sort=-name",
    "/admin/cases/{case}",
    "/admin/cases/{case}/ledger",
    "/admin/cases/{case}/statement",
    "/admin/cases/{case}/schedule",
    "/admin/cases/{case}/requests",
    "/admin/cases/{case}/papers",
    "/admin/cases/{case}/activity",
    "/admin/cases/{case}/closing",
    "/admin/cases/{case}/closing/statement",
    "/admin/documents/{document}/details",
    "/admin/requests",
    "/admin/requests?view=review&q=wages",
    "/admin/requests/{request}",
    "/admin/runs",
    "/admin/runs/{run}",
    "/admin/runs/{run}/release",
    "/admin/payments",
    "/admin/payments?view=flight",
    "/admin/payments/{payment}",
    "/admin/payees",
    "/admin/payees?view=all",
    "/admin/payees/{payee}",
    "/admin/payees/accounts/{account}",
    "/admin/corrections/{correction}",
    "/admin/deposits",
    "/admin/deposits/{deposit}",
    "/admin/funding",
    "/admin/funding/{funding}",
    "/admin/limits",
    "/admin/shortages",
    "/admin/shortages?state=OPEN",
    "/admin/shortages/{shortage}",
    "/admin/statements",
    "/admin/statements/proof",
    "/admin/deposits/{deposit}?back=yes",
    "/admin/reconciliation",
    "/admin/reconciliation/{day}",
    "/admin/reconciliation/{day}/behind/case",
    "/admin/reconciliation/{day}/behind/bank_cash",
    "/admin/jobs",
    "/admin/jobs/runs",
    "/admin/search?q=ash",
)
# Pages of acts, with who may do them.
ACTS = (
    ("specialist", "/admin/cases/new"),
    ("specialist", "/admin/cases/{case}/parties/new"),
    ("specialist", "/admin/cases/{case}/agreements/new"),
    ("specialist", "/admin/agreements/{agreement}"),
    ("specialist", "/admin/agreements/{agreement}/text"),
    ("specialist", "/admin/cases/{case}/terms/new"),
    ("legal", "/admin/cases/{case}/terms/activate"),
    ("specialist", "/admin/terms/{term}/end"),
    ("specialist", "/admin/cases/{case}/documents/new"),
    ("specialist", "/admin/cases/{case}/documents/new?replaces={document}"),
    ("specialist", "/admin/documents/{document}/details"),
    ("legal", "/admin/documents/{document}/details"),
    ("specialist", "/admin/cases/{case}/milestones/new"),
    ("specialist", "/admin/cases/{case}/milestones/agreement_executed/correct"),
    ("specialist", "/admin/cases/{case}/funding/new"),
    ("specialist", "/admin/cases/{case}/funding/rules"),
    ("specialist", "/admin/funding/{funding}/send"),
    ("specialist", "/admin/funding/{funding}/withdraw"),
    ("specialist", "/admin/shortages/{shortage}/propose/advance"),
    ("specialist", "/admin/cases/{case}/closing/start"),
    ("specialist", "/admin/cases/{case}/closing/call-off"),
    ("specialist", "/admin/cases/{case}/closing/withdraw"),
    ("controller", "/admin/cases/{case}/closing/approve"),
    ("controller", "/admin/cases/{case}/closing/reopen"),
)


class Attributes(HTMLParser):
    """Collects ids, and whatever a strict content policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.refused: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one tag."""
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "style" or name.startswith("on"):
                self.refused.append(f"{tag} {name}")


def test_every_page_asks_no_more_than_twelve_things(desk: DeskWorld) -> None:
    known = references(desk)
    asked: dict[str, int] = {}
    for who, page in [*(("payments_lead", page) for page in PAGES), *ACTS]:
        browser = desk.of(who)
        with counted(desk.app) as statements:
            answer = browser.get(page.format(**known))
        assert answer.status_code == 200, f"{page}: {answer.text[:500]}"
        asked[page] = len(statements)
        found = Attributes()
        found.feed(answer.text)
        assert found.refused == [], page
        assert len(found.ids) == len(set(found.ids)), page
        assert answer.text.count("<h1") == 1, page
    assert {page: count for page, count in asked.items() if count > MOST} == {}


def test_an_empty_house_says_what_will_appear(desk: DeskWorld) -> None:
    browser = desk.of("auditor")
    for page, words in (
        ("/admin/requests", "No request here"),
        ("/admin/runs", "No run here"),
        ("/admin/payments", "No payment here"),
        ("/admin/statements", "No statement yet"),
        ("/admin/jobs", "Everything is delivered|Messages that are not delivered"),
        ("/admin/jobs/runs", "No run here"),
        ("/admin/cases?q=nobody", "No case here"),
        ("/admin/today/exceptions", "Nothing waits here"),
    ):
        answer = browser.get(page)
        assert answer.status_code == 200
        assert re.search(words, answer.text), page


@pytest.mark.parametrize(
    "page",
    [
        "/admin/cases/{bad}",
        "/admin/cases/{bad}/ledger",
        "/admin/requests/{bad}",
        "/admin/runs/{bad}",
        "/admin/payments/{bad}",
        "/admin/payees/{bad}",
        "/admin/payees/accounts/{bad}",
        "/admin/deposits/{bad}",
        "/admin/statements/{bad}",
        "/admin/documents/{bad}",
    ],
)
def test_what_does_not_exist_is_not_found(desk: DeskWorld, page: str) -> None:
    assert desk.of("auditor").get(page.format(bad="NOSUCHREFERENCE")).status_code == 404


def test_a_visitor_is_led_to_the_sign_in(desk: DeskWorld) -> None:
    client = desk.app.test_client()
    for page in PAGES:
        if "{" not in page:
            assert client.get(page).location.startswith("/admin/sign-in")


def test_lists_leave_as_csv_with_every_row(desk: DeskWorld) -> None:
    desk.locked_run(payments=3)
    browser = desk.of("auditor")
    for page, head in (
        ("/admin/cases", "Number,Reference,Name"),
        ("/admin/requests", "Reference,Case,Purpose"),
        ("/admin/runs", "Run,Account,Rail"),
        ("/admin/payments", "Reference,Run,Case"),
        ("/admin/deposits", "Reference,Received,Sender"),
        ("/admin/statements", "Day,Account,Version"),
        (f"/admin/cases/{desk.case}/ledger", "Date,Type,Category"),
    ):
        answer = browser.get(f"{page}?format=csv")
        assert answer.mimetype == "text/csv"
        assert answer.text.startswith(head), answer.text[:80]
    payments = browser.get("/admin/payments?format=csv").text.splitlines()
    assert len(payments) == 4


def test_a_text_that_looks_like_a_formula_stays_a_text(desk: DeskWorld) -> None:
    desk.api.ask(description="=HYPERLINK(1)")
    answer = desk.of("auditor").get("/admin/requests?format=csv")
    assert "'=HYPERLINK(1)" in answer.text


@on_both_databases
def test_every_list_takes_a_search_in_any_script(app: Flask) -> None:
    browser = Browser(app)
    browser.sign_in(person_in(app, Role.PAYMENTS_LEAD))
    for page in ("cases", "requests", "payments", "deposits", "payees?view=all", "people"):
        mark = "&" if "?" in page else "?"
        for text in ("\u4fdd\u7ba1", "M\u00fcller", "%25", "\\"):
            assert browser.get(f"/admin/{page}{mark}q={text}").status_code == 200, page
