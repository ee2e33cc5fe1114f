"""Notifications of change: what a bank says is right about an account, applied by two people.

They come from the bank alone, in its files or through its interface, never by mail. The standard
lets the originator apply them without a new call-back, so the corrected account does not cool off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import add_banking_days
from seedtrust.core.clock import Moment
from seedtrust.core.crypto import CiphertextRefused, Keyring
from seedtrust.core.db import lock_where
from seedtrust.core.errors import Conflict, Forbidden, Invalid, NotFound, WrongState
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Permission, Role
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.models import Case
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.operations.service import close_exceptions_of, open_exception
from seedtrust.domain.payees.corrected import CorrectedAccount, replace_corrected
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payees.states import AccountType
from seedtrust.domain.payments.errors import FileAltered, ProposerCannotApply
from seedtrust.domain.payments.models import AccountCorrection, PaymentInstruction
from seedtrust.domain.payments.ports import PaymentSnapshot
from seedtrust.domain.payments.returns import find_payment
from seedtrust.domain.payments.states import (
    CORRECTION_BANKING_DAYS,
    CORRECTION_LABELS,
    CORRECTION_STEPS,
    UNDECIDED_CORRECTIONS,
    CorrectionState,
)
from seedtrust.domain.payments.telling import tell_staff
from seedtrust.formats.nacha import CHANGE_CODES, TRANSACTION_CODES, Account, Correction
from seedtrust.formats.nacha import read_correction as read

UNKNOWN_KIND: Final = "correction.unknown"
OVERDUE_KIND: Final = "correction.overdue"
_DESK: Final = frozenset({Role.PAYMENTS_SPECIALIST, Role.PAYMENTS_LEAD})
_S = CorrectionState
_REASON_LENGTH: Final = 500
_LAST: Final = 4
_SHOWN_NAME: Final = 40
# What may be put into an account; everything else is for a person to read and set aside.
_APPLICABLE: Final = frozenset({"account_number", "routing_number", "transaction_code"})


@dataclass(frozen=True, slots=True)
class Noted:
    """What the bank tells of one change, whichever way it came."""

    trace_number: str
    identification: str
    change_code: str
    corrected_data: str = field(repr=False)
    noted_on: date


def note_correction(
    session: Session, actor: Actor, noted: Noted, *, keyring: Keyring, moment: Moment
) -> AccountCorrection | None:
    """Keep a notification of change as a task, due in six banking days; again changes nothing.

    Returns None for one that was noted before, and for one that belongs to no payment of ours,
    which becomes an exception item. The corrected numbers are sealed to their row.
    """
    reference = find_payment(session, noted.trace_number, noted.identification)
    if reference is None:
        _unknown(session, noted, moment)
        return None
    data = noted.corrected_data.strip()
    key = keyring.fingerprint(f"correction:{reference}:{noted.change_code}:{data}")
    known = select(AccountCorrection.id).where(AccountCorrection.correction_key == key)
    if session.execute(known).scalar_one_or_none() is not None:
        return None
    payment = session.execute(
        select(PaymentInstruction).where(PaymentInstruction.reference == reference)
    ).scalar_one()
    row = _task(payment, noted, data, key, keyring, moment)
    session.add(row)
    session.flush()  # the unique key speaks before anybody is told
    _log(session, actor, "correction.noted", row, moment)
    _tell(session, row, moment)
    return row


def note_from_bank(
    session: Session,
    actor: Actor,
    snapshot: PaymentSnapshot,
    *,
    keyring: Keyring,
    moment: Moment,
) -> int:
    """Keep the changes that a bank names when it is asked about a payment; returns how many."""
    count = 0
    for said in snapshot.corrections:
        noted = Noted("", snapshot.client_reference, said.code, said.corrected_data, said.noted_on)
        found = note_correction(session, actor, noted, keyring=keyring, moment=moment)
        count += found is not None
    return count


def propose_correction(
    session: Session, actor: Actor, *, correction_ref: str, moment: Moment
) -> AccountCorrection:
    """Ask for a correction to be applied, as the first of two people.

    Raises WrongState, Conflict for one that cannot be applied by itself, Forbidden for a job,
    NotFound.
    """
    actor.require(Permission.PAYEES_CHECK)
    _require_person(actor)
    row = _locked(session, correction_ref)
    _require_applicable(row)
    _move(row, _S.PROPOSED)
    row.proposed_by_user_id, row.proposed_by = actor.user_id, actor.name
    row.proposed_at = moment.at
    _log(session, actor, "correction.proposed", row, moment)
    return row


def apply_correction(
    session: Session, actor: Actor, *, correction_ref: str, keyring: Keyring, moment: Moment
) -> PayeeAccount:
    """Apply a correction as the second person: the account gets a new version, in use at once.

    Raises ProposerCannotApply for the first person, Conflict when the payee has another account
    by now, AccountChangeOpen, FileAltered when a sealed number cannot be opened, WrongState,
    Forbidden for a job, NotFound.
    """
    actor.require(Permission.PAYEES_APPROVE)
    _require_person(actor)
    row = _locked(session, correction_ref)
    if row.proposed_by_user_id == actor.user_id and row.state == _S.PROPOSED:
        message = "You proposed this correction, so another person has to apply it."
        raise ProposerCannotApply(message)
    _move(row, _S.APPLIED)
    said = read(row.change_code, _opened(row, keyring))
    account = replace_corrected(
        session,
        actor,
        account_id=row.payee_account_id,
        corrected=CorrectedAccount(said.routing_number, said.account_number, _account_type(said)),
        first_user_id=row.proposed_by_user_id,
        first_name=row.proposed_by,
        note=f"The bank corrected it ({row.change_code}), notification {row.reference}.",
        keyring=keyring,
        moment=moment,
    )
    row.new_account_id = account.id
    _decided(session, actor, row, moment)
    _log(session, actor, "correction.applied", row, moment)
    return account


def send_correction_back(
    session: Session, actor: Actor, *, correction_ref: str, reason: str, moment: Moment
) -> AccountCorrection:
    """Send a proposed correction back to be looked at again, with a reason.

    Raises WrongState, Invalid without a reason, Forbidden for a job, NotFound.
    """
    actor.require(Permission.PAYEES_APPROVE)
    _require_person(actor)
    row, why = _locked(session, correction_ref), _reason(reason)
    _move(row, _S.OPEN)
    row.proposed_by_user_id, row.proposed_by, row.proposed_at = None, "", None
    row.reason = why
    _log(session, actor, "correction.sent_back", row, moment, reason=why)
    return row


def set_aside(
    session: Session, actor: Actor, *, correction_ref: str, reason: str, moment: Moment
) -> AccountCorrection:
    """Close a correction without applying it, because it was dealt with otherwise.

    Raises WrongState, Invalid without a reason, Forbidden for a job, NotFound.
    """
    actor.require(Permission.PAYEES_APPROVE)
    _require_person(actor)
    row, why = _locked(session, correction_ref), _reason(reason)
    _move(row, _S.SET_ASIDE)
    row.reason = why
    _decided(session, actor, row, moment)
    _log(session, actor, "correction.set_aside", row, moment, reason=why)
    return row


def remind_of_corrections(session: Session, *, moment: Moment) -> int:
    """Open an exception item for each correction that is due today or late; returns how many."""
    late = session.execute(
        select(AccountCorrection).where(
            AccountCorrection.state.in_(tuple(state.value for state in UNDECIDED_CORRECTIONS)),
            AccountCorrection.due_on <= moment.today,
        )
    ).scalars()
    count = 0
    for row in late:
        count += 1
        open_exception(
            session,
            OVERDUE_KIND,
            "correction",
            row.reference,
            f"The bank's correction of a payee's account was to be applied by "
            f"{row.due_on.isoformat()}. Apply it before anything else is paid there.",
            case_id=row.case_id,
            now=moment.at,
        )
    return count


def is_applicable(row: AccountCorrection) -> bool:
    """Tell whether a correction can be applied by itself: whole, and about the account alone."""
    meaning = CHANGE_CODES.get(row.change_code)
    return (
        row.is_complete
        and meaning is not None
        and bool(meaning.places)
        and set(meaning.corrects) <= _APPLICABLE
    )


def correction_aad(correction_id: int) -> str:
    """Return what binds sealed corrected data to its row."""
    return f"account_corrections.corrected_sealed:{correction_id}"


def _task(  # noqa: PLR0917 - builds one row
    payment: PaymentInstruction,
    noted: Noted,
    data: str,
    key: str,
    keyring: Keyring,
    moment: Moment,
) -> AccountCorrection:
    said = read(noted.change_code, data)
    kind = _account_type(said)
    row_id = new_id()
    return AccountCorrection(
        id=row_id,
        reference=new_reference(),
        correction_key=key,
        instruction_id=payment.id,
        case_id=payment.case_id,
        payee_id=payment.payee_id,
        payee_account_id=payment.payee_account_id,
        change_code=noted.change_code,
        corrected_sealed=keyring.seal(data, correction_aad(row_id)),
        is_complete=said.is_complete,
        is_aligned=said.is_aligned,
        routing_number=said.routing_number or "",
        last_four=(said.account_number or "")[-_LAST:],
        account_type="" if kind is None else kind.value,
        name=(said.name or "")[:_SHOWN_NAME],
        noted_on=noted.noted_on,
        received_on=moment.today,
        due_on=add_banking_days(moment.today, CORRECTION_BANKING_DAYS),
        state=_S.OPEN.value,
    )


def _account_type(said: Correction) -> AccountType | None:
    row = TRANSACTION_CODES.get(said.transaction_code or 0)
    if row is None:
        return None
    return AccountType.SAVINGS if row.account is Account.SAVINGS else AccountType.CHECKING


def _opened(row: AccountCorrection, keyring: Keyring) -> str:
    try:
        return keyring.open(row.corrected_sealed, correction_aad(row.id))
    except CiphertextRefused as error:
        message = (
            f"The corrected numbers of notification {row.reference} cannot be opened: they were "
            "altered. Nothing was changed. Tell an administrator at once."
        )
        raise FileAltered(message, correction=row.reference) from error


def _locked(session: Session, reference: str) -> AccountCorrection:
    rows = lock_where(
        session, select(AccountCorrection).where(AccountCorrection.reference == reference)
    )
    if not rows:
        message = "There is no such notification of change."
        raise NotFound(message)
    return rows[0]


def _move(row: AccountCorrection, to: CorrectionState) -> None:
    state = CorrectionState(row.state)
    if to not in CORRECTION_STEPS[state]:
        message = (
            f"This correction is “{CORRECTION_LABELS[state]}” and cannot become "
            f"“{CORRECTION_LABELS[to]}” from there. Reload the page to see where it stands."
        )
        raise WrongState(message, state=state.value)
    row.state = to.value


def _require_applicable(row: AccountCorrection) -> None:
    if not is_applicable(row):
        message = (
            "This notification cannot be applied by itself. Ask the payee, change the bank "
            "details in the usual way, and set the notification aside with the reason."
        )
        raise Conflict(message, correction=row.reference)


def _require_person(actor: Actor) -> None:
    if actor.user_id is None:
        message = "A person has to decide about bank details."
        raise Forbidden(message)


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        message = "Say why."
        raise Invalid(message, errors={"reason": [message]})
    return reason[:_REASON_LENGTH]


def _decided(session: Session, actor: Actor, row: AccountCorrection, moment: Moment) -> None:
    row.decided_by_user_id, row.decided_by = actor.user_id, actor.name
    row.decided_at = moment.at
    by = actor.name
    close_exceptions_of(session, OVERDUE_KIND, row.reference, closed_by=by, now=moment.at)


def _unknown(session: Session, noted: Noted, moment: Moment) -> None:
    open_exception(
        session,
        UNKNOWN_KIND,
        "correction",
        f"{noted.trace_number or noted.identification}:{noted.change_code}"[:64],
        "The bank corrected the account of a payment that we do not know. "
        "Ask the bank what it belongs to.",
        now=moment.at,
    )


def _tell(session: Session, row: AccountCorrection, moment: Moment) -> None:
    meaning = CHANGE_CODES.get(row.change_code)
    facts = {
        "case": str(session.get_one(Case, row.case_id).number),
        "meaning": "Something changed." if meaning is None else meaning.meaning,
        "due": row.due_on.isoformat(),
    }
    tell_staff(
        session,
        NoticeEvent.CORRECTION_RECEIVED,
        row.reference,
        _DESK,
        facts,
        case_id=row.case_id,
        moment=moment,
    )


def _log(
    session: Session,
    actor: Actor,
    action: str,
    row: AccountCorrection,
    moment: Moment,
    *,
    reason: str = "",
) -> None:
    record(
        session,
        actor,
        action,
        "correction",
        row.reference,
        case_id=row.case_id,
        reason=reason,
        facts={"code": row.change_code, "state": row.state},
        now=moment.at,
    )
