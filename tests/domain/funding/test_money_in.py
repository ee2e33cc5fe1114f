"""Wires find their case or wait for a person; fees are charged once, also after a shortage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Forbidden, InvalidAmount, NotFound
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases.errors import CaseClosed
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import AgreementKind, Milestone, Stage
from seedtrust.domain.disbursements.models import DisbursementRequest  # noqa: F401 - a table
from seedtrust.domain.funding.errors import AlreadyMatched, OtherTrustAccount
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.funding.queries import collected_of
from seedtrust.domain.funding.service import charge_due_fees, match_deposit, receive_wire
from seedtrust.domain.funding.states import DepositState
from seedtrust.domain.ledger.queries import balance_of, case_lines
from seedtrust.domain.operations.queries import open_exceptions
from seedtrust.domain.terms.states import Category, TaxClass, TermKind
from tests.factories import case_world
from tests.factories.case_world import World, moment_on, person

Make = sessionmaker[Session]
BANK = Actor.system("payments.poll")
WEDNESDAY = date(2026, 1, 21)
THURSDAY = date(2026, 1, 22)
FRIDAY = date(2026, 1, 23)
NUMBER = 200417
TRUST = 7


@dataclass
class Desk:
    """A case that waits for money, and a payments specialist."""

    make: Make
    world: World
    specialist: Actor

    def wire(
        self,
        text: str,
        *,
        cents: int = 2_850_000,
        reference: str = "IN-1",
        on: date = THURSDAY,
        trust_account_id: int = TRUST,
    ) -> Deposit:
        """Let the bank tell of a wire."""
        with self.make() as session, session.begin():
            return receive_wire(
                session,
                BANK,
                trust_account_id=trust_account_id,
                trust_code="main",
                bank="main",
                bank_reference=reference,
                amount_cents=cents,
                sender_name="Rosalind Ashgrove",
                text=text,
                received_on=on,
                moment=moment_on(on),
            )

    def match(self, deposit: Deposit, *, actor: Actor | None = None, on: date = FRIDAY) -> Deposit:
        """Give a deposit to the case."""
        with self.make() as session, session.begin():
            return match_deposit(
                session,
                actor or self.specialist,
                deposit_ref=deposit.reference,
                case_ref=self.world.case.reference,
                moment=moment_on(on),
            )

    def charge(self, on: date) -> int:
        """Charge what is due, as the daily job does."""
        with self.make() as session, session.begin():
            return charge_due_fees(session, BANK, self.case(session), moment=moment_on(on))

    def case(self, session: Session) -> Case:
        """Return the case as it stands, locked."""
        row = session.get(Case, self.world.case.id, with_for_update=True)
        assert row is not None
        return row

    def change(self, **values: object) -> None:
        """Set columns of the case."""
        with self.make() as session, session.begin():
            case = self.case(session)
            for name, value in values.items():
                setattr(case, name, value)

    def lines(self) -> list[tuple[str, str, int]]:
        """Return date, kind and amount of each line of the case."""
        with self.make() as session, session.begin():
            found = case_lines(session, self.world.case.ledger_account_id, limit=50)
            return [(str(line.effective_on), line.kind, line.amount_cents) for line in found]

    def waiting(self) -> list[str]:
        """Return the kinds of what waits for a person."""
        with self.make() as session, session.begin():
            return [item.kind for item in open_exceptions(session)]


@pytest.fixture
def desk(session_factory: Make) -> Desk:
    """Return a case in PENDING_FUNDING with a fee of 750.00, due a day after the funding."""
    with session_factory() as session, session.begin():
        world = case_world.build(session, number=NUMBER)
        case_world.propose(
            session,
            world,
            category=Category.ESCROW_FEE,
            tax_class=TaxClass.FEE,
            kind=TermKind.FEE,
            amount_cents=75_000,
            trigger=Milestone.INITIAL_FUNDING_RECEIVED,
            pay_after_days=1,
        )
        session.flush()
        case_world.activate(session, world)
        case_world.sign(session, world, AgreementKind.ESCROW)
        specialist = person(session, "Lena Sorensen", Role.PAYMENTS_SPECIALIST)
        return Desk(session_factory, world, specialist)


FUNDED = [("2026-01-22", "DEPOSIT", 2_850_000), ("2026-01-23", "FEE", -75_000)]


@pytest.mark.parametrize(
    "text",
    [f"CASE {NUMBER}", f"escrow/{NUMBER}/holt", f"{NUMBER}", f"Case no.{NUMBER}, thank you"],
)
def test_a_wire_finds_its_case_by_number(desk: Desk, text: str) -> None:
    deposit = desk.wire(text)
    assert (deposit.state, deposit.case_id) == (DepositState.COLLECTED, desk.world.case.id)
    assert desk.lines() == FUNDED
    assert desk.waiting() == []


def test_a_wire_finds_its_case_by_reference_in_any_case(desk: Desk) -> None:
    deposit = desk.wire(f"for {desk.world.case.reference.lower()}")
    assert deposit.case_id == desk.world.case.id


@pytest.mark.parametrize(
    "text", ["", "thank you", "CASE 200418", f"1{NUMBER}", f"{NUMBER}9", f"0{NUMBER}000"]
)
def test_a_wire_that_names_no_case_waits_for_a_person(desk: Desk, text: str) -> None:
    deposit = desk.wire(text)
    assert (deposit.state, deposit.case_id) == (DepositState.UNIDENTIFIED, None)
    assert desk.lines() == []
    assert desk.waiting() == ["deposit.unidentified"]


def test_a_wire_that_names_two_cases_is_given_to_neither(desk: Desk) -> None:
    with desk.make() as session, session.begin():
        other = case_world.build(session, number=200418)
        assert other.case.trust_account_id == TRUST
    deposit = desk.wire(f"{NUMBER} and 200418")
    assert deposit.state == DepositState.UNIDENTIFIED


def test_a_case_on_another_trust_account_is_not_found(desk: Desk) -> None:
    desk.change(trust_account_id=TRUST + 1)
    assert desk.wire(f"CASE {NUMBER}").state == DepositState.UNIDENTIFIED


@pytest.mark.parametrize("stage", [Stage.CLOSED, Stage.CANCELLED])
def test_a_wire_for_an_ended_case_waits_for_a_person(desk: Desk, stage: Stage) -> None:
    desk.change(stage=stage.value)
    assert desk.wire(f"CASE {NUMBER}").state == DepositState.UNIDENTIFIED


def test_the_same_wire_told_twice_is_booked_once(desk: Desk) -> None:
    first = desk.wire(f"CASE {NUMBER}")
    assert desk.wire(f"CASE {NUMBER}").id == first.id
    assert desk.lines() == FUNDED


def test_two_wires_of_the_same_amount_are_two(desk: Desk) -> None:
    desk.wire(f"CASE {NUMBER}", reference="IN-1", cents=1_000)
    desk.wire(f"CASE {NUMBER}", reference="IN-2", cents=1_000)
    assert [cents for _, _, cents in desk.lines()] == [1_000, 1_000]


@pytest.mark.parametrize("cents", [0, -1, 10**15])
def test_a_wire_of_an_impossible_amount_is_refused(desk: Desk, cents: int) -> None:
    with pytest.raises(InvalidAmount):
        desk.wire(f"CASE {NUMBER}", cents=cents)
    assert desk.lines() == []


def test_funding_is_complete_with_the_last_part(desk: Desk) -> None:
    desk.wire(f"CASE {NUMBER}", reference="IN-1", cents=2_000_000)
    with desk.make() as session, session.begin():
        assert desk.case(session).stage == Stage.PENDING_FUNDING
    desk.wire(f"CASE {NUMBER}", reference="IN-2", cents=850_000)
    with desk.make() as session, session.begin():
        assert desk.case(session).stage == Stage.AWAITING_EXECUTED_AGREEMENT
        assert collected_of(session, desk.world.case.id) == 2_850_000


def test_a_matched_wire_stands_on_the_day_of_the_match(desk: Desk) -> None:
    deposit = desk.wire("thank you", on=WEDNESDAY)
    matched = desk.match(deposit, on=THURSDAY)
    assert (matched.state, matched.matched_by) == (DepositState.COLLECTED, "Lena Sorensen")
    assert desk.lines() == FUNDED
    assert desk.waiting() == []


def test_a_deposit_is_matched_once(desk: Desk) -> None:
    deposit = desk.wire("thank you")
    desk.match(deposit)
    with pytest.raises(AlreadyMatched, match="Lena Sorensen has already matched"):
        desk.match(deposit)
    assert len(desk.lines()) == 2


def test_a_deposit_is_not_matched_to_a_case_of_another_trust_account(desk: Desk) -> None:
    deposit = desk.wire("thank you", trust_account_id=TRUST + 1)
    with pytest.raises(OtherTrustAccount):
        desk.match(deposit)
    assert desk.lines() == []


def test_a_deposit_is_not_matched_to_a_closed_case(desk: Desk) -> None:
    deposit = desk.wire("thank you")
    desk.change(stage=Stage.CLOSED.value)
    with pytest.raises(CaseClosed):
        desk.match(deposit)
    assert desk.waiting() == ["deposit.unidentified"]


def test_an_unknown_deposit_is_not_found(desk: Desk) -> None:
    with desk.make() as session, session.begin(), pytest.raises(NotFound):
        match_deposit(
            session,
            desk.specialist,
            deposit_ref="ABCDEFGHIJKLMNO",
            case_ref=desk.world.case.reference,
            moment=moment_on(FRIDAY),
        )


def test_only_payments_people_match(desk: Desk) -> None:
    deposit = desk.wire("thank you")
    with pytest.raises((Forbidden, NotFound)):
        desk.match(deposit, actor=desk.world.specialist)
    with pytest.raises((Forbidden, NotFound)):
        desk.match(deposit, actor=desk.world.parent)
    assert desk.waiting() == ["deposit.unidentified"]


def test_a_fee_is_charged_once(desk: Desk) -> None:
    desk.wire(f"CASE {NUMBER}")
    assert desk.charge(FRIDAY) == 0
    assert desk.lines() == FUNDED


def test_a_fee_without_cover_waits_and_is_charged_when_money_comes(desk: Desk) -> None:
    desk.change(funding_required_cents=50_000)
    desk.wire(f"CASE {NUMBER}", cents=50_000)
    assert desk.lines() == [("2026-01-22", "DEPOSIT", 50_000)]
    assert desk.charge(FRIDAY) == 0
    assert desk.waiting() == ["fee.not_charged"]
    desk.wire(f"CASE {NUMBER}", cents=100_000, reference="IN-2", on=date(2026, 1, 26))
    assert desk.charge(date(2026, 1, 27)) == 1
    assert desk.charge(date(2026, 1, 28)) == 0
    assert desk.lines()[-1] == ("2026-01-27", "FEE", -75_000)
    assert desk.waiting() == []
    with desk.make() as session, session.begin():
        balance = balance_of(session, desk.world.case.ledger_account_id)
        assert balance.ledger_cents == 75_000


def test_every_wire_has_a_row_of_its_own(desk: Desk) -> None:
    desk.wire("one", reference="IN-1", cents=100)
    desk.wire(f"{NUMBER}", reference="IN-2", cents=200)
    with desk.make() as session, session.begin():
        rows = session.execute(select(Deposit.amount_cents).order_by(Deposit.amount_cents))
        assert list(rows.scalars()) == [100, 200]
