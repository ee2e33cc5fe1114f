"""Playing journeys on a simulated calendar, through the verbs and job handlers of the product."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.bankdays import is_banking_day, on_or_after
from seedtrust.core.clock import Moment, at_new_york
from seedtrust.core.errors import DomainError
from seedtrust.core.failpoints import reach
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases.states import AgreementKind
from seedtrust.domain.funding.states import ReceiptRail
from seedtrust.domain.identity.errors import CodeRefused
from seedtrust.domain.ledger import queries as ledger_queries
from seedtrust.domain.operations.queries import clock_is_set
from seedtrust.domain.operations.service import set_business_clock
from seedtrust.domain.payments import runs
from seedtrust.domain.payments.errors import RunIsEmpty
from seedtrust.domain.payments.models import PaymentRun, TrustAccount
from seedtrust.domain.payments.release import release_run
from seedtrust.domain.payments.states import Rail, RunState
from seedtrust.ext import in_transaction, reading
from seedtrust.gateways.bank import HttpSandboxControl
from seedtrust.jobs import bank as bank_jobs
from seedtrust.jobs.relay import wait_until_kept
from seedtrust.jobs.schedule import tick
from seedtrust.jobs.tools import Tools
from seedtrust.journeys import accounts, asking, bankside, endings, opening, pulls, scenes
from seedtrust.journeys.cast import Cast
from seedtrust.journeys.comparer import LedgerFileRefused, first_difference, read_expected
from seedtrust.journeys.scenes import Scene
from seedtrust.journeys.script import UNREVIEWED, Journey, RequestSpec

EQUAL = "equal"
# After the last act of a journey: its refund settles, and the morning after closes the case.
_DAYS_AFTER = 4

# Seconds to wait for a fresh authenticator code; each lives for thirty.
_CODE_PATIENCE = 40

Report = Callable[[date, int, int], None]

log = structlog.get_logger()


@dataclass(frozen=True)
class Played:
    """How a journey went: its case and whether the ledger equals the file."""

    name: str
    case_ref: str
    result: str


class Player:
    """Moves the business clock day by day and lets people, jobs and the bank act."""

    def __init__(
        self, tools: Tools, control: HttpSandboxControl, cast: Cast, report: Report | None = None
    ) -> None:
        """Take the tools, the bank simulator, the people, and somebody to tell about progress."""
        self._tools = tools
        self._control = control
        self._cast = cast
        self._report = report or (lambda _day, _done, _total: None)
        self._stopped: dict[str, str] = {}

    def play(self, journeys: Sequence[Journey], *, until: date | None = None) -> None:
        """Play all journeys side by side, then let the calendar run on to `until`.

        It runs on for some days after the last act, and to the day that a journey asks for.

        A play that was interrupted goes on where the business clock stands. A journey that asks
        for what the product refuses stops there, and that is its outcome; the others go on.
        """
        if not journeys:
            return
        first = min(journey.opened_on for journey in journeys)
        last = max(journey.last_day for journey in journeys) + timedelta(days=_DAYS_AFTER)
        wanted = [day for day in (until, *(one.until for one in journeys)) if day is not None]
        days = _banking_days(first, max(last, *wanted) if wanted else last)
        resume_on = self._tools.moment().today if reading(clock_is_set) else first
        for number, day in enumerate(days, start=1):
            if day >= resume_on:
                self._day(day, journeys)
            self._report(day, number, len(days))
        if until is not None:
            self._move(at_new_york(until, 9))

    def _day(self, day: date, journeys: Sequence[Journey]) -> None:
        cast = [Scene(self._tools, self._cast, journey) for journey in journeys]
        acting = [scene for scene in cast if day in scene.journey.days]
        if acting:
            self._move(at_new_york(day, 9))
            self._act(day, acting)
        # On a day of which nobody takes notice the calendar's work is done in one go: a late tick
        # runs what an early one would have.
        self._move(at_new_york(day, 13, 30))
        for scene in cast:
            if scene.journey.bank_events:
                self._try(scene, day, self._resend)
        self._pay()
        self._hear_from_the_bank()

    def _act(self, day: date, acting: Sequence[Scene]) -> None:
        # The calendar sets off nothing between nine and half past one but looking at the bank,
        # which the play does when the bank has something to say.
        self._set_clock(at_new_york(day, 10))
        for scene in acting:
            self._try(scene, day, self._morning)
        reach("play.morning")
        self._hear_from_the_bank()
        for scene in acting:
            self._try(scene, day, self._match)
        self._set_clock(at_new_york(day, 11))
        for scene in acting:
            self._try(scene, day, self._requests)
            self._try(scene, day, self._closing)
        reach("play.requests")

    def _try(self, scene: Scene, day: date, act: Callable[[Scene, date], None]) -> None:
        name = scene.journey.name
        if name in self._stopped:
            return
        try:
            act(scene, day)
        except DomainError as refusal:
            self._stopped[name] = f"stopped on {day}: {refusal.detail}"
            log.warning("journey.stopped", journey=name, day=str(day), reason=refusal.detail)

    def _move(self, to: datetime) -> None:
        """Move the clock, let the bank follow, hear from it, and run what the calendar sets off.

        Where a killed play left the clock at this very hour, the rest is done again.
        """
        if not self._set_clock(to):
            return
        self._control.scan()
        tick(self._tools)  # reads the bank's events first of all
        self._settle()

    def _set_clock(self, to: datetime) -> bool:
        """Set the clock and let the bank follow; False where it stands later already."""
        stands_at = self._tools.moment().business_at if reading(clock_is_set) else None
        if stands_at is not None and stands_at > to:
            return False

        def work(session: Session) -> None:
            actor = Actor.system("journeys")
            set_business_clock(session, actor, to, now=self._tools.clock.now())

        if stands_at != to:
            in_transaction(work)
            reach("play.clock")
        self._settle()
        return True

    def _hear_from_the_bank(self) -> None:
        self._settle()
        self._control.scan()
        for bank in self._tools.banks:
            bank_jobs.poll_events(self._tools, bank)
        self._settle()

    def _settle(self) -> None:
        """Wait for what the demo's own worker has in hand, so that no day overtakes the last."""
        if not wait_until_kept(self._tools):
            message = "A promise of the outbox was not kept in time; look at the worker's log."
            raise TimeoutError(message)

    def _moment(self) -> Moment:
        return self._tools.moment()

    def _morning(self, scene: Scene, day: date) -> None:
        journey, moment = scene.journey, self._moment()
        if day == journey.opened_on:
            opening.open_case(scene, moment)
        if day == journey.escrow_agreement_on:
            scenes.sign_agreement(scene, AgreementKind.ESCROW, "Escrow agreement", moment)
        if day == journey.agreement_on:
            kind = scenes.contract_kind(journey)
            title = f"{kind.value.capitalize()} agreement"
            scenes.sign_agreement(scene, kind, title, moment)
        for change in journey.account_changes:
            if change.submitted_on == day:
                accounts.submit_change(scene, change, moment)
            if change.on == day and change.approved:
                accounts.approve_change(scene, change, moment)
        for milestone in journey.milestones:
            if milestone.on == day:
                scenes.record_milestone(scene, milestone, moment)
        self._early_end(scene, day)
        self._bank_acts(scene, day)

    def _early_end(self, scene: Scene, day: date) -> None:
        if day == scene.journey.terminated_on:
            endings.terminate(scene, self._moment())
        if day == scene.journey.cancelled_on:
            endings.call_off(scene, self._moment())

    def _bank_acts(self, scene: Scene, day: date) -> None:
        journey = scene.journey
        for index, deposit in enumerate(journey.deposits):
            if deposit.on == day and deposit.rail == ReceiptRail.ECHECK:
                pulls.draw(scene, index, self._moment())
            elif deposit.on == day:
                bankside.send_deposit(self._control, journey, index)
        for event in journey.bank_events:
            if event.acts_on == day:
                bankside.act(self._control, journey, event, self._moment())

    def _match(self, scene: Scene, day: date) -> None:
        for index, deposit in enumerate(scene.journey.deposits):
            if deposit.matched_on == day and not deposit.names_the_case:
                scenes.match_wire(
                    scene, bankside.wire_reference(scene.journey, index), self._moment()
                )

    def _resend(self, scene: Scene, day: date) -> None:
        del day
        asking.pay_returned_again(scene, self._moment())

    def _requests(self, scene: Scene, day: date) -> None:
        moment = self._moment()
        for falls_on, act in _REQUEST_STEPS:
            for index, spec in enumerate(scene.journey.requests):
                if falls_on(spec) == day:
                    act(scene, index, spec, moment)

    def _closing(self, scene: Scene, day: date) -> None:
        closing, moment = scene.journey.closing, self._moment()
        if closing is None:
            return
        if day == closing.obligations_ended_on:
            endings.end_obligations(scene, moment)
        if day == closing.accounting_on:
            endings.send_accounting(scene, moment)
        if day == closing.certified_on:
            endings.certify(scene, moment)
        if day == closing.refund_on:
            endings.approve_accounting(scene, moment)

    def _pay(self) -> None:
        accounts = reading(lambda session: list(session.execute(select(TrustAccount.id)).scalars()))
        for account_id in accounts:
            for rail in Rail:
                self._run(account_id, rail)
        self._settle()

    def _run(self, account_id: int, rail: Rail) -> None:
        moment = self._moment()

        def collect(session: Session) -> tuple[Actor, str] | None:
            builder = self._cast.next_of(session, Role.PAYMENTS_SPECIALIST)
            run = runs.collect_due(
                session, builder, trust_account_id=account_id, rail=rail, moment=moment
            )
            return None if run is None else (builder, run.reference)

        collected = in_transaction(collect)
        if collected is not None:
            reach("play.collected")
            self._lock(*collected)
            reach("play.locked")
        waiting = reading(lambda session: _locked_runs(session, account_id, rail))
        for reference, content_hash in waiting:
            self._release(reference, content_hash)

    def _lock(self, builder: Actor, reference: str) -> None:
        def work(session: Session) -> None:
            moment = self._tools.moment_in(session)
            runs.lock_run(session, builder, run_ref=reference, moment=moment)

        try:
            in_transaction(work)
        except RunIsEmpty:
            return  # everything due is on the exceptions list; the run stays open

    def _release(self, reference: str, content_hash: str) -> None:
        def work(session: Session) -> None:
            moment = self._tools.moment_in(session)
            lead = self._cast.releaser(session, now=moment.at)
            release_run(
                session,
                lead,
                run_ref=reference,
                content_hash=content_hash,
                step_up_seconds=300,
                moment=moment,
            )

        for _ in range(_CODE_PATIENCE):
            try:
                in_transaction(work)
                break
            except CodeRefused:
                # A code counts once, also after a restart: wait for the next, as people do.
                threading.Event().wait(1.0)
        else:
            in_transaction(work)
        self._settle()

    def outcome(self, journey: Journey, ledger_file: Path | None) -> Played:
        """Compare a played journey with its file and say what was found."""
        case_ref = scenes.case_reference(journey)
        if journey.name in self._stopped or case_ref is None:
            result = self._stopped.get(journey.name, "the case was never opened")
            return Played(journey.name, case_ref or "", result)

        def lines(session: Session) -> tuple[str, Sequence[ledger_queries.CaseLine]]:
            case = scenes.find_case(session, journey)
            found = ledger_queries.case_lines(session, case.ledger_account_id, limit=100_000)
            return case.stage, found

        stage, played = reading(lines)
        if ledger_file is None or not ledger_file.exists():
            return Played(journey.name, case_ref, "played; no ledger.csv to compare with")
        try:
            difference = first_difference(read_expected(ledger_file), played)
        except LedgerFileRefused as refused:
            return Played(journey.name, case_ref, str(refused))
        end = journey.end_stage
        if difference is None and end is not None and stage != end:
            difference = f"after the last line: the case is {stage}, not {end}"
        return Played(journey.name, case_ref, difference or EQUAL)


