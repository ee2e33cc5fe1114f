"""What a bank says about one payment, heard in one unit: its state, and what it wants corrected."""

from __future__ import annotations

from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.crypto import Keyring
from seedtrust.core.permissions import Actor
from seedtrust.domain.payments.corrections import note_from_bank
from seedtrust.domain.payments.models import PaymentInstruction
from seedtrust.domain.payments.ports import PaymentSnapshot
from seedtrust.domain.payments.sending import record_answer


def hear(
    session: Session,
    actor: Actor,
    snapshot: PaymentSnapshot,
    *,
    keyring: Keyring,
    moment: Moment,
) -> PaymentInstruction:
    """Apply a bank's answer about a payment by rank, and keep each change that it names, once.

    Whoever asked and why makes no difference: sending, inquiry, event and message all end here.
    Raises what `record_answer` raises.
    """
    row = record_answer(session, actor, snapshot, moment=moment)
    note_from_bank(session, actor, snapshot, keyring=keyring, moment=moment)
    return row
