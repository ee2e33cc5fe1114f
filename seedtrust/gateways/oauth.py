"""Access tokens by client credentials (RFC 6749, 4.4), each kept until shortly before its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from seedtrust.domain.payments.ports import AuthFailed, NotSent
from seedtrust.gateways.channel import Channel, json_of
from seedtrust.gateways.profile import TokenPart

# A token is renewed before it runs out, so that none expires on its way to the bank.
_MARGIN_SECONDS: Final = 30.0
_DEFAULT_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to the bank's token service."""

    id: str
    secret: str = field(repr=False)


class TokenSource:
    """The current access token of a bank, shared by threads."""

    def __init__(
        self,
        channel: Channel,
        part: TokenPart,
        client: Client,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the line and the client; nothing is called yet."""
        self._channel, self._part, self._client, self._clock = channel, part, client, clock
        self._lock = threading.Lock()
        self._token, self._good_until = "", 0.0

    def current(self) -> str:
        """Return a token, a new one if need be. Raises AuthFailed, NotSent."""
        with self._lock:
            if not self._token or self._clock() >= self._good_until:
                self._token, seconds = self._fetch()
                self._good_until = self._clock() + max(seconds - _MARGIN_SECONDS, seconds / 2)
            return self._token

    def forget(self, token: str) -> None:
        """Drop a token that the bank does not take any more, unless it was replaced already."""
        with self._lock:
            if token == self._token:
                self._token = ""

    def _fetch(self) -> tuple[str, float]:
        fields = {"grant_type": "client_credentials"}
        if self._part.scope:
            fields["scope"] = self._part.scope
        credentials: tuple[str, str] | None = (self._client.id, self._client.secret)
        if self._part.credentials == "body":
            fields |= {"client_id": self._client.id, "client_secret": self._client.secret}
            credentials = None
        with self._channel.noted("token") as noted:
            response = self._channel.form(self._part.path, fields, credentials, noted)
            if HTTPStatus.BAD_REQUEST <= response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                    self._channel.slow_down(response)
                    message = "The bank asks us to slow down."
                    raise NotSent(message, word="429")
                message = "The bank does not accept our client id and secret."
                raise AuthFailed(message, word=str(response.status_code))
            body = json_of(response) if response.status_code == HTTPStatus.OK else None
            token = None if body is None else body.get("access_token")
            if not isinstance(token, str) or not token:
                message = "The bank gave us no access token."
                raise NotSent(message, word=str(response.status_code))
            seconds = body.get("expires_in") if body is not None else None
            whole = isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0
            return token, float(seconds) if whole else _DEFAULT_SECONDS  # type: ignore[arg-type]
