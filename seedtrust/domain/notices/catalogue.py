"""Every event that a person is told of: who, over which channels, in which words.

Subjects and first lines never carry names, amounts or medical words, because they show on lock
screens; the body may, in the words that the reader is allowed to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from seedtrust.domain.notices.states import Channel


class NoticeEvent(StrEnum):
    """What happened."""

    INVITED = "identity.invited"
    SESSION_ENDED = "identity.session_ended"
    AGREEMENT_TO_SIGN = "agreement.to_sign"
    AGREEMENT_EXECUTED = "agreement.executed"
    REQUEST_SUBMITTED = "request.submitted"
    REQUEST_NEEDS_INFO = "request.needs_info"
    REQUEST_PENDING_APPROVAL = "request.pending_approval"
    REQUEST_APPROVED = "request.approved"
    REQUEST_DENIED = "request.denied"
    PAYMENT_SETTLED = "payment.settled"
    PAYMENT_RETURNED = "payment.returned"
    PAYMENT_RETURNED_STAFF = "payment.returned_staff"
    PAYMENT_STOPPED = "payment.stopped"
    DEPOSIT_RECEIVED = "deposit.received"
    DEPOSIT_RETURNED = "deposit.returned"
    FUNDING_REQUESTED = "funding.requested"
    FUNDING_REMINDER = "funding.reminder"
    ACCOUNT_SUBMITTED = "payee_account.submitted"
    ACCOUNT_COOLING = "payee_account.cooling"
    ACCOUNT_ACTIVE = "payee_account.active"
    CORRECTION_RECEIVED = "account_correction.received"
    CERTIFY_CASE = "case.certify"
    CASE_CLOSED = "case.closed"
    CASE_GOES_ON = "case.goes_on"


@dataclass(frozen=True)
class Notice:
    """One entry: its subject, its mail template, its channels, and whether it can be turned off."""

    event: NoticeEvent
    subject: str
    template: str
    channels: tuple[Channel, ...]
    may_be_turned_off: bool
    version: int = 1


_BOTH: Final = (Channel.MAIL, Channel.IN_APP)


def _notice(event: NoticeEvent, subject: str, *, off: bool = False) -> Notice:
    return Notice(event, subject, f"mail/{event.value.replace('.', '_')}", _BOTH, off)


CATALOGUE: Final[Mapping[NoticeEvent, Notice]] = {
    notice.event: notice
    for notice in (
        Notice(
            NoticeEvent.INVITED,
            "Your SeedTrust account",
            "mail/identity_invited",
            (Channel.MAIL,),
            may_be_turned_off=False,
        ),
        _notice(NoticeEvent.SESSION_ENDED, "A session was ended for safety"),
        _notice(NoticeEvent.AGREEMENT_TO_SIGN, "Something waits for your signature"),
        _notice(NoticeEvent.AGREEMENT_EXECUTED, "Everybody has signed"),
        _notice(NoticeEvent.REQUEST_SUBMITTED, "A request was received", off=True),
        _notice(NoticeEvent.REQUEST_NEEDS_INFO, "We need one more thing from you"),
        _notice(NoticeEvent.REQUEST_PENDING_APPROVAL, "A request waits for your approval"),
        _notice(NoticeEvent.REQUEST_APPROVED, "A request was approved", off=True),
        _notice(NoticeEvent.REQUEST_DENIED, "A request was not approved"),
        _notice(NoticeEvent.PAYMENT_SETTLED, "A payment has arrived"),
        _notice(NoticeEvent.PAYMENT_RETURNED, "A payment came back"),
        _notice(NoticeEvent.PAYMENT_RETURNED_STAFF, "A payment came back and waits for you"),
        _notice(NoticeEvent.PAYMENT_STOPPED, "Something was stopped for safety"),
        _notice(NoticeEvent.DEPOSIT_RECEIVED, "Funds have arrived"),
        _notice(NoticeEvent.DEPOSIT_RETURNED, "A deposit came back"),
        _notice(NoticeEvent.FUNDING_REQUESTED, "We ask you for funds"),
        _notice(NoticeEvent.FUNDING_REMINDER, "A reminder: funds are expected"),
        _notice(NoticeEvent.ACCOUNT_SUBMITTED, "New bank details were submitted"),
        _notice(NoticeEvent.ACCOUNT_COOLING, "Your bank details are about to change"),
        _notice(NoticeEvent.CORRECTION_RECEIVED, "The bank corrected bank details"),
        _notice(NoticeEvent.ACCOUNT_ACTIVE, "Your bank details are ready"),
        _notice(NoticeEvent.CERTIFY_CASE, "Please confirm the final accounting"),
        _notice(NoticeEvent.CASE_CLOSED, "Your case is closed"),
        _notice(NoticeEvent.CASE_GOES_ON, "Payments of your case go on"),
    )
}
