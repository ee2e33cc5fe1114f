"""A bank in memory that keeps the same promises as the real adapter, and breaks on command."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from seedtrust.core.failpoints import reach
from seedtrust.domain.payments.ports import (
    BankBalance,
    BankError,
    BankEvent,
    BankHealth,
    BankStatus,
    Capabilities,
    Declined,
    EventPage,
    FileSnapshot,
    FileUpload,
    InboundFile,
    NotSent,
    PaymentOrder,
    PaymentSnapshot,
    Subscription,
)


@dataclass
class FakeBank:
    """Takes files and payments; `fail_before` and `fail_after` name the error of the next call."""

    files: dict[str, FileUpload] = field(default_factory=dict)
    deliveries: list[str] = field(default_factory=list)
    payments: dict[str, PaymentSnapshot] = field(default_factory=dict)
    orders: list[PaymentOrder] = field(default_factory=list)
    tried: list[PaymentOrder] = field(default_factory=list)
    checks: dict[str, bytes] = field(default_factory=dict)
    events: list[BankEvent] = field(default_factory=list)
    outbox: dict[str, bytes] = field(default_factory=dict)
    fail_before: BankError | None = None
    fail_after: BankError | None = None
    fail_lookup: BankError | None = None
    subscriptions: list[Subscription] = field(default_factory=list)
    secrets_told: int = 0
    down: bool = False
    consistent: bool = True
    recognises_repeats: bool = True
    settles_at_once: bool = False

    def capabilities(self) -> Capabilities:
        """Return the promises of this bank."""
        return Capabilities(
            lookup_is_consistent=self.consistent,
            lookup_consistent_after_seconds=0,
            recognises_repeats=self.recognises_repeats,
        )

    def health(self) -> BankHealth:
        """Tell whether the bank answers."""
        return BankHealth(ok=not self.down, business_at=datetime.now(UTC), detail="")  # noqa: TID251 - health tells real time

    def get_balance(self, account_ref: str, as_of_on: date | None = None) -> BankBalance:
        """Return an empty balance."""
        self._call()
        del account_ref
        return BankBalance(0, 0, as_of_on or date(2026, 1, 5))

    def create_payment(self, order: PaymentOrder) -> PaymentSnapshot:
        """Take a payment; the same reference again is a replay."""
        self._call()
        self.tried.append(order)
        self._fail("fail_before")
        reach("wire.before_call")
        known = self.payments.get(order.client_reference)
        if known is None:
            self.orders.append(order)
            known = PaymentSnapshot(
                f"PMT-{len(self.orders)}",
                order.client_reference,
                order.amount_cents,
                BankStatus.SETTLED if self.settles_at_once else BankStatus.ACCEPTED,
                "settled" if self.settles_at_once else "accepted",
                order.requested_on if self.settles_at_once else None,
            )
            self.payments[order.client_reference] = known
        reach("wire.after_call")
        self._fail("fail_after")
        return known

    def find_payment(self, client_reference: str) -> PaymentSnapshot | None:
        """Look a payment up."""
        self._call()
        self._fail("fail_lookup")
        return self.payments.get(client_reference)

    def cancel_payment(self, bank_ref: str) -> PaymentSnapshot:
        """Cancel what is not settled, as often as asked; `fail_before` and `fail_after` count."""
        self._call()
        self._fail("fail_before")
        known = next(row for row in self.payments.values() if row.bank_ref == bank_ref)
        if known.status not in {BankStatus.ACCEPTED, BankStatus.IN_REVIEW, BankStatus.CANCELLED}:
            message = "The payment is on its way and cannot be stopped."
            raise Declined(message, word="409")
        known = replace(known, status=BankStatus.CANCELLED, word="cancelled")
        self.payments[known.client_reference] = known
        self._fail("fail_after")
        return known

    def list_subscriptions(self) -> tuple[Subscription, ...]:
        """Return where events are brought, without secrets."""
        self._call()
        return tuple(replace(row, secret="") for row in self.subscriptions)

    def subscribe(self, url: str) -> Subscription:
        """Note an address."""
        self._call()
        self._fail("fail_before")
        self.secrets_told += 1
        row = Subscription(f"WHS-{self.secrets_told}", url, self._secret())
        self.subscriptions.append(row)
        self._fail("fail_after")
        return row

    def rotate_secret(self, bank_ref: str, *, keep_seconds: int) -> Subscription:
        """Give a subscription another secret."""
        self._call()
        self._fail("fail_before")
        assert keep_seconds > 0, "the old secret counts for a while"
        self.secrets_told += 1
        place = [row.bank_ref for row in self.subscriptions].index(bank_ref)
        self.subscriptions[place] = replace(self.subscriptions[place], secret=self._secret())
        self._fail("fail_after")
        return self.subscriptions[place]

    def unsubscribe(self, bank_ref: str) -> None:
        """Forget an address."""
        self._call()
        self.subscriptions = [row for row in self.subscriptions if row.bank_ref != bank_ref]

    def submit_file(
        self, upload: FileUpload, *, still_ours: Callable[[], bool]
    ) -> FileSnapshot | None:
        """Take a file."""
        self._call()
        self._fail("fail_before")
        reach("file.part_written")
        if not still_ours():
            return None
        reach("file.before_rename")
        self.deliveries.append(upload.sha256)
        self.files[upload.sha256] = upload
        reach("file.in_place")
        self._fail("fail_after")
        return FileSnapshot("", upload.sha256, BankStatus.RECEIVED, "in the inbox")

    def find_file(self, upload: FileUpload) -> FileSnapshot | None:
        """Look a file up."""
        self._call()
        if upload.sha256 not in self.files:
            return None
        return FileSnapshot("FILE-1", upload.sha256, BankStatus.RECEIVED, "received")

    def leave_checks(self, name: str, content: bytes) -> None:
        """Take a positive-pay file."""
        self._call()
        self.checks[name] = content

    def list_events(self, after: str, *, limit: int = 100) -> EventPage:
        """Return the events after a cursor."""
        self._call()
        start = next((n for n, e in enumerate(self.events, 1) if e.id == after), 0)
        page = tuple(self.events[start : start + limit])
        cursor = page[-1].id if page else after
        return EventPage(page, cursor, has_more=start + limit < len(self.events))

    def list_inbound(self) -> tuple[InboundFile, ...]:
        """Return what lies in the outbox."""
        self._call()
        return tuple(
            InboundFile(name, str(len(data))) for name, data in sorted(self.outbox.items())
        )

    def download(self, name: str) -> bytes:
        """Return one file of the outbox."""
        self._call()
        return self.outbox[name]

    def tell(self, kind: str, on: date, /, **data: str | int | bool | None) -> BankEvent:
        """Add an event to the log."""
        event = BankEvent(str(len(self.events) + 1), kind, on, data)
        self.events.append(event)
        return event

    def tell_of_file(self, kind: str, on: date, **data: str | int | bool | None) -> BankEvent:
        """Add an event about the file that was delivered last."""
        upload = self.files[self.deliveries[-1]]
        return self.tell(
            kind,
            on,
            id="FILE-1",
            sha256=upload.sha256,
            client_reference=upload.client_reference,
            **data,
        )

    def _secret(self) -> str:
        return "whsec_" + base64.b64encode(bytes([self.secrets_told]) * 24).decode()

    def _call(self) -> None:
        if self.down:
            message = "The bank cannot be reached."
            raise NotSent(message)

    def _fail(self, name: str) -> None:
        error: BankError | None = getattr(self, name)
        setattr(self, name, None)
        if error is not None:
            raise error
