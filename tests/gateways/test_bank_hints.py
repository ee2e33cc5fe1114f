"""What the simulated bank brings over a socket, followed by the worker's own jobs to the end.

| Deliveries | What makes it good |
|---|---|
| as they should be, doubled, reversed | each message is kept once and the bank is asked |
| forged | refused at the door; signed well over nothing, the bank is asked and knows better |
| lost | the event log is read by its cursor |

Whichever it was, the same payments, books, blocked accounts and corrections are left.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.serving import make_server

from seedtrust.app import create_app
from seedtrust.core.clock import SystemClock
from seedtrust.domain.outbox.models import OutboxMessage
from seedtrust.domain.payments.models import (
    AccountCorrection,
    BankInboxItem,
    PaymentInstruction,
)
from seedtrust.domain.payments.ports import HUNTINGTON
from seedtrust.ext import db
from seedtrust.gateways.channel import LineTimeouts
from seedtrust.gateways.huntington import HuntingtonBank
from seedtrust.gateways.oauth import Client
from seedtrust.gateways.profile import load_profile
from seedtrust.jobs.bank import poll_events
from seedtrust.jobs.relay import drain
from seedtrust.jobs.subscriptions import door_of, keep_subscribed, subscribe
from seedtrust.settings import Settings
from tests.factories import payment_world
from tests.factories.bank_answers import lines, open_items
from tests.factories.job_tools import JobDesk, database_of_jobs
from tests.factories.payment_world import KEYRING, SYSTEM, PaymentWorld
from tests.fakes.bank import FakeBank
from tests.gateways.conftest import API_KEY, Simulator
from tests.gateways.test_bank_answers import FRIDAY, payee_at

LANE = f"bank.{HUNTINGTON}"
# One settles; two come back, of which R04 blocks the account; one is followed by a correction.
NUMBERS = ("4411000001", "4411009901", "4411009904", "4411009851")
ENDED = [("SETTLED", ""), ("RETURNED", "R01"), ("RETURNED", "R04"), ("SETTLED", "")]


@dataclass
class House:
    """Payments that are at the bank, the product's door, and the worker of the bank's lane."""

    world: PaymentWorld
    desk: JobDesk[Any]
    simulator: Simulator

    def sim(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        """Pull a string of the simulator."""
        answer = requests.request(
            method,
            f"{self.simulator.running.url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {API_KEY}"},
            timeout=20,
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def work(self) -> None:
        """Keep what is promised in the bank's lane, as its worker does."""
        drain(self.desk.tools, LANE)

    def brought(self) -> dict[str, Any]:
        """Wait until no delivery is on its way, and return how they went."""
        pause = threading.Event()
        state: dict[str, Any] = {}
        for _ in range(9000):
            state = self.sim("GET", "/sim/webhooks")
            if state["pending"] == 0:
                return state
            pause.wait(0.02)
        message = f"deliveries still wait: {state}"
        raise AssertionError(message)

    def ended(self) -> list[tuple[str, str]]:
        """Return where the payments stand, with the code of what came back."""
        row = PaymentInstruction
        statement = select(row.state, row.return_code).order_by(row.position)
        return self.world.do(lambda s: [tuple(found) for found in s.execute(statement)])  # type: ignore[misc]

    def kept(self) -> list[str]:
        """Return the outcome of every message that was kept."""
        statement = (
            select(BankInboxItem.outcome)
            .where(BankInboxItem.source == f"webhook.{HUNTINGTON}")
            .order_by(BankInboxItem.id)
        )
        return self.world.do(lambda session: list(session.execute(statement).scalars()))

    def promised(self) -> int:
        """Return how many promises to follow a message were made."""
        statement = select(OutboxMessage.id).where(OutboxMessage.topic == "bank.hint")
        return len(self.world.do(lambda session: session.execute(statement).all()))

    def left(self) -> dict[str, object]:
        """Return everything that may not depend on how it was told."""
        row = AccountCorrection
        statement = select(row.change_code, row.last_four).order_by(row.id)
        return {
            "payments": self.ended(),
            "books": sorted(map(str, lines(self.world))),
            "open": sorted(open_items(self.world)),
            "corrections": self.world.do(lambda s: [tuple(r) for r in s.execute(statement)]),
        }

    def settled(self) -> list[int]:
        """Return what the books say was paid, in their order, in cents."""
        return [cents for kind, _on, cents, _balance in lines(self.world) if kind == "DISBURSEMENT"]

    def door(self) -> str:
        """Return the address that the bank was given."""
        return door_of(self.desk.tools, HUNTINGTON)

    def reference(self, *, last: bool = False) -> str:
        """Return the reference of the first payment, or of the last."""
        statement = select(PaymentInstruction.reference).order_by(PaymentInstruction.position)
        return self.world.do(lambda s: str(s.execute(statement).scalars().all()[-1 if last else 0]))

    def forge(self, kind: str, reference: str) -> int:
        """Have somebody bring a made-up message about a payment; return what we answered."""
        data = {"client_reference": reference, "status": "settled"}
        told = self.sim("POST", "/sim/webhooks/forge", {"kind": kind, "data": data})
        (answer,) = told["data"]
        return int(answer["status"])


