"""The end of a case through HTTP: the accounting, and each party's own word."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.domain.cases.states import Milestone
from seedtrust.domain.closing import service as closing
from tests.factories import api_world, case_world
from tests.factories.api_world import ApiWorld, new_key


@pytest.fixture
def ending(app: Flask) -> ApiWorld:
    """Return a case whose final accounting is sent to the parties."""
    world = api_world.build(app)

    def work(session: Session) -> None:
        parts, today = world.world, date(2026, 2, 20)
        case_world.happen(session, parts, Milestone.AGREEMENT_TERMINATED, on=today)
        case_world.happen(session, parts, Milestone.OBLIGATIONS_ENDED, on=today)
        session.flush()
        closing.start_closing(
            session,
            parts.specialist,
            case_ref=world.case,
            moment=Moment(world.moment().at, world.moment().at),
        )

    world.do(work)
    return world


def certify(world: ApiWorld, who: str, **body: str) -> tuple[int, str]:
    answer = world.program(who).post(f"/cases/{world.case}/certifications", body, key=new_key())
    members = answer.get_json()
    return answer.status_code, members.get("code") or members["state"]


def test_each_party_certifies_once_and_the_last_word_moves_the_case(ending: ApiWorld) -> None:
    assert certify(ending, "parent") == (201, "SENT")
    assert certify(ending, "parent") == (409, "already_certified")
    assert certify(ending, "carrier") == (201, "CERTIFIED")
    shown = ending.program("parent").get(f"/cases/{ending.case}").get_json()
    assert shown["stage"] == "FINAL_ACCOUNTING"


def test_a_parent_reads_the_figures_and_the_donor_does_not(ending: ApiWorld) -> None:
    path = f"/cases/{ending.case}/final-accounting"
    parent = ending.program("parent").get(path).get_json()
    donor = ending.program("carrier").get(path).get_json()
    assert (parent["deposits_cents"], parent["refund_cents"]) == (2_850_000, 2_850_000)
    assert (donor["deposits_cents"], donor["refund_cents"], donor["by_category"]) == (
        None,
        None,
        [],
    )
    assert parent["may_certify"]
    assert donor["may_certify"]
    labels = {one["label"] for one in donor["certifications"]}
    assert "Rosalind Ashgrove" not in labels


@pytest.mark.parametrize("who", ["attorney", "agency_admin"])
def test_nobody_certifies_for_another(ending: ApiWorld, who: str) -> None:
    assert certify(ending, who) == (403, "not_your_certification")
    other = ending.world.parties["parent"].reference
    assert certify(ending, "carrier", party=other) == (403, "not_your_certification")


def test_before_the_accounting_there_is_nothing_to_certify(world: ApiWorld) -> None:
    status, code = certify(world, "parent")
    assert (status, code) == (409, "stage_not_allowed")
    missing = world.program("parent").get(f"/cases/{world.case}/final-accounting")
    assert missing.status_code == 404
