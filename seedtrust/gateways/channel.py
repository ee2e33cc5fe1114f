"""One HTTP line to one bank: time-outs, budget, breaker, and a log of every call."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import requests
import structlog

from seedtrust.core.failpoints import reach
from seedtrust.domain.payments.ports import (
    AuthFailed,
    BankCall,
    BankError,
    CallLog,
    NotSent,
    OutcomeUnknown,
)
from seedtrust.gateways.guards import CircuitBreaker, Limits, RateBudget

Json = Mapping[str, object]

_LONG_NUMBER: Final = re.compile(r"\d{5,}")
_SENTENCE_LENGTH: Final = 300
# What a server says in the handshake, before it reads anything of a call (RFC 8446, section 6.2).
_REFUSALS: Final = (
    "ACCESS_DENIED",
    "CERTIFICATE",
    "HANDSHAKE_FAILURE",
    "INSUFFICIENT_SECURITY",
    "PROTOCOL_VERSION",
    "UNKNOWN_CA",
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LineTimeouts:
    """How long a call may take, in seconds: to connect, and to wait for the answer's next bytes."""

    connect_seconds: float = 5.0
    read_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The certificate and key files with which we show the bank who we are, in PEM."""

    certificate: Path
    key: Path

    def check(self) -> None:
        """Refuse files that cannot be used together. Raises AuthFailed before any call."""
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(self.certificate, self.key)
        except OSError as error:
            message = "Our certificate for the bank cannot be used. Look at its files."
            raise AuthFailed(message, word=type(error).__name__) from error


@dataclass(slots=True)
class Noted:
    """What a call leaves in the log besides its outcome."""

    status: int = 0


def redacted(text: str) -> str:
    """Return a text of the bank without the long numbers in it, which may be accounts."""
    return _LONG_NUMBER.sub(lambda found: f"…{found[0][-4:]}", text)[:_SENTENCE_LENGTH]


def log_line(call: BankCall) -> None:
    """Write a call into the process's own log; where no table is at hand, that is all."""
    log.info(
        "bank.call",
        bank=call.bank,
        verb=call.verb,
        reference=call.reference,
        outcome=call.outcome,
        status=call.status,
        duration_ms=call.duration_ms,
        sentence=call.sentence,
    )


