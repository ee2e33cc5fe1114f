"""The door for what banks bring: one address per bank, open to all, believed by signature alone."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Final

import structlog
from flask import Flask, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seedtrust.core.db import is_duplicate_key
from seedtrust.core.webhooks import SignatureRefused, verify
from seedtrust.domain.operations.service import moment_of
from seedtrust.domain.payments.hints import take_hint
from seedtrust.domain.payments.subscriptions import secrets_of
from seedtrust.ext import in_transaction, reading
from seedtrust.settings import decode_webhook_secret
from seedtrust.web.actor import clock_now, current_settings, keyring
from seedtrust.web.csrf import WEBHOOK_PREFIX
from seedtrust.web.guard import PUBLIC, requires

LARGEST_BODY: Final = 65_536

log = structlog.get_logger()


def register(app: Flask) -> None:
    """Open the door."""

    @app.post(f"{WEBHOOK_PREFIX}bank/<code>", endpoint="bank_webhook")
    @requires(PUBLIC)
    def _take(code: str) -> ResponseReturnValue:
        return take(code)


def take(code: str) -> ResponseReturnValue:
    """Take one message of a bank: 204 once it is kept, also again; 401 without a good signature.

    404 for a bank that brings nothing here, 413 for more than 64 KiB, 422 for a signed body that
    is no message. Nothing of the message is believed: the bank is asked about it afterwards.
    """
    request.max_content_length = LARGEST_BODY
    keys = _keys(code)
    if not keys:
        return "", HTTPStatus.NOT_FOUND
    event_id = request.headers.get("webhook-id", "")
    body = request.get_data()
    try:
        verify(
            event_id,
            request.headers.get("webhook-timestamp", ""),
            request.headers.get("webhook-signature", ""),
            body,
            keys,
            clock_now(),
        )
    except SignatureRefused as refused:
        log.warning("webhook.refused", bank=code, reason=str(refused))
        return "", HTTPStatus.UNAUTHORIZED
    message = _message(body)
    if message is None:
        return "", HTTPStatus.UNPROCESSABLE_ENTITY
    business_clock, now = current_settings().business_clock, clock_now()

    def keep(session: Session) -> bool:
        moment = moment_of(session, business_clock, now)
        return take_hint(session, code, event_id, message, moment=moment)

    try:
        in_transaction(keep)
    except IntegrityError as error:
        if not is_duplicate_key(error):
            raise
    return "", HTTPStatus.NO_CONTENT


def _keys(code: str) -> list[bytes]:
    """Return the keys that may sign: those of the settings, and those that the bank gave us."""
    now, ring = clock_now(), keyring()
    sealed = reading(lambda session: secrets_of(session, code, ring, now))
    told = [decode_webhook_secret(secret) for secret in sealed]
    return [*current_settings().webhook_keys(code), *told]


def _message(body: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
