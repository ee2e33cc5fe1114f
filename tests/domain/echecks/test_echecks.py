"""E-checks: who may draw what from whose account, once, and what becomes of it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import (
    DomainError,
    Forbidden,
    Invalid,
    InvalidAmount,
    NotFound,
    Unavailable,
    WrongState,
)
from seedtrust.core.failpoints import armed
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.closing.queries import obstacles
from seedtrust.domain.echecks import authorising, bankside, pulling
from seedtrust.domain.echecks.errors import (
    AskerCannotRelease,
    AuthorisationTextChanged,
    CannotPresentAgain,
    EchecksNotOffered,
    NotAuthorised,
    NothingToPull,
    PullLimitExceeded,
    PullUnderWay,
)
from seedtrust.domain.echecks.models import DebitAuthorisation, EcheckPull
from seedtrust.domain.funding.models import FundingRequest, Shortage
from seedtrust.domain.payments.models import BankFile, PaymentRun, TrustAccount
from seedtrust.domain.payments.ports import NotSent, OutcomeUnknown
from seedtrust.domain.payments.returns import Told
from seedtrust.formats.nacha import read_file
from seedtrust.jobs.bank import fetch_inbound, poll_events
from seedtrust.jobs.cases import collect_deposits
from seedtrust.jobs.payments import collect_echecks, take_up_runs, transmit_echecks, transmit_run
from tests.factories.bank_answers import balance as book
from tests.factories.bank_answers import open_items, return_file
from tests.factories.case_world import person
from tests.factories.echeck_world import ADDRESS, ASKED_CENTS, EcheckWorld, drawn
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import (
    KEYRING,
    MONDAY,
    OTHER_ROUTING,
    SYSTEM,
    TUESDAY,
    moment_at,
)
from tests.fakes.bank import FakeBank
from tests.support.databases import on_both_databases

Desk = JobDesk[FakeBank]
THURSDAY = date(2026, 1, 8)
TENTH_DAY = date(2026, 1, 21)
POINTS = ("file.sealed", "file.begun", "file.part_written", "file.in_place", "file.delivered")


class Killed(BaseException):
    """Ends the work at a place, as the end of the process does; nothing of ours catches it."""


def kill() -> None:
    """End the work here."""
    raise Killed


def settled(echecks: EcheckWorld, desk: Desk, cents: int = ASKED_CENTS) -> str:
    """Draw an e-check and have the bank settle it on Tuesday."""
    reference = echecks.ask(cents).reference
    drawn(desk.at(MONDAY), echecks, reference)
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06", is_complete=True)
    assert poll_events(desk.at(TUESDAY))[1] == 0
    return reference


def came_back(echecks: EcheckWorld, reference: str, code: str, on: date = THURSDAY) -> bool | None:
    """Have the bank return an e-check."""
    pull = echecks.pull(reference)
    told = Told(pull.trace_number or "", pull.reference, code, pull.amount_cents, on)
    return echecks.world.do(
        lambda session: bankside.take_back(session, SYSTEM, told, moment=moment_at(on))
    )


def present(echecks: EcheckWorld, reference: str, on: date = THURSDAY) -> EcheckPull:
    """Ask to present an e-check again and have a second person release it."""
    world = echecks.world
    again = world.do(
        lambda session: pulling.present_again(
            session, world.builder, pull_ref=reference, moment=moment_at(on)
        )
    )
    return world.do(
        lambda session: pulling.release_pull(
            session, world.lead, pull_ref=again.reference, moment=moment_at(on)
        )
    )


def lead_of(echecks: EcheckWorld) -> Actor:
    """Return somebody who may ask and release, to show that one person cannot do both."""
    lead = echecks.world.lead
    return replace(lead, roles=lead.roles | {Role.PAYMENTS_SPECIALIST})


@on_both_databases
def test_the_file_draws_what_was_asked_and_nothing_else(echecks: EcheckWorld, desk: Desk) -> None:
    reference = echecks.ask().reference
    drawn(desk.tools, echecks, reference)
    [upload] = desk.bank.files.values()
    parsed = read_file(io.BytesIO(upload.content))
    [entry] = parsed.entries
    assert not parsed.faults
    assert (entry.batch.service_class, entry.batch.sec_code) == (225, "WEB")
    assert (entry.transaction_code, entry.amount_cents) == (27, ASKED_CENTS)
    assert (entry.discretionary, entry.batch.entry_description) == ("S", "ESCROWDEP")
    assert (entry.identification, entry.account_number) == (reference, "5501882200")
    assert (upload.totals.debit_cents, upload.totals.credit_cents) == (ASKED_CENTS, 0)
    assert book(echecks.world, "deposits_in_process:echeck:main") == ASKED_CENTS


def test_the_authorisation_keeps_the_text_the_time_and_the_address(echecks: EcheckWorld) -> None:
    row = echecks.authorisation()
    assert row.text == authorising.authorisation_text("SEEDTRUST ESCROW")
    assert (row.given_by, row.given_from, row.sec_code) == ("Rosalind Ashgrove", ADDRESS, "WEB")
    assert "5501882200" not in row.account_number_sealed
    assert (row.last_four, row.state) == ("2200", "ACTIVE")


@pytest.mark.parametrize(
    "change, error",
    [
        ({"accepted_text": "Whatever."}, AuthorisationTextChanged),
        ({"routing_number": "123456789"}, Invalid),
        ({"account_number": "12"}, Invalid),
        ({"account_number": "00000"}, Invalid),
        ({"account_type": "loan"}, Invalid),
        ({"holder_name": " "}, Invalid),
    ],
)
def test_a_wrong_authorisation_is_refused_by_field(
    echecks: EcheckWorld, change: dict[str, str], error: type[DomainError]
) -> None:
    values = {
        "holder_name": "Rosalind Ashgrove",
        "account_type": "savings",
        "routing_number": OTHER_ROUTING,
        "account_number": "5501882201",
        "accepted_text": authorising.authorisation_text("SEEDTRUST ESCROW"),
    } | change

    def give(session: Session) -> object:
        return authorising.give_authorisation(
            session,
            echecks.parent,
            case_ref=echecks.case_ref,
            given_from=ADDRESS,
            keyring=KEYRING,
            moment=moment_at(),
            **values,
        )

    with pytest.raises(error):
        echecks.world.do(give)


def test_staff_record_a_signed_paper_and_say_where_it_is(echecks: EcheckWorld) -> None:
    def give(session: Session, paper: str) -> DebitAuthorisation:
        return authorising.give_authorisation(
            session,
            echecks.world.builder,
            case_ref=echecks.case_ref,
            holder_name="Rosalind Ashgrove",
            account_type="savings",
            routing_number=OTHER_ROUTING,
            account_number="5501882201",
            accepted_text=authorising.authorisation_text("SEEDTRUST ESCROW"),
            given_from=ADDRESS,
            paper=paper,
            keyring=KEYRING,
            moment=moment_at(),
        )

    with pytest.raises(Invalid):
        echecks.world.do(lambda session: give(session, ""))
    row = echecks.world.do(lambda session: give(session, "Binder 4, sheet 12"))
    assert (row.sec_code, row.user_id, row.state) == ("PPD", None, "GIVEN")


def test_an_unchecked_or_revoked_account_is_not_debited(echecks: EcheckWorld) -> None:
    waiting = echecks.ask().reference
    echecks.world.do(
        lambda session: authorising.revoke(
            session,
            echecks.parent,
            authorisation_ref=echecks.authorisation_ref,
            reason="We send wires from now on.",
            moment=moment_at(),
        )
    )
    assert echecks.pull(waiting).state == "CANCELLED"
    with pytest.raises(NotAuthorised):
        echecks.ask()


def test_a_bank_that_takes_single_payments_only_draws_nothing(echecks: EcheckWorld) -> None:
    def move(session: Session) -> None:
        case = session.get_one(Case, echecks.case_id)
        session.get_one(TrustAccount, case.trust_account_id).bank_code = "huntington"

    waiting = echecks.ask(1_000, actor=echecks.world.builder).reference
    echecks.world.do(move)
    with pytest.raises(EchecksNotOffered):
        echecks.ask(request_ref=echecks.request())
    with pytest.raises(EchecksNotOffered):
        echecks.world.do(
            lambda session: pulling.release_pull(
                session, lead_of(echecks), pull_ref=waiting, moment=moment_at()
            )
        )
    assert echecks.pull(waiting).state == "REQUESTED"


def test_a_case_is_not_closed_while_an_echeck_is_under_way(echecks: EcheckWorld) -> None:
    def codes(session: Session) -> set[str]:
        return {one.code for one in obstacles(session, session.get_one(Case, echecks.case_id))}

    before = echecks.world.do(codes)
    echecks.ask()
    assert echecks.world.do(codes) - before == {"echeck_open"}


def test_only_the_holder_of_the_account_asks_for_its_debit(echecks: EcheckWorld) -> None:
    with pytest.raises(Forbidden):
        echecks.ask(actor=echecks.world.escrow)
    stranger = echecks.world.do(lambda session: person(session, "Otto Fremd", Role.INTENDED_PARENT))
    with pytest.raises(NotFound):
        echecks.ask(actor=stranger)


@pytest.mark.parametrize("cents", [0, -1, ASKED_CENTS + 1])
def test_no_more_is_drawn_than_is_asked_for(echecks: EcheckWorld, cents: int) -> None:
    with pytest.raises((InvalidAmount, NothingToPull)):
        echecks.ask(cents)


def test_one_echeck_at_a_time_goes_towards_a_request(echecks: EcheckWorld) -> None:
    echecks.ask(1_000)
    with pytest.raises(PullUnderWay):
        echecks.ask(1_000)


def test_limits_hold_for_one_echeck_and_for_the_day(echecks: EcheckWorld) -> None:
    def limit(session: Session) -> None:
        account = session.get_one(TrustAccount, echecks.world.trust_account_id)
        account.pull_limit_cents, account.pull_daily_limit_cents = 300_000, 400_000

    other = echecks.request()
    echecks.world.do(limit)
    with pytest.raises(PullLimitExceeded):
        echecks.ask(300_001)
    echecks.ask(300_000)
    with pytest.raises(PullLimitExceeded):
        echecks.ask(100_001, request_ref=other)
    echecks.ask(100_000, request_ref=other)


def test_what_staff_ask_for_waits_for_another_person(echecks: EcheckWorld, desk: Desk) -> None:
    world, asker = echecks.world, lead_of(echecks)
    reference = echecks.ask(actor=asker).reference
    assert echecks.pull(reference).state == "REQUESTED"
    assert collect_echecks(desk.tools) == (0, 0)

    def release(actor: Actor) -> EcheckPull:
        return world.do(
            lambda session: pulling.release_pull(
                session, actor, pull_ref=reference, moment=moment_at()
            )
        )

    with pytest.raises(AskerCannotRelease):
        release(asker)
    assert release(world.other_lead).state == "RELEASED"
    with pytest.raises(WrongState):
        release(world.other_lead)


def test_an_echeck_is_called_off_until_a_file_holds_it(echecks: EcheckWorld, desk: Desk) -> None:
    def cancel(reference: str) -> EcheckPull:
        return echecks.world.do(
            lambda session: pulling.cancel_pull(
                session,
                echecks.parent,
                pull_ref=reference,
                reason="We changed our minds.",
                moment=moment_at(),
            )
        )

    assert cancel(echecks.ask().reference).state == "CANCELLED"
    reference = echecks.ask().reference
    collect_echecks(desk.tools)
    with pytest.raises(WrongState):
        cancel(reference)


def test_an_event_twice_and_a_return_twice_change_nothing(echecks: EcheckWorld, desk: Desk) -> None:
    reference = settled(echecks, desk)
    desk.bank.tell_of_file("file.settled", TUESDAY, settles_on="2026-01-06", is_complete=True)
    assert poll_events(desk.tools)[1] == 0
    assert echecks.balance().ledger_cents == ASKED_CENTS
    assert came_back(echecks, reference, "R01") is True
    assert came_back(echecks, reference, "R01") is False
    assert echecks.balance().ledger_cents == 0
    assert open_items(echecks.world) == ["deposit.returned"]


def test_a_return_that_comes_as_a_file_counts_once(echecks: EcheckWorld, desk: Desk) -> None:
    reference = settled(echecks, desk)
    pull = echecks.pull(reference)
    desk.bank.outbox["RET-1.ach"] = return_file(pull)  # type: ignore[arg-type]
    assert fetch_inbound(desk.at(THURSDAY)) == (1, 0)
    assert echecks.pull(reference).return_code == "R01"
    assert came_back(echecks, reference, "R01") is False


def test_uncollected_money_comes_back_without_a_shortage(echecks: EcheckWorld, desk: Desk) -> None:
    reference = settled(echecks, desk)
    assert echecks.balance().available_cents == 0
    came_back(echecks, reference, "R09")
    balance = echecks.balance()
    assert (balance.ledger_cents, balance.available_cents) == (0, 0)
    request = select(FundingRequest.state, FundingRequest.funded_cents)
    assert echecks.world.do(lambda s: s.execute(request).one()) == ("SENT", 0)


def test_a_late_return_of_spent_money_is_a_shortage(echecks: EcheckWorld, desk: Desk) -> None:
    world = echecks.world
    reference = settled(echecks, desk)
    assert collect_deposits(desk.at(date(2026, 1, 13))) == (1, 0)
    case = world.do(lambda session: session.get_one(Case, echecks.case_id))
    world.request(case, world.payee(), amount_cents=400_000)
    run = world.released(moment=moment_at(date(2026, 1, 13)))

    transmit_run(desk.tools, {"run": run.reference})
    assert came_back(echecks, reference, "R10", TENTH_DAY) is True
    shortage = world.do(lambda session: session.execute(select(Shortage)).scalar_one())
    assert shortage.amount_cents == 400_000
    assert book(world, "shortage_receivable") == 400_000
    assert echecks.balance().ledger_cents == 0
    case = world.do(lambda session: session.get_one(Case, echecks.case_id))
    assert case.stage == Stage.ON_HOLD
    assert echecks.authorisation().state == "BLOCKED"


@pytest.mark.parametrize(
    "code, state",
    [
        ("R01", "ACTIVE"),
        ("R09", "ACTIVE"),
        ("R02", "BLOCKED"),
        ("R04", "BLOCKED"),
        ("R05", "BLOCKED"),
        ("R07", "BLOCKED"),
        ("R08", "BLOCKED"),
        ("R10", "BLOCKED"),
        ("R29", "BLOCKED"),
        ("R99", "ACTIVE"),
    ],
)
def test_what_was_not_authorised_is_never_drawn_again(
    echecks: EcheckWorld, desk: Desk, code: str, state: str
) -> None:
    reference = settled(echecks, desk)
    came_back(echecks, reference, code)
    assert echecks.authorisation().state == state
    if state == "BLOCKED":
        with pytest.raises((NotAuthorised, CannotPresentAgain)):
            present(echecks, reference)
        with pytest.raises(NotAuthorised):
            echecks.ask()


def test_a_debit_is_presented_three_times_at_most(echecks: EcheckWorld, desk: Desk) -> None:
    reference = settled(echecks, desk)
    for day, number in ((date(2026, 1, 8), 2), (date(2026, 1, 14), 3)):
        came_back(echecks, reference, "R01", day)
        again = present(echecks, reference, day)
        assert (again.presentment, again.entry_description) == (number, "RETRY PYMT")
        assert again.amount_cents == ASKED_CENTS
        reference = again.reference
        drawn(desk.at(day), echecks, reference)
        settles = echecks.pull(reference).effective_on
        assert settles is not None
        desk.bank.tell_of_file(
            "file.settled", settles, settles_on=settles.isoformat(), is_complete=True
        )
        assert poll_events(desk.at(settles))[1] == 0
        assert echecks.pull(reference).state == "SETTLED"
    came_back(echecks, reference, "R01", date(2026, 1, 20))
    with pytest.raises(CannotPresentAgain):
        present(echecks, reference, date(2026, 1, 20))


def test_a_debit_is_not_presented_again_after_180_days_or_while_one_is_under_way(
    echecks: EcheckWorld, desk: Desk
) -> None:
    reference = settled(echecks, desk)
    with pytest.raises(CannotPresentAgain):
        present(echecks, reference)
    came_back(echecks, reference, "R01")
    with pytest.raises(CannotPresentAgain):
        present(echecks, reference, TUESDAY + timedelta(days=181))
    present(echecks, reference)
    with pytest.raises(CannotPresentAgain):
        present(echecks, reference)


@pytest.mark.parametrize("point", POINTS)
def test_a_sender_that_is_killed_draws_once(echecks: EcheckWorld, desk: Desk, point: str) -> None:
    reference = echecks.ask().reference
    collect_echecks(desk.tools)
    run = echecks.world.do(
        lambda session: session.execute(select(PaymentRun.reference)).scalar_one()
    )
    with armed(point, kill), pytest.raises(Killed):
        transmit_echecks(desk.tools, {"run": run})
    transmit_echecks(desk.tools, {"run": run})
    transmit_echecks(desk.tools, {"run": run})
    assert len(desk.bank.deliveries) == 1
    assert echecks.pull(reference).state == "SENT"
    assert book(echecks.world, "deposits_in_process:echeck:main") == ASKED_CENTS


def test_an_unclear_delivery_is_looked_up_and_a_failed_one_repeated(
    echecks: EcheckWorld, desk: Desk
) -> None:
    reference = echecks.ask().reference
    collect_echecks(desk.tools)
    run = echecks.world.do(
        lambda session: session.execute(select(PaymentRun.reference)).scalar_one()
    )
    desk.bank.fail_before = NotSent("No connection.")
    with pytest.raises(Unavailable):
        transmit_echecks(desk.tools, {"run": run})
    assert echecks.pull(reference).state == "RELEASED"
    desk.bank.fail_after = OutcomeUnknown("The connection broke.")
    with pytest.raises(Unavailable):
        transmit_echecks(desk.tools, {"run": run})
    assert echecks.pull(reference).state == "UNKNOWN"
    assert open_items(echecks.world) == ["run.unclear"]
    desk.later(90)
    assert take_up_runs(desk.tools) == (1, 0)
    assert echecks.pull(reference).state == "SENT"
    assert len(desk.bank.deliveries) == 1
    assert open_items(echecks.world) == []


def test_a_refused_file_leaves_nothing_in_process(echecks: EcheckWorld, desk: Desk) -> None:
    reference = echecks.ask().reference
    drawn(desk.tools, echecks, reference)
    desk.bank.tell_of_file("file.rejected", MONDAY, detail="company-unknown")
    assert poll_events(desk.tools)[1] == 0
    assert echecks.pull(reference).state == "REJECTED"
    assert book(echecks.world, "deposits_in_process:echeck:main") == 0
    assert open_items(echecks.world) == ["run.rejected"]
    assert echecks.ask().state == "RELEASED"


def test_a_file_that_missed_its_day_is_given_up(echecks: EcheckWorld, desk: Desk) -> None:
    reference = echecks.ask().reference
    collect_echecks(desk.tools)
    run = echecks.world.do(
        lambda session: session.execute(select(PaymentRun.reference)).scalar_one()
    )
    transmit_echecks(desk.at(TUESDAY, 15), {"run": run})
    assert desk.bank.deliveries == []
    assert echecks.pull(reference).state == "CANCELLED"
    assert open_items(echecks.world) == ["run.not_sent"]


def test_an_altered_account_number_is_never_drawn(echecks: EcheckWorld, desk: Desk) -> None:
    echecks.ask()
    collect_echecks(desk.tools)

    def alter(session: Session) -> str:
        row = session.execute(select(DebitAuthorisation)).scalar_one()
        row.account_number_sealed = KEYRING.seal(
            "9999999999", authorising.authorisation_aad(row.id)
        )
        return session.execute(select(PaymentRun.reference)).scalar_one()

    run = echecks.world.do(alter)
    transmit_echecks(desk.tools, {"run": run})
    assert desk.bank.deliveries == []
    assert open_items(echecks.world) == ["payment.refused"]
    files = select(BankFile.id)
    assert echecks.world.do(lambda session: session.execute(files).all()) == []
