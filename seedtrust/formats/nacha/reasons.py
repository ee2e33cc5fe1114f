"""Return codes and change codes: what each means, until when it may come, what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from seedtrust.formats.nacha import layouts

if TYPE_CHECKING:
    from seedtrust.formats.nacha.fields import Layout


class Deadline(StrEnum):
    """Until when a return may reach the originator's bank, counted from settlement."""

    TWO_BANKING_DAYS = "opening of the second banking day"
    SIXTY_DAYS = "opening of the banking day after the 60th calendar day"
    OPERATOR = "the operator's next file"
    OPEN = "no limit"
    ON_REFUSAL = "after the receiver's refusal"
    AGREED = "as the two banks agreed"
    FIVE_BANKING_DAYS = "five banking days after the return settled"


class Retry(StrEnum):
    """Whether the same obligation may be presented again after a return."""

    NO = "no"
    TWICE = "twice more within 180 days of the original's settlement"
    AFTER_APPROVAL = "after a new approval by the payer"
    AFTER_CORRECTION = "as a new entry, once the cause is remedied"
    AFTER_AUTHORISATION = "only under a new authorisation"


class Rate(StrEnum):
    """The return rate of the network that a returned debit counts towards, beside the overall."""

    UNAUTHORISED = "unauthorised"
    ADMINISTRATIVE = "administrative"
    NONE = "none"


class Attention(StrEnum):
    """Who has to look at it."""

    PAYEE = "payee"
    STAFF = "staff"
    COMPLIANCE = "compliance"
    INCIDENT = "incident"
    BANKS = "banks"


@dataclass(frozen=True, slots=True)
class ReturnCode:
    """One reason for a return.

    `blocks_account` stops further payments to the account, `revokes_authorisation` further
    debits under the same authorisation, `is_our_defect` marks what only a bug or bad data of
    the originator causes. `layout` reads the addenda record that carries the code.
    """

    code: str
    meaning: str
    deadline: Deadline
    retry: Retry = Retry.NO
    blocks_account: bool = False
    revokes_authorisation: bool = False
    blocks_routing: bool = False
    is_our_defect: bool = False
    rate: Rate = Rate.NONE
    attention: Attention = Attention.STAFF
    layout: Layout = layouts.ADDENDA_99

    @property
    def may_be_represented(self) -> bool:
        """Tell whether the very same debit may be sent again."""
        return self.retry is Retry.TWICE

    @property
    def is_bank_to_bank(self) -> bool:
        """Tell whether the code is part of a dispute between the two banks."""
        return self.layout is not layouts.ADDENDA_99


_TWO = Deadline.TWO_BANKING_DAYS
_SIXTY = Deadline.SIXTY_DAYS
_OPERATOR = Deadline.OPERATOR
_FIX = Retry.AFTER_CORRECTION
_NEW = Retry.AFTER_AUTHORISATION


def _unauthorised(
    code: str,
    meaning: str,
    deadline: Deadline = _SIXTY,
    retry: Retry = _NEW,
) -> ReturnCode:
    return ReturnCode(
        code,
        meaning,
        deadline,
        retry,
        revokes_authorisation=retry is _NEW,
        rate=Rate.UNAUTHORISED,
        attention=Attention.COMPLIANCE,
    )


def _bad_account(code: str, meaning: str) -> ReturnCode:
    return ReturnCode(
        code,
        meaning,
        _TWO,
        _FIX,
        blocks_account=True,
        rate=Rate.ADMINISTRATIVE,
        attention=Attention.PAYEE,
    )


def _defect(code: str, meaning: str) -> ReturnCode:
    return ReturnCode(
        code,
        meaning,
        _OPERATOR,
        _FIX,
        is_our_defect=True,
        attention=Attention.INCIDENT,
    )


def _not_ours(code: str, meaning: str, deadline: Deadline = _TWO) -> ReturnCode:
    return ReturnCode(code, meaning, deadline)


def _between_banks(code: str, meaning: str, layout: Layout) -> ReturnCode:
    is_contest = layout is layouts.CONTESTED_RETURN
    return ReturnCode(
        code,
        meaning,
        Deadline.TWO_BANKING_DAYS if is_contest else Deadline.FIVE_BANKING_DAYS,
        attention=Attention.BANKS,
        layout=layout,
    )


_DISHONOURED = layouts.DISHONOURED_RETURN
_CONTESTED = layouts.CONTESTED_RETURN
_REVIEW = Attention.COMPLIANCE

