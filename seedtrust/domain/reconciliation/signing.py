"""Reconciling a day: taking stock, preparing, reviewing by a second person, and locking.

The figures that were prepared are kept word for word with their hash. Review and lock compute
them again and refuse when they are other ones. After the lock nothing changes; when the bank
corrects the statement, the report is stale and a new version takes its place.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.db import canonical_json, lock_where
from seedtrust.core.errors import NotFound, WrongState
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.money import format_dollars
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.operations.service import (
    close_exceptions_of,
    next_occurrence,
    open_exception,
)
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.reconciliation.errors import (
    DifferenceUnexplained,
    FiguresChanged,
    PreparerCannotReview,
    StatementMissing,
)
from seedtrust.domain.reconciliation.models import BankStatement, Reconciliation
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.reconciliation.states import STEPS, DayState
from seedtrust.domain.reconciliation.views import ThreeWay

DIFFERENCE_KIND: Final = "reconciliation.difference"
STALE_KIND: Final = "reconciliation.stale"
_SUBJECT: Final = "reconciliation"
_PROOF: Final = TypeAdapter(ThreeWay)
_NO_FIGURES: Final = frozenset({"ach_cutoff_local", "wire_cutoff_local", "statement_imported_at"})


def take_stock(
    session: Session, actor: Actor, *, trust_account_id: int, on: date, moment: Moment
) -> Reconciliation:
    """Compute the proof of a day and keep its figures until somebody prepares it.

    A difference opens an exception item, which closes itself once the figures agree. What was
    prepared already is only compared; a stale day gets a new version. Raises NotFound.
    """
    actor.require(Permission.RECONCILIATION_VIEW)
    row = _current(session, trust_account_id, on)
    proof = three_way(session, trust_account_id, on)
    if row is None or row.state == DayState.STALE:
        row = _new_version(session, trust_account_id, on, row, proof, moment)
    elif row.state == DayState.OPEN:
        _keep(session, row, proof, moment)
    _tell_difference(session, row, proof, moment)
    return row


def prepare(
    session: Session, actor: Actor, *, reference: str, note: str, content_hash: str, moment: Moment
) -> Reconciliation:
    """Stand for the figures that were shown; `note` explains a difference.

    Raises StatementMissing before the bank's statement of the day, FiguresChanged when the
    figures are no longer those shown, DifferenceUnexplained, WrongState, NotFound and Forbidden.
    """
    actor.require(Permission.RECONCILIATION_PREPARE)
    row = _locked_row(session, reference)
    _require_step(row, DayState.PREPARED)
    proof = three_way(session, row.trust_account_id, row.as_of_on)
    if proof.statement_on != row.as_of_on:
        message = "Wait for the bank's statement of this day, then prepare it."
        raise StatementMissing(message)
    _require_same(proof, content_hash)
    words = " ".join(note.split())[:500]
    if not proof.agrees and not words:
        message = "Say where the difference comes from and who clears it."
        raise DifferenceUnexplained(message, errors={"note": [message]})
    _keep(session, row, proof, moment)
    row.state, row.note = DayState.PREPARED.value, words
    row.prepared_by_user_id, row.prepared_by = actor.user_id, actor.name
    row.prepared_at = moment.at
    row.reviewed_by_user_id, row.reviewed_by, row.reviewed_at = None, "", None
    _record(session, actor, "reconciliation.prepared", row, moment)
    return row


def review(
    session: Session, actor: Actor, *, reference: str, content_hash: str, moment: Moment
) -> Reconciliation:
    """Confirm what another person prepared.

    Raises PreparerCannotReview, FiguresChanged, WrongState, NotFound and Forbidden.
    """
    row = _for_second_person(session, actor, reference, DayState.REVIEWED)
    _require_same(three_way(session, row.trust_account_id, row.as_of_on), row.content_hash)
    if content_hash != row.content_hash:
        raise _changed()
    row.state = DayState.REVIEWED.value
    row.reviewed_by_user_id, row.reviewed_by = actor.user_id, actor.name
    row.reviewed_at = moment.at
    _record(session, actor, "reconciliation.reviewed", row, moment)
    return row


def lock_day(session: Session, actor: Actor, *, reference: str, moment: Moment) -> Reconciliation:
    """Seal a reviewed day with a hash over its figures and both signatures.

    Raises PreparerCannotReview, FiguresChanged, WrongState, NotFound and Forbidden.
    """
    row = _for_second_person(session, actor, reference, DayState.LOCKED)
    _require_same(three_way(session, row.trust_account_id, row.as_of_on), row.content_hash)
    row.state = DayState.LOCKED.value
    row.locked_by, row.locked_at = actor.name, moment.at
    row.lock_hash = seal_of(row)
    _record(session, actor, "reconciliation.locked", row, moment)
    return row


def seal_of(row: Reconciliation) -> str:
    """Return the SHA-256 over everything that a lock promises not to change."""
    sealed = {
        "reference": row.reference,
        "trust_account_id": row.trust_account_id,
        "as_of_on": row.as_of_on.isoformat(),
        "version_number": row.version_number,
        "figures": row.figures,
        "note": row.note,
        "prepared": [row.prepared_by_user_id, row.prepared_by, _instant(row.prepared_at)],
        "reviewed": [row.reviewed_by_user_id, row.reviewed_by, _instant(row.reviewed_at)],
        "locked": [row.locked_by, _instant(row.locked_at)],
    }
    return hashlib.sha256(canonical_json(sealed).encode()).hexdigest()


def follow_correction(
    session: Session, actor: Actor, statement: BankStatement, *, moment: Moment
) -> int:
    """Make stale, or open again, what rests on a statement that the bank has corrected.

    Returns how many days it touched. A locked day keeps its figures and its seal.
    """
    rows = lock_where(
        session,
        select(Reconciliation).where(
            Reconciliation.statement_id == statement.id, Reconciliation.current_on.is_not(None)
        ),
    )
    for row in rows:
        because = f"The bank corrected its statement of {statement.as_of_on.isoformat()}."
        if row.state == DayState.LOCKED:
            row.state, row.stale_because = DayState.STALE.value, because
            open_exception(
                session,
                STALE_KIND,
                _SUBJECT,
                row.reference,
                f"{because} Reconcile the day again.",
                now=moment.at,
            )
            _record(session, actor, "reconciliation.stale", row, moment)
        elif row.state in {DayState.PREPARED, DayState.REVIEWED}:
            row.state = DayState.OPEN.value
            _record(session, actor, "reconciliation.opened_again", row, moment)
    return len(rows)


def figures_of(proof: ThreeWay) -> dict[str, object]:
    """Return a proof as plain values, to keep; `days.kept_proof` is the way back."""
    kept: dict[str, object] = _PROOF.dump_python(proof, mode="json")
    return kept


def hash_of(proof: ThreeWay) -> str:
    """Return the SHA-256 of a proof's figures and items."""
    told = {name: value for name, value in figures_of(proof).items() if name not in _NO_FIGURES}
    return hashlib.sha256(canonical_json(told).encode()).hexdigest()


