"""Access tokens of the sandbox bank: signed, short-lived and valid across a restart."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from itsdangerous import BadData, URLSafeSerializer

from seedtrust.sandbox.problems import BankProblem


@dataclass(frozen=True)
class Keys:
    """What customers prove themselves by: a static key, or an id and secret for tokens."""

    api_key: str = field(repr=False)
    client_id: str = "seedtrust"
    client_secret: str = field(default="", repr=False)

    def _serializer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.api_key, salt="access-token")

    def is_client(self, client_id: str, client_secret: str) -> bool:
        """Tell whether an id and a secret are the customer's; the key serves as the secret."""
        expected = self.client_secret or self.api_key
        is_id = hmac.compare_digest(client_id.encode(), self.client_id.encode())
        return hmac.compare_digest(client_secret.encode(), expected.encode()) and is_id

    def issue(self, now: datetime, seconds: int) -> str:
        """Return a token that is over after some seconds of real time."""
        claims = {"until": now.timestamp() + seconds, "nonce": secrets.token_hex(8)}
        return str(self._serializer().dumps(claims))

    def require(self, given: str, now: datetime) -> None:
        """Raise BankProblem unless a bearer value is the static key or a token of today."""
        if hmac.compare_digest(given.encode("utf-8", "replace"), self.api_key.encode()):
            return
        try:
            claims = self._serializer().loads(given)
        except BadData as error:
            message = "Send an access token, or the bank's API key, as a bearer token."
            raise BankProblem("unauthenticated", message) from error
        if now.timestamp() >= claims["until"]:
            raise BankProblem("token_expired", "The token is over. Ask for a new one.")
