"""Today: what needs doing now, whether bank, book and cases agree, and whether the bank answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seedtrust.admin import blueprint, listing
from seedtrust.admin.today_desk import AGE_HEADS, age_rows, before_cutoff, cash_of
from seedtrust.admin.words import RAIL_WORDS, age_words, category_words
from seedtrust.core.money import format_dollars
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.cases.states import Stage
from seedtrust.domain.desk import worklist as desk
from seedtrust.domain.desk.ageing import Ageing, ageing
from seedtrust.domain.desk.banklink import AccountLink, BankHealth, account_links, bank_healths
from seedtrust.domain.desk.exceptions import Exceptional, open_items
from seedtrust.domain.desk.returns import Meter, return_rates
from seedtrust.domain.desk.runs import WaitingRun, next_cutoff, waiting_runs
from seedtrust.domain.desk.worklist import Pile, Worklist
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.funding.states import DepositState
from seedtrust.domain.operations import service as operations
from seedtrust.domain.payees.states import AccountState
from seedtrust.domain.payments.states import CorrectionState, InstructionState, RunState
from seedtrust.domain.reconciliation.proof import three_ways
from seedtrust.domain.reconciliation.views import ThreeWay
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import (
    business_now,
    business_today,
    clock_now,
    current_actor,
    current_settings,
)
from seedtrust.web.flashes import flash_done
from seedtrust.web.guard import requires
from seedtrust.web.page import Tone
from seedtrust.web.progress import read_progress

DATABASE_CLOCK: Final = "database"
EXCEPTION_WORDS: Final = {
    "bank.not_applied": "Messages of the bank that fit nothing",
    "bank.unknown_word": "Words of the bank that are not known here",
    "bank_file.refused": "Files of the bank that cannot be read",
    "case.shortage": "Bounced deposits that were spent",
    "deposit.returned": "Deposits that bounced",
    "correction.overdue": "Corrections of the bank that are due",
    "correction.unknown": "Corrections that fit no payment",
    "deposit.unidentified": "Deposits without a case",
    "funding.draft": "Requests for funds to look at",
    "funding.escalated": "Funds that do not come in after reminders",
    "funding.overdue": "Funds that are overdue",
    "fee.not_charged": "Fees that could not be charged",
    "file.foreign": "Files at the bank that are not ours",
    "job.failed": "Jobs that failed",
    "ledger.fault": "Faults in the books",
    "limit.change": "Limits that wait for a second person",
    "outbox.parked": "Messages that could not be delivered",
    "payment.refused": "Payments that the bank refused",
    "payment.returned": "Payments that came back",
    "reconciliation.difference": "Days on which bank, book and owners differ",
    "reconciliation.stale": "Reconciliations that a corrected statement made stale",
    "request.insufficient": "Requests that the balance does not cover",
    "request.on_hold": "Requests that the case's stage holds back",
    "return.between_banks": "Returns that the banks dispute",
    "return.unknown": "Returns that fit no payment",
    "run.copied": "Runs whose file was given to the bank twice",
    "run.not_sent": "Runs that were not sent",
    "run.rejected": "Runs that the bank rejected",
    "run.suspended": "Runs that the bank holds back",
    "run.unclear": "Runs whose delivery is unclear",
    "shortage.advance": "Advances that wait for a second person",
    "shortage.advance_due": "Advances to send from the operating account",
    "shortage.lift": "Freezes that two people may lift",
    "shortage.repayment": "Repayments that wait for a second person",
    "schedule.not_materialised": "Scheduled payments that could not be asked for",
    "shared_account": "Bank accounts that two payees share",
    "statement.corrected": "Statements that the bank corrected",
    "statement.line_gone": "Booked lines that a corrected statement does not show",
    "statement.withdrawn": "Statements that the bank deleted",
    "statement.gap": "Statements that do not follow on",
    "payment.not_stopped": "Payments that the bank could not stop any more",
    "payment.in_review": "Payments that the bank holds for review",
    "payment.incident": "Payments about which the bank contradicts itself",
    "wire.not_sent": "Payments that were not sent",
    "wire.refused": "Payments that the bank refused",
    "wire.unclear": "Payments whose outcome is unknown",
}


@dataclass(frozen=True)
class Task:
    """One line of the work: so many things, what to do with them, and since when."""

    title: str
    detail: str
    href: str
    icon: str
    tone: Tone


@dataclass(frozen=True)
class Trouble:
    """One kind of exception with its age."""

    label: str
    count: int
    oldest: str
    href: str


@dataclass(frozen=True)
class Seen:
    """Everything that the page reads."""

    work: Worklist
    runs: list[WaitingRun]
    proofs: list[ThreeWay]
    ageing: list[Ageing]
    banks: list[BankHealth]
    accounts: list[AccountLink]
    meters: tuple[Meter, ...]


def _read(unit: Session, actor: Actor) -> Seen:
    sees_runs = actor.may(Permission.RUNS_VIEW)
    sees_bank = actor.may(Permission.BANK_ACCOUNTS_VIEW)
    today = business_today()
    return Seen(
        desk.worklist(unit),
        waiting_runs(unit, actor) if sees_runs else [],
        three_ways(unit, actor, today) if sees_bank else [],
        ageing(unit, today),
        bank_healths(unit) if sees_bank or actor.may(Permission.JOBS_VIEW) else [],
        account_links(unit, actor) if sees_bank else [],
        return_rates(unit, today) if sees_runs else (),
    )


@blueprint.get("/today")
@requires(Permission.TODAY_VIEW)
def today() -> str:
    """Show the day's work for the reader's own permissions."""
    actor, business = current_actor(), business_now()
    seen = reading(lambda unit: _read(unit, actor))
    settings = current_settings()
    moves_clock = settings.business_clock == DATABASE_CLOCK and actor.may(Permission.CLOCK_MOVE)
    progress = read_progress(settings.data_dir)
    sees_runs = actor.may(Permission.RUNS_VIEW)
    approvals = before_cutoff(actor, seen.runs, seen.work, business) if sees_runs else []
    return render_template(
        "admin/today/today.html",
        approvals=approvals,
        tasks=[*_unclear_runs(seen), *_tasks(actor, seen.work)],
        troubles=_troubles(seen.work),
        ages=age_rows(seen.ageing, actor),
        age_heads=AGE_HEADS,
        proofs=seen.proofs,
        meter=max(seen.meters, key=lambda meter: meter.percent / meter.limit_percent, default=None),
        cash=cash_of(seen.proofs, seen.accounts, seen.banks),
        banks=seen.banks,
        healthy=all(bank.healthy for bank in seen.banks),
        read_at=max((bank.called_at for bank in seen.banks if bank.called_at), default=None),
        in_flight=seen.work.of(desk.PAYMENTS, InstructionState.SENT, InstructionState.ACCEPTED),
        unclear=seen.work.of(desk.PAYMENTS, InstructionState.UNKNOWN, InstructionState.SUBMITTING),
        reserved=seen.work.of(desk.REQUESTS, RequestState.READY),
        statement=seen.work.of(desk.STATEMENTS, "current"),
        parked=seen.work.of(desk.OUTBOX, "parked"),
        cutoffs=_cutoffs(seen.proofs, business),
        business_now=business,
        business_on=business_today(),
        moves_clock=moves_clock,
        progress=None if progress is None or progress.is_over else progress,
    )


def _cutoffs(found: list[ThreeWay], business: datetime) -> list[tuple[str, datetime]]:
    times = {("ACH", proof.ach_cutoff_local) for proof in found}
    times |= {("Wire", proof.wire_cutoff_local) for proof in found}
    return sorted(
        ((rail, next_cutoff(local, business)) for rail, local in times), key=lambda item: item[1]
    )


def _unclear_runs(seen: Seen) -> list[Task]:
    return [
        Task(
            f"{RAIL_WORDS[run.rail]} run whose delivery is unclear",
            f"{run.account} · ${format_dollars(run.total_cents)}",
            url_for("admin.runs_detail", reference=run.reference),
            "help",
            "bad",
        )
        for run in seen.runs
        if run.state is RunState.UNKNOWN
    ]


_REQUEST_TASKS: Final = (
    (
        Permission.REQUESTS_REVIEW,
        (RequestState.SUBMITTED, RequestState.IN_REVIEW),
        "request to review",
        "requests to review",
        "clipboard-check",
        "review",
    ),
    (
        Permission.REQUESTS_REVIEW,
        (RequestState.INSUFFICIENT, RequestState.ON_HOLD, RequestState.RETURNED),
        "request that is stuck",
        "requests that are stuck",
        "alert-triangle",
        "stuck",
    ),
    (
        Permission.RUNS_BUILD,
        (RequestState.READY,),
        "reserved payment for the next run",
        "reserved payments for the next runs",
        "stack-push",
        "reserved",
    ),
)
_ACCOUNT_TASKS: Final = (
    (Permission.PAYEES_CHECK, AccountState.SUBMITTED, "to check", "id-badge-2"),
    (Permission.PAYEES_CHECK, AccountState.CHECKED, "to call back about", "phone"),
    (Permission.PAYEES_APPROVE, AccountState.VERIFIED, "to approve", "shield-check"),
)


def _tasks(actor: Actor, work: Worklist) -> list[Task]:
    found: list[Task] = []
    for permission, states, one, many, icon, view in _REQUEST_TASKS:
        pile = work.of(desk.REQUESTS, *states)
        if pile.count and actor.may(permission):
            href = url_for("admin.requests_list", view=view)
            tone: Tone = "bad" if view == "stuck" else "warn" if view == "review" else "info"
            found.append(Task(_counted(pile, one, many), _detail(pile), href, icon, tone))
    for permission, state, act, icon in _ACCOUNT_TASKS:
        pile = work.of(desk.ACCOUNTS, state)
        if pile.count and actor.may(permission):
            title = _counted(pile, f"bank account {act}", f"bank accounts {act}")
            href = url_for("admin.payees_list", view="waiting")
            found.append(Task(title, _detail(pile), href, icon, "warn"))
    return found + _money_tasks(actor, work)


def _correction_tasks(actor: Actor, work: Worklist) -> list[Task]:
    href = url_for("admin.returns_corrections")
    found: list[Task] = []
    for permission, state, act in (
        (Permission.PAYEES_CHECK, CorrectionState.OPEN, "to look at"),
        (Permission.PAYEES_APPROVE, CorrectionState.PROPOSED, "to apply as a second person"),
    ):
        pile = work.of(desk.CORRECTIONS, state)
        if pile.count and actor.may(permission):
            title = _counted(pile, f"bank correction {act}", f"bank corrections {act}")
            due = pile.first_on
            tone: Tone = "bad" if due is not None and due <= business_today() else "warn"
            detail = "" if due is None else f"the first is due on {due.isoformat()}"
            found.append(Task(title, detail, href, "file-pencil", tone))
    return found


def _money_tasks(actor: Actor, work: Worklist) -> list[Task]:
    found = _correction_tasks(actor, work)
    deposits = work.of(desk.DEPOSITS, DepositState.UNIDENTIFIED)
    if deposits.count and actor.may(Permission.DEPOSITS_MATCH):
        title = _counted(deposits, "deposit to match", "deposits to match")
        href = url_for("admin.deposits_list", state=DepositState.UNIDENTIFIED.value)
        found.append(Task(title, _detail(deposits), href, "link", "warn"))
    for stage, permission, words in (
        (Stage.FINAL_ACCOUNTING, Permission.CASES_APPROVE_ACCOUNTING, "final accounting"),
        (Stage.AWAITING_CLOSE_APPROVAL, Permission.CASES_CLOSE, "case waiting for certificates"),
    ):
        pile = work.of(desk.CASES, stage)
        if pile.count and actor.may(permission):
            many = words.replace("case ", "cases ").replace("accounting", "accountings")
            href = url_for("admin.cases_list", stage=stage.value)
            found.append(Task(_counted(pile, words, many), "", href, "certificate", "info"))
    return found


def _counted(pile: Pile, one: str, many: str) -> str:
    return f"{pile.count:,} {one if pile.count == 1 else many}"


def _detail(pile: Pile) -> str:
    parts = [f"${format_dollars(pile.cents)}"] if pile.cents else []
    age = age_words(pile.since_at, clock_now())
    if age:
        parts.append(f"oldest waits {age}")
    return " · ".join(parts)


def _troubles(work: Worklist) -> list[Trouble]:
    now = clock_now()
    return [
        Trouble(
            exception_words(kind),
            pile.count,
            age_words(pile.since_at, now),
            url_for("admin.today_exceptions", kind=kind),
        )
        for kind, pile in work.each(desk.EXCEPTIONS)
    ]


def exception_words(kind: str) -> str:
    """Return a kind of exception as people say it."""
    return EXCEPTION_WORDS.get(kind, category_words(kind.replace(".", " ")))


_SUBJECT_PAGES: Final = {
    "request": "admin.requests_detail",
    "run": "admin.runs_detail",
    "instruction": "admin.payments_detail",
    "deposit": "admin.deposits_detail",
    "shortage": "admin.shortages_detail",
    "statement": "admin.statements_detail",
    "reconciliation": "admin.reconciliation_detail",
    "payee_account": "admin.payees_account",
    "correction": "admin.returns_corrections",
    "limit_change": "admin.limits_list",
    "outbox_message": "admin.jobs_overview",
    "job_run": "admin.jobs_overview",
}


def subject_href(item: Exceptional) -> str | None:
    """Return the page of what an exception is about, or of its case, if there is one."""
    endpoint = _SUBJECT_PAGES.get(item.subject_type)
    if endpoint in {"admin.jobs_overview", "admin.limits_list"}:
        return url_for(endpoint)
    if endpoint is not None:
        return url_for(endpoint, reference=item.subject_ref)
    return url_for("admin.cases_overview", reference=item.case_ref) if item.case_ref else None


@blueprint.get("/today/exceptions")
@requires(Permission.TODAY_VIEW)
def today_exceptions() -> str:
    """List what went wrong and waits for a person, the oldest first."""
    actor, now = current_actor(), clock_now()
    kind = listing.text_of("kind")
    items, work = reading(lambda unit: (open_items(unit, actor, kind=kind), desk.worklist(unit)))
    kinds = [
        (name, f"{exception_words(name)} ({pile.count})")
        for name, pile in work.each(desk.EXCEPTIONS)
    ]
    return render_template(
        "admin/today/exceptions.html",
        items=[
            (item, exception_words(item.kind), age_words(item.opened_at, now), subject_href(item))
            for item in items
        ],
        kind=kind,
        kinds=[("", "Any kind"), *kinds],
    )


@blueprint.post("/today/exceptions/<reference>/close")
@requires(Permission.TODAY_VIEW, back="admin.today_exceptions")
def today_exception_close(reference: str) -> ResponseReturnValue:
    """Close an item that a person has dealt with."""
    actor, now = current_actor(), clock_now()
    in_transaction(lambda unit: operations.close_exception(unit, actor, reference, now=now))
    flash_done("The item is closed; who closed it is kept.")
    return redirect(url_for("admin.today_exceptions"), code=303)
