"""The switch that stops sending on a rail: nothing is sent, nothing is lost."""

from __future__ import annotations

import pytest

from seedtrust.core.errors import Forbidden, Invalid, NotFound
from seedtrust.domain.payments import railstops
from seedtrust.domain.payments.errors import RailStopped
from seedtrust.domain.payments.ports import OutcomeUnknown
from seedtrust.domain.payments.states import Rail
from seedtrust.jobs.payments import transmit_run
from seedtrust.jobs.sending import send_payment, take_up
from tests.domain.payments.test_sending import refund, states
from tests.factories.job_tools import JobDesk
from tests.factories.payment_world import PaymentWorld, moment_at
from tests.fakes.bank import FakeBank


def stop(world: PaymentWorld, rail: Rail, *, reason: str = "The bank is under attack.") -> None:
    """Stop a rail as a lead."""
    world.do(
        lambda session: railstops.stop_rail(
            session, world.lead, bank="filedrop", rail=rail, reason=reason, moment=moment_at()
        )
    )


def lift(world: PaymentWorld, rail: Rail) -> None:
    """Lift the stop as the controller."""
    world.do(
        lambda session: railstops.lift_stop(
            session, world.controller, bank="filedrop", rail=rail, moment=moment_at()
        )
    )


def test_a_stopped_rail_sends_nothing_and_goes_on_where_it_stood(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    stop(world, Rail.WIRE)
    with pytest.raises(RailStopped):
        send_payment(desk.tools, {"instruction": payment.reference})
    assert (desk.bank.orders, states(world, run, payment)[1]) == ([], "RELEASED")
    lift(world, Rail.WIRE)
    desk.later(120)
    assert take_up(desk.tools) == (1, 0)
    assert len(desk.bank.orders) == 1


def test_a_stopped_rail_seals_a_file_and_keeps_it(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    world.ready()
    run = world.released()
    stop(world, Rail.ACH)
    with pytest.raises(RailStopped):
        transmit_run(desk.tools, {"run": run.reference})
    assert desk.bank.deliveries == []
    lift(world, Rail.ACH)
    transmit_run(desk.tools, {"run": run.reference})
    assert len(desk.bank.deliveries) == 1


def test_what_is_unclear_is_still_asked_about_and_not_sent_again(
    world: PaymentWorld, desk: JobDesk[FakeBank]
) -> None:
    run, payment = refund(world)
    desk.bank.fail_before = OutcomeUnknown("No answer came.")
    send_payment(desk.tools, {"instruction": payment.reference})
    stop(world, Rail.WIRE)
    for _ in range(5):
        desk.later(1800)
        take_up(desk.tools)
    assert (desk.bank.orders, states(world, run, payment)[1]) == ([], "UNKNOWN")
    lift(world, Rail.WIRE)
    desk.later(1800)
    take_up(desk.tools)
    assert len(desk.bank.orders) == 1


def test_one_rail_stops_without_the_other(world: PaymentWorld, desk: JobDesk[FakeBank]) -> None:
    _run, payment = refund(world)
    stop(world, Rail.ACH)
    stop(world, Rail.ACH, reason="Again.")
    send_payment(desk.tools, {"instruction": payment.reference})
    assert len(desk.bank.orders) == 1
    found = world.do(lambda session: railstops.list_rails(session, world.builder))
    assert [(one.bank, one.rail, one.is_stopped) for one in found] == [
        ("filedrop", Rail.ACH, True),
        ("filedrop", Rail.WIRE, False),
    ]
    assert (found[0].reason, found[0].stopped_by_name) == (
        "The bank is under attack.",
        "Piet Vandermeer",
    )


def test_who_may_stop_a_rail_and_which_there_are(world: PaymentWorld) -> None:
    with pytest.raises(Invalid) as refusal:
        stop(world, Rail.WIRE, reason=" ")
    assert list(refusal.value.errors) == ["reason"]
    for bank, rail in (("nowhere", "wire"), ("filedrop", "pigeon")):
        with pytest.raises(NotFound):
            world.do(
                lambda session, bank=bank, rail=rail: railstops.lift_stop(  # type: ignore[misc]
                    session, world.lead, bank=bank, rail=rail, moment=moment_at()
                )
            )
    with pytest.raises(Forbidden):
        world.do(
            lambda session: railstops.stop_rail(
                session,
                world.builder,
                bank="filedrop",
                rail=Rail.WIRE,
                reason="No.",
                moment=moment_at(),
            )
        )
    lift(world, Rail.WIRE)
