"""What a bank brings to our door: a hint that something is worth asking about, never evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.ids import new_id
from seedtrust.domain.outbox.service import bank_lane, promise
from seedtrust.domain.payments.models import BankInboxItem, PaymentInstruction, TrustAccount
from seedtrust.domain.payments.states import IN_FLIGHT_STATES

FOLLOW_HINT: Final = "bank.hint"
SOURCE: Final = "webhook."
_MOST_AT_ONCE: Final = 500
_SUBJECTS: Final = ("client_reference", "account_id")


def take_hint(
    session: Session, bank: str, event_id: str, message: dict[str, object], *, moment: Moment
) -> bool:
    """Keep one message of a bank and promise to ask the bank about it; False if it was kept before.

    Nothing else of the message is used than what it is about. Raises IntegrityError when another
    delivery of the same message is faster, whose row then counts.
    """
    if _known(session, bank, event_id) is not None:
        return False
    data = message.get("data")
    about = data if isinstance(data, dict) else {}
    payload = {
        name: str(about[name])[:80] for name in _SUBJECTS if isinstance(about.get(name), str)
    }
    session.add(
        BankInboxItem(
            id=new_id(),
            source=f"{SOURCE}{bank}",
            external_id=event_id,
            kind=_ascii(str(message.get("type", "")))[:40],
            payload=payload,
            received_at=moment.at,
            outcome="",
        )
    )
    session.flush()  # the unique key on the bank's id speaks before the promise
    promise(
        session,
        FOLLOW_HINT,
        f"{bank}:{event_id}",
        {"bank": bank, "event": event_id},
        now=moment.at,
        lane=bank_lane(bank),
    )
    return True


@dataclass(frozen=True, slots=True)
class Subject:
    """What a kept message is about: a payment of ours, or nothing that we could ask for by name.

    `messages` are the ids of all kept messages about the same that nobody has followed yet.
    """

    reference: str | None
    messages: tuple[int, ...]


def subject_of(session: Session, bank: str, event_id: str) -> Subject | None:
    """Return what a kept message is about; None once it was followed, be it with another one.

    One question to the bank answers every message about the same that was kept before it.
    """
    item = _known(session, bank, event_id)
    if item is None or item.applied_at is not None:
        return None
    rows = list(
        session.execute(
            select(BankInboxItem)
            .where(BankInboxItem.source == f"{SOURCE}{bank}", BankInboxItem.applied_at.is_(None))
            .order_by(BankInboxItem.id)
            .limit(_MOST_AT_ONCE)
        ).scalars()
    )
    ours = _ours(session, bank, [item, *rows])
    mine = ours.get(_told(item))
    same = {row.id for row in rows if ours.get(_told(row)) == mine} | {item.id}
    return Subject(mine, tuple(sorted(same)))


def has_earlier_under_way(session: Session, reference: str) -> bool:
    """Tell whether payments of the same case that were made earlier are still at the bank.

    Messages overtake one another. Where they do, the bank's events are read in the bank's order, so
    that the payments of one day stand in the books in the order of their requests.
    """
    earlier, told = aliased(PaymentInstruction), aliased(PaymentInstruction)
    wanted = (
        select(earlier.id)
        .join(told, told.case_id == earlier.case_id)
        .where(
            told.reference == reference,
            earlier.id < told.id,
            earlier.state.in_([state.value for state in IN_FLIGHT_STATES]),
        )
        .limit(1)
    )
    return session.execute(wanted).first() is not None


def mark_followed(
    session: Session, bank: str, messages: Sequence[int], outcome: str, *, moment: Moment
) -> None:
    """Record what came of messages, in the unit of work of their effect."""
    rows = lock_where(
        session,
        select(BankInboxItem)
        .where(BankInboxItem.source == f"{SOURCE}{bank}", BankInboxItem.id.in_(list(messages)))
        .order_by(BankInboxItem.id),
    )
    for item in rows:
        if item.applied_at is None:
            item.applied_at, item.outcome = moment.at, outcome[:300]


def _told(item: BankInboxItem) -> str:
    return str(item.payload.get("client_reference", ""))


def _ours(session: Session, bank: str, items: Sequence[BankInboxItem]) -> dict[str, str]:
    """Return which of the references that messages name are payments of ours at this bank."""
    found = session.execute(
        select(PaymentInstruction.reference)
        .join(TrustAccount, TrustAccount.id == PaymentInstruction.trust_account_id)
        .where(
            PaymentInstruction.reference.in_({_told(item) for item in items}),
            TrustAccount.bank_code == bank,
        )
    ).scalars()
    return {reference: reference for reference in found}


def _known(session: Session, bank: str, event_id: str) -> BankInboxItem | None:
    return session.execute(
        select(BankInboxItem).where(
            BankInboxItem.source == f"{SOURCE}{bank}", BankInboxItem.external_id == event_id
        )
    ).scalar_one_or_none()


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
