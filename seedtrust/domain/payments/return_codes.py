"""What a return code means to people: one row each, read from the table of the file format.

Product, pages and notices all take their words from here. A code that nobody knows yet has a row
as well, because the money that came back with it counts all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from seedtrust.core.permissions import Role
from seedtrust.formats.nacha import RETURN_CODES
from seedtrust.formats.nacha.reasons import Attention, Deadline, Rate, Retry

_DESK: Final = frozenset({Role.PAYMENTS_SPECIALIST, Role.PAYMENTS_LEAD, Role.ESCROW_SPECIALIST})
_TOLD: Final = {
    Attention.PAYEE: (_DESK, "the payee, whoever asked, and the payments desk"),
    Attention.STAFF: (_DESK, "the payee, whoever asked, and the payments desk"),
    Attention.COMPLIANCE: (
        _DESK | {Role.CONTROLLER, Role.LEGAL},
        "the payments desk, the controller and legal; the payee learns only that it came back",
    ),
    Attention.INCIDENT: (
        _DESK | {Role.CONTROLLER, Role.IT_ADMIN},
        "the payments desk, the controller and the administrators",
    ),
    Attention.BANKS: (frozenset({Role.PAYMENTS_LEAD}), "the payments lead; the banks settle it"),
}
_NEXT: Final = {
    Attention.PAYEE: "Ask the payee what is right now, then pay the request again.",
    Attention.STAFF: "Ask our bank what it needs, then pay the request again.",
    Attention.COMPLIANCE: "Do not pay again before the controller or legal has looked at it.",
    Attention.INCIDENT: "Our own data caused it. Find out why before anything else is sent.",
    Attention.BANKS: "Nothing to do here; keep an eye on the bank's next word.",
}
_NEW_ACCOUNT: Final = (
    "Ask the payee for new bank details. After check, call-back, a second person and three banking "
    "days the request can be paid again."
)
_REVIEW: Final = frozenset({Attention.COMPLIANCE, Attention.INCIDENT, Attention.BANKS})


@dataclass(frozen=True, slots=True)
class ReturnReason:
    """One return code in plain words.

    `again` says whether the payment may be presented again, `deadline` until when the return
    itself may come, `told` who hears of it and `roles` which of the staff, `next_step` what
    somebody does now. `for_parties` is what payee and requester may read.
    """

    code: str
    meaning: str
    told: str
    roles: frozenset[Role]
    again: str
    deadline: str
    next_step: str
    for_parties: str
    rate: Rate
    blocks_account: bool

    @property
    def label(self) -> str:
        """Return code and meaning, as staff see them together."""
        return f"{self.code} {self.meaning}" if self.code else self.meaning


def reason_of(code: str) -> ReturnReason:
    """Return the row of a code; an unknown one asks for a person and blocks nothing."""
    row = RETURN_CODES.get(code)
    if row is None:
        return _unknown(code)
    roles, told = _TOLD[row.attention]
    wants_account = row.blocks_account and row.attention not in _REVIEW
    return ReturnReason(
        code=row.code,
        meaning=row.meaning,
        told=told,
        roles=roles,
        again="no" if row.retry is Retry.NO else row.retry.value,
        deadline=row.deadline.value,
        next_step=_NEW_ACCOUNT if wants_account else _NEXT[row.attention],
        for_parties=_for_parties(row.meaning, row.attention),
        rate=row.rate,
        blocks_account=row.blocks_account,
    )


def every_reason() -> list[ReturnReason]:
    """Return all rows by code, for the page that explains them."""
    return [reason_of(code) for code in sorted(RETURN_CODES)]


def _for_parties(meaning: str, attention: Attention) -> str:
    if attention in _REVIEW:
        return "The bank could not deliver it."
    return f"The bank returned it: {meaning[0].lower()}{meaning[1:]}"


def _unknown(code: str) -> ReturnReason:
    roles, told = _TOLD[Attention.STAFF]
    return ReturnReason(
        code=code,
        meaning="The bank gave a reason that is not in our table.",
        told=told,
        roles=roles,
        again="ask the bank first",
        deadline=Deadline.OPEN.value,
        next_step="Ask our bank what the reason means before anything is paid again.",
        for_parties="The bank returned it.",
        rate=Rate.NONE,
        blocks_account=False,
    )
