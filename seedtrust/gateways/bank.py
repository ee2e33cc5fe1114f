"""The bank behind a REST interface and a shared folder for files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final

import requests

from seedtrust.core.failpoints import reach
from seedtrust.domain.payments.ports import (
    FILE_DROP,
    AuthFailed,
    BankBalance,
    BankEvent,
    BankHealth,
    BankStatus,
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
    Subscription,
)
from seedtrust.gateways import dropping
from seedtrust.gateways.channel import Channel, LineTimeouts, json_of, log_line, redacted
from seedtrust.gateways.guards import Limits

_UNAUTHORISED: Final = frozenset({401, 403})
_SERVER_ERRORS: Final = 500
_REFUSED: Final = 400
_CONFLICT: Final = 409
_OK: Final = frozenset({200, 201, 202})
_REFERENCE_REUSED: Final = "reference_reused"
_CUTOFF: Final = "cutoff_passed"
# What the bank prints of a name and a text (its interface's limits).
_NAME_LENGTH: Final = 60
_TEXT_LENGTH: Final = 140
_INBOUND: Final = frozenset({".ach", ".bai2", ".json"})
_LARGEST_INBOUND: Final = 64 * 1024 * 1024

_BRINGS_NOTHING: Final = "This bank brings no events; its event log is read."

_STATUSES: Final = {
    "received": BankStatus.RECEIVED,
    "awaiting_totals": BankStatus.RECEIVED,
    "accepted": BankStatus.ACCEPTED,
    "settled": BankStatus.SETTLED,
    "rejected": BankStatus.REJECTED,
}

Json = Mapping[str, object]


class FileDropBank:
    """A bank that takes wires over REST and ACH files through a folder shared with us.

    A file goes into `inbox` under a temporary name and is renamed when it is whole and its hash
    is right, its control totals before it. What the bank has for us lies in `outbox`.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        drop_dir: Path,
        timeouts: LineTimeouts | None = None,
        *,
        limits: Limits | None = None,
        call_log: CallLog = log_line,
    ) -> None:
        """Take the bank's address and key and the folder; nothing is called yet."""
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._channel = Channel(
            FILE_DROP,
            base_url,
            timeouts=timeouts or LineTimeouts(),
            limits=limits or Limits(),
            call_log=call_log,
        )
        self._inbox, self._outbox = drop_dir / "inbox", drop_dir / "outbox"

    def capabilities(self) -> Capabilities:
        """Return what this bank promises: a look-up sees at once what was taken."""
        return Capabilities(
            lookup_is_consistent=True, lookup_consistent_after_seconds=2, recognises_repeats=True
        )

    def health(self) -> BankHealth:
        """Tell whether the bank answers."""
        try:
            body = self._asked("health", "/v1/health", {})
        except NotSent as error:
            return BankHealth(ok=False, business_at=None, detail=error.sentence)
        now = body.get("now")
        business_at = datetime.fromisoformat(now) if isinstance(now, str) else None
        return BankHealth(ok=body.get("status") == "ok", business_at=business_at, detail="")

    def get_balance(self, account_ref: str, as_of_on: date | None = None) -> BankBalance:
        """Return an account's balance now, or at the end of a day. Raises NotSent."""
        query = {} if as_of_on is None else {"as_of": as_of_on.isoformat()}
        body = self._asked("balance", f"/v1/accounts/{account_ref}/balances", query)
        return BankBalance(
            _whole(body, "ledger_cents"),
            _whole(body, "available_cents"),
            date.fromisoformat(_word(body, "as_of")),
        )

    def create_payment(self, order: PaymentOrder) -> PaymentSnapshot:
        """Send a wire under our reference.

        Raises NotSent before the first byte, AuthFailed, Declined, CutoffPassed, and
        OutcomeUnknown for everything that leaves open whether the bank took it.
        """
        body = {
            "client_reference": order.client_reference,
            "rail": "wire",
            "account_id": order.from_account,
            "amount_cents": order.amount_cents,
            "counterparty": {
                "name": order.beneficiary_name[:_NAME_LENGTH].strip(),
                "routing_number": order.routing_number,
                "account_number": order.account_number,
            },
            "memo": order.text[:_TEXT_LENGTH],
            "requested_on": order.requested_on.isoformat(),
        }
        with self._channel.noted("create_payment", order.client_reference) as noted:
            reach("wire.before_call")
            response = self._channel.write("/v1/payments", body, self._headers, noted)
            reach("wire.after_call")
            if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                self._channel.slow_down(response)
            return _payment(_answer_of_write(response))

    def find_payment(self, client_reference: str) -> PaymentSnapshot | None:
        """Return the payment with our reference, or None. Raises NotSent."""
        query = {"client_reference": client_reference}
        reach("wire.before_lookup")
        body = self._asked("find_payment", "/v1/payments", query, client_reference)
        reach("wire.looked_up")
        found = [row for row in _rows(body) if row.get("client_reference") == client_reference]
        return _payment(found[0]) if found else None

    def cancel_payment(self, bank_ref: str) -> PaymentSnapshot:
        """Refuse: what goes by this line is not called back. Raises NotSupported."""
        message = f"This bank stops no payment on request, so {bank_ref} goes on."
        raise NotSupported(message)

    def list_subscriptions(self) -> tuple[Subscription, ...]:
        """Refuse: this bank is asked, it brings nothing. Raises NotSupported."""
        raise NotSupported(_BRINGS_NOTHING)

    def subscribe(self, url: str) -> Subscription:
        """Refuse: this bank brings nothing. Raises NotSupported."""
        raise NotSupported(_BRINGS_NOTHING, word=url)

    def rotate_secret(self, bank_ref: str, *, keep_seconds: int) -> Subscription:
        """Refuse: this bank brings nothing. Raises NotSupported."""
        del keep_seconds
        raise NotSupported(_BRINGS_NOTHING, word=bank_ref)

    def unsubscribe(self, bank_ref: str) -> None:
        """Refuse: this bank brings nothing. Raises NotSupported."""
        raise NotSupported(_BRINGS_NOTHING, word=bank_ref)

    def submit_file(
        self, upload: FileUpload, *, still_ours: Callable[[], bool]
    ) -> FileSnapshot | None:
        """Put a file and its control totals into the bank's inbox; None if it is not ours now.

        Raises NotSent as long as the file does not bear its final name, and when another sender has
        it in hand; OutcomeUnknown after.
        """
        with self._channel.noted("submit_file", upload.client_reference):
            return self._submit(upload, still_ours)

    def _submit(self, upload: FileUpload, still_ours: Callable[[], bool]) -> FileSnapshot | None:
        if hashlib.sha256(upload.content).hexdigest() != upload.sha256:
            message = "The file to be sent is not the one that was sealed."
            raise NotSent(message)
        path = self._inbox / f"{upload.name}.ach"
        with self._alone(path) as part:
            # Whoever had the file a moment ago may have put it into the folder and died before
            # saying so.
            known = self.find_file(upload)
            if known is not None:
                part.unlink(missing_ok=True)
                return known
            try:
                reach("file.before_part")
                dropping.write_safely(part, upload.content)
                reach("file.part_written")
                if hashlib.sha256(part.read_bytes()).hexdigest() != upload.sha256:
                    message = "The file arrived in the folder other than it was sent."
                    raise NotSent(message)
                totals = dropping.part_of(self._totals_path(upload))
                dropping.write_safely(totals, _totals(upload))
            except OSError as error:
                raise _folder_failed(error) from error
            if not still_ours():
                part.unlink(missing_ok=True)
                totals.unlink(missing_ok=True)
                return None
            reach("file.before_rename")
            return self._put_in_place(upload, part, totals, path)

    def find_file(self, upload: FileUpload) -> FileSnapshot | None:
        """Return the file if the folder or the bank has these very bytes. Raises NotSent.

        The folder is looked at first: what the bank takes out of it, it knows.
        """
        reach("file.before_lookup")
        try:
            lying = self._lies_in_inbox(upload)
        except OSError as error:
            raise _folder_failed(error) from error
        if lying:
            return FileSnapshot("", upload.sha256, BankStatus.RECEIVED, "in the inbox")
        reference = upload.client_reference
        body = self._asked("find_file", "/v1/files", {"sha256": upload.sha256}, reference)
        reach("file.looked_up")
        found = [row for row in _rows(body) if row.get("sha256") == upload.sha256]
        if not found:
            return None
        row = found[0]
        word = _word(row, "status")
        return FileSnapshot(_word(row, "id"), upload.sha256, _status(word), word)

    def list_events(self, after: str, *, limit: int = 100) -> EventPage:
        """Return the events after a cursor; an empty cursor is the beginning. Raises NotSent."""
        query = {"after": after or "0", "limit": str(limit)}
        body = self._asked("list_events", "/v1/events", query)
        events = tuple(_event(row) for row in _rows(body))
        cursor = body.get("next_cursor")
        return EventPage(
            events, str(cursor if cursor is not None else after), bool(body.get("has_more"))
        )

    def list_inbound(self) -> tuple[InboundFile, ...]:
        """Return the files that the bank left in the outbox, by name. Raises NotSent."""
        with self._channel.noted("list_inbound"):
            return self._listed()

    def _listed(self) -> tuple[InboundFile, ...]:
        reach("inbound.before_list")
        try:
            paths = sorted(self._outbox.iterdir()) if self._outbox.is_dir() else []
            found = tuple(
                InboundFile(path.name, _version(path))
                for path in paths
                if path.suffix in _INBOUND and path.is_file() and not path.is_symlink()
            )
        except OSError as error:
            raise _folder_failed(error) from error
        reach("inbound.listed")
        return found

    def download(self, name: str) -> bytes:
        """Return one of these files whole. Raises NotSent."""
        with self._channel.noted("download", name):
            return self._read_whole(name)

    def _read_whole(self, name: str) -> bytes:
        if Path(name).name != name:
            message = "A file of the bank has no folder in its name."
            raise NotSent(message)
        reach("inbound.before_download")
        try:
            path = self._outbox / name
            if path.stat().st_size > _LARGEST_INBOUND:
                message = "A file of the bank is larger than any that we know of."
                raise NotSent(message)
            content = path.read_bytes()
        except OSError as error:
            raise _folder_failed(error) from error
        reach("inbound.downloaded")
        return content

    def leave_checks(self, name: str, content: bytes) -> None:
        """Put a positive-pay file into the folder; the same again replaces it. Raises NotSent."""
        path = self._inbox / f"{name}.checks.csv"
        with self._alone(path) as part:
            reach("checks.before_part")
            try:
                dropping.write_safely(part, content)
                part.replace(path)
                dropping.sync_folder(self._inbox)
            except OSError as error:
                raise _folder_failed(error) from error
            reach("checks.in_place")

    def _put_in_place(
        self, upload: FileUpload, part: Path, totals: Path, path: Path
    ) -> FileSnapshot:
        try:
            totals.replace(self._totals_path(upload))
            reach("file.totals_in_place")
            part.replace(path)
        except OSError as error:
            raise _folder_failed(error) from error
        reach("file.in_place")
        try:
            dropping.sync_folder(self._inbox)
        except OSError as error:
            message = "The file is in the bank's folder, but the folder cannot be written safely."
            raise OutcomeUnknown(message) from error
        return FileSnapshot("", upload.sha256, BankStatus.RECEIVED, "in the inbox")

    def _lies_in_inbox(self, upload: FileUpload) -> bool:
        path = self._inbox / f"{upload.name}.ach"
        try:
            return hashlib.sha256(path.read_bytes()).hexdigest() == upload.sha256
        except FileNotFoundError:
            return False

    def _totals_path(self, upload: FileUpload) -> Path:
        return self._inbox / f"{upload.name}.totals.json"

    @contextmanager
    def _alone(self, path: Path) -> Iterator[Path]:
        """Give a file's half while it goes in. Raises NotSent if it is another sender's."""
        with ExitStack() as stack:
            try:
                part = stack.enter_context(dropping.alone(path))
            except dropping.InOtherHands as error:
                message = "Another sender is putting this file into the folder. It is tried again."
                raise NotSent(message) from error
            except OSError as error:
                raise _folder_failed(error) from error
            yield part

    def _asked(self, verb: str, path: str, query: Mapping[str, str], reference: str = "") -> Json:
        """Return the body of a read. Raises NotSent, AuthFailed."""
        with self._channel.noted(verb, reference) as noted:
            response = self._channel.read(path, query, self._headers, noted)
            if response.status_code in _UNAUTHORISED:
                message = "The bank does not accept our key."
                raise AuthFailed(message, word=_said(response))
            if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                self._channel.slow_down(response)
            body = json_of(response) if response.status_code in _OK else None
            if body is None:
                message = f"The bank answered with status {response.status_code}."
                raise NotSent(message, word=_said(response))
            return body


