"""Electronic signatures: bound to what was shown, given once, in turn, and certified."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Forbidden, Invalid, NotFound
from seedtrust.core.permissions import Role
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.models import Agreement
from seedtrust.domain.cases.states import AgreementKind, CaseKind, Side, Stage
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.operations.models import ExceptionItem
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.signing import service
from seedtrust.domain.signing.errors import (
    AgreementOutdated,
    ConsentMissing,
    NothingToSign,
    NotYourTurn,
    TextMissing,
    TextNamesSomebody,
)
from seedtrust.domain.signing.models import SignatureProof
from seedtrust.domain.terms import agreements
from seedtrust.domain.terms.errors import AgreementStepRefused, AlreadySigned
from tests.factories import case_world, signing_world
from tests.factories.signing_world import CLIENT, MOMENT, STROKES, shown, sign
from tests.support.databases import on_both_databases

Sessions = sessionmaker[Session]


@on_both_databases
def test_both_sign_what_they_were_shown_and_everybody_gets_papers(
    session_factory: Sessions, tmp_path: Path
) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = case_world.build(session, kind=CaseKind.SURROGACY, anonymous=False)
        agreement = signing_world.sent(session, world, files)
        before = shown(session, world.carrier, agreement)
        assert (before.is_my_turn, before.is_electronic) == (True, True)
        text = signing_world.words_of(session, files, before.document_ref)
        assert "Rosalind Ashgrove (the intended parents), Delphine Quarles" in text
        sign(session, world.carrier, agreement)
        sign(session, world.parent, agreement, method="drawn", typed_name="", drawing=STROKES)
        assert agreement.state == "EXECUTED"
        assert world.case.stage == Stage.PENDING_FUNDING
        session.flush()
        promised = session.execute(
            select(OutboxMessage.payload).where(OutboxMessage.topic == "agreement.complete")
        ).scalar_one()
        assert promised == {"agreement": agreement.reference}
        assert signing_world.complete(session, agreement, files)
        assert not signing_world.complete(session, agreement, files)
        after = shown(session, world.parent, agreement)
        papers = {paper.part: paper for paper in after.papers}
        assert set(papers) == {"text", "executed", "certificate"}
        certificate = signing_world.words_of(session, files, papers["certificate"].document_ref)
        for said in (
            before.document_sha256,
            CLIENT.address,
            CLIENT.browser,
            "Typed name",
            "Drawn signature",
            "Signed by all",
            "Consent, version 1",
        ):
            assert said.replace(" ", "") in certificate.replace(" ", ""), said
        executed = signing_world.words_of(session, files, papers["executed"].document_ref)
        assert "“Delphine Quarles”, 2026-01-16" in executed
        drawn = session.execute(
            select(SignatureProof).where(SignatureProof.method == "drawn")
        ).scalar_one()
        assert drawn.drawing == STROKES


def test_neither_side_of_an_anonymous_case_is_named_in_the_other_sides_papers(
    session_factory: Sessions, tmp_path: Path
) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = case_world.build(session)
        agreement = signing_world.sent(session, world, files)
        sign(session, world.parent, agreement)
        sign(session, world.carrier, agreement, method="drawn", typed_name="", drawing=STROKES)
        signing_world.complete(session, agreement, files)
        people = ((world.parent, "Rosalind", "Ashgrove"), (world.carrier, "Delphine", "Quarles"))
        for reader, hidden in ((people[0], people[1]), (people[1], people[0])):
            view = shown(session, reader[0], agreement)
            assert len(view.papers) == 3
            for paper in view.papers:
                words = signing_world.words_of(session, files, paper.document_ref)
                assert reader[2] in words
                assert not any(name in words for name in hidden[1:])
            told = [one.address for one in view.given]
            assert sorted(told) == ["", CLIENT.address]
        inside = shown(session, world.specialist, agreement)
        assert len(inside.papers) == 9
        full = [paper for paper in inside.papers if paper.audience == "agency"]
        words = signing_world.words_of(session, files, full[-1].document_ref)
        assert "Rosalind Ashgrove" in words
        assert "Delphine Quarles" in words


def test_a_text_of_an_anonymous_case_cannot_name_anybody(
    session_factory: Sessions, tmp_path: Path
) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = case_world.build(session)
        with pytest.raises(TextNamesSomebody):
            signing_world.sent(session, world, files, body="Between Delphine Quarles and us.")
        with pytest.raises(Invalid) as refused:
            signing_world.sent(session, world, files, body="Between {{mother}} and us.")
        assert "{{recipients}}" in refused.value.detail
        with pytest.raises(Invalid) as refused:
            signing_world.sent(session, world, files, body="契約")
        assert "契約" in refused.value.detail
        with pytest.raises(Invalid):
            signing_world.sent(session, world, files, body=" \n ")


def test_the_same_signature_twice_counts_once(session_factory: Sessions, tmp_path: Path) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = case_world.build(session)
        agreement = signing_world.sent(session, world, files)
        sign(session, world.carrier, agreement)
        with pytest.raises(AlreadySigned):
            sign(session, world.carrier, agreement)
        sign(session, world.parent, agreement)
        with pytest.raises(AgreementStepRefused):
            sign(session, world.parent, agreement)


def test_an_old_version_cannot_be_signed_once_a_new_one_is_out(
    session_factory: Sessions, tmp_path: Path
) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = case_world.build(session)
        first = signing_world.sent(session, world, files)
        old = shown(session, world.carrier, first).document_sha256
        second = signing_world.sent(session, world, files, body="# 1\nOnly {{recipients}}.")
        assert (first.state, second.state) == ("WITHDRAWN", "SENT")
        with pytest.raises(AgreementOutdated):
            sign(session, world.carrier, first)
        with pytest.raises(AgreementOutdated):
            sign(session, world.carrier, second, document_sha256=old)
        sign(session, world.carrier, second)
        assert second.state == "PART_SIGNED"


def test_somebody_who_joins_after_sending_makes_the_text_outdated(
    session_factory: Sessions, tmp_path: Path
) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = case_world.build(session)
        agreement = signing_world.sent(session, world, files)
        second = case_world.person(session, "Ambrose Ashgrove", Role.INTENDED_PARENT)
        cases.add_party(
            session, world.specialist, case_ref=world.case.reference, role=Role.INTENDED_PARENT,
            side=Side.RECIPIENT, name=second.name, user_id=second.user_id, must_sign=True,
            must_certify=True, moment=MOMENT,
        )  # fmt: skip
        with pytest.raises(AgreementOutdated) as refused:
            sign(session, world.carrier, agreement)
        assert "parties have changed" in refused.value.detail
        again = signing_world.sent(session, world, files)
        for actor in (second, world.carrier, world.parent):
            sign(session, actor, again)
        assert again.state == "EXECUTED"


def test_an_amendment_reopens_signing_and_the_old_version_stays_in_force_till_the_last_signature(
    session_factory: Sessions, tmp_path: Path
) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = case_world.build(session)
        first = signing_world.sent(session, world, files)
        for actor in (world.parent, world.carrier):
            sign(session, actor, first)
        second = signing_world.sent(session, world, files, body="# 1\nAmended for {{carrier}}.")
        assert (first.state, second.version_number) == ("EXECUTED", 2)
        sign(session, world.parent, second)
        assert first.state == "EXECUTED"
        sign(session, world.carrier, second)
        assert (first.state, second.state) == ("AMENDED", "EXECUTED")


def test_sides_that_sign_in_order_wait_for_their_turn_and_are_asked_then(
    session_factory: Sessions, tmp_path: Path
) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = case_world.build(session)
        agreement = signing_world.sent(session, world, files, order="recipients_first")

        def asked() -> set[int | None]:
            session.flush()
            query = select(NoticeDelivery.user_id).where(
                NoticeDelivery.event == "agreement.to_sign"
            )
            return set(session.execute(query).scalars())

        assert asked() == {world.parent.user_id}
        assert not shown(session, world.carrier, agreement).is_my_turn
        with pytest.raises(NotYourTurn):
            sign(session, world.carrier, agreement)
        sign(session, world.parent, agreement)
        assert asked() == {world.parent.user_id, world.carrier.user_id}
        sign(session, world.carrier, agreement)
        assert agreement.state == "EXECUTED"


def test_a_signature_needs_consent_the_own_name_or_a_drawing(
    session_factory: Sessions, tmp_path: Path
) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = case_world.build(session)
        agreement = signing_world.sent(session, world, files)
        with pytest.raises(ConsentMissing):
            sign(session, world.carrier, agreement, consent_version=0)
        for wrong in (
            {"typed_name": "Rosalind Ashgrove"},
            {"typed_name": " "},
            {"method": "stamped"},
            {"method": "drawn", "drawing": []},
            {"method": "drawn", "drawing": [[[1, 1]]]},
            {"method": "drawn", "drawing": [[[1, 1]] * 5, "x"]},
            {"method": "drawn", "drawing": [[[1, 1]] * 5, [[601, 1]]]},
            {"method": "drawn", "drawing": [[[1, 1]] * 5, [[True, 1]]]},
            {"method": "drawn", "drawing": [[[1, 1]] * 4_001]},
            {"method": "drawn", "drawing": [[[1, 1]] * 5] * 101},
        ):
            with pytest.raises(Invalid):
                sign(session, world.carrier, agreement, **wrong)
        sign(session, world.carrier, agreement, typed_name="  delphine   QUARLES ")
        assert agreement.state == "PART_SIGNED"


def test_only_who_signs_may_sign_or_decline(session_factory: Sessions, tmp_path: Path) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = case_world.build(session)
        agreement = signing_world.sent(session, world, files)
        with pytest.raises(NothingToSign):
            sign(session, world.attorney, agreement)
        with pytest.raises(Forbidden):
            sign(session, world.specialist, agreement)
        stranger = case_world.build(session).carrier
        with pytest.raises(NotFound):
            shown(session, stranger, agreement)
        with pytest.raises(Forbidden):
            service.record_on_paper(
                session, world.parent, agreement_ref=agreement.reference,
                party_ref=world.parties["parent"].reference, signed_on=None, moment=MOMENT,
            )  # fmt: skip


def test_declining_ends_the_version_and_the_team_is_told(
    session_factory: Sessions, tmp_path: Path
) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = case_world.build(session)
        agreement = signing_world.sent(session, world, files)
        sign(session, world.parent, agreement)
        ref = agreement.reference
        with pytest.raises(AlreadySigned):
            service.decline(session, world.parent, agreement_ref=ref, reason="No", client=CLIENT,
                            moment=MOMENT)  # fmt: skip
        service.decline(
            session, world.carrier, agreement_ref=ref, reason="Clause 4 is not what we agreed",
            client=CLIENT, moment=MOMENT,
        )  # fmt: skip
        assert agreement.state == "WITHDRAWN"
        for actor in (world.carrier, world.parent):
            with pytest.raises(AgreementStepRefused):
                sign(session, actor, agreement)
        kinds = session.execute(select(ExceptionItem.kind)).scalars().all()
        assert "agreement_declined" in kinds
        own, other = (
            shown(session, world.carrier, agreement),
            shown(session, world.parent, agreement),
        )
        assert own.declined is not None
        assert other.declined is not None
        assert own.declined.reason.startswith("Clause 4")
        assert (other.declined.reason, other.declined.label) == ("", world.parties["carrier"].alias)


def test_a_paper_signature_completes_an_electronic_agreement(
    session_factory: Sessions, tmp_path: Path
) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = case_world.build(session)
        agreement = signing_world.sent(session, world, files)
        sign(session, world.carrier, agreement)
        service.record_on_paper(
            session, world.specialist, agreement_ref=agreement.reference,
            party_ref=world.parties["parent"].reference, signed_on=date(2026, 1, 14), moment=MOMENT,
        )  # fmt: skip
        assert agreement.state == "EXECUTED"
        assert signing_world.complete(session, agreement, files)
        view = shown(session, world.parent, agreement)
        certificate = next(paper for paper in view.papers if paper.part == "certificate")
        words = signing_world.words_of(session, files, certificate.document_ref)
        assert "Signed on paper" in words


def test_what_has_no_text_is_not_signed_electronically_and_a_sent_text_stays(
    session_factory: Sessions, tmp_path: Path
) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = case_world.build(session)
        plain = agreements.create_agreement(
            session, world.specialist, case_ref=world.case.reference, kind="escrow",
            title="On paper", moment=MOMENT,
        )  # fmt: skip
        ref = plain.reference
        with pytest.raises(TextMissing):
            service.send_for_signature(
                session, world.specialist, agreement_ref=ref, storage=files, moment=MOMENT
            )
        agreements.send_agreement(session, world.specialist, agreement_ref=ref, moment=MOMENT)
        with pytest.raises(TextMissing):
            sign(session, world.carrier, plain)
        assert not signing_world.complete(session, plain, files)
        sent = signing_world.sent(session, world, files)
        with pytest.raises(AgreementStepRefused):
            service.write_text(
                session, world.specialist, agreement_ref=sent.reference, body="Other",
                signing_order="together", moment=MOMENT,
            )  # fmt: skip


def test_the_agencys_contract_is_kept_from_the_carrier(
    session_factory: Sessions, tmp_path: Path
) -> None:
    files = signing_world.storage_in(tmp_path)
    with session_factory() as session, session.begin():
        world = case_world.build(session)
        agreement = signing_world.sent(
            session, world, files, kind=AgreementKind.AGENCY, body="{{recipients}} pay {{agency}}."
        )
        with pytest.raises(NotFound):
            shown(session, world.carrier, agreement)
        sign(session, world.parent, agreement)
        assert session.execute(select(Agreement.state)).scalar_one() == "EXECUTED"