RETURN_CODES: dict[str, ReturnCode] = {
    row.code: row
    for row in (
        ReturnCode(
            "R01",
            "There was not enough money in the account.",
            _TWO,
            Retry.TWICE,
            attention=Attention.PAYEE,
        ),
        _bad_account("R02", "The account is closed."),
        _bad_account("R03", "The bank finds no such account, or the name does not fit it."),
        _bad_account("R04", "The account number cannot be right."),
        _unauthorised("R05", "A business debit hit a consumer's account without permission."),
        ReturnCode("R06", "Our bank asked for the money back.", Deadline.OPEN),
        _unauthorised("R07", "The customer has taken the permission back."),
        ReturnCode(
            "R08",
            "The customer stopped this payment.",
            _TWO,
            Retry.AFTER_APPROVAL,
            attention=Attention.PAYEE,
        ),
        ReturnCode(
            "R09",
            "The money in the account was not yet available.",
            _TWO,
            Retry.TWICE,
            attention=Attention.PAYEE,
        ),
        _unauthorised("R10", "The customer does not know us or did not allow the debit."),
        _unauthorised("R11", "The debit was not what the customer had agreed to.", retry=_FIX),
        ReturnCode(
            "R12",
            "The branch was sold to another bank.",
            _TWO,
            _FIX,
            blocks_account=True,
            attention=Attention.PAYEE,
        ),
        ReturnCode(
            "R13",
            "The routing number is not that of a bank in the network.",
            _OPERATOR,
            _FIX,
            blocks_account=True,
            blocks_routing=True,
        ),
        ReturnCode(
            "R14",
            "The person who receives on another's behalf has died or can no longer act.",
            _TWO,
            blocks_account=True,
            attention=_REVIEW,
        ),
        ReturnCode(
            "R15",
            "The account holder has died.",
            _TWO,
            blocks_account=True,
            attention=_REVIEW,
        ),
        ReturnCode(
            "R16",
            "The account is frozen, or sanctions rules forbid the payment.",
            _TWO,
            blocks_account=True,
            attention=_REVIEW,
        ),
        ReturnCode(
            "R17",
            "The bank could not process the entry, or suspects fraud.",
            _TWO,
            _FIX,
            blocks_account=True,
            attention=_REVIEW,
        ),
        _defect("R18", "The effective date was wrong."),
        _defect("R19", "The amount field was wrong."),
        ReturnCode(
            "R20",
            "This kind of account does not take such payments.",
            _TWO,
            _FIX,
            blocks_account=True,
            attention=Attention.PAYEE,
        ),
        ReturnCode("R21", "The company identification was wrong.", _TWO, _FIX),
        ReturnCode("R22", "The individual identification was wrong.", _TWO, _FIX),
        ReturnCode(
            "R23",
            "The receiver refused the money.",
            Deadline.ON_REFUSAL,
            _FIX,
            attention=Attention.PAYEE,
        ),
        ReturnCode(
            "R24",
            "The bank takes it for a duplicate.",
            _TWO,
            attention=Attention.INCIDENT,
        ),
        _defect("R25", "An addenda record was wrong."),
        _defect("R26", "A mandatory field was empty or wrong."),
        _defect("R27", "A trace number was wrong."),
        _defect("R28", "The check digit of the routing number was wrong."),
        _unauthorised("R29", "The business did not allow the debit.", _TWO),
        _not_ours("R30", "The bank does not take part in check truncation."),
        ReturnCode(
            "R31",
            "The receiving business bank returned it late, by agreement.",
            Deadline.AGREED,
        ),
        ReturnCode(
            "R32",
            "The receiving bank cannot settle.",
            _OPERATOR,
            _FIX,
            blocks_routing=True,
        ),
        _not_ours("R33", "A destroyed check entry was returned.", _SIXTY),
        ReturnCode(
            "R34",
            "The receiving bank's part in the network was limited.",
            _OPERATOR,
            _FIX,
            blocks_routing=True,
        ),
        _defect("R35", "This kind of entry may not be a debit."),
        _defect("R36", "This kind of entry may not be a credit."),
        _not_ours("R37", "The check itself was paid as well.", _SIXTY),
        _not_ours("R38", "The check was stopped.", _SIXTY),
        _not_ours("R39", "The check may not be used for an electronic entry."),
        _not_ours("R40", "The federal agency returned the enrolment.", Deadline.OPEN),
        _not_ours("R41", "The enrolment had a wrong transaction code.", Deadline.OPEN),
        _not_ours("R42", "The enrolment had a wrong routing number.", Deadline.OPEN),
        _not_ours("R43", "The enrolment had a wrong account number.", Deadline.OPEN),
        _not_ours("R44", "The enrolment had a wrong individual identification.", Deadline.OPEN),
        _not_ours("R45", "The enrolment had a wrong name.", Deadline.OPEN),
        _not_ours("R46", "The enrolment had a wrong payee indicator.", Deadline.OPEN),
        _not_ours("R47", "The enrolment was a duplicate.", Deadline.OPEN),
        _not_ours("R50", "State law does not allow the check to be presented again."),
        ReturnCode(
            "R51",
            "The check that was presented again was not eligible.",
            _SIXTY,
            rate=Rate.UNAUTHORISED,
        ),
        _not_ours("R52", "The check that was presented again was stopped.", _SIXTY),
        _not_ours("R53", "The check and its electronic entry were both presented.", _SIXTY),
        _between_banks("R61", "Dishonoured: the return went to the wrong bank.", _DISHONOURED),
        _between_banks("R62", "Dishonoured: the return left a wrong debit.", _DISHONOURED),
        _between_banks("R67", "Dishonoured: the return was a duplicate.", _DISHONOURED),
        _between_banks("R68", "Dishonoured: the return came too late.", _DISHONOURED),
        _between_banks("R69", "Dishonoured: fields of the return were wrong.", _DISHONOURED),
        _between_banks("R70", "Dishonoured: the return was not agreed to.", _DISHONOURED),
        _between_banks("R71", "Contested: the dishonour went to the wrong bank.", _CONTESTED),
        _between_banks("R72", "Contested: the dishonour came too late.", _CONTESTED),
        _between_banks("R73", "Contested: the return was in time.", _CONTESTED),
        _between_banks("R74", "Contested: here is the corrected return.", _CONTESTED),
        _between_banks("R75", "Contested: the return was not a duplicate.", _CONTESTED),
        _between_banks("R76", "Contested: the return had no errors.", _CONTESTED),
        _between_banks("R77", "Contested: the bank does not accept the dishonour.", _CONTESTED),
        _not_ours("R80", "The international entry was coded wrongly.", Deadline.OPERATOR),
        _not_ours("R81", "The bank does not take international entries.", Deadline.OPERATOR),
        _not_ours("R82", "The foreign bank's identification was wrong.", Deadline.OPERATOR),
        _not_ours("R83", "The foreign bank could not settle.", Deadline.OPERATOR),
        _not_ours("R84", "The gateway did not process the entry.", Deadline.OPERATOR),
        ReturnCode(
            "R85",
            "The payment should have been sent as an international one.",
            _OPERATOR,
            blocks_account=True,
            attention=_REVIEW,
        ),
        ReturnCode(
            "R90",
            "Sanctions rules forbid the payment.",
            _TWO,
            blocks_account=True,
            attention=_REVIEW,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class ChangeCode:
    """One kind of notification of change: what it corrects and where that stands.

    `places` gives each corrected value's start and length within the corrected data, counted
    from 0. `layout` reads the addenda record. A refused change goes from bank to bank.
    """

    code: str
    meaning: str
    places: tuple[tuple[str, int, int], ...] = ()
    layout: Layout = layouts.ADDENDA_98

    @property
    def corrects(self) -> tuple[str, ...]:
        """Return the names of the corrected values."""
        return tuple(name for name, _, _ in self.places)

    @property
    def is_bank_to_bank(self) -> bool:
        """Tell whether the code is a refusal of a change, sent by the originator's bank."""
        return self.layout is layouts.REFUSED_CHANGE


def _refusal(code: str, meaning: str) -> ChangeCode:
    return ChangeCode(code, meaning, (), layouts.REFUSED_CHANGE)


CHANGE_CODES: dict[str, ChangeCode] = {
    row.code: row
    for row in (
        ChangeCode("C01", "The account number changed.", (("account_number", 0, 17),)),
        ChangeCode("C02", "The routing number changed.", (("routing_number", 0, 9),)),
        ChangeCode(
            "C03",
            "The routing number and the account number changed.",
            (("routing_number", 0, 9), ("account_number", 12, 17)),
        ),
        ChangeCode("C04", "The receiver's name changed.", (("name", 0, 22),)),
        ChangeCode("C05", "The kind of account changed.", (("transaction_code", 0, 2),)),
        ChangeCode(
            "C06",
            "The account number and the kind of account changed.",
            (("account_number", 0, 17), ("transaction_code", 20, 2)),
        ),
        ChangeCode(
            "C07",
            "The routing number, the account number and the kind of account changed.",
            (("routing_number", 0, 9), ("account_number", 9, 17), ("transaction_code", 26, 2)),
        ),
        ChangeCode(
            "C08",
            "The foreign bank's identification changed.",
            (("foreign_bank", 0, 34),),
        ),
        ChangeCode("C09", "The individual identification changed.", (("identification", 0, 22),)),
        ChangeCode("C13", "The format of an addenda record was wrong."),
        ChangeCode("C14", "The payment should be sent as an international one."),
        _refusal("C61", "Refused: the change went to the wrong bank."),
        _refusal("C62", "Refused: the trace number is wrong."),
        _refusal("C63", "Refused: the company identification is wrong."),
        _refusal("C64", "Refused: the individual identification is wrong."),
        _refusal("C65", "Refused: the corrected data is wrong."),
        _refusal("C66", "Refused: the routing number is wrong."),
        _refusal("C67", "Refused: the account number is wrong."),
        _refusal("C68", "Refused: the transaction code is wrong."),
        _refusal("C69", "Refused: the change was not needed or not right."),
    )
}
