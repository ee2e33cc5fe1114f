"""Setting up a trust account with everything that its bank assigned to us."""

from __future__ import annotations

import re
from datetime import time
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import Forbidden, NotFound
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.money import check_amount_cents
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.service import record
from seedtrust.domain.ledger import chart
from seedtrust.domain.payments.errors import InvalidTrustAccount
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.payments.ports import FILE_DROP, HUNTINGTON
from seedtrust.domain.payments.states import FIRST_PAYMENT_LIMIT_CENTS, CaseRail
from seedtrust.formats.nacha.routing import FIRST_EIGHT_PATTERN, is_valid_routing_number
from seedtrust.formats.nacha.text import is_printable

_CODE: Final = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_FIRST_EIGHT: Final = re.compile(FIRST_EIGHT_PATTERN, re.ASCII)
_COMPANY_NAME_LENGTH: Final = 16
_ASSIGNED_LENGTH: Final = 10
_BANKS: Final = {CaseRail.NACHA.value: FILE_DROP, CaseRail.HUNTINGTON.value: HUNTINGTON}


def open_trust_account(
    session: Session,
    actor: Actor,
    *,
    code: str,
    name: str,
    case_rail: CaseRail | str,
    bank_code: str = "",
    bank_name: str,
    bank_account_ref: str,
    routing_number: str,
    last_four: str,
    immediate_destination: str,
    immediate_origin: str,
    company_name: str,
    company_identification: str,
    odfi_identification: str,
    ach_cutoff_local: str = "14:00",
    wire_cutoff_local: str = "16:00",
    second_release_above_cents: int | None = None,
    first_payment_limit_cents: int | None = FIRST_PAYMENT_LIMIT_CENTS,
    moment: Moment,
) -> TrustAccount:
    """Open a trust account in our books: its cash, and what the bank's files must carry.

    `immediate_origin` and `company_identification` are ten characters as the bank assigned them,
    `odfi_identification` the first eight digits of its routing number, cut-offs wall-clock times
    in New York; `bank_code` names the line that carries its payments, by default the one of its
    cases' rail. Only a job or a command may do this. Raises InvalidTrustAccount, Forbidden.
    """
    if not actor.is_system:
        message = "Trust accounts are set up from the command line."
        raise Forbidden(message)
    account = TrustAccount(
        id=new_id(),
        reference=new_reference(),
        code=code,
        name=name.strip(),
        case_rail=str(case_rail),
        bank_code=bank_code or _BANKS.get(str(case_rail), FILE_DROP),
        bank_name=bank_name.strip(),
        bank_account_ref=bank_account_ref,
        routing_number=routing_number,
        last_four=last_four,
        immediate_destination=immediate_destination,
        immediate_origin=immediate_origin,
        company_name=company_name.strip(),
        company_identification=company_identification,
        odfi_identification=odfi_identification,
        ach_cutoff_local=ach_cutoff_local,
        wire_cutoff_local=wire_cutoff_local,
        second_release_above_cents=second_release_above_cents,
        first_payment_limit_cents=first_payment_limit_cents,
        next_trace=1,
        opened_on=moment.today,
    )
    _check(account)
    chart.open_books(session, moment.at)
    account.ledger_account_id = chart.open_trust_account(session, code, moment.at)
    session.add(account)
    record(
        session,
        actor,
        "trust_account.opened",
        "trust_account",
        account.reference,
        facts={"code": code},
        now=moment.at,
    )
    return account


def limit_first_payments(
    session: Session, actor: Actor, *, code: str, limit_cents: int | None, moment: Moment
) -> TrustAccount:
    """Set what a person's changed account may get before a first payment has settled, in cents.

    None lifts the limit. Only a job or a command may do this alone; people change it by two, see
    `limits`. The change is on the trail. Raises NotFound, InvalidAmount, Forbidden.
    """
    if not actor.is_system:
        message = "One person proposes another limit, a second one decides: see the page “Limits”."
        raise Forbidden(message)
    rows = lock_where(session, select(TrustAccount).where(TrustAccount.code == code))
    if not rows:
        message = f"There is no trust account with the code {code}."
        raise NotFound(message)
    account = rows[0]
    set_first_payment_limit(session, actor, account, limit_cents, moment=moment)
    return account


def set_first_payment_limit(
    session: Session,
    actor: Actor,
    account: TrustAccount,
    limit_cents: int | None,
    *,
    moment: Moment,
) -> None:
    """Let a limit of first payments hold from now on; the caller holds the lock and the right."""
    before = account.first_payment_limit_cents
    account.first_payment_limit_cents = (
        None if limit_cents is None else check_amount_cents(limit_cents, "limit_cents")
    )
    record(
        session,
        actor,
        "trust_account.first_payment_limited",
        "trust_account",
        account.reference,
        facts={"before_cents": before, "after_cents": account.first_payment_limit_cents},
        now=moment.at,
    )


def _check(account: TrustAccount) -> None:
    destination = account.immediate_destination.strip()
    rules = {
        "case_rail": account.case_rail in {rail.value for rail in CaseRail},
        "bank_code": account.bank_code in {FILE_DROP, HUNTINGTON},
        "code": _CODE.fullmatch(account.code) is not None,
        "name": bool(account.name),
        "routing_number": is_valid_routing_number(account.routing_number),
        "immediate_destination": is_valid_routing_number(destination)
        or len(account.immediate_destination) == _ASSIGNED_LENGTH,
        "immediate_origin": _assigned(account.immediate_origin),
        "company_identification": _assigned(account.company_identification),
        "company_name": 0 < len(account.company_name) <= _COMPANY_NAME_LENGTH
        and is_printable(account.company_name),
        "odfi_identification": _FIRST_EIGHT.fullmatch(account.odfi_identification) is not None,
        "ach_cutoff_local": _is_time(account.ach_cutoff_local),
        "wire_cutoff_local": _is_time(account.wire_cutoff_local),
    }
    wrong = {
        field: ["Enter this as the bank assigned it."] for field, ok in rules.items() if not ok
    }
    if wrong:
        message = f"The trust account cannot be opened: check {', '.join(sorted(wrong))}."
        raise InvalidTrustAccount(message, errors=wrong)


def _assigned(text: str) -> bool:
    return len(text) == _ASSIGNED_LENGTH and is_printable(text) and bool(text.strip())


def _is_time(text: str) -> bool:
    try:
        time.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("14:00")
