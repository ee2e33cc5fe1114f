"""The ladder of matching: what finds itself, what is booked, and what a person decides."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import Forbidden, Invalid, NotFound, WrongState
from seedtrust.domain.audit.models import AuditEvent
from seedtrust.domain.funding import service as funding
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.ledger.account_kinds import AccountKind
from seedtrust.domain.operations.queries import open_exceptions
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.reconciliation import by_hand, signing
from seedtrust.domain.reconciliation.booking import identities
from seedtrust.domain.reconciliation.ladder import Candidate
from seedtrust.domain.reconciliation.matching import match_open_lines
from seedtrust.domain.reconciliation.models import BankStatement, BankStatementLine
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.reconciliation.service import import_statement
from seedtrust.formats import bai2
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.payments import transmit_run
from seedtrust.jobs.statements import import_all
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import MONDAY, SYSTEM, TUESDAY, PaymentWorld, moment_at
from tests.factories.statements import Line, statement
from tests.fakes.bank import FakeBank

WEDNESDAY = date(2026, 1, 7)
FRIDAY = date(2026, 1, 9)


def take(world: PaymentWorld, data: bytes, on: date = WEDNESDAY) -> str:
    """Import a statement and return its reference."""
    found = world.do(
        lambda s: import_statement(s, SYSTEM, file_name="STMT", data=data, moment=moment_at(on))
    )
    return found[0].reference


def lines(world: PaymentWorld) -> list[tuple[str, str, str, str]]:
    """Return status, match and rule of every line."""
    row = BankStatementLine
    wanted = select(row.status, row.matched_type, row.matched_ref, row.match_rule).order_by(row.id)
    return [tuple(found) for found in world.do(lambda s: s.execute(wanted).all())]  # type: ignore[misc]


def paid(world: PaymentWorld, desk: JobDesk[FakeBank], count: int = 2) -> PaymentRun:
    """Have a run settled on Tuesday."""
    world.ready(count)
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06")
    poll_events(desk.at(TUESDAY))
    return run


def receive(world: PaymentWorld, ref: str = "LINE-1", cents: int = 5_000) -> Deposit:
    """Have the bank tell of a wire that names no case."""
    return world.do(
        lambda s: funding.receive_wire(
            s,
            SYSTEM,
            trust_account_id=world.trust_account_id,
            trust_code="main",
            bank="main",
            bank_reference=ref,
            amount_cents=cents,
            sender_name="Somebody",
            text="No case named",
            received_on=TUESDAY,
            moment=moment_at(TUESDAY),
        )
    )


def statuses(world: PaymentWorld) -> list[str]:
    """Return the reconciliation status of every payment."""
    row = PaymentInstruction
    return list(world.do(lambda s: s.execute(select(row.reconciliation_status)).scalars().all()))


def book(world: PaymentWorld, desk: JobDesk[FakeBank], data: bytes) -> tuple[int, int]:
    """Have the job take a statement."""
    del world
    desk.bank.outbox[f"STMT-{len(desk.bank.outbox)}.bai2"] = data
    return import_all(desk.at(WEDNESDAY, 6, 30))


def candidates(world: PaymentWorld, reference: str, number: int = 1) -> list[Candidate]:
    """Return what a line may stand for."""
    return world.do(
        lambda s: by_hand.candidates(s, world.builder, statement_ref=reference, number=number)
    )


def match(
    world: PaymentWorld, statement_ref: str, reference: str, kind: str = "deposit", number: int = 1
) -> BankStatementLine:
    """Match a line by hand."""
    return world.do(
        lambda s: by_hand.match_line(
            s,
            world.builder,
            statement_ref=statement_ref,
            number=number,
            kind=kind,
            reference=reference,
            moment=moment_at(WEDNESDAY),
        )
    )


def undo(
    world: PaymentWorld, statement_ref: str, reason: str = "It is another wire", number: int = 1
) -> BankStatementLine:
    """Undo a match."""
    return world.do(
        lambda s: by_hand.undo_match(
            s,
            world.builder,
            statement_ref=statement_ref,
            number=number,
            reason=reason,
            moment=moment_at(WEDNESDAY),
        )
    )


def rematch(world: PaymentWorld) -> int:
    """Let automatic matching run again."""
    return world.do(lambda s: match_open_lines(s, SYSTEM, moment=moment_at(FRIDAY)))


def test_a_run_without_its_reference_is_found_by_sum_and_day(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = paid(world, desk)
    take(world, statement(TUESDAY, 0, Line(-20_001, "B1")))
    assert lines(world) == [("matched", "run", run.reference, "account, amount and day")]
    assert statuses(world) == ["matched", "matched"]


@pytest.mark.parametrize("line", [Line(-20_000, "B1"), Line(-20_001, "B1", "OTHER-REFERENCE")])
def test_another_sum_or_a_foreign_reference_finds_nothing(
    world: PaymentWorld, desk: JobDesk[FakeBank], line: Line
) -> None:
    paid(world, desk)
    take(world, statement(TUESDAY, 0, line))
    assert lines(world)[0][0] == "unmatched"


def test_a_day_beyond_the_window_finds_nothing(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    paid(world, desk)
    take(world, statement(FRIDAY, 0, Line(-20_001, "B1")), date(2026, 1, 12))
    assert lines(world)[0][0] == "unmatched"


def test_two_lines_for_one_candidate_are_a_persons_choice(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = paid(world, desk)
    reference = take(world, statement(TUESDAY, 0, Line(-20_001, "B1"), Line(-20_001, "B2")))
    assert [found[0] for found in lines(world)] == ["unmatched", "unmatched"]
    [only] = candidates(world, reference, 2)
    assert (only.kind, only.reference, only.amount_cents) == ("run", run.reference, -20_001)
    match(world, reference, run.reference, "run", 2)
    assert statuses(world) == ["matched", "matched"]
    assert candidates(world, reference, 1) == []
    assert candidates(world, reference, 2) == []


def test_two_candidates_for_one_line_are_both_shown_and_one_is_chosen(
    world: PaymentWorld,
) -> None:
    first, second = receive(world, "A"), receive(world, "B")
    reference = take(world, statement(TUESDAY, 0, Line(5_000)))
    assert lines(world)[0][0] == "unmatched"
    shown = candidates(world, reference)
    assert {one.reference for one in shown} == {first.reference, second.reference}
    matched = match(world, reference, second.reference)
    assert (matched.matched_by, matched.match_rule) == (world.builder.name, "a person")
    status = select(Deposit.reconciliation_status).where(Deposit.id == second.id)
    assert world.do(lambda s: s.execute(status).scalar_one()) == "matched"


def test_a_person_chooses_among_candidates_only(world: PaymentWorld) -> None:
    receive(world, "A")
    other = receive(world, "B", 5_001)
    reference = take(world, statement(TUESDAY, 0, Line(5_000, "NOBODYS")))
    with pytest.raises(Invalid) as refused:
        match(world, reference, other.reference)
    assert list(refused.value.errors) == ["candidate"]
    with pytest.raises(NotFound):
        match(world, reference, other.reference, number=9)
    with pytest.raises(NotFound):
        candidates(world, reference, 9)


def test_an_undone_match_waits_for_a_person_and_says_why(world: PaymentWorld) -> None:
    deposit = receive(world)
    reference = take(world, statement(TUESDAY, 0, Line(5_000, "LINE-1")))
    with pytest.raises(Invalid):
        undo(world, reference, "  ")
    undo(world, reference)
    assert lines(world) == [("unmatched", "", "", "")]
    assert rematch(world) == 0
    assert lines(world) == [("unmatched", "", "", "")]
    with pytest.raises(WrongState):
        undo(world, reference)
    event = world.do(
        lambda s: s.execute(
            select(AuditEvent).where(AuditEvent.action == "statement_line.unmatched")
        ).scalar_one()
    )
    assert (event.reason, event.facts["matched_ref"]) == ("It is another wire", deposit.reference)
    match(world, reference, deposit.reference)
    with pytest.raises(WrongState):
        match(world, reference, deposit.reference)


def test_what_a_person_decided_survives_a_corrected_statement(world: PaymentWorld) -> None:
    receive(world, "A")
    second = receive(world, "B")
    reference = take(world, statement(TUESDAY, 0, Line(5_000)))
    match(world, reference, second.reference)
    fixed = statement(TUESDAY, 0, Line(5_000), Line(7, "NEW"), status=bai2.CORRECTION, file_id="2")
    take(world, fixed)
    assert lines(world)[1] == ("matched", "deposit", second.reference, "a person")
    undone = statement(TUESDAY, 0, Line(5_000), status=bai2.CORRECTION, file_id="3")
    match_rule = lines(world)[1][3]
    take(world, undone)
    assert lines(world)[-1] == ("matched", "deposit", second.reference, match_rule)


def test_only_people_with_the_permission_match(world: PaymentWorld) -> None:
    deposit = receive(world)
    reference = take(world, statement(TUESDAY, 0, Line(5_000, "X")))

    def by(session: Session) -> None:
        by_hand.match_line(
            session,
            world.controller,
            statement_ref=reference,
            number=1,
            kind="deposit",
            reference=deposit.reference,
            moment=moment_at(WEDNESDAY),
        )

    with pytest.raises(Forbidden):
        world.do(by)


def test_a_line_of_a_locked_day_keeps_its_match(world: PaymentWorld) -> None:
    receive(world)
    reference = take(world, statement(TUESDAY, 0, Line(5_000, "LINE-1")))
    moment, account = moment_at(FRIDAY), world.trust_account_id

    def lock(session: Session) -> None:
        row = signing.take_stock(
            session, SYSTEM, trust_account_id=account, on=TUESDAY, moment=moment
        )
        signing.prepare(
            session,
            world.builder,
            reference=row.reference,
            note="",
            content_hash=row.content_hash,
            moment=moment,
        )
        session.flush()
        signing.review(
            session,
            world.lead,
            reference=row.reference,
            content_hash=row.content_hash,
            moment=moment,
        )
        session.flush()
        signing.lock_day(session, world.lead, reference=row.reference, moment=moment)

    world.do(lock)
    with pytest.raises(WrongState):
        undo(world, reference)


def test_genuine_twins_are_booked_twice_and_repeats_once(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    twin = Line(5_000, text="CASH LETTER")
    assert book(world, desk, statement(TUESDAY, 0, twin, twin)) == (3, 0)
    again = statement(TUESDAY, 0, twin, twin, status=bai2.CORRECTION, file_id="2")
    assert book(world, desk, again)[1] == 0
    deposits = world.do(lambda s: s.execute(select(Deposit.amount_cents)).scalars().all())
    assert list(deposits) == [5_000, 5_000]
    day = world.do(lambda s: three_way(s, world.trust_account_id, TUESDAY))
    assert (day.agrees, day.bank_cash_cents) == (True, 10_000)


def test_likenesses_are_counted() -> None:
    line = bai2.Transaction("195", 100, bai2.Funds("0"), "", "", ("A",))
    other = bai2.Transaction("195", 100, bai2.Funds("0"), "", "", ("B",))
    first, second, third = identities([line, other, line])
    assert first.endswith("-1")
    assert third == first.removesuffix("1") + "2"
    assert second.endswith("-1")
    assert identities([other, line, line]) == [second, first, third]


def test_a_charge_of_the_bank_is_owed_by_the_company_and_by_no_case(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    case = world.case(funds_cents=0)
    fee = Line(-2_500, "FEE-1", text="ACCOUNT ANALYSIS FEE", type_code="661")
    data = statement(TUESDAY, 0, fee)
    assert book(world, desk, data) == (2, 0)
    assert import_all(desk.tools) == (0, 0)
    day = world.do(lambda s: three_way(s, world.trust_account_id, TUESDAY))
    assert (day.agrees, day.bank_cash_cents, day.cases_cents) == (True, -2_500, 0)
    assert [(one.code, one.amount_cents) for one in day.liabilities] == [
        (AccountKind.BANK_CHARGES_RECOVERABLE.value, -2_500)
    ]
    assert case.ledger_account_id
    assert lines(world) == [("matched", "charge", "", "bank charge, owed by the company")]


def test_a_returned_payment_waits_for_the_banks_message_and_is_never_booked_as_a_deposit(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    paid(world, desk, 1)
    payment = world.do(lambda s: s.execute(select(PaymentInstruction)).scalar_one())
    came_back = Line(10_000, "B2", payment.reference, type_code="165")
    assert book(world, desk, statement(TUESDAY, 0, came_back)) == (1, 0)
    assert lines(world)[0][0] == "unmatched"
    assert world.do(lambda s: s.execute(select(Deposit.id)).scalars().all()) == []


def test_what_is_neither_money_sent_nor_a_charge_stays_open(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    odd = (Line(30, "X", type_code="399"), Line(-40, "Y", type_code="699"))
    assert book(world, desk, statement(TUESDAY, 0, *odd)) == (1, 0)
    assert [found[0] for found in lines(world)] == ["unmatched", "unmatched"]


def test_a_booked_line_that_the_bank_takes_back_is_told(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    reference = "LINE-1"
    book(world, desk, statement(TUESDAY, 0, Line(5_000, reference)))
    take(world, statement(TUESDAY, 0, status=bai2.CORRECTION))
    assert not world.do(lambda s: three_way(s, world.trust_account_id, TUESDAY)).agrees
    kinds = world.do(lambda s: {one.kind for one in open_exceptions(s)})
    assert {"statement.line_gone", "statement.corrected"} <= kinds


def test_a_booked_line_is_not_undone_here(world: PaymentWorld, desk: JobDesk[FakeBank]) -> None:
    book(world, desk, statement(MONDAY, 0, Line(5_000, "LINE-1")))
    reference = world.do(lambda s: s.execute(select(BankStatement.reference)).scalar_one())
    with pytest.raises(WrongState):
        undo(world, reference)
