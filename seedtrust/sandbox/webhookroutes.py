"""Routes of the simulator that play tricks with webhooks."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response

from seedtrust.sandbox import courier, webhooks
from seedtrust.sandbox.replies import json_body, json_body_if_any, reply, the_bank
from seedtrust.sandbox.store import Connection

webhook_tricks = Blueprint("webhook_tricks", __name__, url_prefix="/sim/webhooks")


def _after(change: Callable[[Connection], None]) -> Response:
    """Do something to the deliveries and show how they stand then."""
    bank = the_bank()
    with bank.unit() as connection:
        change(connection)
        shown = webhooks.as_json(connection)
    return reply(shown)


@webhook_tricks.get("")
def show_webhooks() -> Response:
    """Show the deliveries and the tricks that are armed."""
    with the_bank().unit() as connection:
        return reply(webhooks.as_json(connection))


@webhook_tricks.post("/pause")
def pause_webhooks() -> Response:
    """Keep deliveries back; they pile up in order."""
    return _after(lambda connection: webhooks.arm(connection, "pause", 1))


@webhook_tricks.post("/resume")
def resume_webhooks() -> Response:
    """Bring what has piled up."""
    return _after(lambda connection: webhooks.arm(connection, "pause", 0))


@webhook_tricks.post("/drop")
def drop_webhooks() -> Response:
    """Lose the next deliveries on the way."""
    count = webhooks.parse_count(json_body_if_any())
    return _after(lambda connection: webhooks.arm(connection, "drop", count))


@webhook_tricks.post("/duplicate")
def duplicate_webhooks() -> Response:
    """Bring the next deliveries twice."""
    count = webhooks.parse_count(json_body_if_any())
    return _after(lambda connection: webhooks.arm(connection, "duplicate", count))


@webhook_tricks.post("/shuffle")
def shuffle_webhooks() -> Response:
    """Turn the order of what waits round."""
    return _after(webhooks.shuffle)


@webhook_tricks.post("/redeliver")
def redeliver_webhooks() -> Response:
    """Bring an event, or all after a cursor, again."""
    body = json_body()
    return _after(lambda connection: webhooks.redeliver(connection, body))


@webhook_tricks.post("/forge")
def forge_webhook() -> Response:
    """Send a message that no event stands behind, now, and tell what subscribers replied."""
    forgery = courier.parse_forgery(json_body())
    return reply({"data": courier.forge(the_bank(), forgery)})
