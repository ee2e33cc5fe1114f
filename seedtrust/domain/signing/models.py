"""Tables of signing: the text of an agreement, its papers, and how each signature was given."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, Id, JsonType, UtcDateTime, one_of
from seedtrust.domain.documents.states import Visibility
from seedtrust.domain.signing.states import CopyPart, SignatureMethod, SigningOrder


class AgreementText(Base):
    """What an agreement's version says; frozen by its hash when it goes out for signature."""

    __tablename__ = "agreement_texts"
    __table_args__ = (one_of("signing_order", SigningOrder),)

    agreement_id: Mapped[int] = mapped_column(
        ForeignKey("agreements.id"), primary_key=True, autoincrement=False
    )
    body: Mapped[str] = mapped_column(Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb"))
    signing_order: Mapped[str] = mapped_column(Ascii(20))
    frozen_sha256: Mapped[str | None] = mapped_column(Ascii(64))
    # What stood for each placeholder in each copy, and who signs: as it was when it went out.
    frozen: Mapped[dict[str, Any]] = mapped_column(JsonType)
    written_by: Mapped[str] = mapped_column(String(200))
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AgreementCopy(Base):
    """One paper of an agreement as one audience may read it."""

    __tablename__ = "agreement_copies"
    __table_args__ = (
        one_of("part", CopyPart),
        one_of("audience", Visibility),
        UniqueConstraint("agreement_id", "part", "audience"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreements.id"))
    part: Mapped[str] = mapped_column(Ascii(20))
    audience: Mapped[str] = mapped_column(Ascii(20))
    document_id: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(Ascii(64))


class SignatureProof(Base):
    """How an electronic signature was given, to which bytes, with which consent."""

    __tablename__ = "signature_proofs"
    __table_args__ = (one_of("method", SignatureMethod),)

    signature_id: Mapped[int] = mapped_column(
        ForeignKey("agreement_signatures.id"), primary_key=True, autoincrement=False
    )
    document_sha256: Mapped[str] = mapped_column(Ascii(64))
    consent_version: Mapped[int] = mapped_column(Integer)
    method: Mapped[str] = mapped_column(Ascii(20))
    typed_name: Mapped[str] = mapped_column(String(120))
    drawing: Mapped[list[Any]] = mapped_column(JsonType)
    address: Mapped[str] = mapped_column(Ascii(45))
    browser: Mapped[str] = mapped_column(String(200))


class SignatureDecline(Base):
    """A party's no to one version of an agreement; the version ends with it."""

    __tablename__ = "signature_declines"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreements.id"), unique=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("case_parties.id"))
    reason: Mapped[str] = mapped_column(String(500))
    document_sha256: Mapped[str] = mapped_column(Ascii(64))
    address: Mapped[str] = mapped_column(Ascii(45))
    browser: Mapped[str] = mapped_column(String(200))
    declined_at: Mapped[datetime] = mapped_column(UtcDateTime)
