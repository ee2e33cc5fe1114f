"""The simulated bank brings its events to the product's own door, and plays its tricks on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.serving import make_server

from seedtrust.app import create_app
from seedtrust.domain.payments.models import BankInboxItem
from seedtrust.ext import db
from seedtrust.settings import Settings
from tests.sandbox.support import TRUST, Caller, ach_body, open_bank
from tests.support.services import free_port


@dataclass
class Visit:
    """The bank, and what the product has kept of what it brought."""

    bank: Caller
    sessions: sessionmaker[Session]

    def kept(self) -> list[tuple[str, str]]:
        """Return ids and kinds of the messages that were kept, in the order they came."""
        with self.sessions() as session, session.begin():
            rows = session.execute(select(BankInboxItem).order_by(BankInboxItem.id)).scalars()
            return [(row.external_id, row.kind) for row in rows]

    def brought(self) -> dict[str, object]:
        """Wait until nothing is on its way, and return the state of the deliveries."""
        pause = threading.Event()
        state: dict[str, object] = {}
        for _ in range(9000):
            state = self.bank.get("/sim/webhooks")
            if state["pending"] == 0:
                return state
            pause.wait(0.02)
        message = f"deliveries still wait: {state}"
        raise AssertionError(message)


@pytest.fixture
def visit(
    database_url: str, tmp_path: Path, session_factory: sessionmaker[Session]
) -> Iterator[Visit]:
    """Start the bank and the product's door, which knows the secret that the bank gave."""
    bank = open_bank(tmp_path / "bank")
    bank.post("/sim/accounts", TRUST)
    bank.at("2026-01-22")
    bank.fund(100_000)
    port = free_port()
    address = {"url": f"http://127.0.0.1:{port}/webhooks/bank/huntington"}
    secret = bank.post("/v1/webhook-subscriptions", address)["secret"]
    settings = Settings.from_env(
        env="test",
        data_dir=tmp_path,
        database_url=database_url,
        bank_webhook_secrets=str(secret),
    )
    app = create_app(settings)
    server = make_server("127.0.0.1", port, app)
    serving = threading.Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    yield Visit(bank, session_factory)
    bank.stop()
    server.shutdown()
    serving.join()
    server.server_close()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_what_the_bank_brings_is_believed_and_kept_once(visit: Visit) -> None:
    bank = visit.bank
    bank.post("/sim/webhooks/pause")
    bank.post("/sim/webhooks/duplicate", {"count": 9})
    bank.post("/v1/payments", ach_body(100, "STP000000000001"))
    bank.at("2026-01-23")
    bank.post("/sim/webhooks/shuffle")
    bank.post("/sim/webhooks/resume")
    assert visit.brought()["delivered"] == 4
    ids = [str(event["id"]) for event in bank.events()[1:]]
    assert [event_id for event_id, _ in visit.kept()] == ids[::-1]
    bank.post("/sim/webhooks/redeliver", {"event_id": int(ids[0])})
    visit.brought()
    assert len(visit.kept()) == 4


@pytest.mark.parametrize("kind", ["bad_signature", "unsigned", "tampered", "old_timestamp"])
def test_no_forgery_is_believed(visit: Visit, kind: str) -> None:
    (told,) = visit.bank.post("/sim/webhooks/forge", {"kind": kind})["data"]  # type: ignore[misc]
    assert told["status"] == 401  # type: ignore[has-type]
    assert visit.kept() == []
