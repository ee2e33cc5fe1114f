"""Parents are asked once, at milestones and before the minimum is broken, and then reminded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.bankdays import add_banking_days
from seedtrust.core.errors import Forbidden, Invalid, InvalidAmount, NotFound, WrongState
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases.funding_rules import FundingPolicy, policy_of, set_policy
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.moves import move_stage
from seedtrust.domain.cases.states import AgreementKind, CaseKind, Milestone, Stage
from seedtrust.domain.cases.worklists import locked_case
from seedtrust.domain.disbursements.forecast import Shortfall, forecast_of
from seedtrust.domain.funding import asking, chasing
from seedtrust.domain.funding.models import FundingAllocation, FundingRequest
from seedtrust.domain.funding.returning import DepositReturn, return_deposit
from seedtrust.domain.funding.service import Receipt, match_deposit, receive
from seedtrust.domain.funding.states import ReceiptRail
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.operations.queries import open_exceptions
from seedtrust.domain.terms.models import ScheduleItem
from seedtrust.domain.terms.states import Category, ItemState, TaxClass, TermKind
from tests.factories import case_world
from tests.factories.case_world import World, moment_on, person
from tests.support.databases import on_both_databases, only_on_mariadb

Make = sessionmaker[Session]
JOB = Actor.system("funding.check_minimum")
NUMBER = 100397
# The day of the worked case: 18,137.94 on the ledger, the minimum 10,000.00 until birth.
FRIDAY = date(2025, 10, 17)
THURSDAY = date(2025, 10, 16)
RULES = FundingPolicy(
    minimum_from={"PENDING_FUNDING": 1_000_000, "POST_DELIVERY": 500_000},
    due_at={"heartbeat_confirmed": 4_500_000},
    top_up_cents=2_500_000,
)


@dataclass
class Desk:
    """A pregnancy on the eve of a request for funds."""

    make: Make
    world: World

    def check(self, on: date) -> None:
        """Do what the daily job does for the case."""
        with self.make() as session, session.begin():
            case, moment = locked_case(session, self.world.case.id), moment_on(on)
            asking.ask_for_milestones(session, JOB, case, moment=moment)
            asking.guard_minimum(session, JOB, case, moment=moment)
            chasing.chase(session, JOB, case, moment=moment)

    def deposit(self, cents: int, on: date, rail: ReceiptRail = ReceiptRail.WIRE) -> str:
        """Have the bank tell of money for the case."""
        with self.make() as session, session.begin():
            reference = f"LINE-{on}-{cents}"
            receipt = Receipt(7, "main", "main", reference, cents, "Ellery", f"CASE {NUMBER}", on)
            receive(session, JOB, receipt, rail, moment=moment_on(on))
            return reference

    def bounce(self, reference: str, cents: int, on: date) -> None:
        """Have a check bounce."""
        with self.make() as session, session.begin():
            said = DepositReturn("main", "main", reference, cents, "NSF", f"{reference}-R", on)
            return_deposit(session, JOB, said, moment=moment_on(on))

    def requests(self) -> list[tuple[str, str, int, int]]:
        """Return cause, state, amount and what came in of each request for funds."""
        row = FundingRequest
        with self.make() as session, session.begin():
            found = session.execute(
                select(row.cause, row.state, row.amount_cents, row.funded_cents).order_by(row.id)
            )
            return [tuple(one) for one in found]  # type: ignore[misc]

    def only(self) -> FundingRequest:
        """Return the one request for funds."""
        with self.make() as session, session.begin():
            return session.execute(select(FundingRequest)).scalar_one()

    def told(self) -> list[str]:
        """Return what the parents were told over their mail, in order."""
        with self.make() as session, session.begin():
            rows = session.execute(
                select(NoticeDelivery.event)
                .where(NoticeDelivery.channel == "mail", NoticeDelivery.event.like("funding.%"))
                .order_by(NoticeDelivery.id)
            )
            return list(rows.scalars())

    def waiting(self) -> list[str]:
        """Return the kinds of what waits for a person about funds."""
        with self.make() as session, session.begin():
            kinds = [item.kind for item in open_exceptions(session)]
            return sorted(kind for kind in kinds if kind.startswith("funding"))

    def case(self, session: Session) -> Case:
        """Return the case as it stands."""
        return session.get_one(Case, self.world.case.id)

    def policy(self, policy: FundingPolicy, on: date = THURSDAY) -> None:
        """Set what the contracts say."""
        with self.make() as session, session.begin():
            specialist, case_ref = self.world.specialist, self.world.case.reference
            set_policy(session, specialist, case_ref=case_ref, policy=policy, moment=moment_on(on))

    def change(self, **values: object) -> None:
        """Set columns of the case."""
        with self.make() as session, session.begin():
            case = locked_case(session, self.world.case.id)
            for name, value in values.items():
                setattr(case, name, value)


@pytest.fixture
def desk(session_factory: Make) -> Desk:
    """Return the worked case on 16 October: two months of 6,027.78 are planned."""
    with session_factory() as session, session.begin():
        world = case_world.build(
            session,
            kind=CaseKind.SURROGACY,
            anonymous=False,
            on=date(2025, 1, 6),
            number=NUMBER,
        )
        term = case_world.propose(
            session,
            world,
            category=Category.BASE_COMPENSATION,
            kind=TermKind.SCHEDULED,
            tax_class=TaxClass.COMPENSATION,
            payee="carrier",
            amount_cents=602_778,
            trigger=Milestone.DELIVERED,
            on=date(2025, 1, 6),
        )
        session.flush()
        for number, day in enumerate((date(2025, 11, 3), date(2025, 12, 1)), start=11):
            session.add(
                ScheduleItem(
                    id=new_id(),
                    reference=new_reference(),
                    case_id=world.case.id,
                    term_id=term.id,
                    number=number,
                    amount_cents=602_778,
                    due_on=day,
                    state=ItemState.PLANNED.value,
                )
            )
        case_world.fund(session, world, 1_813_794, on=date(2025, 1, 17), milestone=False)
        world.case.stage = Stage.PREGNANT.value
    made = Desk(session_factory, world)
    made.policy(FundingPolicy(RULES.minimum_from, {}, RULES.top_up_cents))
    return made


@on_both_databases
def test_the_worked_case_asks_on_the_day_on_which_the_forecast_reaches_december(
    desk: Desk,
) -> None:
    desk.check(THURSDAY)
    assert desk.requests() == []
    with desk.make() as session, session.begin():
        forecast = forecast_of(session, desk.case(session), FRIDAY)
        ends = {point.on: point.balance_cents for point in forecast.points}
        assert ends[date(2025, 12, 1)] == 608_238
        assert forecast.until(FRIDAY + timedelta(days=45)) == Shortfall(
            date(2025, 12, 1), date(2025, 11, 28), 391_762, 391_762
        )
    desk.check(FRIDAY)
    row = desk.only()
    assert (row.cause, row.state, row.amount_cents) == ("minimum", "SENT", 2_500_000)
    assert (row.sent_on, row.due_on) == (FRIDAY, date(2025, 10, 27))
    assert (row.short_on, row.short_cents) == (date(2025, 12, 1), 391_762)
    assert desk.told() == ["funding.requested"]
    desk.deposit(2_500_000, date(2025, 10, 24))
    assert desk.requests() == [("minimum", "FUNDED", 2_500_000, 2_500_000)]
    assert desk.only().closed_on == date(2025, 10, 24)
    desk.check(date(2025, 10, 27))
    assert len(desk.requests()) == 1
    # 43,137.94 on the ledger, as in line A38.
    with desk.make() as session, session.begin():
        assert (
            forecast_of(session, desk.case(session), FRIDAY).points[-1].balance_cents == 3_108_238
        )


@on_both_databases
def test_the_same_check_twice_asks_once(desk: Desk) -> None:
    desk.check(FRIDAY)
    desk.check(FRIDAY)
    desk.check(date(2025, 10, 20))
    assert [row[:3] for row in desk.requests()] == [("minimum", "SENT", 2_500_000)]


@only_on_mariadb
def test_two_workers_at_once_ask_once(desk: Desk) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(desk.check, [FRIDAY] * 4))
    assert len(desk.requests()) == 1


@on_both_databases
def test_a_check_that_dies_halfway_asks_nobody_and_the_next_does(desk: Desk) -> None:
    def dies() -> None:
        with desk.make() as session, session.begin():
            case = locked_case(session, desk.world.case.id)
            assert asking.guard_minimum(session, JOB, case, moment=moment_on(FRIDAY)) is not None
            message = "the plug"
            raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="the plug"):
        dies()
    assert (desk.requests(), desk.told()) == ([], [])
    desk.check(FRIDAY)
    assert desk.told() == ["funding.requested"]


def test_more_is_asked_for_when_the_agreed_amount_does_not_suffice(desk: Desk) -> None:
    desk.policy(FundingPolicy({"PREGNANT": 9_000_000}, {}, 100_000))
    desk.check(FRIDAY)
    # 90,000.00 - 6,082.38 are missing in December, in whole hundreds.
    assert [row[2] for row in desk.requests()] == [8_400_000]
    assert desk.only().due_on == date(2025, 10, 20)


def test_without_an_agreed_amount_a_person_looks_at_the_draft_first(desk: Desk) -> None:
    desk.policy(FundingPolicy(RULES.minimum_from))
    desk.check(FRIDAY)
    assert [row[:3] for row in desk.requests()] == [("minimum", "DRAFT", 400_000)]
    assert (desk.waiting(), desk.told()) == (["funding.draft"], [])
    desk.check(date(2025, 10, 20))
    assert len(desk.requests()) == 1
    _send(desk, desk.only().reference, amount_cents=2_500_000, on=date(2025, 10, 20))
    assert [row[:3] for row in desk.requests()] == [("minimum", "SENT", 2_500_000)]
    assert (desk.waiting(), desk.told()) == ([], ["funding.requested"])


def test_money_held_as_uncollected_does_not_save_the_minimum(desk: Desk) -> None:
    desk.policy(FundingPolicy({"PREGNANT": 1_900_000}, {}, 100_000))
    desk.deposit(5_000_000, THURSDAY, ReceiptRail.CHECK)
    desk.check(FRIDAY)
    assert [row[:2] for row in desk.requests()] == [("minimum", "SENT")]
    assert desk.only().short_on == FRIDAY


@pytest.mark.parametrize(
    "stage", [Stage.PENDING_FUNDING, Stage.ON_HOLD, Stage.FINAL_ACCOUNTING, Stage.CLOSED]
)
def test_the_minimum_is_guarded_only_while_the_journey_goes_on(desk: Desk, stage: Stage) -> None:
    desk.change(stage=stage.value, minimum_balance_cents=9_000_000, funding_required_cents=1)
    desk.check(FRIDAY)
    assert desk.requests() == []


@on_both_databases
def test_a_milestone_asks_for_what_is_due_with_it_once(desk: Desk) -> None:
    desk.policy(RULES)
    with desk.make() as session, session.begin():
        desk_case = locked_case(session, desk.world.case.id)
        desk_case.stage = Stage.AWAITING_HEARTBEAT.value
    with desk.make() as session, session.begin():
        case_world.happen(session, desk.world, Milestone.HEARTBEAT_CONFIRMED, on=THURSDAY)
    desk.check(FRIDAY)
    desk.check(FRIDAY)
    # What is asked for counts as if it were there, so the minimum needs nothing more.
    assert [row[:3] for row in desk.requests()] == [("milestone", "SENT", 4_500_000)]
    assert desk.told() == ["funding.requested"]


@on_both_databases
def test_the_signed_escrow_agreement_asks_for_what_is_missing_of_the_agreed_funding(
    session_factory: Make,
) -> None:
    with session_factory() as session, session.begin():
        world = case_world.build(session, number=NUMBER)
        case_world.sign(session, world, AgreementKind.ESCROW)
    fresh = Desk(session_factory, world)
    fresh.deposit(850_000, date(2026, 1, 20))
    fresh.check(date(2026, 1, 21))
    assert [row[:3] for row in fresh.requests()] == [("milestone", "SENT", 2_000_000)]
    fresh.deposit(2_000_000, date(2026, 1, 22))
    assert [row[1] for row in fresh.requests()] == ["FUNDED"]


@on_both_databases
def test_deposits_fund_the_oldest_request_first_and_what_is_over_stays_free(desk: Desk) -> None:
    desk.check(FRIDAY)
    reference = _draft(desk, 1_000_000)
    _send(desk, reference, on=FRIDAY)
    desk.deposit(1_500_000, date(2025, 10, 20))
    assert [row[1:] for row in desk.requests()] == [
        ("PART_FUNDED", 2_500_000, 1_500_000),
        ("SENT", 1_000_000, 0),
    ]
    desk.deposit(2_200_000, date(2025, 10, 21))
    assert [row[1:] for row in desk.requests()] == [
        ("FUNDED", 2_500_000, 2_500_000),
        ("FUNDED", 1_000_000, 1_000_000),
    ]
    with desk.make() as session, session.begin():
        rows = session.execute(
            select(FundingAllocation.amount_cents).order_by(FundingAllocation.id)
        )
        assert list(rows.scalars()) == [1_500_000, 1_000_000, 1_000_000]


@on_both_databases
def test_a_check_that_bounces_opens_again_what_it_had_funded(desk: Desk) -> None:
    desk.check(FRIDAY)
    desk.deposit(500_000, date(2025, 10, 20))
    reference = desk.deposit(2_000_000, date(2025, 10, 21), ReceiptRail.CHECK)
    assert [row[1] for row in desk.requests()] == ["FUNDED"]
    desk.bounce(reference, 2_000_000, date(2025, 10, 23))
    desk.bounce(reference, 2_000_000, date(2025, 10, 23))
    assert desk.requests() == [("minimum", "PART_FUNDED", 2_500_000, 500_000)]
    assert desk.only().closed_on is None
    desk.deposit(2_000_000, date(2025, 10, 24))
    assert [row[1] for row in desk.requests()] == ["FUNDED"]


def test_a_deposit_that_is_matched_by_hand_funds_as_well(desk: Desk) -> None:
    desk.check(FRIDAY)
    with desk.make() as session, session.begin():
        lead = person(session, "Lena Sorensen", Role.PAYMENTS_LEAD)
        receipt = Receipt(7, "main", "main", "STRAY", 2_500_000, "Ellery", "thank you", FRIDAY)
        stray = receive(session, JOB, receipt, ReceiptRail.WIRE, moment=moment_on(FRIDAY))
        assert stray.case_id is None
        session.flush()
        match_deposit(
            session,
            lead,
            deposit_ref=stray.reference,
            case_ref=desk.world.case.reference,
            moment=moment_on(FRIDAY),
        )
    assert [row[1] for row in desk.requests()] == ["FUNDED"]


@on_both_databases
def test_parents_are_reminded_every_third_day_until_the_request_is_escalated(desk: Desk) -> None:
    day, states = FRIDAY, {}
    while day <= date(2025, 11, 7):
        desk.check(day)
        states[day] = desk.only().state
        day += timedelta(days=1)
    assert desk.told() == ["funding.requested"] + ["funding.reminder"] * 7
    assert states[date(2025, 10, 27)] == "SENT"
    assert states[date(2025, 10, 28)] == "OVERDUE"
    late = add_banking_days(date(2025, 10, 27), 5)
    assert (states[late], states[late + timedelta(days=1)]) == ("OVERDUE", "ESCALATED")
    assert desk.waiting() == ["funding.escalated"]
    desk.deposit(1_000_000, date(2025, 11, 10))
    assert (desk.only().state, desk.waiting()) == ("PART_FUNDED", [])
    desk.deposit(1_500_000, date(2025, 11, 11))
    desk.check(date(2025, 11, 12))
    assert (desk.requests()[0][1], desk.waiting()) == ("FUNDED", [])


def test_nobody_is_reminded_twice_on_one_day_or_while_the_case_is_on_hold(desk: Desk) -> None:
    desk.check(FRIDAY)
    for _ in range(2):
        desk.check(date(2025, 10, 20))
    assert desk.told() == ["funding.requested", "funding.reminder"]
    desk.change(stage=Stage.ON_HOLD.value, stage_before_hold=Stage.PREGNANT.value)
    desk.check(date(2025, 10, 30))
    assert desk.told() == ["funding.requested", "funding.reminder"]
    assert desk.only().state == "SENT"


def test_a_request_is_withdrawn_with_a_reason_and_not_revived(desk: Desk) -> None:
    desk.check(FRIDAY)
    reference = desk.only().reference
    for reason, refusal in (("", Invalid), ("The parents have wired already.", None)):
        with desk.make() as session, session.begin():
            if refusal is None:
                _cancel(session, desk.world.specialist, reference, reason)
            else:
                with pytest.raises(refusal):
                    _cancel(session, desk.world.specialist, reference, reason)
    with desk.make() as session, session.begin(), pytest.raises(WrongState):
        _cancel(session, desk.world.specialist, reference, "Again")
    desk.deposit(2_500_000, date(2025, 10, 24))
    assert desk.requests() == [("minimum", "CANCELLED", 2_500_000, 0)]


@pytest.mark.parametrize("stage", [Stage.FINAL_ACCOUNTING, Stage.CANCELLED])
def test_what_is_still_asked_for_is_withdrawn_when_the_case_closes(
    desk: Desk, stage: Stage
) -> None:
    desk.check(FRIDAY)
    desk.change(stage=stage.value)
    with desk.make() as session, session.begin():
        assert chasing.cases_to_look_at(session) == [desk.world.case.id]
    desk.check(date(2025, 10, 20))
    assert [row[1] for row in desk.requests()] == ["CANCELLED"]
    assert desk.told() == ["funding.requested"]


@pytest.mark.parametrize("who", ["auditor", "parent", "agency_admin", "legal"])
def test_only_the_escrow_and_payments_teams_ask(desk: Desk, who: str) -> None:
    actor = getattr(desk.world, who)
    with desk.make() as session, session.begin(), pytest.raises(Forbidden):
        asking.draft_request(
            session,
            actor,
            case_ref=desk.world.case.reference,
            amount_cents=1,
            reason="More",
            moment=moment_on(FRIDAY),
        )


def test_what_cannot_be_sent_is_refused_and_named(desk: Desk) -> None:
    reference = _draft(desk, 5_000)
    with desk.make() as session, session.begin():
        with pytest.raises(Invalid) as refused:
            asking.send_request(
                session,
                desk.world.specialist,
                funding_ref=reference,
                due_on=FRIDAY,
                moment=moment_on(FRIDAY),
            )
        assert list(refused.value.errors or {}) == ["due_on"]
        with pytest.raises(InvalidAmount):
            asking.send_request(
                session,
                desk.world.specialist,
                funding_ref=reference,
                amount_cents=0,
                moment=moment_on(FRIDAY),
            )
        with pytest.raises(NotFound):
            asking.send_request(
                session, desk.world.specialist, funding_ref="NOSUCH", moment=moment_on(FRIDAY)
            )


def test_the_minimum_follows_the_stage_of_the_case(desk: Desk) -> None:
    seen = {}
    with desk.make() as session, session.begin():
        case = locked_case(session, desk.world.case.id)
        for stage in (
            Stage.POST_DELIVERY,
            Stage.ON_HOLD,
            Stage.POST_DELIVERY,
            Stage.AWAITING_CLOSE_APPROVAL,
            Stage.FINAL_ACCOUNTING,
            Stage.AWAITING_CLOSE_APPROVAL,
        ):
            seen[case.stage] = case.minimum_balance_cents
            move_stage(session, JOB, case, stage, cause="Test", moment=moment_on(FRIDAY))
        seen["again"] = case.minimum_balance_cents
    assert seen == {
        "PREGNANT": 1_000_000,
        "POST_DELIVERY": 500_000,
        "ON_HOLD": 500_000,
        "AWAITING_CLOSE_APPROVAL": 500_000,
        "FINAL_ACCOUNTING": 0,
        "again": 500_000,
    }


def test_rules_are_replaced_and_come_back_and_without_any_there_is_no_minimum(desk: Desk) -> None:
    minimum = []
    for policy in (FundingPolicy(), FundingPolicy({"INTAKE": 700}), FundingPolicy(), RULES):
        desk.policy(policy)
        with desk.make() as session, session.begin():
            minimum.append(desk.case(session).minimum_balance_cents)
            assert policy_of(session, desk.world.case.id) == policy
    assert minimum == [0, 700, 0, 1_000_000]


@pytest.mark.parametrize(
    "policy, field",
    [
        (FundingPolicy({"CYCLE_IN_PROGRESS": 1}), "minimum_from"),
        (FundingPolicy({"PREGNANT": -1}), "minimum_from"),
        (FundingPolicy({}, {"retrieval_done": 1}), "due_at"),
        (FundingPolicy({}, {"initial_funding_received": 1}), "due_at"),
        (FundingPolicy({}, {"heartbeat_confirmed": 0}), "due_at"),
        (FundingPolicy({}, {}, 0), "top_up_cents"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(
    desk: Desk, policy: FundingPolicy, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        desk.policy(policy)
    assert list(refused.value.errors or {}) == [field]
    with desk.make() as session, session.begin():
        assert session.get_one(Case, desk.world.case.id).minimum_balance_cents == 1_000_000


def _draft(desk: Desk, cents: int) -> str:
    with desk.make() as session, session.begin():
        return asking.draft_request(
            session,
            desk.world.specialist,
            case_ref=desk.world.case.reference,
            amount_cents=cents,
            reason="A second clinic has sent its estimate",
            moment=moment_on(FRIDAY),
        ).reference


def _send(desk: Desk, reference: str, *, amount_cents: int | None = None, on: date) -> None:
    with desk.make() as session, session.begin():
        asking.send_request(
            session,
            desk.world.specialist,
            funding_ref=reference,
            amount_cents=amount_cents,
            moment=moment_on(on),
        )


def _cancel(session: Session, actor: Actor, reference: str, reason: str) -> None:
    asking.cancel_request(
        session, actor, funding_ref=reference, reason=reason, moment=moment_on(FRIDAY)
    )
