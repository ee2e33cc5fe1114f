"""What the bank moved and nothing of ours explains: booked at once, so that bank = book.

Money that came in becomes a deposit, on the case that its text names or among the unidentified
receipts; an event of the bank that tells of it later finds it booked. A charge of the bank never
touches a case: it is owed by the company until it is repaid. Returns and reversals are left for
the bank's own message, and everything else for a person.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Final

from sqlalchemy import not_, or_, select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.service import record
from seedtrust.domain.echecks.models import EcheckPull
from seedtrust.domain.funding.service import Receipt, mark_reconciled, receive
from seedtrust.domain.funding.states import ReceiptRail
from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger import service as ledger
from seedtrust.domain.payments.models import PaymentInstruction, PaymentRun, TrustAccount
from seedtrust.domain.payments.states import ReconciliationStatus
from seedtrust.domain.reconciliation.models import BankStatement, BankStatementLine
from seedtrust.formats import bai2

DEPOSIT: Final = "deposit"
CHARGE: Final = "charge"
BOOKED: Final = "booked from the statement"
CHARGED: Final = "bank charge, owed by the company"
# BAI2 codes of money that somebody sent: wires, ACH credits, book transfers and checks.
_RECEIPTS: Final = {
    **dict.fromkeys(("142", "165", "169", "191", "195", "206", "208"), ReceiptRail.WIRE),
    **dict.fromkeys(("115", "175", "301"), ReceiptRail.CHECK),
}
_CHARGES: Final = frozenset({"564", "567", "654", "661", "698"})
Match = tuple[str, str, str]


def identities(lines: Iterable[bai2.Transaction]) -> list[str]:
    """Return a name for each line of a day that the same line has in a corrected statement too.

    Lines that look alike are told apart by their place among their likes: two wires of one sum
    are two, and a file that comes again repeats both.
    """
    seen: Counter[str] = Counter()
    found = []
    for line in lines:
        told = (line.type_code, line.signed_cents, line.bank_reference, line.customer_reference)
        words = "\x1f".join(str(part) for part in (*told, *line.text_lines))
        likeness = hashlib.sha256(words.encode()).hexdigest()[:24]
        seen[likeness] += 1
        found.append(f"{likeness}-{seen[likeness]}")
    return found


def lines_to_book(session: Session) -> list[int]:
    """Return the lines that nothing explains and that may be booked, the oldest first.

    A line that names a payment of ours is none: it waits for the bank's own message.
    """
    line = BankStatementLine
    ours = or_(
        select(PaymentInstruction.id)
        .where(PaymentInstruction.reference == line.customer_reference)
        .exists(),
        select(PaymentRun.id).where(PaymentRun.reference == line.customer_reference).exists(),
        select(EcheckPull.id).where(EcheckPull.reference == line.customer_reference).exists(),
    )
    return list(
        session.execute(
            select(line.id)
            .join(BankStatement, BankStatement.id == line.statement_id)
            .where(
                BankStatement.current_on.is_not(None),
                line.status == ReconciliationStatus.UNMATCHED.value,
                line.matched_by == "",
                line.type_code.in_((*_RECEIPTS, *_CHARGES)),
                not_(ours),
            )
            .order_by(line.as_of_on, line.id)
        ).scalars()
    )


def book_line(session: Session, actor: Actor, line_id: int, *, moment: Moment) -> bool:
    """Book a line that nothing explains; False when it found its match meanwhile.

    A unit of work of its own, because the case that a text names is locked before anything else.
    """
    line = lock(session, BankStatementLine, line_id)
    if line is None or line.status != ReconciliationStatus.UNMATCHED or line.matched_by:
        return False
    code = session.get_one(TrustAccount, line.trust_account_id).code
    book = _book_receipt if line.amount_cents > 0 else _book_charge
    found = book(session, actor, line, code, moment)
    line.matched_type, line.matched_ref, line.match_rule = found
    line.status, line.matched_at = ReconciliationStatus.MATCHED.value, moment.at
    return True


def _name_of(line: BankStatementLine) -> str:
    return line.bank_reference or f"{line.as_of_on.isoformat()}:{line.identity}"


def _book_receipt(
    session: Session, actor: Actor, line: BankStatementLine, trust_code: str, moment: Moment
) -> Match:
    receipt = Receipt(
        trust_account_id=line.trust_account_id,
        trust_code=trust_code,
        bank=trust_code,
        bank_reference=_name_of(line),
        amount_cents=line.amount_cents,
        sender_name="",
        text=line.text,
        received_on=line.as_of_on,
    )
    deposit = receive(session, actor, receipt, _RECEIPTS[line.type_code], moment=moment)
    mark_reconciled(deposit, ReconciliationStatus.MATCHED.value)
    return DEPOSIT, deposit.reference, BOOKED


def _book_charge(
    session: Session, actor: Actor, line: BankStatementLine, trust_code: str, moment: Moment
) -> Match:
    owed = chart.account_id(session, "trust", chart.AccountKind.BANK_CHARGES_RECOVERABLE.value)
    ledger.transfer(
        session,
        actor,
        debit_account_id=owed,
        credit_account_id=chart.account_id(session, "trust", chart.bank_cash_code(trust_code)),
        amount_cents=-line.amount_cents,
        kind=ledger.TxnKind.BANK_CHARGE,
        key=f"charge:{trust_code}:{_name_of(line)}",
        effective_on=line.as_of_on,
        now=moment.at,
    )
    record(
        session,
        actor,
        "bank_charge.booked",
        "trust_account",
        trust_code,
        facts={"amount_cents": -line.amount_cents, "day": line.as_of_on.isoformat()},
        now=moment.at,
    )
    return CHARGE, "", CHARGED
