"""The cards of Today besides the work: approvals before the cut-off, ageing, cash, bank link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import url_for

from seedtrust.admin.words import RAIL_WORDS
from seedtrust.core.money import format_dollars
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.desk import worklist as desk
from seedtrust.domain.desk.ageing import Ageing, Ages
from seedtrust.domain.desk.banklink import AccountLink, BankHealth
from seedtrust.domain.desk.runs import WaitingRun, next_cutoff
from seedtrust.domain.desk.worklist import Worklist
from seedtrust.domain.disbursements.states import RequestState
from seedtrust.domain.payees.states import AccountState
from seedtrust.domain.payments.states import InstructionState, RunState
from seedtrust.domain.reconciliation.views import ThreeWay
from seedtrust.web.page import Tone

AGE_HEADS: Final = ("Today", "1 to 2 days", "3 to 7 days", "Older")


@dataclass(frozen=True)
class Approval:
    """One thing that somebody has to do before a cut-off, or money waits for the next one."""

    title: str
    detail: str
    href: str
    icon: str
    tone: Tone
    deadline_at: datetime | None = None
    is_mine: bool = False


@dataclass(frozen=True)
class AgeRow:
    """One kind of thing that waits, by age."""

    title: str
    href: str
    ageing: Ageing


@dataclass(frozen=True)
class Cash:
    """The money of one trust account, with its source and time, in cents."""

    name: str
    masked_number: str
    bank_name: str
    bank_cents: int
    proof: ThreeWay
    told_until: datetime | None
    link: AccountLink | None


def before_cutoff(
    actor: Actor, runs: list[WaitingRun], work: Worklist, business: datetime
) -> list[Approval]:
    """Return what has to be approved, locked or released first, the earliest cut-off first."""
    found = [_run(actor, run, business) for run in runs if run.state is not RunState.UNKNOWN]
    found.sort(key=lambda item: item.deadline_at or business)
    accounts = work.of(desk.ACCOUNTS, AccountState.VERIFIED)
    if accounts.count:
        found.append(
            Approval(
                f"{_counted(accounts.count, 'bank account')} to approve",
                "Their payments stay out of every run until then.",
                url_for("admin.payees_list", view="waiting"),
                "shield-check",
                "warn",
                is_mine=actor.may(Permission.PAYEES_APPROVE),
            )
        )
    requests = work.of(desk.REQUESTS, RequestState.SUBMITTED, RequestState.IN_REVIEW)
    if requests.count:
        found.append(
            Approval(
                f"{_counted(requests.count, 'request')} in review",
                f"${format_dollars(requests.cents)}; what is accepted goes into the next run.",
                url_for("admin.requests_list", view="review"),
                "clipboard-check",
                "info",
                is_mine=actor.may(Permission.REQUESTS_REVIEW),
            )
        )
    return found


def _run(actor: Actor, run: WaitingRun, business: datetime) -> Approval:
    rail = RAIL_WORDS[run.rail]
    detail = f"{run.account} · {_counted(run.count, 'payment')}, ${format_dollars(run.total_cents)}"
    href = url_for("admin.runs_detail", reference=run.reference)
    deadline = next_cutoff(run.cutoff_local, business)
    if run.state is RunState.OPEN:
        mine = actor.may(Permission.RUNS_BUILD)
        title = f"{rail} run to lock" if mine else f"{rail} run that is being built"
        return Approval(title, detail, href, "lock", "info", deadline, mine)
    mine = actor.may(Permission.RUNS_RELEASE) and run.builder_user_id != actor.user_id
    title = f"{rail} run to release" if mine else f"{rail} run that waits for a releaser"
    built = f"{detail} · built by {run.builder_name}"
    return Approval(title, built, href, "send", "warn", deadline, mine)


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def age_rows(found: list[Ageing], actor: Actor) -> list[AgeRow]:
    """Return what waits by age, of the kinds that the reader may open."""
    known = {
        Ages.REQUEST: (
            "Requests that are not decided",
            Permission.REQUESTS_VIEW,
            url_for("admin.requests_list", sort="requested"),
        ),
        Ages.DEPOSIT: (
            "Deposits without a case",
            Permission.DEPOSITS_VIEW,
            url_for("admin.deposits_list", state="unidentified"),
        ),
        Ages.PAYMENT: (
            "Payments whose outcome is unknown",
            Permission.RUNS_VIEW,
            url_for("admin.payments_list", state=InstructionState.UNKNOWN.value),
        ),
    }
    return [
        AgeRow(known[row.kind][0], known[row.kind][2], row)
        for row in found
        if actor.may(known[row.kind][1])
    ]


def cash_of(
    proofs: list[ThreeWay], accounts: list[AccountLink], banks: list[BankHealth]
) -> list[Cash]:
    """Return the money of each trust account, beside where the figure comes from and when."""
    links = {link.trust_account_ref: link for link in accounts}
    heard = {bank.code: bank.heard_at for bank in banks}
    found = []
    for proof in proofs:
        link = links.get(proof.trust_account_ref)
        found.append(
            Cash(
                proof.trust_account,
                proof.masked_number,
                "" if link is None else link.bank_name,
                proof.statement_cents + proof.since_statement_cents,
                proof,
                None if link is None else heard.get(link.bank_code),
                link,
            )
        )
    return found
