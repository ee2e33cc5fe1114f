"""The shipped surrogacy, played whole: sixty lines, a return, caps, a question, a caesarean."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import is_banking_day
from seedtrust.domain.cases.models import StageChange
from seedtrust.domain.disbursements.models import (
    DisbursementLine,
    DisbursementRequest,
    DisbursementStep,
)
from seedtrust.domain.funding.models import FundingRequest
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.operations.models import ExceptionItem, JobRun
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payments.models import PaymentInstruction, TrustAccount
from seedtrust.domain.reconciliation.models import BankStatementLine
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.journeys.player import EQUAL
from tests.support import books
from tests.support.shipped_play import Played, lines_in, play_shipped, the_case

UNTIL = date(2026, 7, 2)


@pytest.fixture(scope="module")
def played(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Play the journey once for every test of this module."""
    folder = tmp_path_factory.mktemp("journey")
    with play_shipped("case-a", UNTIL, sqlite_template, folder) as found:
        yield found


def _steps(session: Session, category: str, amount_cents: int) -> list[tuple[str, date]]:
    """Return the steps of the first request of a category and amount, with their days."""
    request_id = session.execute(
        select(DisbursementRequest.id)
        .where(
            DisbursementRequest.category == category,
            DisbursementRequest.amount_cents == amount_cents,
        )
        .order_by(DisbursementRequest.id)
        .limit(1)
    ).scalar_one()
    rows = session.execute(
        select(DisbursementStep.event, DisbursementStep.on_business_date)
        .where(DisbursementStep.request_id == request_id)
        .order_by(DisbursementStep.id)
    )
    return [(event, on) for event, on in rows]


def test_the_ledger_equals_the_file_line_by_line_and_the_case_is_closed(played: Played) -> None:
    with played.app.app_context():
        outcome = played.player.outcome(played.journey, played.folder / "ledger.csv")
    assert outcome.result == EQUAL
    assert (played.read(the_case).stage, len(played.lines())) == ("CLOSED", 60)
    assert played.lines()[-1].balance_cents == 0


def test_the_books_are_sound(played: Played) -> None:
    assert books.faults(played.url) == []


def test_bank_book_and_case_agree_on_every_banking_day(played: Played) -> None:
    first = date(2025, 1, 17)
    days = [first + timedelta(days=n) for n in range((UNTIL - first).days + 1)]

    def differences(session: Session) -> set[int]:
        accounts = session.execute(select(TrustAccount.id)).scalars().all()
        return {
            three_way(session, account, day, with_items=False).difference_cents
            for account in accounts
            for day in days
            if is_banking_day(day)
        }

    assert played.read(differences) == {0}


@pytest.mark.parametrize(
    "day, cents",
    [
        (date(2025, 8, 29), 3_572_806),
        (date(2025, 11, 28), 3_611_616),
        (date(2026, 3, 31), 820_764),
    ],
)
def test_the_bank_holds_what_the_case_owns_at_the_end_of_a_month(
    played: Played, day: date, cents: int
) -> None:
    """The company's own fee leaves the case on the second day and stays at the bank."""

    def proof(session: Session) -> tuple[int, int]:
        case = the_case(session)
        found = three_way(session, case.trust_account_id, day)
        return found.cases_cents, found.adjusted_bank_cents

    owned, bank = played.read(proof)
    assert owned == cents
    assert bank == cents + 150_000


def test_the_case_went_through_every_stage_of_a_surrogacy(played: Played) -> None:
    stages = played.read(
        lambda s: list(
            s.execute(
                select(StageChange.to_stage, StageChange.changed_on).order_by(StageChange.id)
            ).all()
        )
    )
    assert [(stage, on) for stage, on in stages if stage != "INTAKE"] == [
        ("AWAITING_ESCROW_AGREEMENT", date(2025, 1, 7)),
        ("PENDING_FUNDING", date(2025, 1, 10)),
        ("AWAITING_EXECUTED_AGREEMENT", date(2025, 1, 17)),
        ("AWAITING_HEARTBEAT", date(2025, 2, 14)),
        ("PREGNANT", date(2025, 4, 18)),
        ("POST_DELIVERY", date(2025, 12, 2)),
        ("AWAITING_CLOSE_APPROVAL", date(2026, 6, 15)),
        ("FINAL_ACCOUNTING", date(2026, 6, 22)),
        ("FINAL_DISBURSEMENT", date(2026, 6, 26)),
        ("CLOSED", date(2026, 6, 26)),
    ]


