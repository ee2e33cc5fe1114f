"""Caps a day and a week on a case: what is asked, what a review may approve, what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Invalid
from seedtrust.domain.cases.states import AgreementKind, CaseKind, Milestone
from seedtrust.domain.disbursements import review, service
from seedtrust.domain.disbursements.errors import OverCap, ReasonMissing
from seedtrust.domain.disbursements.queries import request_detail
from seedtrust.domain.disbursements.service import Line
from seedtrust.domain.terms.plans import Cap
from seedtrust.domain.terms.queries import terms_of
from seedtrust.domain.terms.states import CapPeriod, Category, TaxClass, TermKind
from tests.factories import case_world
from tests.factories.case_world import World, moment_on

Sessions = sessionmaker[Session]
TODAY = date(2026, 3, 27)
NOW = moment_on(TODAY)
MONDAY = date(2026, 3, 16)


@dataclass
class Desk:
    """A surrogacy with childcare capped a day, housekeeping a week, and wages by hours."""

    session: Session
    world: World

    def ask(self, lines: list[Line], category: str = "childcare") -> str:
        """Ask as the surrogate and return the reference."""
        return service.create_request(
            self.session,
            self.world.carrier,
            case_ref=self.world.case.reference,
            category=category,
            payee_ref=self.world.payees["carrier"].reference,
            amount_cents=sum(line.amount_cents for line in lines),
            description="Receipts",
            lines=lines,
            duplicate_reason="Another bill",
            moment=NOW,
        ).reference

    def accept(self, reference: str, cents: int, reason: str = "Above the cap") -> str:
        """Accept as the escrow and return the state."""
        return review.accept(
            self.session,
            self.world.specialist,
            request_ref=reference,
            amount_cents=cents,
            reason=reason,
            moment=NOW,
        ).state


def _desk(session: Session) -> Desk:
    world = case_world.build(session, kind=CaseKind.SURROGACY, anonymous=False)
    for category, cap in (
        (Category.CHILDCARE, Cap(CapPeriod.DAY, amount_cents=10_000)),
        (Category.HOUSEKEEPING, Cap(CapPeriod.WEEK, amount_cents=12_500)),
        (Category.LOST_WAGES, Cap(CapPeriod.WEEK, quantity_hundredths=4_000, unit="hours")),
    ):
        case_world.propose(
            session, world, category=category, tax_class=TaxClass.REIMBURSEMENT, caps=[cap]
        )
    case_world.activate(session, world)
    case_world.sign(session, world, AgreementKind.ESCROW)
    case_world.fund(session, world)
    case_world.sign(session, world, case_world.donation_agreement(world), on=date(2026, 2, 18))
    return Desk(session, world)


def _day(number: int, cents: int, units: int | None = None) -> Line:
    return Line("Sitter", cents, MONDAY + timedelta(days=number), units)


def test_what_exceeds_the_cap_a_day_is_refused_and_the_rest_approved(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        desk = _desk(session)
        reference = desk.ask(
            [_day(day, 9_000) for day in range(4)] + [_day(day, 10_900) for day in range(4, 8)]
        )
        detail = request_detail(session, desk.world.specialist, reference)
        assert detail.limits is not None
        assert detail.limits.allowed_cents == 76_000
        assert [line.number for line in detail.limits.over] == [5, 6, 7, 8]
        assert "109.00 asked, 100.00 left (100.00 a day)" in detail.limits.words
        with pytest.raises(OverCap) as refused:
            desk.accept(reference, 79_600)
        assert "760.00 at most" in refused.value.detail
        assert "2026-03-20: 109.00 asked" in refused.value.detail
        with pytest.raises(ReasonMissing):
            desk.accept(reference, 76_000, reason="")
        assert desk.accept(reference, 76_000) == "READY"
        session.flush()
        decided = request_detail(session, desk.world.specialist, reference)
        assert decided.row.approved_cents == 76_000
        assert [line.approved_cents for line in decided.lines] == [9_000] * 4 + [10_000] * 4
        assert decided.limits is None


def test_a_second_request_for_the_same_day_gets_what_is_left_of_it(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        desk = _desk(session)
        first, second = desk.ask([_day(0, 8_000)]), desk.ask([_day(0, 8_000), _day(1, 1_000)])
        desk.accept(first, 8_000)
        session.flush()
        with pytest.raises(OverCap) as refused:
            desk.accept(second, 3_001)
        assert refused.value.facts["remaining_cents"] == 3_000
        assert desk.accept(second, 3_000) == "READY"


def test_what_was_refused_or_withdrawn_uses_nothing_of_a_day(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        desk = _desk(session)
        first, second = desk.ask([_day(0, 10_000)]), desk.ask([_day(0, 10_000)])
        desk.accept(first, 10_000)
        session.flush()
        with pytest.raises(OverCap):
            desk.accept(second, 1)
        service.withdraw(session, desk.world.carrier, request_ref=first, moment=NOW)
        session.flush()
        assert desk.accept(second, 10_000) == "READY"


def test_a_week_and_its_hours_are_capped(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        desk = _desk(session)
        housekeeping = desk.ask([_day(0, 12_500), _day(7, 13_000)], "housekeeping")
        with pytest.raises(OverCap):
            desk.accept(housekeeping, 25_001)
        assert desk.accept(housekeeping, 25_000) == "READY"
        wages = desk.ask([_day(0, 124_250, 5_000)], "lost_wages")
        with pytest.raises(OverCap):
            desk.accept(wages, 99_401)
        assert desk.accept(wages, 99_400) == "READY"


@pytest.mark.parametrize(
    "lines, category",
    [
        ([Line("Sitter", 9_000)], "childcare"),
        ([_day(0, 9_000)], "lost_wages"),
        ([Line("Wages", 9_000, None, 100)], "lost_wages"),
        ([_day(0, 9_000, 0)], "childcare"),
    ],
)
def test_lines_that_do_not_say_enough_are_refused_at_their_field(
    session_factory: Sessions, lines: list[Line], category: str
) -> None:
    with session_factory() as session, session.begin():
        desk = _desk(session)
        with pytest.raises(Invalid) as refused:
            desk.ask(lines, category)
        assert "lines" in refused.value.errors


def test_the_terms_say_their_caps(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        desk = _desk(session)
        rows = terms_of(session, desk.world.carrier, desk.world.case.reference)
        assert [cap.words for row in rows for cap in row.caps] == [
            "100.00 a day",
            "125.00 a week",
            "40 hours a week",
        ]


@pytest.mark.parametrize(
    "caps, kind",
    [
        ([Cap(CapPeriod.DAY)], TermKind.REQUESTED),
        ([Cap(CapPeriod.DAY, 100, 100, "hours")], TermKind.REQUESTED),
        ([Cap(CapPeriod.DAY, 0)], TermKind.REQUESTED),
        ([Cap(CapPeriod.WEEK, None, 0, "hours")], TermKind.REQUESTED),
        ([Cap(CapPeriod.WEEK, None, 100, " ")], TermKind.REQUESTED),
        ([Cap(CapPeriod.DAY, 100)] * 6, TermKind.REQUESTED),
        ([Cap(CapPeriod.DAY, 100)], TermKind.SCHEDULED),
    ],
)
def test_a_cap_that_cannot_be_is_refused(
    session_factory: Sessions, caps: list[Cap], kind: TermKind
) -> None:
    scheduled = kind is TermKind.SCHEDULED
    with session_factory() as session, session.begin():
        world = case_world.build(session, kind=CaseKind.SURROGACY)
        with pytest.raises(Invalid) as refused:
            case_world.propose(
                session,
                world,
                category=Category.MONTHLY_ALLOWANCE,
                kind=kind,
                payee="carrier" if scheduled else None,
                amount_cents=100 if scheduled else None,
                trigger=Milestone.AGREEMENT_EXECUTED if scheduled else None,
                caps=caps,
            )
        assert "caps" in refused.value.errors
