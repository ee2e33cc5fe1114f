"""Taking in the bank's prior-day statements."""

from __future__ import annotations

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seedtrust.core.errors import DomainError
from seedtrust.domain.payments import inbox
from seedtrust.domain.payments.ports import BankError, InboundFile
from seedtrust.domain.reconciliation.booking import book_line, lines_to_book
from seedtrust.domain.reconciliation.matching import match_open_lines
from seedtrust.domain.reconciliation.service import import_statement
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.bank import report_file, take_once, waiting_files
from seedtrust.jobs.tools import Tools, system

log = structlog.get_logger()
_STATEMENTS = ("STMT-", ".bai2")


def import_all(tools: Tools) -> tuple[int, int]:
    """Import every statement that the bank left and that was not taken yet, oldest name first.

    A statement that cannot be used becomes an exception item and stops no other; lines that were
    left over before are tried again.
    """
    done = failed = 0
    for file in waiting_files(tools, *_STATEMENTS):
        try:
            _import(tools, file)
            done += 1
        except (DomainError, BankError) as refusal:
            report_file(tools, file, refusal)
            failed += 1
    if not done:
        actor, moment = system("statements.import"), tools.moment()
        in_transaction(lambda session: match_open_lines(session, actor, moment=moment))
    booked, refused = _book_what_is_left(tools)
    return done + booked, failed + refused


def _book_what_is_left(tools: Tools) -> tuple[int, int]:
    """Book what nothing explains, line by line; a refused line stays open for a person."""
    actor, moment = system("statements.import"), tools.moment()
    done = failed = 0
    for line_id in reading(lines_to_book):

        def work(session: Session, line_id: int = line_id) -> bool:
            return book_line(session, actor, line_id, moment=moment)

        try:
            done += in_transaction(work)
        except (DomainError, IntegrityError) as refusal:
            # The bank's event of the same money may have been booked in this very moment.
            log.warning("statement_line.not_booked", line=line_id, why=str(refusal))
            failed += 1
    return done, failed


def _import(tools: Tools, file: InboundFile) -> None:
    data, actor, moment = (
        tools.bank.download(file.name),
        system("statements.import"),
        tools.moment(),
    )

    def work(session: Session) -> None:
        import_statement(session, actor, file_name=file.name, data=data, moment=moment)
        inbox.mark_taken(session, file, moment=moment)

    take_once(file, work)
