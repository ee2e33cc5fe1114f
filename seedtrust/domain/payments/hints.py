"""What a bank brings to our door: a hint that something is worth asking about, never evidence."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.ids import new_id
from seedtrust.domain.outbox.service import bank_lane, promise
from seedtrust.domain.payments.models import BankInboxItem, PaymentInstruction, TrustAccount

FOLLOW_HINT: Final = "bank.hint"
_SOURCE: Final = "webhook."
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
            source=f"{_SOURCE}{bank}",
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


def subject_of(session: Session, bank: str, event_id: str) -> str | None:
    """Return which payment of ours a kept message is about, None if it is about none."""
    item = _known(session, bank, event_id)
    reference = None if item is None else item.payload.get("client_reference")
    if reference is None:
        return None
    return session.execute(
        select(PaymentInstruction.reference)
        .join(TrustAccount, TrustAccount.id == PaymentInstruction.trust_account_id)
        .where(PaymentInstruction.reference == reference, TrustAccount.bank_code == bank)
    ).scalar_one_or_none()


def mark_followed(
    session: Session, bank: str, event_id: str, outcome: str, *, moment: Moment
) -> None:
    """Record what came of a message, in the unit of work of its effect."""
    rows = lock_where(
        session,
        select(BankInboxItem).where(
            BankInboxItem.source == f"{_SOURCE}{bank}", BankInboxItem.external_id == event_id
        ),
    )
    for item in rows:
        item.applied_at, item.outcome = moment.at, outcome[:300]


def _known(session: Session, bank: str, event_id: str) -> BankInboxItem | None:
    return session.execute(
        select(BankInboxItem).where(
            BankInboxItem.source == f"{_SOURCE}{bank}", BankInboxItem.external_id == event_id
        )
    ).scalar_one_or_none()


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
