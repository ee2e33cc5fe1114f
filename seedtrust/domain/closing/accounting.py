"""What a final accounting says, taken from the books, and the hash that ties words to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from seedtrust.core.db import canonical_json
from seedtrust.domain.cases.models import Case
from seedtrust.domain.ledger import queries as ledger
from seedtrust.domain.ledger.posting import TxnKind
from seedtrust.domain.terms.states import Category

_ALL_LINES: Final = 1_000_000


@dataclass(frozen=True)
class CategorySum:
    """What went out for one category, less what came back, in cents."""

    category: str
    paid_cents: int


@dataclass(frozen=True)
class Sums:
    """Money in, money out by category, and the rest, in cents."""

    deposits_cents: int
    paid_cents: int
    refund_cents: int
    by_category: tuple[CategorySum, ...]

    def content_hash(self, case: Case, number: int) -> str:
        """Return the SHA-256 of the case's accounting: what the parties certify."""
        content = {
            "case": case.reference,
            "number": number,
            "deposits_cents": self.deposits_cents,
            "paid_cents": self.paid_cents,
            "refund_cents": self.refund_cents,
            "by_category": [[one.category, one.paid_cents] for one in self.by_category],
        }
        return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def sums_of(session: Session, case: Case) -> Sums:
    """Return the sums of a case's ledger now. One query, in the order of the first payments."""
    lines = ledger.case_lines(session, case.ledger_account_id, limit=_ALL_LINES)
    deposits = 0
    paid: dict[str, int] = {}
    for line in lines:
        # A deposit that the bank takes back carries the category of what it undoes.
        if line.kind is TxnKind.DEPOSIT or line.category == Category.FUNDING:
            deposits += line.amount_cents
        else:
            category = line.category or line.kind.value.lower()
            paid[category] = paid.get(category, 0) - line.amount_cents
    out = sum(paid.values())
    return Sums(
        deposits,
        out,
        deposits - out,
        tuple(CategorySum(category, cents) for category, cents in paid.items()),
    )
