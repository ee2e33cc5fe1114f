"""What the bank says about debits: files taken, refused and settled, entries that come back."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import lock_where
from seedtrust.core.errors import Invalid
from seedtrust.core.permissions import Actor
from seedtrust.domain.cases.worklists import locked_case
from seedtrust.domain.echecks import life
from seedtrust.domain.echecks.authorising import end
from seedtrust.domain.echecks.models import DebitAuthorisation, EcheckPull
from seedtrust.domain.echecks.states import TO_SEND, AuthorisationState, PullState
from seedtrust.domain.echecks.transmission import record_transmitted
from seedtrust.domain.funding.returning import DepositReturn, return_deposit
from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.payments.access import locked_run, move_run
from seedtrust.domain.payments.events import (
    COPIED_KIND,
    SUSPENDED_KIND,
    cents_of,
    day_of,
    reference_of_file,
    text_of,
    word_of,
)
from seedtrust.domain.payments.files import live_file
from seedtrust.domain.payments.models import PaymentRun, TrustAccount
from seedtrust.domain.payments.ports import BankEvent, BankStatus, FileSnapshot, PaymentSnapshot
from seedtrust.domain.payments.return_codes import reason_of
from seedtrust.domain.payments.returns import Told
from seedtrust.domain.payments.states import MONEY_IN, FileState, RunState
from seedtrust.formats.nacha import RETURN_CODES

_P = PullState
_STOPPED: Final = "R08"


def apply_to_echecks(
    session: Session,
    actor: Actor,
    event: BankEvent,
    snapshot: PaymentSnapshot | None,
    moment: Moment,
) -> str | None:
    """Apply an event that is about debits and say what became of it; None for any other event.

    Raises what the effect raises.
    """
    del snapshot
    if event.kind in _FILE_WORDS:
        return _file(session, actor, event, moment)
    if event.kind == "entry.returned":
        told = Told(
            trace_number=text_of(event, "trace_number", needed=False),
            identification=text_of(event, "identification", needed=False),
            code=text_of(event, "return_code"),
            amount_cents=cents_of(event),
            returned_on=day_of(event, "returned_on"),
        )
        done = take_back(session, actor, told, moment=moment)
        if done is None:
            return None
        which = told.identification or told.trace_number
        return f"E-check {which} returned." if done else f"E-check {which} was returned before."
    return None


def take_back(session: Session, actor: Actor, told: Told, *, moment: Moment) -> bool | None:
    """Apply the return of a debit; False if known before, None if it is none of ours.

    The money leaves the case again. A code that says that the debit was not authorised, that the
    account is not what was given, or that its holder stopped it ends the authorisation: nothing
    is drawn under it any more. Raises Invalid for what cannot be.
    """
    reference = _find(session, told)
    if reference is None:
        return None
    pull = _locked(session, reference)
    if life.state_of(pull) is _P.RETURNED:
        return False
    if life.state_of(pull) in TO_SEND and pull.run_id is not None:
        # The bank cannot return what it does not have: the file has arrived.
        run = session.get_one(PaymentRun, pull.run_id)
        record_transmitted(session, actor, run_ref=run.reference, moment=moment)
    if life.state_of(pull) is _P.SENT and pull.effective_on is not None:
        # Its settlement was told in a message that has not come yet; the return proves it.
        life.mark_settled(session, actor, [pull], settled_on=pull.effective_on, moment=moment)
    if life.state_of(pull) is not _P.SETTLED or told.amount_cents != pull.amount_cents:
        message = f"The bank returned e-check {reference}, which does not fit what we drew."
        raise Invalid(message, echeck=reference, state=pull.state)
    reason = reason_of(told.code)
    account = session.get_one(TrustAccount, pull.trust_account_id)
    life.step(session, actor, pull, _P.RETURNED, reason=reason.label, moment=moment)
    pull.return_code, pull.ended_on = told.code[:3], told.returned_on
    said = DepositReturn(
        bank=account.code,
        trust_code=account.code,
        bank_reference=pull.reference,
        amount_cents=pull.amount_cents,
        reason=reason.label,
        return_reference=pull.reference,
        returned_on=told.returned_on,
    )
    return_deposit(session, actor, said, moment=moment)
    _end_authorisation(session, actor, pull, told.code, moment)
    return True


def _find(session: Session, told: Told) -> str | None:
    found = session.execute(
        select(EcheckPull.reference, EcheckPull.trace_number)
        .where(
            or_(
                EcheckPull.reference == told.identification,
                EcheckPull.trace_number == (told.trace_number or None),
            )
        )
        .order_by(EcheckPull.id.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    reference, trace = found
    agrees = told.identification in {"", reference}
    return reference if agrees and told.trace_number in {"", trace} else None


def _locked(session: Session, reference: str) -> EcheckPull:
    """Lock an e-check after its run and its case, as every message of the bank does."""
    row = session.execute(select(EcheckPull).where(EcheckPull.reference == reference)).scalar_one()
    if row.run_id is not None:
        lock_where(session, select(PaymentRun).where(PaymentRun.id == row.run_id))
    locked_case(session, row.case_id)
    [pull] = lock_where(session, select(EcheckPull).where(EcheckPull.reference == reference))
    return pull


def _end_authorisation(
    session: Session, actor: Actor, pull: EcheckPull, code: str, moment: Moment
) -> None:
    row = RETURN_CODES.get(code)
    ends = row is not None and (
        row.revokes_authorisation or row.blocks_account or row.code == _STOPPED
    )
    [authorisation] = lock_where(
        session, select(DebitAuthorisation).where(DebitAuthorisation.id == pull.authorisation_id)
    )
    in_use = authorisation.state in {AuthorisationState.ACTIVE, AuthorisationState.GIVEN}
    if ends and in_use:
        reason = f"An e-check came back: {reason_of(code).label}"
        end(session, actor, authorisation, AuthorisationState.BLOCKED, reason=reason, moment=moment)


def _file(session: Session, actor: Actor, event: BankEvent, moment: Moment) -> str | None:
    reference = reference_of_file(session, event)
    is_ours = session.execute(
        select(PaymentRun.id).where(
            PaymentRun.reference == reference, PaymentRun.direction == MONEY_IN
        )
    ).scalar_one_or_none()
    if is_ours is None:
        return None
    run = locked_run(session, reference)
    file = live_file(session, run)
    if file is None or file.sha256 != text_of(event, "sha256"):
        message = f"The bank speaks of another file than the one sealed for run {run.reference}."
        raise Invalid(message)
    is_copy = file.bank_file_ref not in {"", text_of(event, "id")}
    snapshot = FileSnapshot(text_of(event, "id"), file.sha256, BankStatus.RECEIVED, word_of(event))
    if not is_copy:
        record_transmitted(session, actor, run_ref=run.reference, snapshot=snapshot, moment=moment)
        file.bank_file_ref = text_of(event, "id")
    return _FILE_WORDS[event.kind](session, actor, run, event, is_copy, moment)


def _nothing(  # noqa: PLR0917 - the form of all words about a file
    session: Session,
    actor: Actor,
    run: PaymentRun,
    event: BankEvent,
    is_copy: bool,  # noqa: FBT001 - the form of all words about a file
    moment: Moment,
) -> str:
    del session, actor, event, is_copy, moment
    return f"Run {run.reference}: noted."


def _accepted(  # noqa: PLR0917 - the form of all words about a file
    session: Session,
    actor: Actor,
    run: PaymentRun,
    event: BankEvent,
    is_copy: bool,  # noqa: FBT001 - the form of all words about a file
    moment: Moment,
) -> str:
    del actor, event, moment
    if not is_copy and run.state == RunState.TRANSMITTED:
        move_run(run, RunState.ACKNOWLEDGED)
        _file_becomes(session, run, FileState.ACKNOWLEDGED)
    return f"Run {run.reference}: e-checks accepted."


def _rejected(  # noqa: PLR0917 - the form of all words about a file
    session: Session,
    actor: Actor,
    run: PaymentRun,
    event: BankEvent,
    is_copy: bool,  # noqa: FBT001 - the form of all words about a file
    moment: Moment,
) -> str:
    if is_copy:
        sentence = (
            f"Somebody gave the bank the e-checks of run {run.reference} once more, and the bank "
            "refused the copy. Nothing was drawn twice. Find out who sent it."
        )
        open_exception(session, COPIED_KIND, "run", run.reference, sentence, now=moment.at)
        return f"Run {run.reference}: a copy of its file was refused."
    pulls = life.of_run(session, run.id, {_P.SENT})
    word = word_of(event)
    life.mark_refused(session, actor, pulls, reason=word, moment=moment)
    if pulls:
        move_run(run, RunState.REJECTED)
        run.state_reason = f"The bank rejected the file. {word}"[:500]
        _file_becomes(session, run, FileState.REJECTED)
        sentence = f"The bank refused a file of e-checks. {word} Ask for them again."
        open_exception(session, "run.rejected", "run", run.reference, sentence, now=moment.at)
    return f"Run {run.reference}: {len(pulls)} e-checks refused."


def _suspended(  # noqa: PLR0917 - the form of all words about a file
    session: Session,
    actor: Actor,
    run: PaymentRun,
    event: BankEvent,
    is_copy: bool,  # noqa: FBT001 - the form of all words about a file
    moment: Moment,
) -> str:
    del actor, event, is_copy
    sentence = (
        "The bank holds a file of e-checks back, because its control totals do not agree with it. "
        "Call the bank before the cut-off."
    )
    open_exception(session, SUSPENDED_KIND, "run", run.reference, sentence, now=moment.at)
    return f"Run {run.reference}: held back by the bank."


def _settled(  # noqa: PLR0917 - the form of all words about a file
    session: Session,
    actor: Actor,
    run: PaymentRun,
    event: BankEvent,
    is_copy: bool,  # noqa: FBT001 - the form of all words about a file
    moment: Moment,
) -> str:
    if is_copy or event.data.get("is_complete") is False:
        return f"Run {run.reference}: settled in part, the rest is awaited."
    settled_on: date = day_of(event, "settles_on")
    pulls = life.of_run(session, run.id, {_P.SENT})
    life.mark_settled(session, actor, pulls, settled_on=settled_on, moment=moment)
    if run.state == RunState.TRANSMITTED:
        move_run(run, RunState.ACKNOWLEDGED)
    if run.state == RunState.ACKNOWLEDGED:
        move_run(run, RunState.SETTLED)
        run.settled_on = settled_on
        _file_becomes(session, run, FileState.SETTLED)
    return f"Run {run.reference}: {len(pulls)} e-checks settled on {settled_on.isoformat()}."


def _file_becomes(session: Session, run: PaymentRun, state: FileState) -> None:
    file = live_file(session, run)
    if file is not None:
        file.state = state.value


_FILE_WORDS: Final = {
    "file.received": _nothing,
    "file.awaiting_totals": _nothing,
    "file.accepted": _accepted,
    "file.rejected": _rejected,
    "file.suspended": _suspended,
    "file.settled": _settled,
}
