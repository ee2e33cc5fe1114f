"""Authorising debits of an account: the text agreed to, the check, and the end of it."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.crypto import Keyring
from seedtrust.core.db import lock_where
from seedtrust.core.errors import NotFound, WrongState
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.checks import clean_text, refuse_field, require_open
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.queries import case_for
from seedtrust.domain.echecks.errors import AuthorisationTextChanged, EchecksNotOffered
from seedtrust.domain.echecks.life import cancel_unsent
from seedtrust.domain.echecks.models import DebitAuthorisation
from seedtrust.domain.echecks.states import (
    AUTHORISATION_LABELS,
    AUTHORISATION_STEPS,
    AuthorisationState,
)
from seedtrust.domain.payees.states import AccountType
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.payments.ports import FILE_DROP
from seedtrust.formats.nacha.routing import is_valid_routing_number

_ACCOUNT_NUMBER: Final = re.compile(r"[0-9]{4,17}", re.ASCII)
_NOT_DIGITS: Final = re.compile(r"[\s-]")
_LAST: Final = 4


def authorisation_aad(authorisation_id: int) -> str:
    """Return what binds a sealed account number to its row."""
    return f"debit_authorisations.account_number:{authorisation_id}"


def authorisation_text(company_name: str) -> str:
    """Return what somebody agrees to before we may debit an account.

    It says who may debit, for what, how often, and how to revoke, as the rules of the network
    ask for (Nacha Operating Rules, authorisation of consumer debits).
    """
    return (
        f"I authorise {company_name} to debit the bank account that I have given, by electronic "
        "funds transfer, each time that I or the escrow team ask for it towards a request for "
        "funds of this case, for no more than what the request asks for. I am the holder of the "
        "account. A debit that finds no money may be presented twice more. This authorisation "
        "holds until I revoke it here or in writing; a revocation stops what has not gone to the "
        "bank yet."
    )


def require_offered(account: TrustAccount) -> None:
    """Refuse unless the account's bank takes debits from us, which are drawn by file only.

    Raises EchecksNotOffered.
    """
    if account.bank_code != FILE_DROP:
        raise EchecksNotOffered(
            "E-checks are drawn by file, and the bank of this case takes single payments from us "
            "only. Send a wire or a check.",
            bank=account.bank_code,
        )


def text_for(session: Session, actor: Actor, case_ref: str) -> str:
    """Return the text that holds for a case now. Raises NotFound, Forbidden."""
    case = case_for(session, actor, case_ref, Permission.ECHECKS_AUTHORISE)
    return authorisation_text(_company_of(session, case))


def give_authorisation(
    session: Session,
    actor: Actor,
    *,
    case_ref: str,
    holder_name: str,
    account_type: AccountType | str,
    routing_number: str,
    account_number: str,
    accepted_text: str,
    given_from: str,
    paper: str = "",
    keyring: Keyring,
    moment: Moment,
) -> DebitAuthorisation:
    """Record that an account may be debited for a case, with the very text that was agreed to.

    `given_from` is the network address. Parents give it here; staff record one that was signed on
    paper and say where the paper is kept. The account is debited only after its check. Raises
    AuthorisationTextChanged, EchecksNotOffered, Invalid by field, CaseClosed, NotFound, Forbidden.
    """
    case = case_for(session, actor, case_ref, Permission.ECHECKS_AUTHORISE, locked=True)
    require_open(case)
    require_offered(session.get_one(TrustAccount, case.trust_account_id))
    text = authorisation_text(_company_of(session, case))
    if accepted_text.strip() != text:
        message = "The text of the authorisation has changed. Read it again and agree to it."
        raise AuthorisationTextChanged(message)
    routing, number = _numbers(routing_number, account_number)
    if account_type not in {member.value for member in AccountType}:
        raise refuse_field("account_type", "Choose checking or savings.")
    row_id = new_id()
    row = DebitAuthorisation(
        id=row_id,
        reference=new_reference(),
        case_id=case.id,
        user_id=None if actor.is_staff else actor.user_id,
        state=AuthorisationState.GIVEN.value,
        holder_name=clean_text(holder_name, "holder_name", most=120),
        account_type=AccountType(account_type).value,
        routing_number=routing,
        account_number_sealed=keyring.seal(number, authorisation_aad(row_id)),
        account_fingerprint=keyring.fingerprint(f"{routing}:{number}"),
        last_four=number[-_LAST:],
        sec_code="PPD" if actor.is_staff else "WEB",
        text=text,
        paper=clean_text(paper, "paper", most=200, required=actor.is_staff),
        given_by=actor.name,
        given_at=moment.at,
        given_from=given_from[:45],
    )
    session.add(row)
    _record(session, actor, "debit_authorisation.given", row, moment)
    return row


def check_account(
    session: Session, actor: Actor, *, authorisation_ref: str, note: str, moment: Moment
) -> DebitAuthorisation:
    """Record how the account was validated before its first debit; it may be debited from now on.

    The network demands it of debits that are authorised online (Nacha Operating Rules, WEB).
    Raises WrongState, Invalid without a note, NotFound, Forbidden.
    """
    row = locked_authorisation(session, actor, authorisation_ref, Permission.ECHECKS_RELEASE)
    note = clean_text(note, "note", most=300)
    _move(row, AuthorisationState.ACTIVE)
    row.checked_by, row.checked_at, row.check_note = actor.name, moment.at, note
    _record(session, actor, "debit_authorisation.checked", row, moment)
    return row


def revoke(
    session: Session, actor: Actor, *, authorisation_ref: str, reason: str, moment: Moment
) -> DebitAuthorisation:
    """End an authorisation; e-checks under it that have not gone to the bank are cancelled.

    Raises WrongState once it has ended, Invalid without a reason, NotFound, Forbidden.
    """
    row = locked_authorisation(session, actor, authorisation_ref, Permission.ECHECKS_AUTHORISE)
    if not actor.is_staff and row.user_id != actor.user_id:
        raise _missing()
    reason = clean_text(reason, "reason", most=300)
    end(session, actor, row, AuthorisationState.REVOKED, reason=reason, moment=moment)
    return row


def end(
    session: Session,
    actor: Actor,
    row: DebitAuthorisation,
    to: AuthorisationState,
    *,
    reason: str,
    moment: Moment,
) -> None:
    """Revoke or block an authorisation whose lock the caller holds. Raises WrongState."""
    _move(row, to)
    row.ended_by, row.ended_at, row.ended_reason = actor.name, moment.at, reason[:300]
    _record(session, actor, f"debit_authorisation.{to.value.lower()}", row, moment, reason)
    cancel_unsent(session, actor, row.id, reason=reason, moment=moment)


def locked_authorisation(
    session: Session, actor: Actor, reference: str, permission: Permission
) -> DebitAuthorisation:
    """Lock an authorisation after its case. Raises NotFound, Forbidden."""
    found = session.execute(
        select(Case.reference)
        .join(DebitAuthorisation, DebitAuthorisation.case_id == Case.id)
        .where(DebitAuthorisation.reference == reference)
    ).scalar_one_or_none()
    if found is None:
        raise _missing()
    case_for(session, actor, found, permission, locked=True)
    rows = lock_where(
        session, select(DebitAuthorisation).where(DebitAuthorisation.reference == reference)
    )
    return rows[0]


def _missing() -> NotFound:
    return NotFound("There is no such authorisation.")


def _company_of(session: Session, case: Case) -> str:
    return session.get_one(TrustAccount, case.trust_account_id).company_name


def _numbers(routing_number: str, account_number: str) -> tuple[str, str]:
    routing = _NOT_DIGITS.sub("", routing_number)
    if not is_valid_routing_number(routing):
        raise refuse_field("routing_number", "Enter the nine digits as they stand on a check.")
    number = _NOT_DIGITS.sub("", account_number)
    if not _ACCOUNT_NUMBER.fullmatch(number) or not number.strip("0"):
        raise refuse_field("account_number", "Enter the 4 to 17 digits of the account number.")
    return routing, number


def _move(row: DebitAuthorisation, to: AuthorisationState) -> None:
    state = AuthorisationState(row.state)
    if to not in AUTHORISATION_STEPS[state]:
        message = f"This authorisation is {AUTHORISATION_LABELS[state].lower()}."
        raise WrongState(message, state=state.value)
    row.state = to.value


def _record(  # noqa: PLR0917 - what happened to which authorisation, and why
    session: Session,
    actor: Actor,
    event: str,
    row: DebitAuthorisation,
    moment: Moment,
    reason: str = "",
) -> None:
    facts = {"last_four": row.last_four, "sec_code": row.sec_code}
    record(
        session,
        actor,
        event,
        "debit_authorisation",
        row.reference,
        case_id=row.case_id,
        reason=reason,
        facts=facts,
        now=moment.at,
    )