class Channel:
    """The line: it sends bytes and types what may go wrong with them, and knows no vocabulary."""

    def __init__(
        self,
        bank: str,
        base_url: str,
        *,
        timeouts: LineTimeouts,
        limits: Limits,
        certificate: ClientCertificate | None = None,
        authority: Path | None = None,
        call_log: CallLog = log_line,
    ) -> None:
        """Take the bank's code and address, who we are, and who vouches for the bank.

        Without an authority the machine's own are trusted. Nothing is called yet.
        """
        self._bank, self._base_url = bank, base_url.rstrip("/")
        self._timeouts = (timeouts.connect_seconds, timeouts.read_seconds)
        self._certificate, self._authority = certificate, authority
        self._call_log = call_log
        self._budget, self.breaker = RateBudget(limits), CircuitBreaker(limits)

    @contextmanager
    def noted(self, verb: str, reference: str = "") -> Iterator[Noted]:
        """Write what happens in the block into the call log, whatever it is."""
        noted, began = Noted(), time.monotonic()
        outcome, sentence = "ok", ""
        try:
            yield noted
        except BankError as error:
            outcome, sentence = type(error).__name__, error.sentence
            raise
        except Exception as error:
            outcome = type(error).__name__
            raise
        finally:
            duration_ms = round((time.monotonic() - began) * 1000)
            self._call_log(
                BankCall(
                    self._bank,
                    verb,
                    reference,
                    outcome,
                    noted.status,
                    duration_ms,
                    redacted(sentence),
                )
            )

    def slow_down(self, response: requests.Response) -> None:
        """Obey a bank that asks us to call less often."""
        said = response.headers.get("Retry-After", "")
        self._budget.pause(float(said) if said.isdigit() else 1.0)

    def read(
        self,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        noted: Noted,
    ) -> requests.Response:
        """Ask something that changes nothing. Raises NotSent for every kind of silence."""
        try:
            return self._send("GET", path, noted, params=query, headers=headers)
        except requests.RequestException as error:
            raise _not_reached(error) from error

    def write(
        self, path: str, body: Json, headers: Mapping[str, str], noted: Noted
    ) -> requests.Response:
        """Ask something that may move money.

        Raises NotSent before the first byte, OutcomeUnknown for every kind of silence after it.
        """
        try:
            return self._send("POST", path, noted, json=body, headers=headers)
        except requests.RequestException as error:
            if _nothing_was_sent(error):
                raise _not_reached(error) from error
            message = "We asked the bank and its answer did not arrive."
            raise OutcomeUnknown(message, word=type(error).__name__) from error

    def remove(self, path: str, headers: Mapping[str, str], noted: Noted) -> requests.Response:
        """Ask for the end of something that moves no money. Raises NotSent."""
        try:
            return self._send("DELETE", path, noted, headers=headers)
        except requests.RequestException as error:
            raise _not_reached(error) from error

    def form(
        self,
        path: str,
        fields: Mapping[str, str],
        credentials: tuple[str, str] | None,
        noted: Noted,
    ) -> requests.Response:
        """Send a form that moves nothing, such as the one for a token. Raises NotSent."""
        try:
            return self._send("POST", path, noted, data=fields, auth=credentials)
        except requests.RequestException as error:
            raise _not_reached(error) from error

    def _send(self, method: str, path: str, noted: Noted, **content: object) -> requests.Response:
        self.breaker.admit()
        self._budget.take()
        shown = self._shown()
        reach("bank.before_call")
        try:
            response = requests.request(
                method,
                f"{self._base_url}{path}",
                timeout=self._timeouts,
                cert=shown,
                verify=True if self._authority is None else str(self._authority),
                allow_redirects=False,
                **content,  # type: ignore[arg-type]
            )
        except requests.RequestException:
            self.breaker.failed()
            raise
        reach("bank.after_call")
        noted.status = response.status_code
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.breaker.failed()
        else:
            self.breaker.succeeded()
        return response

    def _shown(self) -> tuple[str, str] | None:
        """Return the files with which we show who we are. Raises AuthFailed, NotSent."""
        if self._authority is not None and not self._authority.is_file():
            message = "The file of who vouches for the bank is missing."
            raise NotSent(message, word=self._authority.name)
        if self._certificate is None:
            return None
        self._certificate.check()
        return str(self._certificate.certificate), str(self._certificate.key)


def json_of(response: requests.Response) -> Json | None:
    """Return the object that an answer holds, or None if it holds anything else."""
    try:
        body = response.json()
    except requests.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def _not_reached(error: requests.RequestException) -> NotSent:
    """Return what a call that did not get through is, in words for the person who looks at it."""
    found = _tls_error(error)
    if isinstance(found, ssl.SSLCertVerificationError):
        return NotSent("The bank's certificate is not one that we trust.", word="certificate")
    if found is not None and _is_about_us(found):
        return AuthFailed("The bank does not accept our certificate.", word=str(found.reason))
    return NotSent("The bank cannot be reached.", word=type(error).__name__)


def _nothing_was_sent(error: requests.RequestException) -> bool:
    """Tell whether a call provably failed before anything was sent.

    No name, no route, refused; or a handshake that one side refused with a reason. A secure
    connection that merely breaks off says nothing, because that happens after a call as well.
    """
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    if not isinstance(error, requests.ConnectionError):
        return False
    found = _tls_error(error)
    if found is not None:
        return isinstance(found, ssl.SSLCertVerificationError) or _is_about_us(found)
    reason = error.args[0] if error.args else None
    cause = getattr(reason, "reason", None)
    return type(cause).__name__ in {"NewConnectionError", "NameResolutionError"}


def _tls_error(error: requests.RequestException) -> ssl.SSLError | None:
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    found = reason.args[0] if isinstance(reason, Exception) and reason.args else None
    return found if isinstance(found, ssl.SSLError) else None


def _is_about_us(error: ssl.SSLError) -> bool:
    """Tell whether the bank has ended the handshake because of what we showed or offered."""
    reason = error.reason or ""
    return "ALERT" in reason and any(word in reason for word in _REFUSALS)
