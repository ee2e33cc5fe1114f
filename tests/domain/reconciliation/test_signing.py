"""Reconciling a day: two people, a seal, and what a corrected statement does to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from seedtrust.core.errors import Forbidden, NotFound, WrongState
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.models import AuditEvent
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.ledger.account_kinds import AccountKind
from seedtrust.domain.operations.queries import open_exceptions
from seedtrust.domain.reconciliation import days, signing
from seedtrust.domain.reconciliation.errors import (
    DifferenceUnexplained,
    FiguresChanged,
    PreparerCannotReview,
    StatementMissing,
)
from seedtrust.domain.reconciliation.models import Reconciliation
from seedtrust.domain.reconciliation.service import import_statement
from seedtrust.domain.reconciliation.states import DayState
from seedtrust.domain.reconciliation.views import DayView, ThreeWay
from seedtrust.jobs.housekeeping import roll_up
from seedtrust.jobs.reconciliation import nightly
from seedtrust.jobs.registry import JOBS
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import MONDAY, SYSTEM, TUESDAY, PaymentWorld, moment_at
from tests.factories.statements import Line, statement
from tests.fakes.bank import FakeBank
from tests.support.databases import on_both_databases

WEDNESDAY = date(2026, 1, 7)
IN = 50_000


def told(world: PaymentWorld, on: date, data: bytes) -> None:
    """Import what the bank sent."""
    name = f"STMT-{on.isoformat()}.bai2"
    moment = moment_at(WEDNESDAY)
    world.do(lambda s: import_statement(s, SYSTEM, file_name=name, data=data, moment=moment))


def deposited(world: PaymentWorld, cents: int = IN, on: date = MONDAY, key: str = "d") -> None:
    """Book money in, as if it had been booked on that day."""
    case = world.case(funds_cents=0)
    posted(world, case.ledger_account_id, cents, on, key)


def posted(world: PaymentWorld, account_id: int, cents: int, on: date, key: str) -> None:
    """Credit an account from the bank's cash."""

    def work(session: Session) -> None:
        ledger.transfer(
            session,
            SYSTEM,
            debit_account_id=chart.account_id(session, "trust", chart.bank_cash_code("main")),
            credit_account_id=account_id,
            amount_cents=cents,
            kind=ledger.TxnKind.DEPOSIT,
            key=key,
            effective_on=on,
            now=moment_at().at,
        )

    world.do(work)


def stock(world: PaymentWorld, on: date = MONDAY) -> Reconciliation:
    """Take stock of a day."""
    moment = moment_at(WEDNESDAY)
    return world.do(
        lambda s: signing.take_stock(
            s, SYSTEM, trust_account_id=world.trust_account_id, on=on, moment=moment
        )
    )


def prepare(world: PaymentWorld, row: Reconciliation, note: str = "") -> Reconciliation:
    """Prepare what the row shows."""
    return world.do(
        lambda s: signing.prepare(
            s,
            world.builder,
            reference=row.reference,
            note=note,
            content_hash=row.content_hash,
            moment=moment_at(WEDNESDAY),
        )
    )


def review(world: PaymentWorld, row: Reconciliation, actor: Actor | None = None) -> Reconciliation:
    """Review what was prepared."""
    return world.do(
        lambda s: signing.review(
            s,
            actor or world.lead,
            reference=row.reference,
            content_hash=row.content_hash,
            moment=moment_at(WEDNESDAY),
        )
    )


def lock(world: PaymentWorld, row: Reconciliation, actor: Actor | None = None) -> Reconciliation:
    """Lock what was reviewed."""
    moment = moment_at(WEDNESDAY)
    return world.do(
        lambda s: signing.lock_day(s, actor or world.lead, reference=row.reference, moment=moment)
    )


def shown(world: PaymentWorld, row: Reconciliation) -> tuple[DayView, ThreeWay]:
    """Return a day as its page shows it."""
    return world.do(lambda s: days.day_for(s, world.lead, row.reference))


def waiting(world: PaymentWorld) -> list[str]:
    """Return the kinds of the open exception items about reconciliation."""
    return world.do(
        lambda s: [one.kind for one in open_exceptions(s) if one.kind.startswith("reconc")]
    )


@pytest.fixture
def agreed(world: PaymentWorld) -> Reconciliation:
    """Return Monday, on which everything agrees."""
    deposited(world)
    told(world, MONDAY, statement(MONDAY, 0, Line(IN, text="Wire in")))
    return stock(world)


