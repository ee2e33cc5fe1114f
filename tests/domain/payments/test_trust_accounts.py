"""Setting up a trust account, and what the pages show of payments."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Forbidden, NotFound
from seedtrust.core.permissions import Actor, Role
from seedtrust.domain.ledger import chart
from seedtrust.domain.payments import queries
from seedtrust.domain.payments.errors import InvalidTrustAccount
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.payments.service import open_trust_account
from seedtrust.domain.payments.states import InstructionState, RunState
from seedtrust.jobs.payments import transmit_run
from tests.factories.case_world import person
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import SYSTEM, PaymentWorld, moment_at
from tests.fakes.bank import FakeBank

FACTS: dict[str, object] = {
    "code": "other",
    "name": "Other trust",
    "case_rail": "huntington",
    "bank_name": "Sandbox bank",
    "bank_account_ref": "other",
    "routing_number": "044000024",
    "last_four": "8814",
    "immediate_destination": " 044000024",
    "immediate_origin": "1844200025",
    "company_name": "SEEDTRUST ESCROW",
    "company_identification": "1844200025",
    "odfi_identification": "04400002",
}


def opened(
    sessions: sessionmaker[Session], actor: Actor = SYSTEM, **changes: object
) -> TrustAccount:
    """Open a trust account with some facts changed."""
    with sessions() as session, session.begin():
        return open_trust_account(session, actor, **(FACTS | changes), moment=moment_at())  # type: ignore[arg-type]


def test_a_trust_account_opens_the_books_and_its_cash(
    session_factory: sessionmaker[Session],
) -> None:
    account = opened(session_factory)
    with session_factory() as session, session.begin():
        cash = chart.account_id(session, "trust", "bank_cash:other")
        assert account.ledger_account_id == cash
        assert chart.account_id(session, "trust", "in_transit:wire:out")


@pytest.mark.parametrize(
    "field,value",
    [
        ("code", "Not a code"),
        ("name", " "),
        ("case_rail", "pigeon"),
        ("routing_number", "044000025"),
        ("immediate_destination", "04400002"),
        ("immediate_origin", "12345"),
        ("immediate_origin", "          "),
        ("company_identification", "123456789é"),
        ("company_name", "A name longer than sixteen"),
        ("company_name", ""),
        ("odfi_identification", "0440000"),
        ("odfi_identification", "99999999"),
        ("odfi_identification", "٠٤٤٠٠٠٠٢"),
        ("ach_cutoff_local", "25:00"),
        ("ach_cutoff_local", "2 pm"),
        ("wire_cutoff_local", "16:00:00"),
    ],
)
def test_what_the_bank_assigned_is_checked_before_anything_is_opened(
    session_factory: sessionmaker[Session], field: str, value: object
) -> None:
    with pytest.raises(InvalidTrustAccount) as refusal:
        opened(session_factory, SYSTEM, **{field: value})
    assert list(refusal.value.errors) == [field]
    with session_factory() as session, session.begin():
        assert queries.trust_account_ids(session) == []
    assert opened(session_factory).code == "other"


def test_only_a_command_opens_a_trust_account(world: PaymentWorld) -> None:
    with pytest.raises(Forbidden):
        opened(world.sessions, world.controller)
    account = opened(world.sessions)
    ids = world.do(queries.trust_account_ids)
    assert ids == [world.trust_account_id, account.id]
    assert world.do(lambda s: queries.trust_account_ids(s, code="other")) == [account.id]
    views = world.do(lambda s: queries.trust_accounts(s, world.controller))
    assert [(view.name, view.masked_number) for view in views] == [
        ("Client trust", "••••8806"),
        ("Other trust", "••••8814"),
    ]


def test_a_run_page_shows_everything_masked(world: PaymentWorld, desk: JobDesk[FakeBank]) -> None:
    world.ready(2)
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    view = world.do(lambda s: queries.run_view(s, world.lead, run.reference))
    number = f"77{world.numbers[-1]:08d}"
    assert {row.masked_number for row in view.payments} == {f"••••{number[-4:]}"}
    assert number not in repr(view)
    assert view.file is not None
    assert (view.file.credit_cents, view.file.modifier) == (20_001, "A")
    assert (view.may_lock, view.may_release, view.may_cancel) == (False, False, False)
    assert view.summary.state_label == "Transmitted"
    assert view.summary.releaser_name == world.lead.name


def test_a_payments_timeline_tells_every_step(world: PaymentWorld, desk: JobDesk[FakeBank]) -> None:
    world.ready()
    run = world.released()
    transmit_run(desk.tools, {"run": run.reference})
    [payment] = world.do(lambda s: queries.run_view(s, world.lead, run.reference)).payments
    found, steps = world.do(lambda s: queries.payment_view(s, world.lead, payment.reference))
    assert found == payment
    assert [step.to_state for step in steps] == [
        InstructionState.CREATED,
        InstructionState.RELEASED,
        InstructionState.SUBMITTING,
        InstructionState.SENT,
    ]
    assert steps[1].actor_name == world.lead.name
    assert steps[-1].bank_word == "in the inbox"
    with pytest.raises(NotFound):
        world.do(lambda s: queries.payment_view(s, world.lead, "AAAAAAAAAAAAAAA"))


def test_lists_of_runs_and_payments_by_state(world: PaymentWorld) -> None:
    world.ready()
    first = world.locked()
    world.ready()
    world.collect()

    def listed(session: Session, *states: RunState) -> list[str]:
        return [row.reference for row in queries.list_runs(session, world.lead, states=states)]

    assert world.do(lambda s: listed(s, RunState.LOCKED)) == [first.reference]
    everything = world.do(listed)
    assert (len(everything), everything[1]) == (2, first.reference)
    older = world.do(lambda s: queries.list_runs(s, world.lead, before_id=first.id))
    assert older == []
    created = world.do(lambda s: queries.payments_in(s, world.lead, [InstructionState.CREATED]))
    assert len(created) == 2


def test_payments_are_for_staff(world: PaymentWorld) -> None:
    parent = world.do(lambda s: person(s, "Rosalind Ashgrove", Role.INTENDED_PARENT))
    world.ready()
    run = world.collect()
    assert run is not None
    with pytest.raises(Forbidden):
        world.do(lambda s: queries.run_view(s, parent, run.reference))
    with pytest.raises(Forbidden):
        world.do(lambda s: queries.list_runs(s, parent))
    assert world.do(lambda s: queries.run_view(s, world.escrow, run.reference)).payments


def test_the_payments_of_a_request_are_told_oldest_first(world: PaymentWorld) -> None:
    request = world.request(world.case(), world.payee())
    run = world.locked()
    found = world.do(lambda s: queries.payments_of_request(s, request.id))
    assert [(row.run_ref, row.request_ref) for row in found] == [(run.reference, request.reference)]


def test_every_state_has_words_and_every_step_leads_somewhere() -> None:
    from seedtrust.domain.payments import states

    labelled = (
        (states.InstructionState, states.INSTRUCTION_LABELS, states.INSTRUCTION_TONES),
        (states.RunState, states.RUN_LABELS, states.RUN_TONES),
    )
    for enum, labels, tones in labelled:
        assert set(labels) == set(tones) == set(enum)
    assert set(states.EXCEPTION_LABELS) == set(states.ExceptionReason)
    reached = {to for steps in states.INSTRUCTION_STEPS.values() for to in steps}
    assert reached | {states.InstructionState.CREATED} == set(states.InstructionState)
    reached_runs = {to for steps in states.RUN_STEPS.values() for to in steps}
    assert reached_runs == set(states.RunState)
