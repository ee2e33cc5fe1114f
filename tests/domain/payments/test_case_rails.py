"""How a case is paid: by where its parents live, or by a decision before money has moved."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import Forbidden, Invalid
from seedtrust.core.permissions import Role
from seedtrust.domain.cases.models import Case
from seedtrust.domain.cases.states import Side, Stage
from seedtrust.domain.payments import caserails
from seedtrust.domain.payments.errors import MoneyHasMoved
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.payments.service import open_trust_account
from seedtrust.domain.payments.states import CaseRail
from tests.factories.payment_world import ROUTING, SYSTEM, PaymentWorld, moment_at
from tests.support.source import ROOT, name_of, python_files


@pytest.fixture
def both(world: PaymentWorld) -> PaymentWorld:
    """Open the interface's trust account beside the one of files."""
    world.do(
        lambda session: open_trust_account(
            session,
            SYSTEM,
            code="api",
            name="Client trust, interface",
            case_rail=CaseRail.HUNTINGTON,
            bank_name="Sandbox bank",
            bank_account_ref="trust-api",
            routing_number=ROUTING,
            last_four="8814",
            immediate_destination=f" {ROUTING}",
            immediate_origin="1844200025",
            company_name="SEEDTRUST ESCROW",
            company_identification="1844200025",
            odfi_identification=ROUTING[:8],
            moment=moment_at(),
        )
    )
    return world


def parent_from(world: PaymentWorld, case: Case, region: str) -> None:
    """Put a parent on a case, as every door does."""

    def work(session: Session) -> None:
        caserails.join_case(
            session,
            world.escrow,
            case_ref=case.reference,
            role=Role.INTENDED_PARENT,
            side=Side.RECIPIENT,
            name=f"Rosalind {region}",
            region=region,
            must_sign=True,
            must_certify=True,
            moment=moment_at(),
        )

    world.do(work)


def choose(
    world: PaymentWorld, case: Case, rail: str, *, reason: str = "The parents asked."
) -> None:
    """Decide as a lead."""
    world.do(
        lambda session: caserails.choose_rail(
            session,
            world.lead,
            case_ref=case.reference,
            rail=rail,
            reason=reason,
            moment=moment_at(),
        )
    )


def rail_of(world: PaymentWorld, case: Case) -> tuple[str, str]:
    """Return the rail of a case and the bank of its account."""
    statement = (
        select(Case.rail, TrustAccount.bank_code)
        .join(TrustAccount, TrustAccount.id == Case.trust_account_id)
        .where(Case.id == case.id)
    )
    rail, bank = world.do(lambda session: session.execute(statement).one())
    return rail, bank


@pytest.mark.parametrize(
    "region,expected",
    [("CA", ("huntington", "huntington")), ("MA", ("nacha", "filedrop"))],
)
def test_parents_in_california_are_paid_for_by_the_interface(
    both: PaymentWorld, region: str, expected: tuple[str, str]
) -> None:
    case = both.case(funds_cents=0, stage=Stage.AWAITING_ESCROW_AGREEMENT)
    parent_from(both, case, region)
    assert rail_of(both, case) == expected


def test_a_decision_stands_against_the_rule(both: PaymentWorld) -> None:
    case = both.case(funds_cents=0, stage=Stage.AWAITING_ESCROW_AGREEMENT)
    choose(both, case, "nacha")
    parent_from(both, case, "CA")
    assert rail_of(both, case) == ("nacha", "filedrop")
    shown = both.do(lambda s: caserails.rail_of_case(s, both.lead, case.reference))
    assert (shown.rail, shown.by_rule) == (CaseRail.NACHA, CaseRail.HUNTINGTON)
    assert (shown.chosen_by, shown.reason) == ("Piet Vandermeer", "The parents asked.")
    choose(both, case, "huntington")
    assert rail_of(both, case) == ("huntington", "huntington")


def test_with_the_first_cent_the_rail_is_settled(both: PaymentWorld) -> None:
    case = both.case(funds_cents=100, stage=Stage.PENDING_FUNDING)
    with pytest.raises(MoneyHasMoved):
        choose(both, case, "huntington")
    parent_from(both, case, "CA")
    assert rail_of(both, case) == ("nacha", "filedrop")


def test_who_may_decide_and_what_it_needs(both: PaymentWorld) -> None:
    case = both.case(funds_cents=0, stage=Stage.AWAITING_ESCROW_AGREEMENT)
    for rail, reason, name in (("huntington", " ", "reason"), ("pigeon", "Fast.", "rail")):
        with pytest.raises(Invalid) as refusal:
            choose(both, case, rail, reason=reason)
        assert list(refusal.value.errors) == [name]
    with pytest.raises(Forbidden):
        both.do(
            lambda session: caserails.choose_rail(
                session,
                both.builder,
                case_ref=case.reference,
                rail="huntington",
                reason="No.",
                moment=moment_at(),
            )
        )


def test_a_rail_without_an_account_cannot_be_chosen(world: PaymentWorld) -> None:
    case = world.case(funds_cents=0, stage=Stage.AWAITING_ESCROW_AGREEMENT)
    with pytest.raises(Invalid):
        choose(world, case, "huntington")
    parent_from(world, case, "CA")
    assert rail_of(world, case) == ("nacha", "filedrop")


def test_nobody_puts_a_parent_on_a_case_past_the_rule() -> None:
    # Opening a case and adding its parents is one path for pages, interface and journeys.
    found = [
        name_of(path)
        for path in python_files("seedtrust")
        if "add_party(" in path.read_text(encoding="utf-8")
    ]
    assert sorted(found) == [
        "seedtrust/domain/cases/service.py",
        "seedtrust/domain/payments/caserails.py",
        "seedtrust/journeys/opening.py",
    ]
    player = (ROOT / "seedtrust/journeys/opening.py").read_text(encoding="utf-8")
    assert "cases.add_party(" not in player


def test_only_parents_decide_by_where_they_live(both: PaymentWorld) -> None:
    case = both.case(funds_cents=0, stage=Stage.AWAITING_ESCROW_AGREEMENT)

    def work(session: Session) -> None:
        caserails.join_case(
            session,
            both.escrow,
            case_ref=case.reference,
            role=Role.DONOR,
            side=Side.CARRIER,
            name="Delphine Quarles",
            region="CA",
            must_sign=True,
            must_certify=True,
            moment=moment_at(),
        )

    both.do(work)
    assert rail_of(both, case) == ("nacha", "filedrop")
