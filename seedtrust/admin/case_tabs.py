"""The further tabs of a case: ledger, schedule, requests, papers, activity, and its statement."""

from __future__ import annotations

from typing import Final

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seedtrust.admin import blueprint, listing
from seedtrust.admin.cases import case_tabs
from seedtrust.admin.corrections import STATE_WORDS
from seedtrust.admin.words import TAX_WORDS, category_words, line_words, stage_tone
from seedtrust.core.permissions import Permission
from seedtrust.domain.cases.queries import ActivityLine, activity, milestones_view
from seedtrust.domain.desk import books, requests
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.disbursements.states import STATE_LABELS, RequestState
from seedtrust.domain.documents.queries import visible_documents
from seedtrust.domain.documents.states import STATE_LABELS as STATE_LABELS_OF_DOCUMENTS
from seedtrust.domain.terms.corrections import corrections_of
from seedtrust.domain.terms.queries import agreements_of, schedule_of, terms_of
from seedtrust.domain.terms.states import TaxClass
from seedtrust.ext import reading
from seedtrust.web.actor import business_today, current_actor
from seedtrust.web.guard import requires
from seedtrust.web.page import TimelineItem, Tone

_ACTIVITY_PAGE: Final = 50


def _tab(template: str, head: CaseHead, **values: object) -> str:
    return render_template(
        f"admin/cases/{template}.html",
        head=head,
        case_tabs=case_tabs(head.reference),
        stage_tone=stage_tone,
        category_words=category_words,
        line_words=line_words,
        **values,
    )


@blueprint.get("/cases/<reference>/ledger")
@requires(Permission.LEDGER_VIEW)
def cases_ledger(reference: str) -> ResponseReturnValue:
    """Show the case's ledger, the newest line first, with the balance after each."""
    actor, kind, number = current_actor(), listing.text_of("kind"), listing.page_number()
    since, until = listing.day_of("since"), listing.day_of("until")
    csv = listing.wants_csv()
    book = reading(
        lambda unit: books.case_book(
            unit,
            actor,
            reference,
            kind=kind,
            since=since,
            until=until,
            newest_first=not csv,
            page=1 if csv else number,
            per_page=books.MOST_LINES if csv else listing.PER_PAGE,
        )
    )
    if csv:
        return _csv(book)
    return _tab(
        "ledger",
        book.head,
        book=book,
        kind=kind,
        since=since,
        until=until,
        kinds=[("", "Any kind"), *((name, line_words(name)) for name in book.kinds)],
        page=number,
        per_page=listing.PER_PAGE,
    )


def _csv(book: books.CaseBook) -> ResponseReturnValue:
    return listing.as_csv(
        f"case-{book.head.number}-ledger",
        ("Date", "Type", "Category", "With", "Description", "Amount ($)", "Balance ($)"),
        (
            (
                line.on,
                line.kind,
                line.category,
                line.counterparty,
                line.description,
                listing.dollars(line.cents),
                listing.dollars(line.balance_cents),
            )
            for line in book.lines
        ),
    )


@blueprint.get("/cases/<reference>/statement")
@requires(Permission.LEDGER_VIEW)
def cases_statement(reference: str) -> str:
    """Show the case's statement as it is printed."""
    actor = current_actor()
    since, until = listing.day_of("since"), listing.day_of("until")
    book = reading(
        lambda unit: books.case_book(
            unit, actor, reference, since=since, until=until, newest_first=False
        )
    )
    return render_template(
        "admin/cases/statement.html",
        book=book,
        head=book.head,
        since=since,
        until=until,
        today=business_today(),
        line_words=line_words,
        category_words=category_words,
    )


@blueprint.get("/cases/<reference>/schedule")
@requires(Permission.SCHEDULE_VIEW)
def cases_schedule(reference: str) -> str:
    """Show what the contract says, what is due when, and what has happened."""
    actor = current_actor()

    def work(unit: Session) -> tuple[CaseHead, dict[str, object]]:
        case, head = held_case(unit, actor, reference)
        return head, {
            "terms": terms_of(unit, actor, reference),
            "items": schedule_of(unit, actor, case),
            "milestones": milestones_view(unit, actor, case),
            "corrections": corrections_of(unit, actor, case),
        }

    head, values = reading(work)
    tax_words = {tax.value: words for tax, words in TAX_WORDS.items() if tax is not TaxClass.NONE}
    return _tab(
        "schedule",
        head,
        tax_words=tax_words,
        correction_words=STATE_WORDS,
        today=business_today(),
        **values,
    )


