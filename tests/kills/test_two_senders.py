"""Two senders at one file, each standing still where it hurts: the bank is given it once."""

from __future__ import annotations

import random
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.domain.payments.models import PaymentRun
from seedtrust.domain.payments.states import Rail
from seedtrust.ext import db, reading
from seedtrust.jobs.payments import transmit_run
from tests.factories.payment_world import MONDAY
from tests.kills.bank_process import bank_process
from tests.kills.proof import look_into
from tests.kills.rounds import Office
from tests.kills.series import Series
from tests.kills.workers import STOPPED, Fate, Worker


def sending(office: Office) -> Callable[[], object]:
    """Return the work of sending the first file."""

    def first(session: Session) -> str:
        rows = select(PaymentRun.reference).where(PaymentRun.rail == Rail.ACH.value)
        return session.execute(rows.order_by(PaymentRun.id)).scalars().first() or ""

    payload = {"run": reading(first)}
    db.session.remove()
    db.engine.dispose()
    tools = office.tools(MONDAY)
    return lambda: transmit_run(tools, payload)


def test_who_had_to_wait_for_the_folder_looks_again_before_putting_a_file_into_it(
    on_sqlite: Series,
) -> None:
    place = on_sqlite.again()
    with bank_process(place.bank_dir) as bank:
        work = sending(Office(place, bank, random.Random(0)))  # noqa: S311 - a game of dice
        # The first stands still with the folder's lock; the second has seen that nothing is there.
        first = Worker(work, Fate(1, "file.before_rename", stops=True), Fate(1, "file.in_place"))
        assert first.wait().died_at == STOPPED
        second = Worker(work, Fate(3, "unit.after_commit", stops=True))
        assert second.wait().died_at == STOPPED
        # The first puts the file in place and dies before it can say so; the bank takes it.
        assert first.go_on().died_at == "file.in_place"
        bank.control.scan()
        assert second.go_on().died_at == ""
        bank.control.scan()
    assert list(look_into(place).files.values()) == [1]