class HttpSandboxControl:
    """The strings of the bank simulator: its clock, its inbox, what comes in from outside."""

    def __init__(self, base_url: str, api_key: str, timeouts: LineTimeouts | None = None) -> None:
        """Take the simulator's address and key; nothing is called yet."""
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._timeouts = timeouts or LineTimeouts(read_seconds=120.0)

    def move_clock(self, to: datetime) -> None:
        """Move the simulator's business time forward, through all that is due. Raises NotSent."""
        self._call("PUT", "/sim/clock", {"now": to.isoformat()})

    def scan(self) -> None:
        """Have the simulator look into the drop folder now. Raises NotSent."""
        self._call("POST", "/sim/scan", {})

    def open_account(self, account: Json) -> None:
        """Open an account with the simulator; again changes nothing. Raises NotSent."""
        self._call("POST", "/sim/accounts", account)

    def receive_wire(self, wire: Json, *, key: str) -> None:
        """Have somebody send a wire to an account; the same key sends it once. Raises NotSent."""
        self._call("POST", "/sim/inbound/wire", wire, {"Idempotency-Key": key})

    def deposit_check(self, check: Json, *, key: str) -> str:
        """Have a check deposited to an account and return the simulator's id of the deposit.

        The same key deposits it once. Raises NotSent.
        """
        body = self._call("POST", "/sim/inbound/check-deposit", check, {"Idempotency-Key": key})
        return _word(body, "id")

    def return_deposit(self, deposit_id: str, reason: str) -> None:
        """Have a deposited check bounce on the next banking day, once. Raises NotSent."""
        self._call("POST", f"/sim/deposits/{deposit_id}/return", {"reason": reason})

    def hold_check(self, account_id: str, number: int) -> None:
        """Have a payee keep a check of ours in a drawer. Raises NotSent."""
        self._call("POST", "/sim/checks/hold", {"account_id": account_id, "number": number})

    def present_check(self, account_id: str, number: int) -> None:
        """Have a payee present a check of ours now. Raises NotSent."""
        self._call("POST", "/sim/checks/present", {"account_id": account_id, "number": number})

    def close_counterparty(self, routing_number: str, account_number: str, on: date) -> None:
        """Close an account at another bank: what settles there comes back R02. Raises NotSent."""
        body = {
            "routing_number": routing_number,
            "account_number": account_number,
            "on": on.isoformat(),
        }
        self._call("POST", "/sim/counterparties/close", body)

    def return_payment(self, payment_id: str, code: str) -> None:
        """Have an ACH payment of the bank's interface come back with a code. Raises NotSent."""
        self._call("POST", f"/sim/payments/{payment_id}/return", {"code": code})

    def return_entry(self, trace_number: str, code: str) -> None:
        """Have an entry come back with a return code. Raises NotSent."""
        self._call("POST", "/sim/entries/return", {"trace_number": trace_number, "code": code})

    def _call(
        self, method: str, path: str, body: Json, headers: Mapping[str, str] | None = None
    ) -> Json:
        try:
            response = requests.request(
                method,
                f"{self._base_url}{path}",
                json=body,
                headers={**self._headers, **(headers or {})},
                timeout=(self._timeouts.connect_seconds, self._timeouts.read_seconds),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            message = "The bank simulator cannot be reached."
            raise NotSent(message, word=type(error).__name__) from error
        if response.status_code not in _OK:
            message = f"The bank simulator refused: {_said(response)}"
            raise NotSent(message, word=_said(response))
        return json_of(response) or {}


def _answer_of_write(response: requests.Response) -> Json:
    """Return the body of a write that the bank took; everything else has its own error.

    A 5xx, a redirect or an unreadable 2xx leaves open whether the bank took it.
    """
    status, said = response.status_code, _said(response)
    body = json_of(response)
    if status in _UNAUTHORISED:
        message = "The bank does not accept our key."
        raise AuthFailed(message, word=said)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        message = "The bank asks us to slow down."
        raise NotSent(message, word=said)
    if status in _OK and body is not None:
        return body
    code = "" if body is None else str(body.get("code", ""))
    if status == _CONFLICT and code == _REFERENCE_REUSED:
        # Our reference with other content: only a person can tell what happened.
        message = "The bank has another payment under our reference."
        raise OutcomeUnknown(message, word=said)
    if _REFUSED <= status < _SERVER_ERRORS and body is not None and code:
        error = CutoffPassed if code == _CUTOFF else Declined
        raise error(redacted(str(body.get("detail") or said)), word=said)
    message = f"The bank's answer (status {status}) does not tell whether it took the payment."
    raise OutcomeUnknown(message, word=said)


def _payment(body: Json) -> PaymentSnapshot:
    try:
        word = _word(body, "status")
        status = _status(word)
        settled = body.get("settles_on") if status is BankStatus.SETTLED else None
        return PaymentSnapshot(
            bank_ref=_word(body, "id"),
            client_reference=_word(body, "client_reference"),
            amount_cents=_whole(body, "amount_cents"),
            status=status,
            word=word,
            settled_on=date.fromisoformat(settled) if isinstance(settled, str) else None,
        )
    except (NotSent, ValueError) as error:
        message = "The bank answered, but not in a way that we understand."
        raise OutcomeUnknown(message) from error


def _status(word: str) -> BankStatus:
    """Return our word for the bank's; one that it invents is in progress and needs attention."""
    return _STATUSES.get(word, BankStatus.ATTENTION)


def _event(row: Json) -> BankEvent:
    data = row.get("data")
    plain = data if isinstance(data, dict) else {}
    said = {
        str(name): value
        for name, value in plain.items()
        if value is None or isinstance(value, str | int | bool)
    }
    faults = plain.get("faults")
    if isinstance(faults, list) and faults:
        said["detail"] = "; ".join(_fault_text(fault) for fault in faults[:5])
    try:
        business_on = date.fromisoformat(_word(row, "business_on"))
    except ValueError as error:
        message = "The bank sent an event without a date."
        raise NotSent(message) from error
    return BankEvent(str(row.get("id")), _word(row, "type"), business_on, said)


def _fault_text(fault: object) -> str:
    if isinstance(fault, dict):
        return str(fault.get("message") or fault.get("code") or "fault")
    return str(fault)


def _totals(upload: FileUpload) -> bytes:
    totals = upload.totals
    return json.dumps(
        {
            "sha256": upload.sha256,
            "client_reference": upload.client_reference,
            "batch_count": totals.batch_count,
            "entry_addenda_count": totals.entry_addenda_count,
            "entry_hash": totals.entry_hash,
            "debit_cents": totals.debit_cents,
            "credit_cents": totals.credit_cents,
        },
        indent=2,
    ).encode()


def _rows(body: Json) -> list[Json]:
    data = body.get("data")
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []


def _word(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        message = f"The bank's answer has no {name}."
        raise NotSent(message)
    return value


def _whole(body: Json, name: str) -> int:
    value = body.get(name)
    if type(value) is not int:
        message = f"The bank's answer has no whole {name}."
        raise NotSent(message)
    return value


def _said(response: requests.Response) -> str:
    body = json_of(response) or {}
    detail = body.get("detail") or body.get("title") or ""
    return redacted(f"{response.status_code} {detail}".strip())[:200]


def _version(path: Path) -> str:
    facts = path.stat()
    return f"{facts.st_size}-{facts.st_mtime_ns}"


def _folder_failed(error: OSError) -> NotSent:
    message = "The folder that we share with the bank cannot be used."
    return NotSent(message, word=type(error).__name__)
