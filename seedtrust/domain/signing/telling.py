"""Telling the parties that something waits for their signature, or is signed by all."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.domain.cases.models import Agreement, Case, CaseParty
from seedtrust.domain.cases.states import AgreementKind
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.notices.service import Recipient, notify
from seedtrust.domain.terms.agreements import AGREEMENT_LABELS


def tell_signers(
    session: Session,
    case: Case,
    agreement: Agreement,
    parties: Iterable[CaseParty],
    moment: Moment,
) -> None:
    """Ask parties to read and sign; each is asked once for a version."""
    _tell(session, NoticeEvent.AGREEMENT_TO_SIGN, case, agreement, parties, moment)


def tell_executed(
    session: Session,
    case: Case,
    agreement: Agreement,
    parties: Iterable[CaseParty],
    moment: Moment,
) -> None:
    """Tell parties that everybody has signed and their copy is ready."""
    _tell(session, NoticeEvent.AGREEMENT_EXECUTED, case, agreement, parties, moment)


def _tell(  # noqa: PLR0917 - the event, its subject and its readers
    session: Session,
    event: NoticeEvent,
    case: Case,
    agreement: Agreement,
    parties: Iterable[CaseParty],
    moment: Moment,
) -> None:
    facts = {
        "case": str(case.number),
        "case_ref": case.reference,
        "agreement": AGREEMENT_LABELS[AgreementKind(agreement.kind)].lower(),
        "agreement_ref": agreement.reference,
    }
    recipients = [Recipient(party.user_id, party.email, facts) for party in parties if party.email]
    key = f"{event.value}:{agreement.reference}"
    notify(session, event, key, recipients, case_id=case.id, now=moment.at)
