"""Mail: every notice renders in both parts, goes through a real SMTP server, and goes once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.app import make_tools
from seedtrust.domain.notices.catalogue import CATALOGUE, NoticeEvent
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.notices.queries import QueuedMail
from seedtrust.domain.notices.service import Recipient, notify
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.notices import render
from seedtrust.jobs.relay import drain
from seedtrust.jobs.tools import Tools
from seedtrust.settings import Settings
from tests.support.services import free_port

NOW = datetime(2026, 1, 5, 15, tzinfo=UTC)
FACTS = {
    "case": "100398",
    "case_ref": "ABCDEFGHIJKLMNO",
    "request": "ABCDEFGHIJKLMNO",
    "category": "legal",
    "reason": "The invoice is missing.",
    "next_step": "Ask the payee.",
    "sentence": "A file was altered.",
    "account": "the account ending in 4321",
    "meaning": "The account number changed.",
    "due": "2026-01-15",
    "name": "Maren Holt",
    "days": "7",
    "amount": "25,000.00",
    "due_on": "2025-10-24",
    "agreement": "escrow agreement",
    "agreement_ref": "ABCDEFGHIJKLMNO",
}


class Catcher:
    """A mail server that keeps what it is sent, or refuses an address for good."""

    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_RCPT(  # noqa: N802 - the name that the server library calls
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Refuse one address."""
        if address.startswith("gone@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the name that the server library calls
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        """Keep one message."""
        import email

        self.mails.append(email.message_from_bytes(envelope.content))
        return "250 OK"


@pytest.fixture
def catcher() -> Iterator[tuple[Catcher, int]]:
    """Run a mail server on a free port."""
    handler, port = Catcher(), free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


@pytest.fixture
def tools(settings: Settings, catcher: tuple[Catcher, int]) -> Tools:
    """Return the product's own tools, with mail going to the catcher."""
    from pydantic import SecretStr

    url = SecretStr(f"smtp://127.0.0.1:{catcher[1]}")
    return make_tools(settings.model_copy(update={"smtp_url": url}))


def _tell(app: Flask, address: str = "maren@families.example", key: str = "k-1") -> None:
    def work(session: Session) -> None:
        recipient = Recipient(None, address, FACTS)
        notify(session, NoticeEvent.REQUEST_NEEDS_INFO, key, [recipient], now=NOW)

    with app.app_context():
        in_transaction(work)


def _states(app: Flask) -> dict[str, str]:
    with app.app_context():
        rows = reading(
            lambda session: list(
                session.execute(select(NoticeDelivery.channel, NoticeDelivery.state))
            )
        )
    return dict(rows)


@pytest.mark.parametrize("event", list(NoticeEvent))
def test_every_notice_renders_in_both_parts(event: NoticeEvent, tools: Tools) -> None:
    facts = dict(FACTS)
    if event is NoticeEvent.INVITED:
        facts["token_sealed"] = tools.keyring.seal("a-token", "notice_deliveries.facts.k-1")
    mail = render(tools, QueuedMail(1, "R" * 15, event.value, "k-1", "a@b.example", facts))
    assert mail.subject == CATALOGUE[event].subject
    assert mail.subject in mail.text
    assert mail.html.count("<h1") == 1
    assert "{{" not in mail.text + mail.html


@pytest.mark.parametrize("event", list(NoticeEvent))
def test_no_subject_tells_an_amount_or_a_name(event: NoticeEvent) -> None:
    subject = CATALOGUE[event].subject
    assert not any(character.isdigit() or character == "$" for character in subject)


def test_a_notice_goes_out_through_smtp_once(
    app: Flask, tools: Tools, catcher: tuple[Catcher, int]
) -> None:
    _tell(app)
    _tell(app)
    with app.app_context():
        drain(tools)
        drain(tools)
    [mail] = catcher[0].mails
    assert mail["To"] == "maren@families.example"
    assert mail.get_content_type() == "multipart/alternative"
    assert _states(app) == {"mail": "sent", "in_app": "sent"}


def test_an_address_that_is_refused_for_good_is_recorded_and_not_tried_again(
    app: Flask, tools: Tools, catcher: tuple[Catcher, int]
) -> None:
    _tell(app, "gone@families.example")
    with app.app_context():
        assert drain(tools) == 1
        assert drain(tools) == 0
    assert catcher[0].mails == []
    assert _states(app)["mail"] == "failed"


def test_a_server_that_is_down_only_delays_the_mail(app: Flask, settings: Settings) -> None:
    from pydantic import SecretStr

    url = SecretStr(f"smtp://127.0.0.1:{free_port()}")
    _tell(app)
    with app.app_context():
        assert drain(make_tools(settings.model_copy(update={"smtp_url": url}))) == 1
    assert _states(app)["mail"] == "queued"
