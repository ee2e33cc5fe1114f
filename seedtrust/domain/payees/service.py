"""The verbs of payees: opening one, and taking a bank account from submission to use."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import add_banking_days
from seedtrust.core.clock import Moment
from seedtrust.core.crypto import Keyring
from seedtrust.core.db import lock_where
from seedtrust.core.errors import Forbidden, Invalid, NotFound, WrongState
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Permission, Role, Scope
from seedtrust.domain.audit.service import record
from seedtrust.domain.cases.models import Agency, CaseParty
from seedtrust.domain.identity.queries import people_of_agency
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.notices.service import Recipient, notify
from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.payees.access import account_for, payee_for
from seedtrust.domain.payees.errors import (
    AccountChangeOpen,
    AccountUnchanged,
    CheckerCannotApprove,
    InvalidAccountNumber,
    InvalidRoutingNumber,
    PayeeExists,
    SubmitterCannotApprove,
)
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.states import (
    COOLING_BANKING_DAYS,
    OPEN_CHANGE,
    STATE_LABELS,
    STEPS,
    AccountState,
    AccountType,
    PayeeKind,
)
from seedtrust.formats.nacha.routing import is_valid_routing_number

_NAME_LENGTH: Final = 120
_NOTE_LENGTH: Final = 500
_SEPARATORS: Final = re.compile(r"[\s]+")
# A NACHA entry carries 17 characters (positions 13-29); banks use digits, a few use letters.
_ACCOUNT_NUMBER: Final = re.compile(r"[0-9A-Z-]{4,17}", re.ASCII)
_LAST: Final = 4
_IN_USE: Final = frozenset({AccountState.ACTIVE, AccountState.BLOCKED})


def account_aad(account_id: int) -> str:
    """Return what binds a sealed account number to its row."""
    return f"payee_accounts.account_number:{account_id}"


def open_payee(
    session: Session,
    actor: Actor,
    *,
    kind: PayeeKind | str,
    name: str,
    label: str = "",
    case_id: int | None = None,
    party_id: int | None = None,
    agency_id: int | None = None,
    moment: Moment,
) -> Payee:
    """Create somebody whom money may go to; a party and an agency have one payee each.

    Raises Invalid for a missing name or unknown kind, PayeeExists, NotFound for a party or agency
    out of reach.
    """
    scope = actor.require(Permission.PAYEES_SUBMIT)
    if scope is not Scope.ALL:
        _require_own(session, actor, party_id, agency_id)
    name = _text(name, "name", _NAME_LENGTH, "Enter the name that the account is held in.")
    if kind not in {member.value for member in PayeeKind}:
        message = "Choose person or company."
        raise Invalid(message, errors={"kind": [message]})
    if party_id is not None:
        case_id = _case_of_party(session, party_id, case_id)
    if agency_id is not None and session.get(Agency, agency_id) is None:
        message = "There is no such agency."
        raise NotFound(message)
    _require_new(session, party_id, agency_id)
    payee = Payee(
        id=new_id(),
        reference=new_reference(),
        kind=PayeeKind(kind).value,
        name=name,
        label=label.strip()[:_NAME_LENGTH],
        case_id=case_id,
        party_id=party_id,
        agency_id=agency_id,
        created_by=actor.name,
        created_at=moment.at,
    )
    session.add(payee)
    record(
        session,
        actor,
        "payee.opened",
        "payee",
        payee.reference,
        case_id=case_id,
        facts={"kind": payee.kind},
        now=moment.at,
    )
    return payee


def submit_account(
    session: Session,
    actor: Actor,
    *,
    payee_ref: str,
    account_type: AccountType | str,
    holder_name: str,
    bank_name: str = "",
    routing_number: str,
    account_number: str,
    keyring: Keyring,
    moment: Moment,
) -> PayeeAccount:
    """Submit where a payee's money should go; it is used only after a second person's approval.

    The number is sealed to its row and never shown again beyond its last four characters.
    Raises InvalidRoutingNumber, InvalidAccountNumber, Invalid, AccountUnchanged (the account is
    the one on file), AccountChangeOpen (another change is undecided), NotFound.
    """
    payee = payee_for(session, actor, payee_ref, Permission.PAYEES_SUBMIT, locked=True)
    routing, number = _numbers(routing_number, account_number)
    holder_name = _text(
        holder_name, "holder_name", _NAME_LENGTH, "Enter the name that the account is held in."
    )
    if account_type not in {member.value for member in AccountType}:
        message = "Choose checking or savings."
        raise Invalid(message, errors={"account_type": [message]})
    fingerprint = keyring.fingerprint(f"{routing}:{number}")
    _refuse_second_change(session, payee, fingerprint)
    account_id = new_id()
    account = PayeeAccount(
        id=account_id,
        reference=new_reference(),
        payee_id=payee.id,
        state=AccountState.SUBMITTED.value,
        account_type=AccountType(account_type).value,
        holder_name=holder_name,
        bank_name=bank_name.strip()[:_NAME_LENGTH],
        routing_number=routing,
        account_number_sealed=keyring.seal(number, account_aad(account_id)),
        account_fingerprint=fingerprint,
        last_four=number[-_LAST:],
        submitted_by_user_id=actor.user_id,
        submitted_by=actor.name,
        submitted_at=moment.at,
    )
    session.add(account)
    _flag_shared_account(session, payee, account, moment)
    _log(session, actor, "payee_account.submitted", payee, account, moment)
    _tell(session, payee, account, NoticeEvent.ACCOUNT_SUBMITTED, moment)
    return account


def check_account(
    session: Session, actor: Actor, *, account_ref: str, moment: Moment
) -> PayeeAccount:
    """Record that routing number and holder's name were compared with the evidence.

    Raises WrongState, InvalidRoutingNumber, NotFound.
    """
    payee, account = account_for(session, actor, account_ref, Permission.PAYEES_CHECK)
    _move(account, AccountState.CHECKED)
    if not is_valid_routing_number(account.routing_number):
        raise _bad_routing()
    account.checked_by_user_id, account.checked_by = actor.user_id, actor.name
    _log(session, actor, "payee_account.checked", payee, account, moment)
    return account


def verify_account(
    session: Session, actor: Actor, *, account_ref: str, call_back_note: str, moment: Moment
) -> PayeeAccount:
    """Record the call back to the number on file before the change, and whom it reached.

    Raises WrongState, Invalid without a note, NotFound.
    """
    payee, account = account_for(session, actor, account_ref, Permission.PAYEES_CHECK)
    note = _text(
        call_back_note,
        "call_back_note",
        _NOTE_LENGTH,
        "Write down whom you called back, on which number on file, and what was confirmed.",
    )
    _move(account, AccountState.VERIFIED)
    account.call_back_note = note
    account.verified_by_user_id, account.verified_by = actor.user_id, actor.name
    _log(session, actor, "payee_account.verified", payee, account, moment)
    return account


def approve_account(
    session: Session, actor: Actor, *, account_ref: str, moment: Moment
) -> PayeeAccount:
    """Approve bank details as a second person; a first account is ready at once.

    One that replaces another cools off for three banking days first, and the contact that we had
    before is told. Raises
    SubmitterCannotApprove, CheckerCannotApprove, WrongState, NotFound, Forbidden for a job.
    """
    payee, account = account_for(session, actor, account_ref, Permission.PAYEES_APPROVE)
    if actor.user_id is None:
        message = "A person has to approve bank details."
        raise Forbidden(message)
    if actor.user_id == account.submitted_by_user_id:
        message = "You submitted these bank details, so another person has to approve them."
        raise SubmitterCannotApprove(message)
    if actor.user_id in {account.checked_by_user_id, account.verified_by_user_id}:
        message = "You checked these bank details, so another person has to approve them."
        raise CheckerCannotApprove(message)
    _move(account, AccountState.APPROVED)
    account.approved_by_user_id, account.approved_by = actor.user_id, actor.name
    account.approved_at = moment.at
    _log(session, actor, "payee_account.approved", payee, account, moment)
    if _replaces_another(session, account):
        _move(account, AccountState.COOLING)
        account.cooling_until_on = add_banking_days(moment.today, COOLING_BANKING_DAYS)
        _tell(session, payee, account, NoticeEvent.ACCOUNT_COOLING, moment)
    else:
        _activate(session, actor, payee, account, moment)
    return account


def reject_account(
    session: Session, actor: Actor, *, account_ref: str, reason: str, moment: Moment
) -> PayeeAccount:
    """Refuse bank details that are on their way to being used, with a reason.

    Raises WrongState, Invalid without a reason, NotFound.
    """
    payee, account = account_for(session, actor, account_ref, _reject_permission(actor))
    reason = _text(reason, "reason", _NOTE_LENGTH, "Say why these bank details are refused.")
    _move(account, AccountState.REJECTED)
    account.state_reason = reason
    _log(session, actor, "payee_account.rejected", payee, account, moment, reason=reason)
    return account


def block_account(
    session: Session, actor: Actor, *, account_ref: str, reason: str, moment: Moment
) -> PayeeAccount:
    """Stop every payment to an account, for example after the bank returned one for good.

    Raises WrongState unless the account is active, Invalid without a reason, NotFound.
    """
    payee, account = account_for(session, actor, account_ref, Permission.PAYEES_APPROVE)
    reason = _text(reason, "reason", _NOTE_LENGTH, "Say why this account is blocked.")
    _move(account, AccountState.BLOCKED)
    account.active_for_payee_id = None
    account.state_reason = reason
    _log(session, actor, "payee_account.blocked", payee, account, moment, reason=reason)
    return account


def put_to_use(
    session: Session, actor: Actor, payee: Payee, account: PayeeAccount, moment: Moment
) -> None:
    """Make an account the one in use, as two people decided; their verb holds the locks."""
    _activate(session, actor, payee, account, moment)
    account.state_reason = ""


def activate_cooled(session: Session, actor: Actor, *, moment: Moment) -> list[PayeeAccount]:
    """Put every account to use whose cooling-off has ended on this business date."""
    due = select(PayeeAccount.payee_id).where(
        PayeeAccount.state == AccountState.COOLING.value,
        PayeeAccount.cooling_until_on <= moment.today,
    )
    payees = {
        row.id: row
        for row in lock_where(session, select(Payee).where(Payee.id.in_(due)).order_by(Payee.id))
    }
    accounts = lock_where(
        session,
        select(PayeeAccount)
        .where(
            PayeeAccount.payee_id.in_(payees),
            PayeeAccount.state == AccountState.COOLING.value,
            PayeeAccount.cooling_until_on <= moment.today,
        )
        .order_by(PayeeAccount.id),
    )
    for account in accounts:
        _activate(session, actor, payees[account.payee_id], account, moment)
    return accounts


def _require_own(
    session: Session, actor: Actor, party_id: int | None, agency_id: int | None
) -> None:
    party = None if party_id is None else session.get(CaseParty, party_id)
    own_party = party is not None and party.user_id == actor.user_id
    own_agency = agency_id is not None and agency_id == actor.agency_id
    if not own_party and not own_agency:
        message = "You can only give bank details of your own."
        raise NotFound(message)


def _case_of_party(session: Session, party_id: int, case_id: int | None) -> int:
    party = session.get(CaseParty, party_id)
    if party is None or case_id not in {None, party.case_id}:
        message = "There is no such party on this case."
        raise NotFound(message)
    return party.case_id


def _require_new(session: Session, party_id: int | None, agency_id: int | None) -> None:
    for column, value in ((Payee.party_id, party_id), (Payee.agency_id, agency_id)):
        if value is None:
            continue
        known = session.execute(select(Payee).where(column == value)).scalar_one_or_none()
        if known is not None:
            message = "This party has a payee already. Change its bank account there."
            raise PayeeExists(message, payee=known.reference)


def _numbers(routing_number: str, account_number: str) -> tuple[str, str]:
    routing = _SEPARATORS.sub("", routing_number)
    if not is_valid_routing_number(routing):
        raise _bad_routing()
    number = _SEPARATORS.sub("", account_number).upper()
    if not _ACCOUNT_NUMBER.fullmatch(number):
        message = "Enter the account number: 4 to 17 digits, letters or hyphens."
        raise InvalidAccountNumber(message, errors={"account_number": [message]})
    if not number.strip("0-"):
        message = "An account number cannot be all zeros. Copy it from a check or a statement."
        raise InvalidAccountNumber(message, errors={"account_number": [message]})
    return routing, number


def _bad_routing() -> InvalidRoutingNumber:
    message = (
        "This is not a valid routing number: its check digit does not fit. "
        "Copy the nine digits at the bottom left of a check."
    )
    return InvalidRoutingNumber(message, errors={"routing_number": [message]})


def _refuse_second_change(session: Session, payee: Payee, fingerprint: str) -> None:
    accounts = session.execute(
        select(PayeeAccount.state, PayeeAccount.account_fingerprint).where(
            PayeeAccount.payee_id == payee.id
        )
    ).all()
    if any(AccountState(state) in OPEN_CHANGE for state, _ in accounts):
        message = "A change of this account waits for a decision. Approve or reject it first."
        raise AccountChangeOpen(message)
    if any(AccountState(state) in _IN_USE and known == fingerprint for state, known in accounts):
        message = "These are the bank details on file. Enter the new account."
        raise AccountUnchanged(message)


def _flag_shared_account(
    session: Session, payee: Payee, account: PayeeAccount, moment: Moment
) -> None:
    shared = session.execute(
        select(PayeeAccount.id)
        .where(
            PayeeAccount.account_fingerprint == account.account_fingerprint,
            PayeeAccount.payee_id != payee.id,
        )
        .limit(1)
    ).scalar_one_or_none()
    if shared is not None:
        open_exception(
            session,
            "shared_account",
            "payee_account",
            account.reference,
            "Another payee uses the same bank account. Find out why before approving it.",
            case_id=payee.case_id,
            now=moment.at,
        )


def _replaces_another(session: Session, account: PayeeAccount) -> bool:
    earlier = select(PayeeAccount.id).where(
        PayeeAccount.payee_id == account.payee_id,
        PayeeAccount.id != account.id,
        PayeeAccount.active_on.is_not(None),
    )
    return session.execute(earlier.limit(1)).scalar_one_or_none() is not None


def _activate(
    session: Session, actor: Actor, payee: Payee, account: PayeeAccount, moment: Moment
) -> None:
    replaced = lock_where(
        session,
        select(PayeeAccount).where(
            PayeeAccount.payee_id == payee.id,
            PayeeAccount.id != account.id,
            PayeeAccount.state.in_(tuple(state.value for state in _IN_USE)),
        ),
    )
    for old in replaced:
        _move(old, AccountState.SUPERSEDED)
        old.active_for_payee_id = None
    session.flush()  # the unique key on the active account must be free before the new one takes it
    _move(account, AccountState.ACTIVE)
    account.active_for_payee_id = payee.id
    account.active_on = moment.today
    _log(session, actor, "payee_account.activated", payee, account, moment)
    _tell(session, payee, account, NoticeEvent.ACCOUNT_ACTIVE, moment)


def _move(account: PayeeAccount, to: AccountState) -> None:
    state = AccountState(account.state)
    if to not in STEPS[state]:
        message = (
            f"These bank details are {STATE_LABELS[state].lower()}, so they cannot become "
            f"{STATE_LABELS[to].lower()} now. Reload the page to see where they stand."
        )
        raise WrongState(message, state=state.value)
    account.state = to.value


def _reject_permission(actor: Actor) -> Permission:
    may_approve = actor.may(Permission.PAYEES_APPROVE)
    return Permission.PAYEES_APPROVE if may_approve else Permission.PAYEES_CHECK


def _text(value: str, field: str, length: int, sentence: str) -> str:
    text = value.strip()
    if not text:
        raise Invalid(sentence, errors={field: [sentence]})
    if len(text) > length:
        message = f"Use at most {length} characters."
        raise Invalid(message, errors={field: [message]})
    return text


def _log(  # noqa: PLR0917 - one value per part of the trail
    session: Session,
    actor: Actor,
    action: str,
    payee: Payee,
    account: PayeeAccount,
    moment: Moment,
    *,
    reason: str = "",
) -> None:
    record(
        session,
        actor,
        action,
        "payee_account",
        account.reference,
        case_id=payee.case_id,
        reason=reason,
        facts={"payee": payee.reference, "last_four": account.last_four, "state": account.state},
        now=moment.at,
    )


def _tell(
    session: Session, payee: Payee, account: PayeeAccount, event: NoticeEvent, moment: Moment
) -> None:
    facts = {"account": f"the account ending in {account.last_four}"}
    if account.cooling_until_on is not None:
        facts["from"] = account.cooling_until_on.isoformat()
    notify(
        session,
        event,
        f"{event.value}:{account.reference}",
        [Recipient(user_id, email, facts) for user_id, email in _contacts(session, payee)],
        case_id=payee.case_id,
        now=moment.at,
    )


def _contacts(session: Session, payee: Payee) -> list[tuple[int | None, str]]:
    """Return whom we knew before the change: the party itself, or the agency's administrators.

    Never an address that came with the new bank details.
    """
    if payee.party_id is not None:
        party = session.get(CaseParty, payee.party_id)
        return [] if party is None else [(party.user_id, party.email)]
    if payee.agency_id is not None:
        return list(people_of_agency(session, payee.agency_id, Role.AGENCY_ADMINISTRATOR))
    return []
