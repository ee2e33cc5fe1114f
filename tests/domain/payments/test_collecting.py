"""Collecting what is due: everything is in the run, or on its exceptions list with the reason."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import Conflict, Forbidden, Invalid, NotFound
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.states import RequestKind
from seedtrust.domain.payees import service as payees
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.states import PayeeKind
from seedtrust.domain.payments import queries, runs
from seedtrust.domain.payments.errors import PaymentsNotPossible, RunIsEmpty
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.payments.states import ExceptionReason, Rail, RunState
from seedtrust.domain.payments.views import RunView
from seedtrust.domain.terms.states import Category, TaxClass
from tests.factories.payment_world import MONDAY, SYSTEM, TUESDAY, PaymentWorld, moment_at

FRIDAY = date(2026, 1, 9)
NEXT_MONDAY = date(2026, 1, 12)
WEDNESDAY = date(2026, 1, 7)


def seen(world: PaymentWorld, run: PaymentRun | None) -> RunView:
    """Return a run as its page shows it."""
    assert run is not None, "there is no run"
    return world.do(lambda session: queries.run_view(session, world.builder, run.reference))


def state_of(world: PaymentWorld, request: DisbursementRequest) -> str:
    """Return the state of a request."""
    return world.do(lambda session: session.get_one(DisbursementRequest, request.id).state)


def reasons(view: RunView) -> dict[str, ExceptionReason]:
    """Return the exceptions of a run by request."""
    return {row.request_ref: row.reason for row in view.exceptions}


def account_of(session: Session, payee: Payee) -> PayeeAccount:
    """Return the newest account of a payee."""
    return session.execute(
        select(PayeeAccount)
        .where(PayeeAccount.payee_id == payee.id)
        .order_by(PayeeAccount.id.desc())
    ).scalars().first() or pytest.fail("no account")


def block(world: PaymentWorld, payee: Payee) -> None:
    """Block the account of a payee."""

    def work(session: Session) -> None:
        payees.block_account(
            session,
            SYSTEM,
            account_ref=account_of(session, payee).reference,
            reason="The bank says it is closed.",
            moment=moment_at(),
        )

    world.do(work)


def test_without_anything_due_there_is_no_run(world: PaymentWorld) -> None:
    assert world.collect() is None
    world.ready()
    assert world.collect() is not None


def test_payments_stand_in_the_order_of_their_requests(world: PaymentWorld) -> None:
    references = world.ready(4)
    view = seen(world, world.collect())
    assert [row.request_ref for row in view.payments] == references
    assert view.summary.total_cents == 40_006
    assert view.exceptions == ()


def test_collecting_again_adds_only_what_is_new(world: PaymentWorld) -> None:
    [first] = world.ready()
    run = world.collect()
    [second] = world.ready()
    again = world.collect()
    assert run is not None
    assert again is not None
    assert again.id == run.id
    assert [row.request_ref for row in seen(world, again).payments] == [first, second]
    unchanged = seen(world, world.collect())
    assert [row.request_ref for row in unchanged.payments] == [first, second]


@pytest.mark.parametrize(
    "pay_on,day,hour,collected",
    [
        (None, MONDAY, 10, True),
        (TUESDAY, MONDAY, 10, True),
        (WEDNESDAY, MONDAY, 10, False),
        (TUESDAY, MONDAY, 15, True),
        (WEDNESDAY, MONDAY, 15, True),
        (NEXT_MONDAY, FRIDAY, 10, True),
        (date(2026, 1, 13), FRIDAY, 10, False),
        (date(2026, 1, 20), date(2026, 1, 16), 10, True),
    ],
)
def test_a_request_is_due_when_the_run_would_settle_on_its_day(
    world: PaymentWorld,
    pay_on: date | None,
    day: date,
    hour: int,
    collected: bool,
) -> None:
    request = world.request(world.case(), world.payee(), pay_on=pay_on)
    run = world.collect(moment=moment_at(day, hour))
    assert (run is not None) == collected
    assert state_of(world, request) == ("IN_PAYMENT" if collected else "READY")


@pytest.mark.parametrize(
    "rail,day,hour,settles",
    [
        (Rail.ACH, MONDAY, 10, TUESDAY),
        (Rail.ACH, MONDAY, 14, WEDNESDAY),
        (Rail.ACH, FRIDAY, 10, NEXT_MONDAY),
        (Rail.ACH, date(2026, 1, 10), 10, date(2026, 1, 13)),
        (Rail.ACH, date(2026, 1, 16), 10, date(2026, 1, 20)),
        (Rail.WIRE, MONDAY, 15, MONDAY),
        (Rail.WIRE, MONDAY, 16, TUESDAY),
        (Rail.WIRE, date(2026, 1, 10), 10, NEXT_MONDAY),
    ],
)
def test_the_day_of_settlement_follows_cut_offs_and_the_feds_calendar(
    world: PaymentWorld, rail: Rail, day: date, hour: int, settles: date
) -> None:
    from seedtrust.domain.payments.calendar import settles_on

    assert settles_on(world.account(), rail, moment_at(day, hour)) == settles


def test_people_get_ppd_entries_and_companies_ccd_with_numbers_only(world: PaymentWorld) -> None:
    case = world.case()
    donor, agency = world.payee(), world.payee(kind=PayeeKind.COMPANY, name="Larkspur LLC")
    pay = [
        world.request(case, donor, amount_cents=1_000, tax_class=TaxClass.COMPENSATION),
        world.request(case, donor, amount_cents=2_000, tax_class=TaxClass.REIMBURSEMENT),
        world.request(case, agency, amount_cents=3_000, tax_class=TaxClass.VENDOR),
        world.request(case, donor, amount_cents=4_000, tax_class=TaxClass.VENDOR),
    ]
    rows = seen(world, world.collect()).payments
    assert [(row.sec_code, row.entry_description) for row in rows] == [
        ("PPD", "PAYROLL"),
        ("PPD", "REIMBURSE"),
        ("CCD", "VENDORPAY"),
        ("PPD", "VENDORPAY"),
    ]
    assert [row.addenda_text for row in rows] == [
        "",
        "",
        f"CASE {case.number} REQUEST {pay[2].reference}",
        "",
    ]
    assert case.name not in rows[2].addenda_text


def test_refunds_go_by_wire_and_everything_else_by_ach(world: PaymentWorld) -> None:
    case = world.case(stage=Stage.FINAL_DISBURSEMENT)
    refund = world.request(
        case,
        world.payee(),
        kind=RequestKind.REFUND,
        category=Category.CLOSING_REFUND,
        tax_class=TaxClass.NONE,
    )
    assert world.collect(rail=Rail.ACH) is None
    view = seen(world, world.collect(rail=Rail.WIRE))
    assert [row.request_ref for row in view.payments] == [refund.reference]
    assert view.payments[0].sec_code == ""


def test_other_rails_and_other_trust_accounts_stay_out(world: PaymentWorld) -> None:
    case = world.case()
    request = world.request(case, world.payee())

    def put(session: Session, **values: object) -> None:
        for name, value in values.items():
            setattr(session.get_one(Case, case.id), name, value)

    world.do(lambda session: put(session, rail="huntington"))
    assert world.collect() is None
    world.do(lambda session: put(session, rail="nacha", trust_account_id=1))
    assert world.collect() is None
    world.do(lambda session: put(session, trust_account_id=world.trust_account_id))
    assert world.collect() is not None
    assert state_of(world, request) == "IN_PAYMENT"


def test_a_payee_without_an_account_is_an_exception(world: PaymentWorld) -> None:
    request = world.request(world.case(), world.payee(active=False))
    view = seen(world, world.collect())
    assert reasons(view) == {request.reference: ExceptionReason.NO_ACTIVE_ACCOUNT}
    assert view.payments == ()
    assert state_of(world, request) == "READY"


def test_an_open_change_and_cooling_off_are_exceptions_of_their_own(world: PaymentWorld) -> None:
    payee = world.payee()
    request = world.request(world.case(), payee)
    account = world.do(lambda session: world.submit(session, payee, on=MONDAY))
    view = seen(world, world.collect())
    assert reasons(view) == {request.reference: ExceptionReason.ACCOUNT_CHANGE_OPEN}
    world.do(lambda session: world.approve(session, account, on=MONDAY))
    view = seen(world, world.collect())
    assert reasons(view) == {request.reference: ExceptionReason.COOLING_OFF}
    thursday = moment_at(date(2026, 1, 8))
    world.do(lambda session: payees.activate_cooled(session, SYSTEM, moment=thursday))
    view = seen(world, world.collect(moment=thursday))
    assert [row.request_ref for row in view.payments] == [request.reference]
    assert view.payments[0].masked_number == f"••••{account.last_four}"


def test_a_case_on_hold_and_a_stage_that_lets_nothing_out_are_exceptions(
    world: PaymentWorld,
) -> None:
    case, payee = world.case(), world.payee()
    request = world.request(case, payee)

    def stage(session: Session, to: Stage) -> None:
        session.get_one(Case, case.id).stage = to.value

    for to, reason in (
        (Stage.ON_HOLD, ExceptionReason.HOLD),
        (Stage.FINAL_ACCOUNTING, ExceptionReason.CASE_STAGE),
    ):
        world.do(lambda session, to=to: stage(session, to))  # type: ignore[misc]
        assert reasons(seen(world, world.collect())) == {request.reference: reason}
    world.do(lambda session: stage(session, Stage.CYCLE_IN_PROGRESS))
    assert len(seen(world, world.collect()).payments) == 1


def test_what_the_balance_does_not_cover_is_an_exception(world: PaymentWorld) -> None:
    case = world.case(funds_cents=5_000)
    request = world.request(case, world.payee(), amount_cents=6_000)
    assert request.state == "INSUFFICIENT"
    view = seen(world, world.collect())
    assert reasons(view) == {request.reference: ExceptionReason.INSUFFICIENT}
    assert view.exceptions[0].amount_cents == 6_000


def test_two_requests_that_look_alike_without_a_reason_are_an_exception(
    world: PaymentWorld,
) -> None:
    case, payee = world.case(), world.payee()
    first = world.request(case, payee, requested_on=MONDAY)
    second = world.request(case, payee, requested_on=TUESDAY)
    view = seen(world, world.collect())
    assert [row.request_ref for row in view.payments] == [first.reference]
    assert reasons(view) == {second.reference: ExceptionReason.DUPLICATE_SUSPICION}

    def explain(session: Session) -> None:
        session.get_one(DisbursementRequest, second.id).duplicate_reason = "Two trips."

    world.do(explain)
    assert len(seen(world, world.collect()).payments) == 2


def test_a_payment_whose_account_was_blocked_meanwhile_leaves_the_run(world: PaymentWorld) -> None:
    payee = world.payee()
    request = world.request(world.case(), payee)
    run = world.collect()
    assert run is not None
    block(world, payee)
    with pytest.raises(PaymentsNotPossible):
        world.do(
            lambda session: runs.lock_run(
                session, world.builder, run_ref=run.reference, moment=moment_at()
            )
        )
    view = seen(world, world.collect())
    assert view.payments == ()
    assert reasons(view) == {request.reference: ExceptionReason.NO_ACTIVE_ACCOUNT}
    assert state_of(world, request) == "READY"


def test_a_run_without_payments_cannot_be_locked(world: PaymentWorld) -> None:
    world.request(world.case(), world.payee(active=False))
    run = world.collect()
    assert run is not None

    def lock() -> PaymentRun:
        return world.do(
            lambda session: runs.lock_run(
                session, world.builder, run_ref=run.reference, moment=moment_at()
            )
        )

    with pytest.raises(RunIsEmpty):
        lock()
    world.ready()
    world.collect()
    assert lock().state == RunState.LOCKED


def test_a_locked_run_takes_nothing_more_and_the_next_one_opens(world: PaymentWorld) -> None:
    world.ready()
    locked = world.locked()
    world.ready()
    nxt = world.collect()
    assert nxt is not None
    assert nxt.id != locked.id
    assert len(seen(world, locked).payments) == len(seen(world, nxt).payments) == 1


def test_locking_dates_the_run_anew(world: PaymentWorld) -> None:
    world.ready()
    run = world.collect(moment=moment_at(MONDAY, 10))
    assert run is not None
    assert run.effective_on == TUESDAY
    locked = world.do(
        lambda session: runs.lock_run(
            session, world.builder, run_ref=run.reference, moment=moment_at(MONDAY, 15)
        )
    )
    assert locked.effective_on == WEDNESDAY
    assert {row.effective_on for row in seen(world, locked).payments} == {WEDNESDAY}


def test_a_locked_run_can_be_reopened_unless_another_is_open(world: PaymentWorld) -> None:
    world.ready()
    locked = world.locked()

    def reopen(reason: str = "One more bill.") -> PaymentRun:
        return world.do(
            lambda session: runs.reopen_run(
                session,
                world.builder,
                run_ref=locked.reference,
                reason=reason,
                moment=moment_at(),
            )
        )

    with pytest.raises(Invalid):
        reopen(" ")
    assert reopen().state == "OPEN"
    assert reopen_is_refused(reopen)
    world.locked()
    world.ready()
    world.collect()
    with pytest.raises(Conflict):
        reopen()


def reopen_is_refused(reopen: object) -> bool:
    """Tell that an open run cannot be opened once more."""
    assert callable(reopen)
    with pytest.raises(Conflict):
        reopen()
    return True


def test_a_cancelled_run_gives_its_requests_back(world: PaymentWorld) -> None:
    case, payee = world.case(), world.payee()
    request = world.request(case, payee)
    locked = world.locked()

    def cancel() -> PaymentRun:
        return world.do(
            lambda session: runs.cancel_run(
                session,
                world.builder,
                run_ref=locked.reference,
                reason="Wrong day.",
                moment=moment_at(),
            )
        )

    assert cancel().state == "CANCELLED"
    assert state_of(world, request) == "READY"
    with pytest.raises(Conflict):
        cancel()
    again = world.collect()
    [payment] = seen(world, again).payments
    assert payment.request_ref == request.reference


def test_one_payment_can_be_taken_out_of_an_open_run(world: PaymentWorld) -> None:
    first, second = world.ready(2)
    run = world.collect()
    taken = seen(world, run).payments[0]

    def remove() -> PaymentRun:
        return world.do(
            lambda session: runs.remove_payment(
                session,
                world.builder,
                instruction_ref=taken.reference,
                reason="The parents asked to wait.",
                moment=moment_at(),
            )
        )

    assert [row.request_ref for row in seen(world, remove()).payments] == [second]
    with pytest.raises(Conflict):
        remove()
    # A new payment with a reference of its own, which names the one that it replaces.
    rows = seen(world, world.collect()).payments
    assert [row.request_ref for row in rows] == [second, first]
    assert rows[1].reference != taken.reference
    with pytest.raises(NotFound):
        world.do(
            lambda session: runs.remove_payment(
                session,
                world.builder,
                instruction_ref="AAAAAAAAAAAAAAA",
                reason="x",
                moment=moment_at(),
            )
        )
    world.locked()
    with pytest.raises(Conflict):
        world.do(
            lambda session: runs.remove_payment(
                session,
                world.builder,
                instruction_ref=rows[1].reference,
                reason="Too late.",
                moment=moment_at(),
            )
        )


def test_only_who_may_build_collects_and_a_job_may_collect_but_not_lock(
    world: PaymentWorld,
) -> None:
    world.ready()
    with pytest.raises(Forbidden):
        world.collect(world.lead)
    run = world.collect(SYSTEM)
    assert run is not None
    with pytest.raises(Forbidden):
        world.do(
            lambda session: runs.lock_run(
                session, SYSTEM, run_ref=run.reference, moment=moment_at()
            )
        )
    assert world.locked().builder_name == world.builder.name


def test_an_unknown_account_or_run_is_not_found(world: PaymentWorld) -> None:
    with pytest.raises(NotFound):
        world.do(
            lambda session: runs.collect_due(
                session, world.builder, trust_account_id=1, rail="ach", moment=moment_at()
            )
        )
    with pytest.raises(NotFound):
        world.do(
            lambda session: runs.lock_run(
                session, world.builder, run_ref="AAAAAAAAAAAAAAA", moment=moment_at()
            )
        )
    with pytest.raises(NotFound):
        world.do(lambda session: queries.run_view(session, world.builder, "AAAAAAAAAAAAAAA"))
    assert world.collect() is None


def test_the_database_itself_refuses_a_second_live_payment_of_a_request(
    world: PaymentWorld,
) -> None:
    from sqlalchemy.exc import IntegrityError

    world.ready(2)
    run = world.collect()
    assert run is not None

    def twice(session: Session) -> None:
        first, second = (
            session.execute(select(PaymentInstruction).where(PaymentInstruction.run_id == run.id))
            .scalars()
            .all()
        )
        second.live_request_id = first.live_request_id

    with pytest.raises(IntegrityError):
        world.do(twice)
    assert len(seen(world, run).payments) == 2
