"""The table of stored files; the bytes lie in the storage under their hash."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, Id, UtcDateTime, one_of
from seedtrust.domain.documents.states import DocumentKind, DocumentState, Visibility


class Document(Base):
    """One uploaded file: what it is, whose it is, and the SHA-256 of its bytes."""

    __tablename__ = "documents"
    __table_args__ = (
        one_of("kind", DocumentKind),
        one_of("visibility", Visibility),
        Index(None, "case_id", "id"),
        Index(None, "sha256"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    case_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Ascii(30))
    visibility: Mapped[str] = mapped_column(Ascii(20))
    title: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(Ascii(60))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(Ascii(64))
    uploaded_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    uploaded_by: Mapped[str] = mapped_column(String(200))
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DocumentRendition(Base):
    """How a file was made fit to keep: what was received, what came of it, who scanned it.

    Files that were stored before files were made anew have no such row.
    """

    __tablename__ = "document_renditions"

    document_id: Mapped[int] = mapped_column(
        ForeignKey("documents.id"), primary_key=True, autoincrement=False
    )
    received_sha256: Mapped[str] = mapped_column(Ascii(64))
    received_bytes: Mapped[int] = mapped_column(BigInteger)
    thumbnail_sha256: Mapped[str | None] = mapped_column(Ascii(64))
    pages: Mapped[int | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    scanned_by: Mapped[str] = mapped_column(Ascii(40))


class DocumentStanding(Base):
    """That a document was refused by staff, or replaced by another, by whom and why."""

    __tablename__ = "document_standings"
    __table_args__ = (one_of("state", DocumentState),)

    document_id: Mapped[int] = mapped_column(
        ForeignKey("documents.id"), primary_key=True, autoincrement=False
    )
    state: Mapped[str] = mapped_column(Ascii(20))
    reason: Mapped[str] = mapped_column(String(500))
    by_name: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    replaced_by: Mapped[str | None] = mapped_column(Ascii(15))


class DocumentHold(Base):
    """A legal hold on a document: who placed it, who asked to lift it, and who lifted it."""

    __tablename__ = "document_holds"
    __table_args__ = (Index(None, "document_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"))
    reason: Mapped[str] = mapped_column(String(500))
    placed_by: Mapped[str] = mapped_column(String(200))
    placed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lift_reason: Mapped[str] = mapped_column(String(500))
    lift_asked_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    lift_asked_by: Mapped[str | None] = mapped_column(String(200))
    lift_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lifted_by: Mapped[str | None] = mapped_column(String(200))
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
