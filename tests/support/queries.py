"""Counting what a page asks the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from flask import Flask
from sqlalchemy import event

from seedtrust.ext import db

# What a page may ask, whatever the number of rows.
MOST: Final = 12
_FRAMES: Final = ("BEGIN", "COMMIT", "PRAGMA", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET ")


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """Collect the statements that are sent meanwhile, without what only frames a transaction."""
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statement = str(arguments[2]).lstrip()
        if not statement.upper().startswith(_FRAMES):
            statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
