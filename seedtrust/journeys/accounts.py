"""Bank details of payees in a journey: submitted, checked, called back, approved."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.payees import service as payees
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.states import AccountState
from seedtrust.ext import in_transaction
from seedtrust.journeys.scenes import Scene, payee_ref
from seedtrust.journeys.script import AccountChangeSpec, BankAccount


def give_account(  # noqa: PLR0917 - a form with everything on it
    session: Session,
    scene: Scene,
    submitter: Actor,
    payee: Payee,
    holder: str,
    account: BankAccount,
    moment: Moment,
) -> None:
    """Submit bank details and take them through check, call-back and a second person's approval."""
    submitted = _submit(session, scene, submitter, payee, holder, account, moment)
    _take_through(session, scene, submitted, moment)


def _submit(  # noqa: PLR0917 - a form with everything on it
    session: Session,
    scene: Scene,
    submitter: Actor,
    payee: Payee,
    holder: str,
    account: BankAccount,
    moment: Moment,
) -> PayeeAccount:
    submitted = payees.submit_account(
        session,
        submitter,
        payee_ref=payee.reference,
        account_type=account.account_type,
        holder_name=holder,
        bank_name=account.bank_name,
        routing_number=account.routing_number,
        account_number=account.account_number,
        keyring=scene.tools.keyring,
        moment=moment,
    )
    session.flush()  # the next verbs look the account up
    return submitted


def _take_through(session: Session, scene: Scene, submitted: PayeeAccount, moment: Moment) -> None:
    checker = scene.cast.staff(session, "payments2")
    payees.check_account(session, checker, account_ref=submitted.reference, moment=moment)
    payees.verify_account(
        session,
        checker,
        account_ref=submitted.reference,
        call_back_note="Called back on the number on file; holder confirmed the last four digits.",
        moment=moment,
    )
    session.flush()
    approver = scene.cast.staff(session, "lead2")
    payees.approve_account(session, approver, account_ref=submitted.reference, moment=moment)
    session.flush()


def submit_change(scene: Scene, spec: AccountChangeSpec, moment: Moment) -> None:
    """Let a payee give new bank details, unless the very same were submitted before."""

    def work(session: Session) -> None:
        payee = _payee(session, scene, spec)
        if _known(session, scene, spec, payee) is not None:
            return
        person = next((one for one in scene.journey.parties if one.key == spec.payee), None)
        submitter = (
            scene.cast.next_of(session, Role.ESCROW_SPECIALIST)
            if person is None
            else scene.cast.party(session, person.email)
        )
        _submit(session, scene, submitter, payee, payee.name, spec.account, moment)

    in_transaction(work)


def approve_change(scene: Scene, spec: AccountChangeSpec, moment: Moment) -> None:
    """Check, call back and approve new bank details, unless that was done before."""

    def work(session: Session) -> None:
        account = _known(session, scene, spec, _payee(session, scene, spec))
        if account is not None and account.state == AccountState.SUBMITTED:
            _take_through(session, scene, account, moment)

    in_transaction(work)


def _payee(session: Session, scene: Scene, spec: AccountChangeSpec) -> Payee:
    reference = payee_ref(session, scene.journey, spec.payee)
    return session.execute(select(Payee).where(Payee.reference == reference)).scalar_one()


def _known(
    session: Session, scene: Scene, spec: AccountChangeSpec, payee: Payee
) -> PayeeAccount | None:
    account = spec.account
    fingerprint = scene.tools.keyring.fingerprint(
        f"{account.routing_number}:{account.account_number}"
    )
    return session.execute(
        select(PayeeAccount)
        .where(
            PayeeAccount.payee_id == payee.id,
            PayeeAccount.account_fingerprint == fingerprint,
            PayeeAccount.state.in_(
                (
                    AccountState.SUBMITTED.value,
                    AccountState.COOLING.value,
                    AccountState.ACTIVE.value,
                )
            ),
        )
        .limit(1)
    ).scalar_one_or_none()
