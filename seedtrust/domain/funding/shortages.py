"""Shortages: what a bounced deposit had paid for, owed by the company until money makes it good.

The trust book carries the debt as a shortage receivable, the operating book the same sum as due
to trust, so that both agree on every day. Making good from the case's collected money ends the
company's debt and its expense; making good with the company's own money leaves the expense.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock, lock_where
from seedtrust.core.errors import InsufficientFunds, NotFound, WrongState
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.money import format_dollars
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.moves import freeze, thaw
from seedtrust.domain.cases.states import FREEZE_REASONS, SHORTAGE
from seedtrust.domain.disbursements.reservation import recheck_case
from seedtrust.domain.funding.models import (
    Deposit,
    Shortage,
    ShortageCure,
    ShortageDecision,
)
from seedtrust.domain.funding.states import (
    CureSource,
    DecisionKind,
    DecisionState,
    ShortageState,
)
from seedtrust.domain.funding.telling import tell_parents
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import queries as ledger_queries
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.ledger.account_kinds import AccountKind, BookCode
from seedtrust.domain.ledger.service import TxnKind
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.operations.service import close_exceptions_of, open_exception
from seedtrust.domain.terms.states import Category

SHORTAGE_KIND: Final = "case.shortage"
ADVANCE_DUE_KIND: Final = "shortage.advance_due"


def open_shortage(
    session: Session, actor: Actor, case: Case, deposit: Deposit, cents: int, *, moment: Moment
) -> Shortage:
    """Write down what a bounced deposit left missing, freeze its case, and tell a person.

    The caller holds the locks of case and deposit, and has booked the return in the trust book
    with these cents as shortage receivable. The operating book gets the debt here.
    """
    shortage = Shortage(
        id=new_id(),
        reference=new_reference(),
        case_id=case.id,
        deposit_id=deposit.id,
        amount_cents=cents,
        cured_cents=0,
        advanced_cents=0,
        repaid_cents=0,
        state=ShortageState.OPEN.value,
        opened_on=moment.today,
        opened_at=moment.at,
        cured_by="",
    )
    session.add(shortage)
    session.flush()  # the row is there before its posting
    freeze(session, actor, case, because=SHORTAGE, moment=moment)
    why = FREEZE_REASONS[SHORTAGE]
    open_exception(
        session,
        SHORTAGE_KIND,
        "shortage",
        shortage.reference,
        f"{why} {format_dollars(cents)} are missing from the trust account; the company owes them.",
        case_id=case.id,
        now=moment.at,
    )
    _record(session, actor, "shortage.opened", shortage, cents, moment, reason=why)
    _mirror(
        session,
        actor,
        shortage,
        (AccountKind.SHORTAGE_EXPENSE, AccountKind.DUE_TO_TRUST),
        cents,
        "owed",
        moment,
        kind=TxnKind.SHORTAGE,
    )
    return shortage


def cure_from_case(
    session: Session,
    actor: Actor,
    case: Case,
    *,
    deposit: Deposit | None = None,
    moment: Moment,
) -> int:
    """Make good the case's shortages from what it has available, the oldest first; returns cents.

    Money that has just been collected does this by itself, before any waiting request is tried
    again; `deposit` is where it came from. Money that is uncollected or reserved is not touched.
    With the last shortage the freeze ends in the same unit. The caller holds the lock of the
    case, and rechecks its requests.
    """
    cured = 0
    for shortage in open_shortages(session, case.id):
        available = ledger_queries.balance_of(session, case.ledger_account_id).available_cents
        cents = min(available, shortage.amount_cents - shortage.cured_cents)
        if cents <= 0:
            break
        cure(session, actor, case, shortage, cents, CureSource.CASE, deposit, moment=moment)
        cured += cents
    return cured


def cure_by_hand(session: Session, actor: Actor, *, shortage_ref: str, moment: Moment) -> int:
    """Make a shortage's case pay what it can by now, for money that came other than by a deposit.

    Raises WrongState once it is made good, InsufficientFunds when the case has nothing available,
    NotFound and Forbidden.
    """
    actor.require(Permission.SHORTAGES_DECIDE)
    case, shortage = locked_shortage(session, shortage_ref)
    require_still_open(shortage)
    cents = cure_from_case(session, actor, case, moment=moment)
    if not cents:
        message = (
            f"Case {case.number} has nothing available. Ask the parents for a wire, or propose "
            "that the company advances the money."
        )
        raise InsufficientFunds(message)
    recheck_case(session, actor, case, moment=moment)
    return cents


def cure(  # noqa: PLR0917 - whose money makes good how much of what
    session: Session,
    actor: Actor,
    case: Case,
    shortage: Shortage,
    cents: int,
    source: CureSource,
    deposit: Deposit | None,
    *,
    moment: Moment,
) -> ShortageCure:
    """Write down that money made good a part of a shortage, and what follows from the last part.

    The caller holds the locks of case and shortage. Money of the case is booked here; an advance
    of the company has been booked by the caller, in the trust book.
    """
    number = (
        1
        + session.execute(
            select(func.count()).where(ShortageCure.shortage_id == shortage.id)
        ).scalar_one()
    )
    row = ShortageCure(
        id=new_id(),
        shortage_id=shortage.id,
        number=number,
        source=source.value,
        amount_cents=cents,
        deposit_id=None if deposit is None else deposit.id,
        cured_on=moment.today,
        cured_at=moment.at,
        cured_by=actor.name,
    )
    session.add(row)
    shortage.cured_cents += cents
    if source is CureSource.ADVANCE:
        shortage.advanced_cents += cents
    session.flush()  # a second part with this number is refused before any posting
    _end_what_no_longer_fits(session, actor, shortage, moment)
    if shortage.cured_cents == shortage.amount_cents:
        _done(session, actor, case, shortage, moment)
    _record(session, actor, "shortage.cured", shortage, cents, moment, source=source.value)
    if source is CureSource.CASE:
        _book_from_case(session, actor, case, shortage, cents, number, moment)
    legs = (
        AccountKind.DUE_TO_TRUST,
        AccountKind.SHORTAGE_EXPENSE if source is CureSource.CASE else AccountKind.OPERATING_CASH,
    )
    _mirror(session, actor, shortage, legs, cents, f"cured:{number}", moment)
    return row


def open_shortages(session: Session, case_id: int) -> list[Shortage]:
    """Lock and return what a case's bounced deposits still leave missing, the oldest first."""
    return lock_where(
        session,
        select(Shortage)
        .where(Shortage.case_id == case_id, Shortage.state == ShortageState.OPEN.value)
        .order_by(Shortage.id),
    )