def test_a_day_is_prepared_reviewed_and_locked_by_two_people(
    world: PaymentWorld, agreed: Reconciliation
) -> None:
    assert prepare(world, agreed).state == DayState.PREPARED
    assert review(world, agreed).state == DayState.REVIEWED
    locked = lock(world, agreed, world.controller)
    assert locked.state == DayState.LOCKED
    assert locked.lock_hash == world.do(
        lambda s: signing.seal_of(s.get_one(Reconciliation, agreed.id))
    )
    day, proof = shown(world, agreed)
    assert (day.prepared_by, day.reviewed_by, day.locked_by) == (
        world.builder.name,
        world.lead.name,
        world.controller.name,
    )
    assert (proof.agrees, proof.cases_cents) == (True, IN)
    actions = world.do(
        lambda s: (
            s.execute(select(AuditEvent.action).where(AuditEvent.subject_ref == agreed.reference))
            .scalars()
            .all()
        )
    )
    assert sorted(actions) == [
        "reconciliation.locked",
        "reconciliation.prepared",
        "reconciliation.reviewed",
    ]


def test_the_preparer_can_neither_review_nor_lock(
    world: PaymentWorld, agreed: Reconciliation
) -> None:
    prepare(world, agreed)
    both = replace(world.lead, user_id=world.builder.user_id)
    with pytest.raises(PreparerCannotReview):
        review(world, agreed, both)
    review(world, agreed)
    with pytest.raises(PreparerCannotReview):
        lock(world, agreed, both)
    assert lock(world, agreed).state == DayState.LOCKED


def test_people_without_the_permission_sign_nothing(
    world: PaymentWorld, agreed: Reconciliation
) -> None:
    with pytest.raises(Forbidden):
        world.do(
            lambda s: signing.prepare(
                s,
                world.lead,
                reference=agreed.reference,
                note="",
                content_hash=agreed.content_hash,
                moment=moment_at(),
            )
        )
    prepare(world, agreed)
    with pytest.raises(Forbidden):
        review(world, agreed, world.other_builder)


def test_steps_come_in_their_order(world: PaymentWorld, agreed: Reconciliation) -> None:
    for step in (review, lock):
        with pytest.raises(WrongState):
            step(world, agreed)
    prepare(world, agreed)
    with pytest.raises(WrongState):
        lock(world, agreed)
    review(world, agreed)
    lock(world, agreed)
    with pytest.raises(WrongState):
        prepare(world, agreed)


def test_an_unknown_day_is_not_found(world: PaymentWorld, agreed: Reconciliation) -> None:
    agreed.reference = "NOSUCHDAY"
    for step in (prepare, review, lock):
        with pytest.raises(NotFound):
            step(world, agreed)
    with pytest.raises(NotFound):
        shown(world, agreed)


def test_figures_that_changed_since_they_were_shown_are_not_signed(
    world: PaymentWorld, agreed: Reconciliation
) -> None:
    deposited(world, 7, key="late")
    with pytest.raises(FiguresChanged):
        prepare(world, agreed)
    fresh = stock(world)
    prepare(world, fresh, "Seven cents that the bank has not seen")
    review(world, fresh)
    deposited(world, 8, key="later still")
    with pytest.raises(FiguresChanged):
        lock(world, fresh)
    assert shown(world, fresh)[1].cases_cents == IN + 7


def test_a_day_needs_the_banks_own_statement(world: PaymentWorld) -> None:
    deposited(world)
    row = stock(world)
    with pytest.raises(StatementMissing):
        prepare(world, row, "Nothing came")


def test_a_difference_needs_an_explanation(world: PaymentWorld) -> None:
    told(world, MONDAY, statement(MONDAY, 0, Line(IN, text="Wire in")))
    row = stock(world)
    with pytest.raises(DifferenceUnexplained) as refused:
        prepare(world, row, "   ")
    assert list(refused.value.errors) == ["note"]
    assert prepare(world, row, "The wire's event is late").note == "The wire's event is late"


@on_both_databases
def test_a_difference_is_told_once_and_closes_itself_when_it_is_cured(
    world: PaymentWorld,
) -> None:
    told(world, MONDAY, statement(MONDAY, 0, Line(IN, text="Wire in")))
    for _ in range(2):
        row = stock(world)
        assert row.state == DayState.OPEN
        assert waiting(world) == [signing.DIFFERENCE_KIND]
    deposited(world)
    stock(world)
    assert waiting(world) == []
    deposited(world, 3, key="again")
    stock(world)
    assert waiting(world) == [signing.DIFFERENCE_KIND]