def test_what_no_clause_covers_is_denied(played: Played) -> None:
    def massage(session: Session) -> DisbursementRequest:
        return session.execute(
            select(DisbursementRequest).where(DisbursementRequest.amount_cents == 9_500)
        ).scalar_one()

    request = played.read(massage)
    assert (request.state, request.requested_on) == ("DENIED", date(2025, 5, 12))
    assert (request.term_id, request.clause) == (None, "")
    assert "no clause" in request.state_reason


def test_both_payments_of_august_came_back_and_the_account_was_blocked(played: Played) -> None:
    returned = played.read(
        lambda s: list(
            s.execute(
                select(PaymentInstruction.return_code, PaymentInstruction.effective_on).where(
                    PaymentInstruction.state == "RETURNED"
                )
            ).all()
        )
    )
    assert [tuple(row) for row in returned] == [("R02", date(2025, 8, 1))] * 2
    steps = played.read(_returned_steps)
    assert {on for event, on in steps if event == "return"} == {date(2025, 8, 5)}
    assert {on for event, on in steps if event == "pay_again"} == {date(2025, 8, 12)}
    told = played.read(
        lambda s: s.execute(
            select(NoticeDelivery.id).where(NoticeDelivery.event == "payment.returned")
        ).all()
    )
    assert told


def _returned_steps(session: Session) -> list[tuple[str, date]]:
    rows = session.execute(
        select(DisbursementStep.event, DisbursementStep.on_business_date).where(
            DisbursementStep.event.in_(("return", "pay_again"))
        )
    )
    return [(event, on) for event, on in rows]


def test_the_new_account_cooled_off_for_three_banking_days(played: Played) -> None:
    def states(session: Session) -> list[str]:
        numbers = ("0731", "7725")
        return [
            session.execute(
                select(PayeeAccount.state).where(PayeeAccount.last_four == last_four)
            ).scalar_one()
            for last_four in numbers
        ]

    assert played.read(states)[1] == "ACTIVE"
    assert played.read(states)[0] in {"BLOCKED", "SUPERSEDED"}


def test_an_approved_request_is_reserved_until_the_bank_has_it(played: Played) -> None:
    steps = played.read(lambda s: _steps(s, "lost_wages", 99_400))
    assert ("reserve", date(2025, 11, 26)) in steps
    assert ("settle", date(2025, 11, 28)) in steps


def test_the_caesarean_was_questioned_answered_and_approved_on_its_days(played: Played) -> None:
    steps = played.read(lambda s: _steps(s, "c_section", 350_000))
    assert [step for step in steps if step[0] in {"ask", "answer", "accept_pre_authorised"}] == [
        ("ask", date(2025, 12, 3)),
        ("answer", date(2025, 12, 5)),
        ("accept_pre_authorised", date(2025, 12, 8)),
    ]


def test_childcare_was_cut_to_its_cap_a_day(played: Played) -> None:
    def found(session: Session) -> tuple[DisbursementRequest, list[int | None]]:
        request = session.execute(
            select(DisbursementRequest).where(
                DisbursementRequest.category == "childcare",
                DisbursementRequest.amount_cents == 79_600,
            )
        ).scalar_one()
        lines = session.execute(
            select(DisbursementLine.approved_cents)
            .where(DisbursementLine.request_id == request.id)
            .order_by(DisbursementLine.number)
        ).scalars()
        return request, list(lines)

    request, lines = played.read(found)
    assert (request.approved_cents, request.state) == (76_000, "PAID")
    assert lines == [9_000] * 4 + [10_000] * 4


def test_funds_were_asked_for_before_the_minimum_was_broken(played: Played) -> None:
    asked = played.read(
        lambda s: list(
            s.execute(
                select(
                    FundingRequest.raised_on, FundingRequest.amount_cents, FundingRequest.state
                ).where(FundingRequest.cause == "minimum")
            ).all()
        )
    )
    assert [tuple(row) for row in asked] == [(date(2025, 10, 17), 2_500_000, "FUNDED")]


def test_every_payment_stands_on_a_statement_and_nothing_failed(played: Played) -> None:
    statuses = played.read(lambda s: set(s.execute(select(BankStatementLine.status)).scalars()))
    assert statuses == {"matched"}
    errors = played.read(
        lambda s: [
            (run.job, run.error)
            for run in s.execute(select(JobRun)).scalars()
            if run.error or run.items_failed or run.finished_at is None
        ]
    )
    assert errors == []
    waiting = played.read(
        lambda s: list(
            s.execute(select(ExceptionItem.kind).where(ExceptionItem.closed_at.is_(None))).scalars()
        )
    )
    # What came back is told to a person, who reads it and puts it away.
    assert set(waiting) <= {"payment.returned"}


def test_nothing_is_played_twice(played: Played) -> None:
    before = len(played.lines())
    with played.app.app_context():
        played.player.play([played.journey], until=UNTIL)
    assert len(played.read(lines_in)) == before