def locked_shortage(session: Session, reference: str) -> tuple[Case, Shortage]:
    """Lock a shortage after its case. Raises NotFound."""
    known = session.execute(
        select(Shortage.id, Shortage.case_id).where(Shortage.reference == reference)
    ).one_or_none()
    if known is None:
        message = "There is no such shortage."
        raise NotFound(message)
    case, shortage = lock(session, Case, known[1]), lock(session, Shortage, known[0])
    assert case is not None, "a shortage has a case"
    assert shortage is not None, "a shortage is never deleted"
    return case, shortage


def require_still_open(shortage: Shortage) -> None:
    """Raise WrongState once nothing is missing any more."""
    if shortage.state != ShortageState.OPEN:
        message = "This shortage is made good already; nothing more is needed."
        raise WrongState(message)


def close_decision(
    session: Session,
    actor: Actor,
    shortage: Shortage,
    row: ShortageDecision,
    to: DecisionState,
    *,
    moment: Moment,
) -> None:
    """End a decision, so that another of its kind may be proposed and nobody is asked any more."""
    row.state, row.open_kind = to.value, None
    if to is DecisionState.DONE:
        row.done_on = moment.today
    nobody_waits(session, actor, shortage, DecisionKind(row.kind), moment=moment)


def nobody_waits(
    session: Session, actor: Actor, shortage: Shortage, kind: DecisionKind, *, moment: Moment
) -> None:
    """Close what waits for a person because of a decision of this kind."""
    kinds = [decision_exception(kind)]
    if kind is DecisionKind.ADVANCE:
        kinds.append(ADVANCE_DUE_KIND)
    for one in kinds:
        close_exceptions_of(session, one, shortage.reference, closed_by=actor.name, now=moment.at)


