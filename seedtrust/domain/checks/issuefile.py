"""What positive pay is told: which checks may be paid, and which not any more."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.domain.checks.models import Check
from seedtrust.domain.checks.states import CheckState
from seedtrust.domain.payments.models import TrustAccount

# Issue types of the bank's layout: issued, and cancelled.
_ISSUED: Final = "IS"
_CANCELLED: Final = "CN"


def positive_pay_of(session: Session, check_ref: str, state: str) -> bytes:
    """Return the row of a check as it stood in a state, in the layout that the bank registered.

    Account, amount, check number, issue date, payee, additional data, issue type; plain ASCII. A
    check that was not issued in that state is cancelled.
    """
    row, account = session.execute(
        select(Check, TrustAccount.bank_account_ref)
        .join(TrustAccount, TrustAccount.id == Check.trust_account_id)
        .where(Check.reference == check_ref)
    ).one()
    assert row.number is not None, "the bank is told of issued checks"
    assert row.issued_on is not None, "the bank is told of issued checks"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(
        [
            account,
            f"{row.amount_cents // 100}.{row.amount_cents % 100:02d}",
            row.number,
            row.issued_on.isoformat(),
            _plain(row.payee_name),
            row.reference,
            _ISSUED if state == CheckState.ISSUED else _CANCELLED,
        ]
    )
    return text.getvalue().encode("ascii")


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return folded.upper().strip()
