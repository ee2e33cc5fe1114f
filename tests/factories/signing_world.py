"""What electronic signing needs in tests: a text out for signature, and somebody who signs it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Final

from pypdfium2 import PdfDocument
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.permissions import Actor
from seedtrust.domain.cases.models import Agreement
from seedtrust.domain.cases.states import AgreementKind
from seedtrust.domain.documents.models import Document
from seedtrust.domain.identity.sessions import Client
from seedtrust.domain.signing import completing, service
from seedtrust.domain.signing.given import Signature
from seedtrust.domain.signing.queries import SigningView, agreement_for
from seedtrust.domain.signing.wording import ESCROW_TEXTS, LATEST_CONSENT, LATEST_ESCROW_TEXT
from seedtrust.domain.terms import agreements
from seedtrust.gateways.storage import LocalStorage
from tests.factories.case_world import World, moment_on

MOMENT: Final = moment_on(date(2026, 1, 16))
CLIENT: Final = Client("203.0.113.9", "A browser of the tests")
STROKES: Final[list[list[list[int]]]] = [[[10, 20], [200, 150], [590, 40]], [[50, 50], [60, 60]]]


def storage_in(folder: Path) -> LocalStorage:
    """Return a storage for one test."""
    return LocalStorage(folder / "files")


def sent(
    session: Session,
    world: World,
    storage: LocalStorage,
    *,
    kind: AgreementKind = AgreementKind.ESCROW,
    body: str = ESCROW_TEXTS[LATEST_ESCROW_TEXT],
    order: str = "together",
    moment: Moment = MOMENT,
) -> Agreement:
    """Draft an agreement with its text and send it out for signature."""
    agreement = agreements.create_agreement(
        session,
        world.specialist,
        case_ref=world.case.reference,
        kind=kind.value,
        title="Agreement",
        moment=moment,
    )
    service.write_text(
        session,
        world.specialist,
        agreement_ref=agreement.reference,
        body=body,
        signing_order=order,
        moment=moment,
    )
    return service.send_for_signature(
        session,
        world.specialist,
        agreement_ref=agreement.reference,
        storage=storage,
        moment=moment,
    )


def shown(session: Session, actor: Actor, agreement: Agreement) -> SigningView:
    """Return the agreement as somebody sees it."""
    session.flush()
    return agreement_for(session, actor, agreement.reference)


def sign(session: Session, actor: Actor, agreement: Agreement, **changes: Any) -> Agreement:
    """Sign as somebody does who has just read it, by the typed name unless told otherwise."""
    given: dict[str, Any] = {
        "method": "typed",
        "typed_name": actor.name,
        "drawing": [],
        "consent_version": LATEST_CONSENT,
        "document_sha256": shown(session, actor, agreement).document_sha256,
    }
    return service.sign_electronically(
        session,
        actor,
        agreement_ref=agreement.reference,
        signature=Signature(**(given | changes)),
        client=CLIENT,
        moment=MOMENT,
    )


def complete(session: Session, agreement: Agreement, storage: LocalStorage) -> bool:
    """Do what the job does behind the last signature."""
    session.flush()
    return completing.complete(
        session,
        Actor.system("tests"),
        agreement_ref=agreement.reference,
        storage=storage,
        moment=MOMENT,
    )


def words_of(session: Session, storage: LocalStorage, document_ref: str) -> str:
    """Return everything that a paper says, its metadata included."""
    sha256 = session.execute(
        select(Document.sha256).where(Document.reference == document_ref)
    ).scalar_one()
    reader = PdfDocument(storage.get(sha256))
    pages = " ".join(page.get_textpage().get_text_bounded() for page in reader)
    return " ".join(f"{pages} {reader.get_metadata_dict()}".split())
