"""Sending notices: the words come from templates, the delivery is recorded."""

from __future__ import annotations

from functools import lru_cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy.orm import Session

from seedtrust.core.locations import templates_folder
from seedtrust.domain.notices.catalogue import CATALOGUE, NoticeEvent
from seedtrust.domain.notices.ports import Mail, MailRefused
from seedtrust.domain.notices.queries import QueuedMail, queued_mail
from seedtrust.domain.notices.service import mark_refused, mark_sent
from seedtrust.ext import in_transaction, reading
from seedtrust.jobs.tools import Tools


def send_mail(tools: Tools, payload: dict[str, str]) -> None:
    """Send one queued mail and record it; a delivery that was sent before is left alone.

    A worker that dies between the server's answer and the record sends a second copy with the
    same Message-ID, which mailboxes fold into one.
    """

    def find(session: Session) -> QueuedMail | None:
        return queued_mail(session, payload["delivery"])

    delivery = reading(find)
    if delivery is None:
        return
    mail = render(tools, delivery)
    try:
        tools.mailer.send(mail)
    except MailRefused as error:
        sentence = str(error)
        in_transaction(lambda session: mark_refused(session, delivery.id, sentence))
        return
    in_transaction(lambda session: mark_sent(session, delivery.id, now=tools.clock.now()))


def render(tools: Tools, delivery: QueuedMail) -> Mail:
    """Return the message of a delivery, plain and HTML from one template pair."""
    notice = CATALOGUE[NoticeEvent(delivery.event)]
    facts = dict(delivery.facts)
    for name in [key for key in facts if key.endswith("_sealed")]:
        aad = f"notice_deliveries.facts.{delivery.event_key}"
        facts[name.removesuffix("_sealed")] = tools.keyring.open(facts.pop(name), aad)
    words = {"facts": facts, "subject": notice.subject, "base_url": tools.public_base_url}
    environment = _environment()
    return Mail(
        delivery.reference,
        delivery.recipient,
        notice.subject,
        environment.get_template(f"{notice.template}.txt").render(words),
        environment.get_template(f"{notice.template}.html").render(words),
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(templates_folder()),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
