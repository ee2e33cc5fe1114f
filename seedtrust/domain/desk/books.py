"""A case's ledger as staff read it: every line in words, and what stands behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.ledger import queries as ledger
from seedtrust.domain.ledger.queries import CaseLine
from seedtrust.domain.payees.models import Payee
from seedtrust.domain.payments.models import PaymentInstruction

# The longest journeys have a few hundred lines; a page shows a part of them.
MOST_LINES: Final = 5000
_OURSELVES: Final = "SeedTrust"


@dataclass(frozen=True)
class BookLine:
    """One line: signed from the case's point of view, with the balance after it, in cents."""

    on: date
    kind: str
    category: str
    cents: int
    balance_cents: int
    counterparty: str
    description: str
    payment_ref: str = ""
    request_ref: str = ""
    deposit_ref: str = ""


@dataclass(frozen=True)
class CaseBook:
    """The lines of one page, and the sums of everything that the filter leaves."""

    head: CaseHead
    lines: tuple[BookLine, ...]
    count: int
    in_cents: int
    out_cents: int
    kinds: tuple[str, ...]
    opening_cents: int
    closing_cents: int


def case_book(
    session: Session,
    actor: Actor,
    reference: str,
    *,
    kind: str = "",
    since: date | None = None,
    until: date | None = None,
    newest_first: bool = True,
    page: int = 1,
    per_page: int = MOST_LINES,
) -> CaseBook:
    """Return a page of a case's ledger. Four queries, whatever the number of lines.

    Raises NotFound out of reach, Forbidden without ledger.view.
    """
    actor.require(Permission.LEDGER_VIEW)
    _case, head = held_case(session, actor, reference)
    everything = ledger.case_lines(session, head.ledger_account_id, limit=MOST_LINES)
    before = [line for line in everything if since is not None and line.effective_on < since]
    known = tuple(sorted({line.kind.value for line in everything}))
    chosen = [
        line
        for line in everything
        if (not kind or line.kind == kind)
        and (since is None or line.effective_on >= since)
        and (until is None or line.effective_on <= until)
    ]
    if newest_first:
        chosen.reverse()
    part = chosen[(page - 1) * per_page : page * per_page]
    last = chosen[0 if newest_first else -1].balance_cents if chosen else None
    opening = before[-1].balance_cents if before else 0
    return CaseBook(
        head,
        tuple(_in_words(session, part)),
        len(chosen),
        sum(line.amount_cents for line in chosen if line.amount_cents > 0),
        sum(line.amount_cents for line in chosen if line.amount_cents < 0),
        known,
        opening,
        opening if last is None else last,
    )


def _in_words(session: Session, lines: list[CaseLine]) -> list[BookLine]:
    paid = _payments(session, {line.source_ref for line in lines if line.source_ref})
    received = _deposits(session, {line.source_ref for line in lines if line.source_ref})
    return [_line(line, paid, received) for line in lines]


def _payments(session: Session, references: set[str]) -> dict[str, tuple[str, str, str]]:
    rows = session.execute(
        select(
            PaymentInstruction.reference,
            Payee.name,
            DisbursementRequest.description,
            DisbursementRequest.reference,
        )
        .join(Payee, Payee.id == PaymentInstruction.payee_id)
        .join(DisbursementRequest, DisbursementRequest.id == PaymentInstruction.request_id)
        .where(PaymentInstruction.reference.in_(references))
    )
    return {reference: (payee, words, request) for reference, payee, words, request in rows}


def _deposits(session: Session, references: set[str]) -> dict[str, str]:
    rows = session.execute(
        select(Deposit.reference, Deposit.sender_name).where(Deposit.reference.in_(references))
    )
    return {reference: sender for reference, sender in rows}  # noqa: C416 - typed rows


def _line(
    line: CaseLine, paid: dict[str, tuple[str, str, str]], received: dict[str, str]
) -> BookLine:
    counterparty, words, request, payment, deposit = _OURSELVES, line.memo, "", "", ""
    if line.source_ref in paid:
        counterparty, words, request = paid[line.source_ref]
        payment = line.source_ref
    elif line.source_ref in received:
        counterparty, deposit = received[line.source_ref], line.source_ref
    return BookLine(
        line.effective_on,
        line.kind.value,
        line.category or "",
        line.amount_cents,
        line.balance_cents,
        counterparty,
        words,
        payment,
        request,
        deposit,
    )
