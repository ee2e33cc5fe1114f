"""The bank that takes single payments over its interface; every word of it stands in a profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import Final, NoReturn

import requests

from seedtrust.core.failpoints import reach
from seedtrust.domain.payments.ports import (
    HUNTINGTON,
    AuthFailed,
    BankBalance,
    BankError,
    BankHealth,
    CallLog,
    Capabilities,
    CutoffPassed,
    Declined,
    EventPage,
    FileSnapshot,
    FileUpload,
    InboundFile,
    NotSent,
    NotSupported,
    OutcomeUnknown,
    PaymentOrder,
    PaymentSnapshot,
    ProtocolError,
    Subscription,
)
from seedtrust.gateways.channel import (
    Channel,
    ClientCertificate,
    Json,
    LineTimeouts,
    Noted,
    json_of,
    log_line,
    redacted,
)
from seedtrust.gateways.oauth import Client, TokenSource
from seedtrust.gateways.profile import Profile, WebhookPart
from seedtrust.gateways.translation import (
    Unreadable,
    body_of,
    day_at,
    event_page_of,
    rows_at,
    snapshot_of,
    subscription_of,
    text_at,
    whole_cents_at,
)

_OK: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED})
_ENDED: Final = _OK | {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND}
_NO_LOOKUP: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.NOT_IMPLEMENTED})


class HuntingtonBank:
    """A bank behind OAuth 2 client credentials, one payment per call, our reference as its key."""

    def __init__(
        self,
        base_url: str,
        client: Client,
        profile: Profile,
        *,
        timeouts: LineTimeouts | None = None,
        certificate: ClientCertificate | None = None,
        authority: Path | None = None,
        call_log: CallLog = log_line,
        code: str = HUNTINGTON,
    ) -> None:
        """Take address, client and profile; nothing is called yet."""
        self._profile, self._code = profile, code
        self._channel = Channel(
            code,
            base_url,
            timeouts=timeouts or LineTimeouts(),
            limits=profile.call_limits,
            certificate=certificate,
            authority=authority,
            call_log=call_log,
        )
        self._tokens = TokenSource(self._channel, profile.token, client)

    def capabilities(self) -> Capabilities:
        """Return what the bank has promised in writing."""
        return self._profile.capabilities

    def health(self) -> BankHealth:
        """Tell whether the bank answers and knows us."""
        try:
            self._read("health", self._profile.paths.health, {})
        except BankError as error:
            return BankHealth(ok=False, business_at=None, detail=error.sentence)
        return BankHealth(ok=True, business_at=None, detail="")

    def get_balance(self, account_ref: str, as_of_on: date | None = None) -> BankBalance:
        """Return an account's balance now, or at the end of a day. Raises NotSent."""
        part = self._profile.balance
        query = {} if as_of_on is None else {part.as_of_query: as_of_on.isoformat()}
        path = self._profile.paths.balance.format(account=account_ref)
        body = self._read("balance", path, query)
        try:
            return BankBalance(
                whole_cents_at(body, part.ledger, self._profile.amounts),
                whole_cents_at(body, part.available, self._profile.amounts),
                day_at(body, part.as_of),
            )
        except Unreadable as error:
            message = f"The bank's balance cannot be read: {error}."
            raise NotSent(message) from error

    def create_payment(self, order: PaymentOrder) -> PaymentSnapshot:
        """Send one payment under our reference.

        Raises NotSent as long as nothing can have happened, AuthFailed, Declined, CutoffPassed,
        ProtocolError for an answer that cannot be, and OutcomeUnknown for everything else.
        """
        part = self._profile.create
        headers = {part.key_header: order.client_reference} if part.key_header else {}
        with self._channel.noted("create_payment", order.client_reference) as noted:
            reach("wire.before_call")
            response = self._authorised(
                lambda auth: self._channel.write(
                    self._profile.paths.payments,
                    body_of(order, self._profile),
                    {**headers, **auth},
                    noted,
                )
            )
            reach("wire.after_call")
            snapshot = self._taken(response)
            if (
                snapshot.client_reference != order.client_reference
                or snapshot.amount_cents != order.amount_cents
                or snapshot.rail not in {"", order.rail}
            ):
                message = "The bank confirms another payment than the one we asked for."
                raise ProtocolError(message, word=snapshot.word)
            return snapshot

    def find_payment(self, client_reference: str) -> PaymentSnapshot | None:
        """Return the payment with our reference, or None.

        Raises NotSent, ProtocolError, and NotSupported where the bank has no look-up.
        """
        part = self._profile.lookup
        with self._channel.noted("find_payment", client_reference) as noted:
            reach("wire.before_lookup")
            response = self._get(
                self._profile.paths.payments, {part.query: client_reference}, noted
            )
            reach("wire.looked_up")
            if response.status_code in _NO_LOOKUP:
                message = "The bank cannot be asked for a payment by our reference."
                raise NotSupported(message, word=str(response.status_code))
            place = self._profile.payment.client_reference
            found = [
                row
                for row in self._rows(response)
                if text_at(row, place, needed=False) == client_reference
            ]
            if len(found) > 1:
                message = f"The bank has {len(found)} payments under our reference."
                raise ProtocolError(message)
            return self._snapshot(found[0]) if found else None

    def get_payment(self, bank_ref: str) -> PaymentSnapshot:
        """Return a payment by the bank's own id. Raises NotSent, ProtocolError."""
        path = self._profile.paths.payment.format(id=bank_ref)
        return self._snapshot(self._read("get_payment", path, {}))

    def cancel_payment(self, bank_ref: str) -> PaymentSnapshot:
        """Ask the bank to stop a payment that it has not sent on.

        Raises Declined when it is too late, and what sending raises.
        """
        path = self._profile.paths.cancel.format(id=bank_ref)
        with self._channel.noted("cancel_payment", bank_ref) as noted:
            response = self._authorised(lambda auth: self._channel.write(path, {}, auth, noted))
            return self._taken(response)

    def list_subscriptions(self) -> tuple[Subscription, ...]:
        """Return where the bank brings its events. Raises NotSent, NotSupported."""
        part = self._webhooks()
        body = self._read("list_subscriptions", part.subscriptions, {})
        try:
            rows = rows_at(body, part.rows)
            return tuple(subscription_of(row, self._profile) for row in rows)
        except Unreadable as error:
            message = f"The bank's subscriptions cannot be read: {error}."
            raise NotSent(message) from error

    def subscribe(self, url: str) -> Subscription:
        """Have events brought to an address; the answer alone tells the secret.

        Raises what a write raises, and NotSupported.
        """
        part = self._webhooks()
        return self._subscribed("subscribe", part.subscriptions, {part.url: url})

    def rotate_secret(self, bank_ref: str, *, keep_seconds: int) -> Subscription:
        """Return a subscription with a new secret. Raises what a write raises, NotSupported."""
        part = self._webhooks()
        path = part.rotate.format(id=bank_ref)
        return self._subscribed("rotate_secret", path, {part.keep_seconds: keep_seconds})

    def unsubscribe(self, bank_ref: str) -> None:
        """End a subscription; one that is not there is ended. Raises NotSent, NotSupported."""
        path = self._webhooks().subscription.format(id=bank_ref)
        with self._channel.noted("unsubscribe", bank_ref) as noted:
            response = self._authorised(lambda auth: self._channel.remove(path, auth, noted))
            if response.status_code not in _ENDED:
                message = f"The bank answered with status {response.status_code}."
                raise NotSent(message, word=self._said(response))

    def submit_file(
        self, upload: FileUpload, *, still_ours: Callable[[], bool]
    ) -> FileSnapshot | None:
        """Refuse: this bank takes single payments. Raises NotSupported."""
        del still_ours
        message = f"This bank takes no files, so {upload.name} was not sent."
        raise NotSupported(message)

    def leave_checks(self, name: str, content: bytes) -> None:
        """Refuse: this bank takes single payments. Raises NotSupported."""
        del content
        message = f"This bank takes no files, so {name} was not sent."
        raise NotSupported(message)

    def find_file(self, upload: FileUpload) -> FileSnapshot | None:
        """Refuse: this bank takes single payments. Raises NotSupported."""
        message = f"This bank takes no files, so it cannot know {upload.name}."
        raise NotSupported(message)

    def list_events(self, after: str, *, limit: int = 100) -> EventPage:
        """Return the events after a cursor; an empty cursor is the beginning. Raises NotSent."""
        part = self._profile.events
        query = {part.after: after or part.beginning, part.limit: str(limit)}
        body = self._read("list_events", self._profile.paths.events, query)
        try:
            page = event_page_of(body, after, self._profile)
        except Unreadable as error:
            message = f"The bank's events cannot be read: {error}."
            raise NotSent(message) from error
        return replace(page, events=tuple(replace(event, bank=self._code) for event in page.events))

    def list_inbound(self) -> tuple[InboundFile, ...]:
        """Return nothing: this bank leaves no files."""
        return ()

    def download(self, name: str) -> bytes:
        """Refuse: this bank leaves no files. Raises NotSupported."""
        message = f"This bank leaves no files, so there is no {name}."
        raise NotSupported(message)

    def _webhooks(self) -> WebhookPart:
        part = self._profile.webhooks
        if part is None:
            message = "This bank is told by people where to bring its events."
            raise NotSupported(message)
        return part

    def _subscribed(self, verb: str, path: str, body: Json) -> Subscription:
        with self._channel.noted(verb) as noted:
            response = self._authorised(lambda auth: self._channel.write(path, body, auth, noted))
            found = json_of(response) if response.status_code in _OK else None
            if found is None:
                self._refuse(response)
            try:
                made = subscription_of(found, self._profile)
            except Unreadable as error:
                message = f"The bank's answer cannot be right: {error}."
                raise ProtocolError(message) from error
            if not made.secret:
                message = "The bank told no secret for what it brings."
                raise ProtocolError(message)
            return made

    def _read(self, verb: str, path: str, query: Mapping[str, str]) -> Json:
        with self._channel.noted(verb) as noted:
            return self._answered(self._get(path, query, noted))

    def _get(self, path: str, query: Mapping[str, str], noted: Noted) -> requests.Response:
        return self._authorised(lambda auth: self._channel.read(path, query, auth, noted))

    def _authorised(
        self, call: Callable[[Mapping[str, str]], requests.Response]
    ) -> requests.Response:
        """Call with the current token; a token that the bank refuses is renewed exactly once.

        A bank that answers 401 has not looked at the payment, so the same call is safe again.
        """
        for _ in range(2):
            token = self._tokens.current()
            response = call({"Authorization": f"Bearer {token}"})
            if response.status_code != HTTPStatus.UNAUTHORIZED:
                return response
            self._tokens.forget(token)
        message = "The bank does not accept our access token, not even a new one."
        raise AuthFailed(message, word="401")

    def _answered(self, response: requests.Response) -> Json:
        """Return the body of a read. Raises NotSent for every other answer."""
        body = json_of(response) if response.status_code in _OK else None
        if body is not None:
            return body
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            self._channel.slow_down(response)
        message = f"The bank answered with status {response.status_code}."
        raise NotSent(message, word=self._said(response))

    def _rows(self, response: requests.Response) -> list[Json]:
        try:
            return rows_at(self._answered(response), self._profile.lookup.rows)
        except Unreadable as error:
            message = f"The bank's answer cannot be read: {error}."
            raise NotSent(message) from error

    def _taken(self, response: requests.Response) -> PaymentSnapshot:
        """Return what a write has done; every answer but a clear one has its own error."""
        body = json_of(response) if response.status_code in _OK else None
        if body is None:
            self._refuse(response)
        return self._snapshot(body)

    def _refuse(self, response: requests.Response) -> NoReturn:
        """Raise what an answer to a write means that is not a clear yes."""
        status, said, body = response.status_code, self._said(response), json_of(response)
        part = self._profile.refusal
        code = "" if body is None else text_at(body, part.code, needed=False)
        if status == HTTPStatus.TOO_MANY_REQUESTS or code in part.not_sent:
            self._channel.slow_down(response)
            message = "The bank asks us to slow down."
            raise NotSent(message, word=said)
        if status == HTTPStatus.SERVICE_UNAVAILABLE and part.unavailable_is_not_sent:
            message = "The bank is not available."
            raise NotSent(message, word=said)
        if code in part.conflict:
            message = "The bank has another payment under our reference."
            raise ProtocolError(message, word=said)
        if (
            HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
            and body is not None
            and code
        ):
            detail = redacted(text_at(body, part.detail, needed=False)) or said
            raise (CutoffPassed if code in part.cutoff else Declined)(detail, word=said)
        message = f"The bank's answer (status {status}) does not tell whether it took the payment."
        raise OutcomeUnknown(message, word=said)

    def _snapshot(self, body: Json) -> PaymentSnapshot:
        try:
            return snapshot_of(body, self._profile)
        except Unreadable as error:
            message = f"The bank's answer cannot be right: {error}."
            raise ProtocolError(message) from error

    def _said(self, response: requests.Response) -> str:
        body = json_of(response)
        detail = "" if body is None else text_at(body, self._profile.refusal.detail, needed=False)
        return redacted(f"{response.status_code} {detail}".strip())[:200]
