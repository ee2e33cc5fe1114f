"""Signatures of messages that a bank brings to us, as Standard Webhooks says.

https://github.com/standard-webhooks/standard-webhooks: HMAC-SHA256 over id, time and the raw body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

SKEW: Final = timedelta(minutes=5)
_MOST_SIGNATURES: Final = 10
_EVENT_ID: Final = re.compile(r"[!-~]{1,100}", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE: Final = re.compile(r"v1,([A-Za-z0-9+/]{43}=)", re.ASCII)


class SignatureRefused(Exception):
    """A message is not proved to come from whom it should come from."""


def sign(key: bytes, event_id: str, seconds: str, body: bytes) -> str:
    """Return the signature of a message in the form in which its header carries it."""
    content = f"{event_id}.{seconds}.".encode() + body
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def verify(  # noqa: PLR0917 - the three headers, the body, the keys and the time
    event_id: str,
    seconds: str,
    signatures: str,
    body: bytes,
    keys: Sequence[bytes],
    now: datetime,
) -> None:
    """Check one message against every key that may have signed it, over its raw bytes.

    The header may carry several signatures while the bank changes its key, and we may hold
    several keys. Every comparison takes the same time. Raises SignatureRefused.
    """
    if not _EVENT_ID.fullmatch(event_id) or not _SECONDS.fullmatch(seconds):
        message = "The message has no usable id or time."
        raise SignatureRefused(message)
    sent_at = datetime.fromtimestamp(int(seconds), UTC)
    if abs(now - sent_at) > SKEW:
        message = "The message is too old, or from the future."
        raise SignatureRefused(message)
    given = [
        part.encode()
        for part in signatures.split(" ")[:_MOST_SIGNATURES]
        if _SIGNATURE.fullmatch(part)
    ]
    is_good = False
    for key in keys:
        wanted = sign(key, event_id, seconds, body).encode()
        for signature in given:
            is_good |= hmac.compare_digest(signature, wanted)
    if not is_good:
        message = "The signature does not fit the message."
        raise SignatureRefused(message)
