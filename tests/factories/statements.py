"""Prior-day statements as a bank writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from seedtrust.core.bankdays import next_banking_day
from seedtrust.formats import bai2
from tests.factories.payment_world import ACCOUNT_NUMBER, ROUTING

# A credit that nobody sent: it waits for a person instead of being booked.
MISCELLANEOUS = "399"


@dataclass(frozen=True)
class Line:
    """One movement, signed as at the bank."""

    amount_cents: int
    bank_reference: str = ""
    customer_reference: str = ""
    text: str = ""
    type_code: str = ""


def statement(
    on: date,
    opening_cents: int,
    *lines: Line,
    closing_cents: int | None = None,
    account_number: str = ACCOUNT_NUMBER,
    originator: str = ROUTING,
    receiver: str = "trust",
    status: str = bai2.UPDATE,
    modifier: str = bai2.FINAL_PREVIOUS_DAY,
    file_id: str = "1",
) -> bytes:
    """Write a statement; the closing balance follows from the lines unless told otherwise."""
    moved = sum(line.amount_cents for line in lines)
    closing = opening_cents + moved if closing_cents is None else closing_cents
    account = bai2.Account(
        account_number=account_number,
        currency="USD",
        balances=(bai2.Balance("010", opening_cents), bai2.Balance("015", closing)),
        transactions=tuple(_transaction(line) for line in lines),
    )
    group = bai2.Group(
        ultimate_receiver=receiver,
        originator=originator,
        as_of_on=on,
        as_of_time="2400",
        currency="USD",
        as_of_modifier=modifier,
        status=status,
        accounts=(account,),
    )
    return bai2.write(
        bai2.Bai2File(
            sender=originator,
            receiver=receiver,
            created_on=next_banking_day(on),
            created_time="0600",
            file_id=file_id,
            groups=(group,),
        )
    )


def _transaction(line: Line) -> bai2.Transaction:
    return bai2.Transaction(
        type_code=line.type_code or ("195" if line.amount_cents > 0 else "495"),
        amount_cents=abs(line.amount_cents),
        funds=bai2.Funds("0"),
        bank_reference=line.bank_reference,
        customer_reference=line.customer_reference,
        text_lines=(line.text,) if line.text else (),
    )
