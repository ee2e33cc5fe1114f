"""Each row of the table of return codes, played: the money, the account, who is told, what next.

| Code | The account | Told besides the payments desk | Paid again |
|---|---|---|---|
| R01, R06, R08, R09, R11 | stays in use | R11: controller and legal | by a lead |
| R02, R03, R04, R12, R13 | blocked | – | after new bank details |
| R05, R07, R10, R29 | stays in use | controller and legal | by a lead, after they looked |
| R14, R15, R16 | blocked | controller and legal | not before two people put it back |

Whatever the code, the money is back on the case the same day and a person has a task that says
what the code means and what to do.
"""

from __future__ import annotations

from typing import Final

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.permissions import Role
from seedtrust.domain.disbursements.errors import PayeeNotPayable
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.reissue import reissue
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.operations.models import ExceptionItem
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payees.queries import destinations
from seedtrust.domain.payments.return_codes import reason_of
from seedtrust.formats.nacha.reasons import Deadline, Rate, Retry
from seedtrust.jobs.bank import poll_events
from tests.factories.bank_answers import (
    THURSDAY,
    balance,
    lines,
    open_items,
    payments,
    request_states,
    settled,
    tell_of_return,
)
from tests.factories.case_world import person
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import PaymentWorld, moment_at
from tests.fakes.bank import FakeBank

Desk = JobDesk[FakeBank]
TWO, SIXTY = Deadline.TWO_BANKING_DAYS, Deadline.SIXTY_DAYS
NONE, ADMINISTRATIVE, UNAUTHORISED = Rate.NONE, Rate.ADMINISTRATIVE, Rate.UNAUTHORISED
BLOCKED, IN_USE = "BLOCKED", "ACTIVE"
# The account, whether controller and legal are told, presenting again, until when, which rate.
TABLE: Final = {
    "R01": (IN_USE, False, Retry.TWICE, TWO, NONE),
    "R02": (BLOCKED, False, Retry.AFTER_CORRECTION, TWO, ADMINISTRATIVE),
    "R03": (BLOCKED, False, Retry.AFTER_CORRECTION, TWO, ADMINISTRATIVE),
    "R04": (BLOCKED, False, Retry.AFTER_CORRECTION, TWO, ADMINISTRATIVE),
    "R05": (IN_USE, True, Retry.AFTER_AUTHORISATION, SIXTY, UNAUTHORISED),
    "R06": (IN_USE, False, Retry.NO, Deadline.OPEN, NONE),
    "R07": (IN_USE, True, Retry.AFTER_AUTHORISATION, SIXTY, UNAUTHORISED),
    "R08": (IN_USE, False, Retry.AFTER_APPROVAL, TWO, NONE),
    "R09": (IN_USE, False, Retry.TWICE, TWO, NONE),
    "R10": (IN_USE, True, Retry.AFTER_AUTHORISATION, SIXTY, UNAUTHORISED),
    "R11": (IN_USE, True, Retry.AFTER_CORRECTION, SIXTY, UNAUTHORISED),
    "R12": (BLOCKED, False, Retry.AFTER_CORRECTION, TWO, NONE),
    "R13": (BLOCKED, False, Retry.AFTER_CORRECTION, Deadline.OPERATOR, NONE),
    "R14": (BLOCKED, True, Retry.NO, TWO, NONE),
    "R15": (BLOCKED, True, Retry.NO, TWO, NONE),
    "R16": (BLOCKED, True, Retry.NO, TWO, NONE),
    "R29": (IN_USE, True, Retry.AFTER_AUTHORISATION, TWO, UNAUTHORISED),
}


@pytest.mark.parametrize("code", TABLE)
def test_a_code_does_what_its_row_says(
    world: PaymentWorld, desk: Desk, session_factory: sessionmaker[Session], code: str
) -> None:
    state, is_reviewed, again, deadline, rate = TABLE[code]
    with session_factory() as session, session.begin():
        legal = person(session, "Lou Parrish", Role.LEGAL)
    [payment] = payments(world, settled(world, desk))
    tell_of_return(desk, payment, code=code)
    assert poll_events(desk.at(THURSDAY)) == (1, 0)
    # The money and the request.
    assert [line[0] for line in lines(world)] == ["DISBURSEMENT", "RETURN"]
    assert balance(world, "bank_cash:main") == 1_000_000
    assert request_states(world) == ["RETURNED"]
    # The account, and whether a lead can simply pay again.
    account = world.do(lambda s: s.execute(select(PayeeAccount)).scalar_one())
    assert account.state == state
    if state == BLOCKED:
        where = world.do(lambda s: destinations(s, {payment.payee_id})[payment.payee_id])
        assert code in (where.blocked_because or "")
        with pytest.raises(PayeeNotPayable, match="blocked"):
            pay_again(world)
    else:
        pay_again(world)
        assert request_states(world) == ["READY"]
    # The task of a person, in words, and everybody who is told by mail.
    row = reason_of(code)
    assert open_items(world) == ["payment.returned"]
    sentence = world.do(lambda s: s.execute(select(ExceptionItem.sentence)).scalar_one())
    assert row.meaning in sentence
    assert row.next_step in sentence
    told = mails(world)
    assert {world.builder.email, world.lead.email} <= told
    assert ({world.controller.email, legal.email} <= told) is is_reviewed
    # What the page of the codes says of it.
    wanted = "no" if again is Retry.NO else again.value
    assert (row.again, row.deadline, row.rate) == (wanted, deadline.value, rate)


def pay_again(world: PaymentWorld) -> None:
    """Have a lead approve anew what came back."""

    def work(session: Session) -> None:
        reference = session.execute(select(DisbursementRequest.reference)).scalar_one()
        reissue(
            session,
            world.lead,
            request_ref=reference,
            reason="The payee was asked.",
            moment=moment_at(THURSDAY),
        )

    world.do(work)


def mails(world: PaymentWorld) -> set[str]:
    """Return whom of the staff a mail about the return goes to."""
    statement = select(NoticeDelivery.recipient).where(
        NoticeDelivery.event == NoticeEvent.PAYMENT_RETURNED_STAFF.value,
        NoticeDelivery.channel == "mail",
    )
    return set(world.do(lambda session: list(session.execute(statement).scalars())))
