"""Importing statements: whole or not at all, once, and each line to the one thing it belongs to."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.errors import Forbidden, NotFound
from seedtrust.core.permissions import Role
from seedtrust.domain.funding import service as funding
from seedtrust.domain.funding.models import Deposit
from seedtrust.domain.operations.models import ExceptionItem
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun
from seedtrust.domain.reconciliation import queries
from seedtrust.domain.reconciliation.errors import StatementRefused
from seedtrust.domain.reconciliation.models import BankStatement, BankStatementLine
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.reconciliation.service import import_statement
from seedtrust.formats import bai2
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.payments import transmit_run
from seedtrust.jobs.statements import import_all
from tests.factories.case_world import person
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import MONDAY, SYSTEM, TUESDAY, PaymentWorld, moment_at
from tests.factories.statements import Line, statement
from tests.fakes.bank import FakeBank

WEDNESDAY = date(2026, 1, 7)


def take(world: PaymentWorld, data: bytes, *, name: str = "STMT-trust.bai2") -> list[BankStatement]:
    """Import a statement."""
    return world.do(
        lambda s: import_statement(
            s, SYSTEM, file_name=name, data=data, moment=moment_at(WEDNESDAY)
        )
    )


def lines(world: PaymentWorld) -> list[tuple[str, str, str]]:
    """Return status and match of every line."""
    row = BankStatementLine
    statement = select(row.status, row.matched_type, row.matched_ref).order_by(row.id)
    return [tuple(found) for found in world.do(lambda s: s.execute(statement).all())]  # type: ignore[misc]


def open_items(world: PaymentWorld) -> list[str]:
    """Return the kinds of open exception items."""
    statement = select(ExceptionItem.kind).where(ExceptionItem.closed_at.is_(None))
    return world.do(lambda s: sorted(s.execute(statement).scalars()))


def settled(world: PaymentWorld, desk: JobDesk[FakeBank], count: int = 2) -> PaymentRun:
    """Have some requests paid on Tuesday."""
    world.ready(count)
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06")
    poll_events(desk.at(TUESDAY))
    return run


def statuses(world: PaymentWorld) -> list[str]:
    """Return the reconciliation status of every payment."""
    row = PaymentInstruction
    statement = select(row.reconciliation_status).order_by(row.id)
    return world.do(lambda s: list(s.execute(statement).scalars()))


def receive(world: PaymentWorld, *, cents: int = 5_000, reference: str = "LINE-1") -> Deposit:
    """Have a wire come in on Tuesday."""
    return world.do(
        lambda s: funding.receive_wire(
            s,
            SYSTEM,
            trust_account_id=world.trust_account_id,
            trust_code="main",
            bank="main",
            bank_reference=reference,
            amount_cents=cents,
            sender_name="Somebody",
            text="",
            received_on=TUESDAY,
            moment=moment_at(TUESDAY),
        )
    )


def test_a_settlement_line_belongs_to_its_run(world: PaymentWorld, desk: JobDesk[FakeBank]) -> None:
    run = settled(world, desk)
    take(world, statement(TUESDAY, 0, Line(-20_001, "B1", run.reference)))
    assert lines(world) == [("matched", "run", run.reference)]
    assert statuses(world) == ["matched", "matched"]


@pytest.mark.parametrize("cents", [-20_000, 20_001, -20_002])
def test_another_amount_or_direction_under_our_reference_is_not_matched(
    world: PaymentWorld, desk: JobDesk[FakeBank], cents: int
) -> None:
    run = settled(world, desk)
    take(world, statement(TUESDAY, 0, Line(cents, "B1", run.reference)))
    assert lines(world) == [("unmatched", "", "")]
    assert statuses(world) == ["unmatched", "unmatched"]


def test_another_day_under_our_reference_is_not_matched(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = settled(world, desk)
    take(world, statement(MONDAY, 0, Line(-20_001, "B1", run.reference)))
    assert lines(world) == [("unmatched", "", "")]


def test_an_amount_alone_never_matches(world: PaymentWorld, desk: JobDesk[FakeBank]) -> None:
    settled(world, desk, 1)
    receive(world)
    take(world, statement(TUESDAY, 0, Line(-10_000, "B1", "X"), Line(5_000, "B2")))
    assert [status for status, _, _ in lines(world)] == ["unmatched", "unmatched"]
    listed = world.do(lambda s: queries.unmatched_lines(s, world.builder))
    assert [row.amount_cents for row in listed] == [-10_000, 5_000]


def test_a_deposit_belongs_to_the_line_that_the_bank_named(world: PaymentWorld) -> None:
    deposit = receive(world)
    take(world, statement(TUESDAY, 0, Line(5_000, "LINE-1"), Line(5_000, "LINE-2")))
    assert lines(world) == [("matched", "deposit", deposit.reference), ("unmatched", "", "")]
    status = select(Deposit.reconciliation_status)
    assert world.do(lambda s: s.execute(status).scalar_one()) == "matched"


def test_an_itemised_line_and_a_return_belong_to_their_payment(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    settled(world, desk, 1)
    payment = world.do(lambda s: s.execute(select(PaymentInstruction)).scalar_one())
    desk.bank.tell(
        "entry.returned",
        WEDNESDAY,
        identification=payment.reference,
        trace_number=payment.trace_number,
        amount_cents=10_000,
        return_code="R01",
        returned_on="2026-01-07",
    )
    poll_events(desk.at(WEDNESDAY))
    take(world, statement(TUESDAY, 0, Line(-10_000, "B1", payment.reference)))
    take(world, statement(WEDNESDAY, -10_000, Line(10_000, "B2", payment.reference)))
    assert lines(world) == [
        ("matched", "instruction", payment.reference),
        ("matched", "return", payment.reference),
    ]


def test_money_that_no_event_has_told_is_booked_at_once_and_only_once(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    desk.bank.outbox["STMT-trust-2026-01-06.bai2"] = statement(TUESDAY, 0, Line(5_000, "LINE-1"))
    assert import_all(desk.at(WEDNESDAY)) == (2, 0)
    [(status, kind, reference)] = lines(world)
    assert (status, kind) == ("matched", "deposit")
    # The event that comes late finds the deposit that was booked.
    assert receive(world).reference == reference
    assert import_all(desk.tools) == (0, 0)
    day = world.do(lambda s: three_way(s, world.trust_account_id, TUESDAY))
    assert (day.agrees, day.bank_cash_cents) == (True, 5_000)
    assert open_items(world) == ["deposit.unidentified"]


def test_the_same_bytes_again_change_nothing(world: PaymentWorld) -> None:
    data = statement(TUESDAY, 0, Line(5_000, "LINE-1"))
    assert len(take(world, data)) == 1
    assert take(world, data, name="renamed.bai2") == []
    assert len(lines(world)) == 1


def test_genuine_twins_on_one_statement_both_survive(world: PaymentWorld) -> None:
    twin = Line(5_000, "", "", "CASH")
    take(world, statement(TUESDAY, 0, twin, twin))
    assert len(lines(world)) == 2


def test_a_corrected_statement_takes_the_place_of_the_first_and_a_person_is_told(
    world: PaymentWorld,
) -> None:
    deposit = receive(world)
    take(world, statement(TUESDAY, 0, Line(5_000, "LINE-1"), Line(700, "WRONG")))
    fixed = statement(TUESDAY, 0, Line(5_000, "LINE-1"), status=bai2.CORRECTION, file_id="2")
    [second] = take(world, fixed)
    assert (second.version_number, second.closing_cents) == (2, 5_000)
    listed = world.do(lambda s: queries.list_statements(s, world.builder))
    assert [(row.version_number, row.is_current) for row in listed] == [(2, True), (1, False)]
    assert open_items(world) == ["deposit.unidentified", "statement.corrected"]
    status = select(Deposit.reconciliation_status)
    assert world.do(lambda s: s.execute(status).scalar_one()) == "matched"
    view, rows = world.do(lambda s: queries.statement_view(s, world.builder, second.reference))
    assert (view.lines, view.unmatched, rows[0].matched_ref) == (1, 0, deposit.reference)
    # What the first had too much is no open line any more.
    assert world.do(lambda s: queries.unmatched_lines(s, world.builder)) == []


def test_a_correction_that_takes_a_line_away_frees_what_it_was_matched_to(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run = settled(world, desk)
    take(world, statement(TUESDAY, 0, Line(-20_001, "B1", run.reference)))
    take(world, statement(TUESDAY, 0, status=bai2.CORRECTION))
    assert statuses(world) == ["unmatched", "unmatched"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        statement(TUESDAY, 0, Line(5_000, "L"))[:-20],
        statement(TUESDAY, 0, Line(5_000, "L"), closing_cents=4_999),
        statement(TUESDAY, 0, Line(5_000, "L"), account_number="9999999999"),
        statement(TUESDAY, 0, Line(5_000, "L"), originator="021000021"),
        statement(TUESDAY, 0, Line(5_000, "L"), receiver="somebody"),
    ],
)
def test_a_statement_that_cannot_be_used_is_refused_and_nothing_of_it_stays(
    world: PaymentWorld, data: bytes
) -> None:
    with pytest.raises(StatementRefused) as refusal:
        take(world, data)
    assert refusal.value.code == "statement_refused"
    assert "file" in refusal.value.errors
    assert world.do(lambda s: s.execute(select(func.count(BankStatement.id))).scalar_one()) == 0
    assert len(take(world, statement(TUESDAY, 0, Line(5_000, "L")))) == 1


def test_a_refused_statement_is_put_before_a_person_and_stops_no_other(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    desk.bank.outbox["STMT-trust-2026-01-05.bai2"] = b"nonsense"
    desk.bank.outbox["STMT-trust-2026-01-06.bai2"] = statement(TUESDAY, 0)
    assert import_all(desk.at(WEDNESDAY)) == (1, 1)
    assert open_items(world) == ["bank_file.refused"]
    desk.bank.outbox["STMT-trust-2026-01-05.bai2"] = statement(MONDAY, 0)
    assert import_all(desk.tools) == (1, 0)
    assert open_items(world) == []


@pytest.mark.parametrize("modifier", [bai2.INTERIM_PREVIOUS_DAY, bai2.FINAL_SAME_DAY])
def test_only_final_prior_day_groups_count(world: PaymentWorld, modifier: str) -> None:
    assert take(world, statement(TUESDAY, 0, Line(5_000, "L"), modifier=modifier)) == []
    assert len(take(world, statement(TUESDAY, 0, Line(5_000, "L")))) == 1


def test_a_missing_day_shows_in_the_balances(world: PaymentWorld) -> None:
    take(world, statement(MONDAY, 0, Line(5_000, "A")))
    take(world, statement(TUESDAY, 5_000))
    assert open_items(world) == []
    take(world, statement(date(2026, 1, 8), 4_000))
    assert open_items(world) == ["statement.gap"]


def test_statements_are_for_staff(world: PaymentWorld) -> None:
    take(world, statement(TUESDAY, 0))
    donor = world.do(lambda s: person(s, "Delphine Quarles", Role.DONOR))

    def listed(session: Session) -> int:
        return len(queries.list_statements(session, donor))

    with pytest.raises(Forbidden):
        world.do(listed)
    with pytest.raises(NotFound):
        world.do(lambda s: queries.statement_view(s, world.builder, "AAAAAAAAAAAAAAA"))
    mine = world.trust_account_id
    assert (
        len(world.do(lambda s: queries.list_statements(s, world.builder, trust_account_id=mine)))
        == 1
    )
