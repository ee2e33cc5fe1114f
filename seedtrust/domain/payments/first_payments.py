"""The first payment to a changed account of a person is limited until it has settled.

Whoever talks a company into paying to another account wants one large payment soon. Until the
bank has settled something on the new account, all payments to it together stay below the trust
account's limit; "first payment" is therefore what one day's run pays there in sum.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.money import format_dollars
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.models import DisbursementRequest
from seedtrust.domain.disbursements.reservation import amount_to_pay
from seedtrust.domain.payees.models import Payee, PayeeAccount
from seedtrust.domain.payees.states import PayeeKind
from seedtrust.domain.payments.models import PaymentInstruction, TrustAccount
from seedtrust.domain.payments.states import LIVE_STATES, InstructionState

_UNSETTLED: Final = tuple(
    state.value for state in LIVE_STATES if state is not InstructionState.SETTLED
)


class Item(Protocol):
    """Something that could be paid, with where the money would go."""

    @property
    def request(self) -> DisbursementRequest:
        """The request."""
        ...

    @property
    def case(self) -> Case:
        """Its case."""
        ...

    @property
    def payee(self) -> Payee:
        """Its payee."""
        ...

    @property
    def account(self) -> PayeeAccount:
        """The payee's account in use."""
        ...


def beyond_first_payment(session: Session, items: Sequence[Item]) -> dict[int, str]:
    """Return the requests that would exceed the first payment's limit, by id, with a sentence.

    Items are taken in their order as long as they fit beside what is already on its way to the
    account. Five queries at most, whatever the number of items.
    """
    people = [item for item in items if item.payee.kind == PayeeKind.PERSON]
    new = _changed_and_untried(session, {item.account.id for item in people})
    if not new:
        return {}
    limits = _limits(session, {item.case.trust_account_id for item in people})
    used = _on_its_way(session, new, {item.request.id for item in items})
    beyond: dict[int, str] = {}
    for item in people:
        limit = limits.get(item.case.trust_account_id)
        if item.account.id not in new or limit is None:
            continue
        cents = amount_to_pay(item.request)
        if used.get(item.account.id, 0) + cents > limit:
            beyond[item.request.id] = (
                "The payee's bank account has changed: until a first payment to it has settled, "
                f"at most ${format_dollars(limit)} may go there. Let a smaller payment settle "
                "first, or have two people change the limit on the page “Limits”."
            )
        else:
            used[item.account.id] = used.get(item.account.id, 0) + cents
    return beyond


def _changed_and_untried(session: Session, account_ids: Collection[int]) -> set[int]:
    """Return the accounts that replaced another and on which nothing has settled."""
    payee_ids = select(PayeeAccount.payee_id).where(PayeeAccount.id.in_(account_ids))
    several = set(
        session.execute(
            select(PayeeAccount.payee_id)
            .where(PayeeAccount.payee_id.in_(payee_ids), PayeeAccount.active_on.is_not(None))
            .group_by(PayeeAccount.payee_id)
            .having(func.count() > 1)
        ).scalars()
    )
    if not several:
        return set()
    changed = set(
        session.execute(
            select(PayeeAccount.id).where(
                PayeeAccount.id.in_(account_ids), PayeeAccount.payee_id.in_(several)
            )
        ).scalars()
    )
    tried = session.execute(
        select(PaymentInstruction.payee_account_id)
        .where(
            PaymentInstruction.payee_account_id.in_(changed),
            PaymentInstruction.state == InstructionState.SETTLED.value,
        )
        .distinct()
    ).scalars()
    return changed - set(tried)


def _limits(session: Session, trust_account_ids: Collection[int]) -> dict[int, int | None]:
    rows = session.execute(
        select(TrustAccount.id, TrustAccount.first_payment_limit_cents).where(
            TrustAccount.id.in_(trust_account_ids)
        )
    )
    return dict(rows.all())


def _on_its_way(
    session: Session, account_ids: Collection[int], request_ids: Collection[int]
) -> dict[int, int]:
    """Return what other payments than these are about to pay to accounts, in cents."""
    rows = session.execute(
        select(PaymentInstruction.payee_account_id, func.sum(PaymentInstruction.amount_cents))
        .where(
            PaymentInstruction.payee_account_id.in_(account_ids),
            PaymentInstruction.state.in_(_UNSETTLED),
            PaymentInstruction.request_id.not_in(request_ids),
        )
        .group_by(PaymentInstruction.payee_account_id)
    )
    return {account_id: int(cents) for account_id, cents in rows}
