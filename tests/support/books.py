"""The proof of the books after every test that moved money."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from seedtrust.core.db import make_engine
from seedtrust.domain.ledger.check import check


def faults(url: str) -> list[str]:
    """Return what is wrong with the books in a database, or nothing."""
    engine = make_engine(url)
    try:
        with Session(engine) as session, session.begin():
            opened = session.execute(text("SELECT id FROM ledger_account LIMIT 1")).first()
            return [] if opened is None else [str(fault) for fault in check(session)]
    finally:
        engine.dispose()