def _current(session: Session, trust_account_id: int, on: date) -> Reconciliation | None:
    rows = lock_where(
        session,
        select(Reconciliation).where(
            Reconciliation.trust_account_id == trust_account_id, Reconciliation.current_on == on
        ),
    )
    return rows[0] if rows else None


def _new_version(  # noqa: PLR0917 - the day, what it replaces and what it says
    session: Session,
    trust_account_id: int,
    on: date,
    stale: Reconciliation | None,
    proof: ThreeWay,
    moment: Moment,
) -> Reconciliation:
    number = 1
    if stale is not None:
        number, stale.current_on = stale.version_number + 1, None
        close_exceptions_of(
            session, STALE_KIND, stale.reference, closed_by="A new version", now=moment.at
        )
        session.flush()  # the day is free for the version that now counts
    row = Reconciliation(
        id=new_id(),
        reference=new_reference(),
        trust_account_id=trust_account_id,
        as_of_on=on,
        version_number=number,
        current_on=on,
        state=DayState.OPEN.value,
    )
    _keep(session, row, proof, moment)
    session.add(row)
    session.flush()  # two jobs race here: the unique key lets one of them in
    return row


def _keep(session: Session, row: Reconciliation, proof: ThreeWay, moment: Moment) -> None:
    row.statement_id = session.execute(
        select(func.max(BankStatement.id)).where(BankStatement.reference == proof.statement_ref)
    ).scalar_one()
    row.adjusted_bank_cents, row.book_cents = proof.adjusted_bank_cents, proof.book_cents
    row.owners_cents, row.items = proof.owners_cents, len(proof.items)
    row.figures, row.content_hash = figures_of(proof), hash_of(proof)
    row.checked_at = moment.at


def _tell_difference(
    session: Session, row: Reconciliation, proof: ThreeWay, moment: Moment
) -> None:
    if proof.agrees:
        close_exceptions_of(
            session, DIFFERENCE_KIND, row.reference, closed_by="The figures agree", now=moment.at
        )
        return
    cents, day = format_dollars(proof.worst_difference_cents), proof.on.isoformat()
    open_exception(
        session,
        DIFFERENCE_KIND,
        _SUBJECT,
        row.reference,
        f"{proof.trust_account}: bank, book and owners differ by {cents} on {day}.",
        occurrence=next_occurrence(session, DIFFERENCE_KIND, row.reference),
        now=moment.at,
    )


def _for_second_person(
    session: Session, actor: Actor, reference: str, to: DayState
) -> Reconciliation:
    actor.require(Permission.RECONCILIATION_REVIEW)
    row = _locked_row(session, reference)
    _require_step(row, to)
    if row.prepared_by_user_id == actor.user_id:
        message = "You prepared these figures. Ask another person."
        raise PreparerCannotReview(message)
    return row


def _locked_row(session: Session, reference: str) -> Reconciliation:
    rows = lock_where(session, select(Reconciliation).where(Reconciliation.reference == reference))
    if not rows:
        message = "There is no such reconciliation."
        raise NotFound(message)
    return rows[0]


def _require_step(row: Reconciliation, to: DayState) -> None:
    if to in STEPS[DayState(row.state)] and row.current_on is not None:
        return
    words = {
        DayState.PREPARED: "This day is locked, or a newer version counts.",
        DayState.REVIEWED: "Only a prepared day can be reviewed.",
        DayState.LOCKED: "Only a reviewed day can be locked.",
    }
    raise WrongState(words[to])


def _require_same(proof: ThreeWay, content_hash: str) -> None:
    if hash_of(proof) != content_hash:
        raise _changed()


def _changed() -> FiguresChanged:
    message = "Something was booked, matched or corrected meanwhile. Look at the figures again."
    return FiguresChanged(message)


def _record(
    session: Session, actor: Actor, action: str, row: Reconciliation, moment: Moment
) -> None:
    account = session.get_one(TrustAccount, row.trust_account_id)
    record(
        session,
        actor,
        action,
        _SUBJECT,
        row.reference,
        facts={
            "account": account.code,
            "day": row.as_of_on.isoformat(),
            "version": row.version_number,
            "content_hash": row.content_hash,
        },
        now=moment.at,
    )


def _instant(at: object) -> str:
    return str(at)