def test_a_corrected_statement_makes_a_locked_day_stale_and_a_new_version_counts(
    world: PaymentWorld, agreed: Reconciliation
) -> None:
    prepare(world, agreed)
    review(world, agreed)
    sealed = lock(world, agreed).lock_hash
    told(world, MONDAY, statement(MONDAY, 0, Line(IN + 5, text="Wire in"), file_id="2"))
    day, proof = shown(world, agreed)
    assert (day.state, day.lock_hash, proof.cases_cents) == (DayState.STALE, sealed, IN)
    assert "2026-01-05" in day.stale_because
    assert signing.STALE_KIND in waiting(world)
    after = stock(world)
    assert (after.version_number, after.state) == (2, DayState.OPEN)
    assert waiting(world) == [signing.DIFFERENCE_KIND]
    listed, _ = world.do(lambda s: days.history(s, world.lead))
    assert [(one.version_number, one.is_current) for one in listed] == [(2, True), (1, False)]
    with pytest.raises(WrongState):
        prepare(world, agreed)


def test_a_corrected_statement_opens_a_prepared_day_again(
    world: PaymentWorld, agreed: Reconciliation
) -> None:
    prepare(world, agreed)
    told(world, MONDAY, statement(MONDAY, 0, Line(IN + 5, text="Wire in"), file_id="2"))
    assert shown(world, agreed)[0].state is DayState.OPEN
    with pytest.raises(WrongState):
        review(world, agreed)


def test_a_seal_shows_figures_that_were_changed_in_the_table(
    world: PaymentWorld, agreed: Reconciliation
) -> None:
    prepare(world, agreed)
    review(world, agreed)
    sealed = lock(world, agreed).lock_hash
    world.do(lambda s: s.execute(text("UPDATE reconciliations SET note = 'All is well'")))
    assert sealed != world.do(lambda s: signing.seal_of(s.get_one(Reconciliation, agreed.id)))


def test_the_night_proves_each_reported_day_once(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    deposited(world)
    told(world, MONDAY, statement(MONDAY, 0, Line(IN, text="Wire in")))
    told(world, TUESDAY, statement(TUESDAY, IN))
    tools = desk.at(WEDNESDAY, 6, 30)
    assert nightly(tools) == (2, 0)
    assert nightly(tools) == (0, 0)
    listed, _ = world.do(lambda s: days.history(s, world.lead))
    assert [(one.on, one.state) for one in listed] == [
        (TUESDAY, DayState.OPEN),
        (MONDAY, DayState.OPEN),
    ]
    assert waiting(world) == []


def test_a_late_night_catches_up_and_looks_again_at_what_differed(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    told(world, MONDAY, statement(MONDAY, 0, Line(IN, text="Wire in")))
    assert nightly(desk.at(TUESDAY, 6, 30)) == (1, 0)
    assert waiting(world) == [signing.DIFFERENCE_KIND]
    assert nightly(desk.at(TUESDAY, 6, 31)) == (1, 0)
    deposited(world)
    assert nightly(desk.at(date(2026, 1, 16), 9, 0)) == (1, 0)
    assert waiting(world) == []
    assert nightly(desk.at(date(2026, 1, 16), 9, 1)) == (0, 0)


def test_the_proof_follows_the_statements_of_the_same_morning() -> None:
    names = [job.name for job in JOBS]
    assert names.index("statements.import") < names.index("reconciliation.nightly")


def test_the_roll_up_of_the_night_changes_no_proof(
    world: PaymentWorld, agreed: Reconciliation, desk: JobDesk[FakeBank]
) -> None:
    assert roll_up(desk.tools)[0] > 0
    assert roll_up(desk.tools) == (0, 0)
    assert stock(world).content_hash == agreed.content_hash
    deposited(world, 9, on=date(2025, 12, 30), key="back-dated")
    live = shown(world, agreed)[1]
    assert (live.cases_cents, live.bank_cash_cents) == (IN + 9, IN + 9)


def test_clients_are_told_the_latest_day_that_agreed(
    world: PaymentWorld, agreed: Reconciliation
) -> None:
    assert agreed.as_of_on == MONDAY
    told(world, TUESDAY, statement(TUESDAY, IN, Line(4, text="Unknown")))
    stock(world, TUESDAY)
    account = world.trust_account_id
    assert world.do(lambda s: days.last_clean_on(s, account, TUESDAY)) == MONDAY
    assert world.do(lambda s: days.last_clean_on(s, account, date(2026, 1, 4))) is None


def test_each_figure_opens_what_it_is_made_of(world: PaymentWorld, agreed: Reconciliation) -> None:
    day, proof = shown(world, agreed)
    cases = world.do(lambda s: days.cases_behind(s, world.lead, day))
    assert [one.cents for one in cases] == [proof.cases_cents]
    lines = world.do(lambda s: days.lines_behind(s, world.lead, day, AccountKind.BANK_CASH))
    assert [line.amount_cents for line in lines] == [IN]
    deposited(world, 9, on=TUESDAY, key="after the day")
    assert world.do(lambda s: days.cases_behind(s, world.lead, day)) == cases