@blueprint.get("/cases/<reference>/requests")
@requires(Permission.REQUESTS_VIEW)
def cases_requests(reference: str) -> str:
    """List the requests of the case."""
    actor, number = current_actor(), listing.page_number()
    sort = listing.sort_of(requests.SORTS, "-requested")
    state = listing.choice_of("state", RequestState)
    reserved = request.args.get("state") == "reserved"

    def work(unit: Session) -> tuple[CaseHead, requests.RequestTable]:
        _case, head = held_case(unit, actor, reference)
        chosen = (RequestState.READY, RequestState.IN_PAYMENT) if reserved else ()
        filters = requests.RequestFilters(
            states=(state,) if state is not None else chosen, case_id=head.id
        )
        return head, requests.request_table(
            unit, actor, filters=filters, sort=sort, page=number, per_page=listing.PER_PAGE
        )

    head, table = reading(work)
    return _tab(
        "requests",
        head,
        table=table,
        sort=sort,
        page=number,
        per_page=listing.PER_PAGE,
        state=request.args.get("state", ""),
        states=[
            ("", "Any status"),
            ("reserved", "Reserved or being paid"),
            *((known.value, STATE_LABELS[known]) for known in RequestState),
        ],
    )


@blueprint.get("/cases/<reference>/papers")
@requires(Permission.DOCUMENTS_VIEW)
def cases_papers(reference: str) -> str:
    """Show agreements with their signatures, and every document."""
    actor = current_actor()

    def work(unit: Session) -> tuple[CaseHead, dict[str, object]]:
        case, head = held_case(unit, actor, reference)
        return head, {
            "agreements": agreements_of(unit, actor, case),
            "documents": visible_documents(unit, actor, reference),
        }

    head, values = reading(work)
    return _tab("papers", head, document_states=STATE_LABELS_OF_DOCUMENTS, **values)


_ICONS: Final = {
    "agreements": "file-check",
    "cases": "folder",
    "closing": "certificate",
    "deposit": "arrow-down-left",
    "documents": "file-upload",
    "fee": "coin",
    "milestones": "flag",
    "payee_account": "building-bank",
    "payment": "send",
    "request": "receipt",
    "terms": "list-check",
}
_TONES: Final[dict[str, Tone]] = {
    "request.settle": "ok",
    "closing.closed": "ok",
    "deposit.received": "ok",
    "request.return": "bad",
    "request.refuse": "bad",
    "request.deny": "bad",
    "cases.held": "bad",
}
_SUBJECTS: Final = {
    "request": "admin.requests_detail",
    "deposit": "admin.deposits_detail",
    "payee_account": "admin.payees_account",
    "instruction": "admin.payments_detail",
}


@blueprint.get("/cases/<reference>/activity")
@requires(Permission.CASES_VIEW)
def cases_activity(reference: str) -> str:
    """Show what was done on the case, by whom and why, the newest first."""
    actor = current_actor()
    cursor = request.args.get("cursor", "")
    before = int(cursor) if cursor.isdecimal() and len(cursor) < 20 else None  # noqa: PLR2004 - an id

    def work(unit: Session) -> tuple[CaseHead, list[ActivityLine]]:
        case, head = held_case(unit, actor, reference)
        return head, activity(unit, actor, case, before_id=before, limit=_ACTIVITY_PAGE + 1)

    head, lines = reading(work)
    shown = lines[:_ACTIVITY_PAGE]
    return _tab(
        "activity",
        head,
        items=[_event(line) for line in shown],
        next_cursor=shown[-1].id if len(lines) > _ACTIVITY_PAGE else None,
    )


def _event(line: ActivityLine) -> TimelineItem:
    feature = line.action.partition(".")[0]
    endpoint = _SUBJECTS.get(line.subject_type)
    return TimelineItem(
        title=line.label,
        at=line.at,
        actor=line.actor,
        reason=line.reason or None,
        href=url_for(endpoint, reference=line.subject_ref) if endpoint else None,
        icon=_ICONS.get(feature, "point"),
        tone=_TONES.get(line.action, "neutral"),
    )