def decision_exception(kind: DecisionKind) -> str:
    """Return the kind of exception under which a proposal waits for its second person."""
    return f"shortage.{kind.value}"


def _done(session: Session, actor: Actor, case: Case, shortage: Shortage, moment: Moment) -> None:
    shortage.state = ShortageState.CURED.value
    shortage.cured_on, shortage.cured_by = moment.today, actor.name
    close_exceptions_of(
        session, SHORTAGE_KIND, shortage.reference, closed_by=actor.name, now=moment.at
    )
    session.flush()  # the last one is no longer among those that are open
    if open_shortages(session, case.id):
        return
    why = "What the bounced deposit had paid for is made good."
    if thaw(session, actor, case, because=SHORTAGE, reason=why, moment=moment):
        key = f"case.goes_on:{shortage.reference}"
        tell_parents(session, NoticeEvent.CASE_GOES_ON, key, case, {}, moment=moment)


def _end_what_no_longer_fits(
    session: Session, actor: Actor, shortage: Shortage, moment: Moment
) -> None:
    """Withdraw an advance that is more than what is still missing, and a lift without a freeze."""
    left = shortage.amount_cents - shortage.cured_cents
    rows = lock_where(
        session,
        select(ShortageDecision)
        .where(
            ShortageDecision.shortage_id == shortage.id,
            ShortageDecision.open_kind.in_((DecisionKind.ADVANCE.value, DecisionKind.LIFT.value)),
        )
        .order_by(ShortageDecision.id),
    )
    for row in rows:
        if left and (row.kind != DecisionKind.ADVANCE or row.amount_cents <= left):
            continue
        close_decision(session, actor, shortage, row, DecisionState.WITHDRAWN, moment=moment)


def _book_from_case(  # noqa: PLR0917 - which part of which shortage the case pays
    session: Session,
    actor: Actor,
    case: Case,
    shortage: Shortage,
    cents: int,
    number: int,
    moment: Moment,
) -> None:
    ledger.transfer(
        session,
        actor,
        debit_account_id=case.ledger_account_id,
        credit_account_id=chart.account_id(
            session, BookCode.TRUST, AccountKind.SHORTAGE_RECEIVABLE
        ),
        amount_cents=cents,
        kind=TxnKind.SHORTAGE_CURE,
        key=f"shortage:{shortage.reference}:{number}",
        effective_on=moment.today,
        memo="Makes good what a bounced deposit had paid for",
        category=Category.FUNDING.value,
        source_type="shortage",
        source_ref=shortage.reference,
        now=moment.at,
    )


def _mirror(  # noqa: PLR0917 - which shortage moves how much in the company's own book
    session: Session,
    actor: Actor,
    shortage: Shortage,
    legs: tuple[AccountKind, AccountKind],
    cents: int,
    step: str,
    moment: Moment,
    *,
    kind: TxnKind = TxnKind.SHORTAGE_CURE,
) -> None:
    ours = chart.account_ids(session, BookCode.OPERATING, legs)
    ledger.transfer(
        session,
        actor,
        debit_account_id=ours[legs[0]],
        credit_account_id=ours[legs[1]],
        amount_cents=cents,
        kind=kind,
        key=f"shortage:{shortage.reference}:{step}",
        effective_on=moment.today,
        memo="What a bounced deposit had paid for",
        source_type="shortage",
        source_ref=shortage.reference,
        now=moment.at,
    )


def _record(  # noqa: PLR0917 - what became of how much of which shortage
    session: Session,
    actor: Actor,
    action: str,
    shortage: Shortage,
    cents: int,
    moment: Moment,
    *,
    reason: str = "",
    **facts: str,
) -> None:
    record(
        session,
        actor,
        action,
        "shortage",
        shortage.reference,
        case_id=shortage.case_id,
        reason=reason,
        facts={"amount_cents": cents, **facts},
        now=moment.at,
    )
