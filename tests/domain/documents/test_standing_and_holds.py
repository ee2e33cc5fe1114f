"""A kept document can be refused, replaced, and held for the law; two people lift a hold."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Forbidden, Invalid, NotFound, SegregationOfDuties, WrongState
from seedtrust.core.permissions import Actor
from seedtrust.domain.documents import keeping
from seedtrust.domain.documents.intake import looked_at
from seedtrust.domain.documents.models import Document
from seedtrust.domain.documents.queries import DocumentView, document_page, visible_documents
from seedtrust.domain.documents.service import store
from tests.factories import case_world as world_of
from tests.support.databases import on_both_databases

Sessions = sessionmaker[Session]
MOMENT = world_of.moment_on(date(2026, 1, 8))


def _store(session: Session, world: world_of.World, actor: Actor, **more: str) -> Document:
    return store(
        session,
        actor,
        case_ref=world.case.reference,
        kind="evidence",
        title="Receipt.txt",
        visibility="carrier" if actor is world.carrier else "staff",
        paper=looked_at(b"Receipt over 62.15", "text/plain"),
        moment=MOMENT,
        **more,
    )


def _seen(session: Session, world: world_of.World, actor: Actor) -> list[DocumentView]:
    return visible_documents(session, actor, world.case.reference)


@on_both_databases
def test_the_sender_reads_why_a_document_was_refused_and_sends_a_better_one(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        first = _store(session, world, world.carrier)
        keeping.refuse(
            session,
            world.specialist,
            document_ref=first.reference,
            reason="The date cannot be read",
            moment=MOMENT,
        )
        seen = _seen(session, world, world.carrier)[0]
        assert (seen.state, seen.state_reason) == ("refused", "The date cannot be read")
        better = _store(session, world, world.carrier, replaces=first.reference)
        new, old = _seen(session, world, world.carrier)
        assert (new.reference, new.state) == (better.reference, "")
        assert (old.state, old.replaced_by) == ("replaced", better.reference)
        with pytest.raises(WrongState):
            keeping.refuse(
                session, world.specialist, document_ref=first.reference, reason="x", moment=MOMENT
            )
        with pytest.raises(WrongState):
            _store(session, world, world.carrier, replaces=first.reference)


def test_nobody_replaces_what_somebody_else_sent_or_refuses_without_a_reason(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world, other = world_of.build(session), world_of.build(session)
        staffs = _store(session, world, world.specialist)
        strange = _store(session, other, other.specialist)
        with pytest.raises(NotFound):
            _store(session, world, world.carrier, replaces=staffs.reference)
        with pytest.raises(Invalid) as refusal:
            _store(session, world, world.specialist, replaces=strange.reference)
        assert list(refusal.value.errors) == ["replaces"]
        with pytest.raises(Invalid) as refusal:
            keeping.refuse(
                session, world.specialist, document_ref=staffs.reference, reason=" ", moment=MOMENT
            )
        assert list(refusal.value.errors) == ["reason"]
        with pytest.raises(Forbidden):
            keeping.refuse(
                session, world.legal, document_ref=staffs.reference, reason="x", moment=MOMENT
            )


@on_both_databases
def test_a_legal_hold_is_lifted_by_two_people_only(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        reference = _store(session, world, world.carrier).reference
        told = {"document_ref": reference, "moment": MOMENT}
        with pytest.raises(Forbidden):
            keeping.hold(session, world.specialist, reason="Subpoena", **told)  # type: ignore[arg-type]
        with pytest.raises(WrongState):
            keeping.ask_to_lift(session, world.legal, reason="x", **told)  # type: ignore[arg-type]
        keeping.hold(session, world.legal, reason="Subpoena 26-118", **told)  # type: ignore[arg-type]
        with pytest.raises(WrongState):
            keeping.hold(session, world.controller, reason="Again", **told)  # type: ignore[arg-type]
        with pytest.raises(WrongState):
            keeping.lift(session, world.controller, **told)  # type: ignore[arg-type]
        keeping.ask_to_lift(session, world.legal, reason="Case settled", **told)  # type: ignore[arg-type]
        with pytest.raises(SegregationOfDuties):
            keeping.lift(session, world.legal, **told)  # type: ignore[arg-type]
        assert _seen(session, world, world.specialist)[0].on_hold
        keeping.keep_on_hold(session, world.controller, **told)  # type: ignore[arg-type]
        with pytest.raises(WrongState):
            keeping.lift(session, world.controller, **told)  # type: ignore[arg-type]
        keeping.ask_to_lift(session, world.controller, reason="Settled", **told)  # type: ignore[arg-type]
        keeping.lift(session, world.legal, **told)  # type: ignore[arg-type]
        assert not _seen(session, world, world.specialist)[0].on_hold
        keeping.hold(session, world.legal, reason="Another suit", **told)  # type: ignore[arg-type]


def test_people_outside_do_not_learn_that_the_law_asks_for_a_document(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        reference = _store(session, world, world.carrier).reference
        keeping.hold(session, world.legal, document_ref=reference, reason="Subpoena", moment=MOMENT)
        assert not _seen(session, world, world.carrier)[0].on_hold
        assert document_page(session, world.carrier, reference).hold is None
        page = document_page(session, world.auditor, reference)
        assert page.hold is not None
        assert page.hold.reason == "Subpoena"
