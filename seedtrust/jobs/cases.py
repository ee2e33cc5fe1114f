"""What the calendar does to cases: due items, fees, closings, and the proof of the books."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog
from sqlalchemy.orm import Session

from seedtrust.core.errors import DomainError
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.cases.worklists import locked_case, open_case_ids
from seedtrust.domain.closing import service as closing
from seedtrust.domain.disbursements.paying import materialise_item
from seedtrust.domain.funding import asking, chasing, clearing
from seedtrust.domain.funding import service as funding
from seedtrust.domain.ledger.check import check
from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.payments.lookup import case_of_instruction
from seedtrust.domain.payments.returns import give_back
from seedtrust.domain.terms import queries as term_queries
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.tools import Tools, system

BOOKS_KIND = "ledger.fault"
# ACH settles one banking day after the file: what is due tomorrow has to leave today.
_LEAD = 1

log = structlog.get_logger()


def each(
    tools: Tools, job: str, ids: Iterable[int], work: Callable[[Session, int], object]
) -> tuple[int, int]:
    """Do one unit of work per id; one that fails becomes an exception item and stops no other."""
    done = failed = 0
    for item_id in ids:
        try:
            in_transaction(lambda session, chosen=item_id: work(session, chosen))  # type: ignore[misc]
            done += 1
        except DomainError as error:
            failed += 1
            sentence, now = f"{job}: {error.detail}", tools.clock.now()
            in_transaction(
                lambda session, chosen=item_id, text=sentence, at=now: open_exception(  # type: ignore[misc]
                    session, f"{job}.failed", "row", str(chosen), text, now=at
                )
            )
    return done, failed


def materialise(tools: Tools) -> tuple[int, int]:
    """Make requests of the schedule items whose money must leave today to arrive when due."""
    moment = tools.moment()
    ids = reading(
        lambda session: [item.id for item in term_queries.due_items(session, moment.today, _LEAD)]
    )
    actor = system("schedule.materialise")
    return each(
        tools,
        actor.name,
        ids,
        lambda session, item_id: materialise_item(session, actor, item_id, moment=moment),
    )


def collect_deposits(tools: Tools) -> tuple[int, int]:
    """Take the checks for collected whose time has passed without a bounce."""
    moment = tools.moment()
    actor = system("deposits.collect")
    ids = reading(lambda session: clearing.due_deposits(session, moment.today))
    return each(
        tools,
        actor.name,
        ids,
        lambda session, deposit_id: funding.collect_deposit(
            session, actor, deposit_id, moment=moment
        ),
    )


def check_funding(tools: Tools) -> tuple[int, int]:
    """Ask for what milestones make due or the minimum needs, and chase what is not answered."""
    moment = tools.moment()
    actor = system("funding.check_minimum")
    ids = reading(chasing.cases_to_look_at)

    def work(session: Session, case_id: int) -> None:
        case = locked_case(session, case_id)
        asking.ask_for_milestones(session, actor, case, moment=moment)
        asking.guard_minimum(session, actor, case, moment=moment)
        chasing.chase(session, actor, case, moment=moment)

    return each(tools, actor.name, ids, work)


def charge_fees(tools: Tools) -> tuple[int, int]:
    """Notice funding that is complete and charge the fees that fall due."""
    moment = tools.moment()
    actor = system("fees.charge")
    ids = reading(open_case_ids)

    def work(session: Session, case_id: int) -> None:
        case = locked_case(session, case_id)
        funding.initial_funding(session, actor, case, moment=moment)
        funding.charge_due_fees(session, actor, case, moment=moment)

    return each(tools, actor.name, ids, work)


def close_settled(tools: Tools) -> tuple[int, int]:
    """Close the cases that are paid out to the last cent."""
    moment = tools.moment()
    actor = system("cases.closing")
    ids = reading(lambda session: open_case_ids(session, Stage.FINAL_DISBURSEMENT))

    def work(session: Session, case_id: int) -> None:
        case = locked_case(session, case_id)
        closing.close_when_settled(session, actor, case, moment=moment)

    return each(tools, actor.name, ids, work)


def close_refunded(tools: Tools, payload: dict[str, str]) -> None:
    """Close a case as soon as its refund has settled, if nothing else is under way."""
    actor = system("cases.closing")

    def work(session: Session) -> None:
        case_id = case_of_instruction(session, payload["instruction"])
        if case_id is not None:
            case = locked_case(session, case_id)
            closing.close_when_settled(session, actor, case, moment=tools.moment_in(session))

    in_transaction(work)


def reopen_returned(tools: Tools, payload: dict[str, str]) -> None:
    """Reopen a closed case to which a payment came back, and give it the money."""
    actor = system("cases.reopening")

    def work(session: Session) -> None:
        case_id = case_of_instruction(session, payload["instruction"])
        if case_id is None:
            return
        moment = tools.moment_in(session)
        case = locked_case(session, case_id)
        if case.stage == Stage.CLOSED:
            reason = "A payment came back after the end."
            closing.reopen_on(session, actor, case, reason=reason, moment=moment)
        give_back(session, actor, case, payload["instruction"], moment=moment)

    in_transaction(work)


def check_books(tools: Tools) -> tuple[int, int]:
    """Prove the books; every fault becomes an exception item."""
    faults = reading(check)
    for fault in faults:
        log.error("ledger.fault", code=fault.code, subject=fault.subject)
        in_transaction(
            lambda session, found=fault: open_exception(  # type: ignore[misc]
                session,
                BOOKS_KIND,
                "ledger",
                found.subject[:64],
                found.sentence,
                occurrence=found.code,
                now=tools.clock.now(),
            )
        )
    return 1, len(faults)