@pytest.fixture
def house(
    database_url: str,
    session_factory: sessionmaker[Session],
    simulator: Simulator,
    tmp_path: Path,
) -> Iterator[House]:
    """Send four payments through the interface; the bank knows our door before it takes them."""
    world = payment_world.build(session_factory, rail="huntington")
    adapter = HuntingtonBank(
        simulator.running.url,
        Client("seedtrust", API_KEY),
        load_profile("neutral"),
        timeouts=LineTimeouts(5.0, 20.0),
    )
    desk: JobDesk[Any] = JobDesk.open(FakeBank(), adapter)
    # What is brought is signed in real time, and so promised in real time.
    desk.tools = replace(desk.tools, clock=SystemClock())
    found = House(world, desk, simulator)
    account = {"account_id": "trust", "amount_cents": 1_000_000, "sender_name": "Somebody"}
    simulator.control.receive_wire({**account, "text": "hello", "reference": ""}, key="fund")
    case = world.case()
    for place, number in enumerate(NUMBERS):
        world.request(case, payee_at(world, number), amount_cents=10_000 + place)
    with database_of_jobs(database_url):
        assert poll_events(desk.tools, HUNTINGTON)[1] == 0
        with open_door(database_url, tmp_path / "app") as url:
            desk.tools = replace(desk.tools, public_base_url=url)
            assert keep_subscribed(desk.tools) == (1, 0)
            yield found
            simulator.running.stop()


@contextmanager
def open_door(database_url: str, data_dir: Path) -> Iterator[str]:
    """Serve the product on a free port, with the keys that the worker has; give its address."""
    keys = {name: base64.b64encode(key).decode() for name, key in KEYRING.keys.items()}
    settings = Settings.from_env(
        env="test",
        data_dir=data_dir,
        database_url=database_url,
        field_keys=",".join(f"{name}:{key}" for name, key in keys.items()),
        index_key=base64.b64encode(KEYRING.index_key).decode(),
    )
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = threading.Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()
    server.server_close()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def send(house: House) -> None:
    """Let the worker send what was released, and the bank do what it does until Friday."""
    house.world.released()
    house.work()
    assert {state for state, _code in house.ended()} == {"ACCEPTED"}
    house.simulator.at(FRIDAY)
    house.desk.at(FRIDAY)


@pytest.mark.parametrize("play", ["plain", "doubled", "shuffled", "doubled and shuffled", "lost"])
def test_however_messages_come_the_same_books_are_left(house: House, play: str) -> None:
    house.sim("POST", "/sim/webhooks/pause")
    if "doubled" in play:
        house.sim("POST", "/sim/webhooks/duplicate", {"count": 100})
    if play == "lost":
        house.sim("POST", "/sim/webhooks/drop", {"count": 100})
    send(house)
    if "shuffled" in play:
        house.sim("POST", "/sim/webhooks/shuffle")
    house.sim("POST", "/sim/webhooks/resume")
    told = house.brought()
    house.work()
    if play == "lost":
        assert (told["delivered"], house.kept()) == (0, [])
        assert {state for state, _code in house.ended()} == {"ACCEPTED"}
        assert poll_events(house.desk.tools, HUNTINGTON)[1] == 0
    else:
        assert told["delivered"] == house.promised() == len(house.kept()) > len(NUMBERS)
        assert "" not in house.kept()
    once = house.left()
    assert once["payments"] == ENDED
    assert house.settled() == [-10_000 - place for place in range(len(NUMBERS))]
    assert once["corrections"] == [("C01", "4051")]
    assert once["open"] == ["deposit.unidentified", "payment.returned", "payment.returned"]
    # Whatever else tells the same: the event log, and every message once more.
    poll_events(house.desk.tools, HUNTINGTON)
    house.sim("POST", "/sim/webhooks/redeliver", {"after": 0})
    house.brought()
    house.work()
    assert house.left() == once


def test_a_message_that_overtakes_others_lets_earlier_payments_stand_first(house: House) -> None:
    house.sim("POST", "/sim/webhooks/pause")
    send(house)
    assert house.forge("signed", house.reference(last=True)) == 204
    house.work()
    assert house.settled() == [-10_000 - place for place in range(len(NUMBERS))]
    assert house.ended() == ENDED


@pytest.mark.parametrize("kind", ["bad_signature", "unsigned", "tampered", "old_timestamp"])
def test_no_forgery_moves_anything(house: House, kind: str) -> None:
    house.sim("POST", "/sim/webhooks/pause")
    house.world.released()
    house.work()
    before = house.left()
    assert house.forge(kind, house.reference()) == 401
    house.work()
    assert (house.left(), house.kept(), house.promised()) == (before, [], 0)


def test_a_lie_under_a_good_signature_has_the_bank_asked_and_moves_nothing(house: House) -> None:
    house.sim("POST", "/sim/webhooks/pause")
    house.world.released()
    house.work()
    before, reference = house.left(), house.reference()
    assert house.forge("signed", reference) == 204
    house.work()
    assert house.left() == before
    assert house.kept() == [f"Payment {reference} is ACCEPTED."]


def test_the_bank_signs_with_a_new_secret_and_nothing_is_lost(house: House) -> None:
    house.sim("POST", "/sim/webhooks/pause")
    send(house)
    assert subscribe(house.desk.tools, SYSTEM, HUNTINGTON, house.door(), new_secret=True)
    house.sim("POST", "/sim/webhooks/resume")
    house.brought()
    house.work()
    assert house.ended() == ENDED
    assert len(house.sim("GET", "/v1/webhook-subscriptions")["data"]) == 1
