"""Neither side of an anonymous case learns who the other is, whatever view it opens."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Invalid
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.anonymity import Veil, case_label, party_label
from seedtrust.domain.cases.errors import PartyOnBothSides
from seedtrust.domain.cases.models import Case, CaseParty
from seedtrust.domain.cases.queries import (
    CaseFilters,
    activity,
    case_view,
    list_cases,
    milestones_view,
    side_of,
    veil_for,
)
from seedtrust.domain.cases.states import AgreementKind, CaseKind, Milestone, Side
from seedtrust.domain.closing import service as closing
from seedtrust.domain.closing.queries import accounting_view
from seedtrust.domain.documents.intake import looked_at
from seedtrust.domain.documents.queries import visible_documents
from seedtrust.domain.documents.service import store
from seedtrust.domain.terms import agreements, milestones
from seedtrust.domain.terms.queries import agreements_of, schedule_of, terms_of
from seedtrust.domain.terms.states import Category, TaxClass, TermKind
from seedtrust.gateways.storage import LocalStorage
from tests.factories import case_world as world_of

Sessions = sessionmaker[Session]
SECRETS = {
    "carrier": ("delphine", "quarles", "victor", "brandt"),
    "parent": ("rosalind", "ashgrove"),
}


def _everything(session: Session, actor: Actor, world: world_of.World) -> str:
    """Return all that the views say to somebody, as one text."""
    ref = world.case.reference
    rows = list_cases(session, actor, filters=CaseFilters()).rows
    accounting = accounting_view(session, actor, ref)
    parts = [
        *[asdict(row) for row in rows],
        asdict(case_view(session, actor, ref)),
        *[asdict(one) for one in milestones_view(session, actor, world.case)],
        *[asdict(one) for one in activity(session, actor, world.case)],
        *[asdict(one) for one in terms_of(session, actor, ref)],
        *[asdict(one) for one in schedule_of(session, actor, world.case)],
        *[asdict(one) for one in agreements_of(session, actor, world.case)],
        *[asdict(one) for one in visible_documents(session, actor, ref)],
        *([asdict(accounting)] if accounting else []),
    ]
    return json.dumps(parts, default=str).lower()


def _rich_case(session: Session, folder: Path) -> world_of.World:
    """Build a case in which every text that people write names both sides."""
    world = world_of.build(session)
    ref = world.case.reference
    storage = LocalStorage(folder)
    moment = world_of.moment_on(date(2026, 1, 8))
    for actor, visibility in (
        (world.parent, "recipient"),
        (world.carrier, "carrier"),
        (world.specialist, "staff"),
    ):
        paper = looked_at(f"paid by {actor.name}".encode(), "text/plain")
        storage.put(paper.sha256, paper.content)
        store(
            session,
            actor,
            case_ref=ref,
            kind="evidence",
            title=f"{actor.name} receipt.txt",
            visibility=visibility,
            paper=paper,
            moment=moment,
        )
    world_of.propose(
        session,
        world,
        category=Category.DONOR_COMPENSATION,
        kind=TermKind.SCHEDULED,
        payee="carrier",
        amount_cents=240_000,
        trigger=Milestone.MEDICATION_STARTED,
        tax_class=TaxClass.COMPENSATION,
        title="Start fee of Delphine Quarles, paid by R. Ashgrove",
    )
    world_of.propose(
        session, world, category=Category.LEGAL, payee="attorney", title="Mr BRANDT for quarles"
    )
    world_of.activate(session, world)
    _sign_with_both_names(session, world)
    _end_early(session, world)
    return world


def _sign_with_both_names(session: Session, world: world_of.World) -> None:
    ref = world.case.reference
    moment = world_of.moment_on(date(2026, 1, 8))
    agreement = agreements.create_agreement(
        session,
        world.specialist,
        case_ref=ref,
        kind="donor",
        title="Agreement of Ashgrove and Quarles",
        moment=moment,
    )
    agreements.send_agreement(
        session, world.specialist, agreement_ref=agreement.reference, moment=moment
    )
    world_of.sign(session, world, AgreementKind.ESCROW)
    world_of.fund(session, world)
    for key, actor in (("parent", world.parent), ("carrier", world.carrier)):
        agreements.sign_agreement(
            session,
            actor,
            agreement_ref=agreement.reference,
            party_ref=world.parties[key].reference,
            moment=world_of.moment_on(date(2026, 2, 18)),
        )


def _end_early(session: Session, world: world_of.World) -> None:
    ref = world.case.reference
    milestones.record_milestone(
        session,
        world.specialist,
        case_ref=ref,
        code=Milestone.MEDICATION_STARTED,
        occurred_on=date(2026, 3, 6),
        note="Delphine Quarles began; Rosalind Ashgrove was told",
        moment=world_of.moment_on(date(2026, 3, 6)),
    )
    world_of.happen(session, world, Milestone.AGREEMENT_TERMINATED, on=date(2026, 3, 9))
    world_of.happen(session, world, Milestone.OBLIGATIONS_ENDED, on=date(2026, 3, 9))
    for item in world_of.planned(session, world):
        item.state = "CANCELLED"
    session.flush()
    closing.start_closing(
        session, world.specialist, case_ref=ref, moment=world_of.moment_on(date(2026, 3, 10))
    )
    closing.certify(
        session, world.carrier, case_ref=ref, moment=world_of.moment_on(date(2026, 3, 11))
    )


def test_no_view_of_either_side_names_the_other(session_factory: Sessions, tmp_path: Path) -> None:
    with session_factory() as session, session.begin():
        world = _rich_case(session, tmp_path)
        to_parent = _everything(session, world.parent, world)
        to_carrier = _everything(session, world.carrier, world)
        to_attorney = _everything(session, world.attorney, world)
        for secret in SECRETS["carrier"]:
            assert secret not in to_parent
        for secret in SECRETS["parent"]:
            assert secret not in to_carrier
            assert secret not in to_attorney
        assert world.parties["carrier"].alias.lower() in to_parent
        assert world.parties["parent"].alias.lower() in to_carrier


def test_the_agency_and_the_company_read_names(session_factory: Sessions, tmp_path: Path) -> None:
    with session_factory() as session, session.begin():
        world = _rich_case(session, tmp_path)
        for actor in (world.agency_admin, world.specialist, world.auditor):
            said = _everything(session, actor, world)
            assert "delphine quarles" in said
            assert "rosalind ashgrove" in said


def test_the_carrier_reads_nothing_of_the_agencys_money_or_the_parents_balance(
    session_factory: Sessions, tmp_path: Path
) -> None:
    with session_factory() as session, session.begin():
        world = _rich_case(session, tmp_path)
        world_of.propose(
            session, world, category=Category.AGENCY_FEE, payee="agency_admin", cap_cents=850_000
        )
        world_of.activate(session, world)
        categories = {
            row.category for row in terms_of(session, world.carrier, world.case.reference)
        }
        assert categories == {"donor_compensation", "legal"}
        seen = accounting_view(session, world.carrier, world.case.reference)
        assert seen is not None
        assert (seen.deposits_cents, seen.by_category) == (None, ())
        assert accounting_view(session, world.parent, world.case.reference).refund_cents == (  # type: ignore[union-attr]
            2_850_000
        )


def test_aliases_are_drawn_for_each_client_side_and_shared_by_parents(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        second = cases.add_party(
            session,
            world.specialist,
            case_ref=world.case.reference,
            role=Role.INTENDED_PARENT,
            side=Side.RECIPIENT,
            name="Quentin Ashgrove",
            must_sign=False,
            must_certify=False,
            moment=world_of.moment_on(date(2026, 1, 6)),
        )
        parent, carrier = world.parties["parent"], world.parties["carrier"]
        assert parent.alias.startswith("Recipient ")
        assert carrier.alias.startswith("Donor ")
        assert second.alias == parent.alias
        assert world.parties["attorney"].alias == f"Attorney of {carrier.alias}"
        assert world.parties["agency_admin"].alias == ""


def test_a_given_alias_is_kept_and_one_that_tells_is_refused(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)

        def add(alias: str, name: str = "Nadia Holm") -> CaseParty:
            return cases.add_party(
                session,
                world.specialist,
                case_ref=world.case.reference,
                role=Role.INTENDED_PARENT,
                side=Side.RECIPIENT,
                name=name,
                alias=alias,
                must_sign=False,
                must_certify=False,
                moment=world_of.moment_on(date(2026, 1, 6)),
            )

        assert add("Recipient 2207").alias == "Recipient 2207"
        for telling in (
            "Nadia Holm",
            "nadia",
            "The Holms and Holm",
            world.parties["carrier"].alias,
        ):
            with pytest.raises(Invalid) as refusal:
                add(telling)
            assert "alias" in refusal.value.errors


def test_nobody_stands_on_both_sides_of_an_anonymous_case(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        with pytest.raises(PartyOnBothSides):
            cases.add_party(
                session,
                world.specialist,
                case_ref=world.case.reference,
                role=Role.ATTORNEY,
                side=Side.RECIPIENT,
                name="Victor Brandt",
                user_id=world.attorney.user_id,
                must_sign=False,
                must_certify=False,
                moment=world_of.moment_on(date(2026, 1, 6)),
            )


@pytest.mark.parametrize(
    "kind_of_case, viewer, expected",
    [
        ("anonymous", None, "Delphine Quarles"),
        ("anonymous", Side.AGENCY, "Delphine Quarles"),
        ("anonymous", Side.CARRIER, "Delphine Quarles"),
        ("anonymous", Side.RECIPIENT, "Donor 4471"),
        ("open", Side.RECIPIENT, "Delphine Quarles"),
    ],
)
def test_a_label_depends_on_who_looks(
    kind_of_case: str, viewer: Side | None, expected: str
) -> None:
    case = Case(anonymous=kind_of_case == "anonymous", number=100398, name="Ashgrove_Quarles")
    party = CaseParty(side=Side.CARRIER.value, name="Delphine Quarles", alias="Donor 4471")
    assert party_label(case, party, viewer) == expected


def test_the_name_of_an_anonymous_case_is_its_number_for_the_clients() -> None:
    case = Case(anonymous=True, number=100398, name="Ashgrove_Quarles")
    assert case_label(case, Side.RECIPIENT) == "Case 100398"
    assert case_label(case, Side.CARRIER) == "Case 100398"
    assert case_label(case, Side.AGENCY) == "Ashgrove_Quarles"
    assert case_label(case, None) == "Ashgrove_Quarles"


def _veil(name: str, email: str = "", *, own: str = "Rosalind Ashgrove") -> Veil:
    case = Case(anonymous=True, number=100398, name="Ashgrove_Quarles")
    parties = [
        CaseParty(side="carrier", name=name, email=email, alias="Donor 4471"),
        CaseParty(side="recipient", name=own, email="", alias="Recipient 2207"),
    ]
    return Veil(case, parties, Side.RECIPIENT)


@pytest.mark.parametrize(
    "written, read",
    [
        ("Receipt of Delphine Quarles", "Receipt of Donor 4471"),
        ("scan_delphine-quarles_01.pdf", "scan_Donor 4471_01.pdf"),
        ("DELPHINEQUARLES.JPG", "Donor 4471.JPG"),
        ("Ms Quarles flew", "Ms Donor 4471 flew"),
        ("mail d.quarles@mail.example now", "mail Donor 4471 now"),
        ("Case Ashgrove_Quarles", "Case Case 100398"),
        ("Quarlesian art", "Quarlesian art"),
    ],
)
def test_names_in_texts_become_the_alias(written: str, read: str) -> None:
    veil = _veil("Delphine Quarles", "d.quarles@mail.example")
    assert veil.text(written) == read
    assert veil.finds(written) is (written != read)


def test_accents_do_not_hide_a_name() -> None:
    assert _veil("José Núñez").text("Jose Nunez and JOSÉ") == "Donor 4471 and Donor 4471"


def test_a_name_that_is_an_everyday_word_is_hidden_where_it_is_a_name() -> None:
    veil = _veil("Grace Will")
    assert veil.text("Grace has a will, WILL said") == "Donor 4471 has a will, Donor 4471 said"
    assert not veil.finds("A will for the parents")


def test_a_name_that_both_sides_share_and_words_of_the_trade_stay_as_they_are() -> None:
    veil = _veil("Dana Ashgrove", "donor@mail.example")
    assert veil.text("Ashgrove paid the donor") == "Ashgrove paid the donor"
    assert veil.text("Dana Ashgrove, donor@mail.example") == "Donor 4471, Donor 4471"


def test_texts_pass_unchanged_for_the_company_and_on_open_cases(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        open_case = world_of.build(session, kind=CaseKind.SURROGACY, anonymous=False)
        assert not veil_for(session, world.specialist, world.case)
        assert not veil_for(session, world.agency_admin, world.case)
        assert veil_for(session, world.carrier, world.case)
        assert not veil_for(session, open_case.carrier, open_case.case)
        assert side_of(session, world.carrier, world.case.id) is Side.CARRIER


def test_a_side_cannot_search_its_cases_by_the_others_name(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)

        def hits(actor: Actor, text: str) -> int:
            return len(list_cases(session, actor, filters=CaseFilters(search=text)).rows)

        assert hits(world.specialist, "quarles") == 1
        assert hits(world.parent, "quarles") == 0
        assert hits(world.parent, str(world.case.number)) == 1