def _banking_days(first: date, last: date) -> list[date]:
    days, day = [], on_or_after(first)
    while day <= last:
        if is_banking_day(day):
            days.append(day)
        day += timedelta(days=1)
    return days


def _asked_on(spec: RequestSpec) -> date | None:
    return spec.on


def _questioned_on(spec: RequestSpec) -> date | None:
    return None if spec.question is None else spec.question.on


def _replied_on(spec: RequestSpec) -> date | None:
    return None if spec.question is None else spec.question.reply_on


def _reviewed_on(spec: RequestSpec) -> date | None:
    return None if spec.answer == UNREVIEWED else spec.reviewed_on


def _answered_on(spec: RequestSpec) -> date | None:
    return spec.approved_on if spec.answer in {"approved", "denied"} else None


# What happens to requests on a day: each step for all of them, in the order of the file.
_REQUEST_STEPS: Final = (
    (_asked_on, asking.ask),
    (_questioned_on, asking.question_request),
    (_replied_on, asking.reply_to_question),
    (_reviewed_on, asking.review_request),
    (_answered_on, asking.answer_request),
)


def _locked_runs(session: Session, account_id: int, rail: Rail) -> list[tuple[str, str]]:
    rows = session.execute(
        select(PaymentRun.reference, PaymentRun.content_hash).where(
            PaymentRun.trust_account_id == account_id,
            PaymentRun.rail == rail.value,
            PaymentRun.state == RunState.LOCKED.value,
        )
    )
    return list(rows)
