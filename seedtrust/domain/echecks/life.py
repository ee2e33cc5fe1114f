"""The life of one e-check: every state it takes, and what each does to the books."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import WrongState
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.worklists import locked_case
from seedtrust.domain.echecks.models import DebitAuthorisation, EcheckPull
from seedtrust.domain.echecks.states import OPEN_PULLS, PULL_LABELS, PULL_STEPS, PullState
from seedtrust.domain.funding.pulled import Pulled, receive_pulled
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.ledger.chart import AccountKind, BookCode
from seedtrust.domain.ledger.service import TxnKind
from seedtrust.domain.payments.models import TrustAccount

SOURCE = "echeck"
_P = PullState


def state_of(pull: EcheckPull) -> PullState:
    """Return where an e-check stands."""
    return PullState(pull.state)


def of_run(
    session: Session, run_id: int, states: Collection[PullState] | None = None
) -> list[EcheckPull]:
    """Lock and return the e-checks of a run after their cases, in the run's order."""
    statement = select(EcheckPull).where(EcheckPull.run_id == run_id)
    if states is not None:
        statement = statement.where(EcheckPull.state.in_([state.value for state in states]))
    case_ids = {pull.case_id for pull in session.execute(statement).scalars()}
    for case_id in sorted(case_ids):
        locked_case(session, case_id)
    return lock_where(session, statement.order_by(EcheckPull.position))


def step(
    session: Session,
    actor: Actor,
    pull: EcheckPull,
    to: PullState,
    *,
    reason: str = "",
    moment: Moment,
) -> None:
    """Move an e-check one step of its life and write it down. Raises WrongState."""
    state = state_of(pull)
    if to not in PULL_STEPS[state]:
        message = (
            f"This e-check is {PULL_LABELS[state].lower()}; it cannot become "
            f"{PULL_LABELS[to].lower()} from there."
        )
        raise WrongState(message, echeck=pull.reference, state=state.value)
    pull.state, pull.state_since_at, pull.state_reason = to.value, moment.at, reason[:300]
    if to not in OPEN_PULLS:
        pull.live_funding_request_id = None
    record(
        session,
        actor,
        f"echeck.{to.value.lower()}",
        SOURCE,
        pull.reference,
        case_id=pull.case_id,
        reason=reason,
        facts={"amount_cents": pull.amount_cents, "presentment": pull.presentment},
        now=moment.at,
    )


def cancel_unsent(
    session: Session, actor: Actor, authorisation_id: int, *, reason: str, moment: Moment
) -> int:
    """Cancel the e-checks under an authorisation that no file holds yet; returns how many.

    The caller holds the locks of case and authorisation.
    """
    rows = lock_where(
        session,
        select(EcheckPull)
        .where(
            EcheckPull.authorisation_id == authorisation_id,
            EcheckPull.run_id.is_(None),
            EcheckPull.state.in_((_P.REQUESTED.value, _P.RELEASED.value)),
        )
        .order_by(EcheckPull.id),
    )
    for pull in rows:
        step(session, actor, pull, _P.CANCELLED, reason=reason, moment=moment)
    return len(rows)


def mark_sent(
    session: Session, actor: Actor, pulls: Sequence[EcheckPull], *, moment: Moment
) -> None:
    """Record that the bank has debits: their money is a deposit in process from now on."""
    for pull in pulls:
        if state_of(pull) is _P.RELEASED:
            step(session, actor, pull, _P.SUBMITTING, moment=moment)
        step(session, actor, pull, _P.SENT, moment=moment)
        pull.sent_on = moment.today
        transit, in_process = _accounts(session, pull, moment)
        _transfer(session, actor, pull, "sent", (transit, in_process), moment.today, moment)


def mark_settled(
    session: Session,
    actor: Actor,
    pulls: Sequence[EcheckPull],
    *,
    settled_on: date,
    moment: Moment,
) -> None:
    """Record that debits settled: the money stands on its case and cannot be spent yet.

    The caller holds the locks of cases and e-checks.
    """
    for pull in pulls:
        step(session, actor, pull, _P.SETTLED, moment=moment)
        pull.settled_on = settled_on
        account = session.get_one(TrustAccount, pull.trust_account_id)
        holder = session.get_one(DebitAuthorisation, pull.authorisation_id).holder_name
        transit, in_process = _accounts(session, pull, moment)
        told = Pulled(
            pull_ref=pull.reference,
            trust_account_id=account.id,
            trust_code=account.code,
            amount_cents=pull.amount_cents,
            sender_name=holder,
            settled_on=settled_on,
            in_transit_account_id=transit,
            in_process_account_id=in_process,
        )
        case = locked_case(session, pull.case_id)
        pull.deposit_id = receive_pulled(session, actor, case, told, moment=moment).id


def mark_refused(
    session: Session,
    actor: Actor,
    pulls: Sequence[EcheckPull],
    *,
    reason: str,
    moment: Moment,
) -> None:
    """Record that the bank refused debits, or never had them: nothing is in process any more."""
    for pull in pulls:
        was_sent = state_of(pull) is _P.SENT
        step(session, actor, pull, _P.REJECTED, reason=reason, moment=moment)
        pull.ended_on = moment.today
        if was_sent:
            transit, in_process = _accounts(session, pull, moment)
            _transfer(session, actor, pull, "refused", (in_process, transit), moment.today, moment)


def _accounts(session: Session, pull: EcheckPull, moment: Moment) -> tuple[int, int]:
    """Return the trust account's own accounts of e-checks under way, and of what they will be."""
    account = session.get_one(TrustAccount, pull.trust_account_id)
    kinds = (AccountKind.IN_TRANSIT, AccountKind.DEPOSITS_IN_PROCESS)
    transit, in_process = (
        chart.open_account(
            session,
            BookCode.TRUST,
            kind,
            f"{kind}:echeck:{account.code}",
            moment.at,
            owner=("trust_account", account.id),
        )
        for kind in kinds
    )
    return transit, in_process


def _transfer(  # noqa: PLR0917 - which e-check moves between which accounts, and when
    session: Session,
    actor: Actor,
    pull: EcheckPull,
    what: str,
    accounts: tuple[int, int],
    on: date,
    moment: Moment,
) -> None:
    ledger.transfer(
        session,
        actor,
        debit_account_id=accounts[0],
        credit_account_id=accounts[1],
        amount_cents=pull.amount_cents,
        kind=TxnKind.PULL,
        key=f"echeck:{pull.reference}:{what}",
        effective_on=on,
        memo=f"E-check {what}",
        source_type=SOURCE,
        source_ref=pull.reference,
        now=moment.at,
    )
