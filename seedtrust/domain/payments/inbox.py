"""Which of the bank's files were taken, by name and version."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.ids import new_id
from seedtrust.domain.operations.service import close_exceptions_of, open_exception
from seedtrust.domain.payments.models import BankInboxItem
from seedtrust.domain.payments.ports import InboundFile

SOURCE: Final = "folder"
REFUSED_KIND: Final = "bank_file.refused"


def not_taken(session: Session, files: Sequence[InboundFile]) -> list[InboundFile]:
    """Return the files that were not taken yet, in their order."""
    taken = set(
        session.execute(
            select(BankInboxItem.external_id).where(
                BankInboxItem.source == SOURCE,
                BankInboxItem.external_id.in_([_key(file) for file in files]),
            )
        ).scalars()
    )
    return [file for file in files if _key(file) not in taken]


def mark_taken(session: Session, file: InboundFile, *, moment: Moment) -> None:
    """Record that a file was taken, in the unit of work of its effect."""
    session.add(
        BankInboxItem(
            id=new_id(),
            source=SOURCE,
            external_id=_key(file),
            kind="file",
            payload={"name": file.name},
            received_at=moment.at,
            applied_at=moment.at,
            outcome="Taken.",
        )
    )
    close_exceptions_of(session, REFUSED_KIND, file.name[:64], closed_by="SeedTrust", now=moment.at)


def refuse(session: Session, file: InboundFile, sentence: str, *, now: datetime) -> None:
    """Put a file that could not be taken in front of a person."""
    open_exception(
        session,
        REFUSED_KIND,
        "inbound_file",
        file.name[:64],
        f"{file.name} could not be taken: {sentence}",
        occurrence=file.version[:64],
        now=now,
    )


def _key(file: InboundFile) -> str:
    return f"{file.name}:{file.version}"[:120]
