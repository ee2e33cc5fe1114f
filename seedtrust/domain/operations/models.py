"""Tables of job runs, the business clock and the items that a person has to look at."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, Id, UtcDateTime


class JobRun(Base):
    """One due run of one job: whoever inserts the row runs it."""

    __tablename__ = "job_runs"
    __table_args__ = (UniqueConstraint("job", "due_at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    job: Mapped[str] = mapped_column(Ascii(60))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Until when the run is somebody's, renewed while its worker lives. The fence counts workers.
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fence: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    items_done: Mapped[int] = mapped_column(Integer, default=0)
    items_failed: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str] = mapped_column(String(500), default="")


class BusinessClock(Base):
    """The one row that says which day business is at; absent in production."""

    __tablename__ = "business_clocks"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    business_now_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ExceptionItem(Base):
    """Something that went wrong and waits for a person; closed, never deleted."""

    __tablename__ = "exception_items"
    __table_args__ = (
        UniqueConstraint("kind", "subject_ref", "occurrence"),
        Index(None, "closed_at", "kind"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    kind: Mapped[str] = mapped_column(Ascii(40))
    subject_type: Mapped[str] = mapped_column(Ascii(40))
    subject_ref: Mapped[str] = mapped_column(Ascii(64))
    occurrence: Mapped[str] = mapped_column(Ascii(64), default="")
    case_id: Mapped[int | None] = mapped_column(BigInteger)
    sentence: Mapped[str] = mapped_column(String(500))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str] = mapped_column(String(200), default="")
