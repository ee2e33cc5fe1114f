"""Taking in the bank's prior-day statements."""

from __future__ import annotations

from sqlalchemy.orm import Session

from seedtrust.core.errors import DomainError
from seedtrust.domain.payments import inbox
from seedtrust.domain.payments.ports import BankError, InboundFile
from seedtrust.domain.reconciliation.matching import match_open_lines
from seedtrust.domain.reconciliation.service import import_statement
from seedtrust.ext import in_transaction
from seedtrust.jobs.bank import report_file, take_once, waiting_files
from seedtrust.jobs.tools import Tools, system

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
