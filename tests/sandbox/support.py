"""A caller of a sandbox bank on a real socket, and files to drop."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

import requests

from seedtrust.core.clock import Clock, at_new_york
from seedtrust.formats import bai2, nacha
from seedtrust.sandbox import RunningBank

API_KEY = "test-key"
BANK = "044000024"
OTHER_BANK = "021000021"
COMPANY = "1234567890"
TRUST = {
    "id": "trust",
    "name": "SeedTrust client trust",
    "routing_number": BANK,
    "account_number": "01234567890",
    "company_identifications": [COMPANY],
    "opening_cents": 0,
}
FEES = {
    "id": "fees",
    "name": "SeedTrust operating",
    "routing_number": BANK,
    "account_number": "01234567891",
    "company_identifications": [],
    "opening_cents": 50_000,
}

Json = dict[str, object]


@dataclass
class Caller:
    """Speaks to a bank over its socket."""

    running: RunningBank
    drop: Path
    session: requests.Session = field(default_factory=requests.Session)

    def stop(self) -> None:
        """Stop the bank, as an orderly end of its process does."""
        self.session.close()
        self.running.stop()

    def send(
        self, method: str, path: str, body: object = None, **extra: object
    ) -> requests.Response:
        """Send a request with the right key and return the reply."""
        headers = {"Authorization": f"Bearer {API_KEY}"} | dict(extra.pop("headers", {}))  # type: ignore[call-overload]
        url = self.running.url + path
        return self.session.request(
            method,
            url,
            json=body,
            headers=headers,
            timeout=30,
            **extra,  # type: ignore[arg-type]
        )

    def get(self, path: str, **params: object) -> Json:
        """Get something that must be there."""
        response = self.send("GET", path, params=params)
        assert response.status_code == 200, response.text
        found: Json = response.json()
        return found

    def listed(self, path: str, **params: object) -> list[Json]:
        """Get a list."""
        data = self.get(path, **params)["data"]
        assert isinstance(data, list)
        return data

    def post(self, path: str, body: object = None) -> Json:
        """Post something that must succeed."""
        response = self.send("POST", path, body)
        assert response.ok, response.text
        found: Json = response.json()
        return found

    def at(self, day: str, hour: int = 9, minute: int = 0) -> Json:
        """Move the bank's clock to a time in New York."""
        now = at_new_york(date.fromisoformat(day), hour, minute)
        response = self.send("PUT", "/sim/clock", {"now": now.isoformat()})
        assert response.ok, response.text
        found: Json = response.json()
        return found

    def fund(self, cents: int, *, account_id: str = "trust", reference: str = "") -> Json:
        """Have a wire come in."""
        return self.post(
            "/sim/inbound/wire",
            {
                "account_id": account_id,
                "amount_cents": cents,
                "sender_name": "Recipient Ré, Lee",
                "text": "Escrow 2207",
                "reference": reference,
            },
        )

    def events(self, kind: str | None = None) -> list[Json]:
        """List all events, or those of one type."""
        rows = self.listed("/v1/events", limit=500)
        return [row for row in rows if kind is None or row["type"] == kind]

    def statement(self, day: str, account_id: str = "trust") -> bai2.Account:
        """Fetch and read the statement of a day."""
        response = self.send(
            "GET", "/v1/statements", params={"account_id": account_id, "date": day}
        )
        assert response.status_code == 200, response.text
        (group,) = bai2.read(response.content).groups
        assert group.as_of_on == date.fromisoformat(day)
        assert group.is_final_previous_day
        (account,) = group.accounts
        return account

    def drop_file(self, name: str, data: bytes, totals: Json | None = None) -> str:
        """Put a file, and its totals, into the inbox as the application does."""
        inbox = self.drop / "inbox"
        (inbox / f"{name}.part").write_bytes(data)
        (inbox / f"{name}.part").replace(inbox / f"{name}.ach")
        if totals is not None:
            (inbox / f"{name}.totals.json").write_text(json.dumps(totals))
        return hashlib.sha256(data).hexdigest()

    def drop_and_scan(self, name: str, data: bytes, **changes: object) -> Json:
        """Drop a file with its totals, have the bank look, and return what became of it."""
        sha256 = self.drop_file(name, data, totals_of(data, reference=name) | changes)
        self.post("/sim/scan")
        return self.file(sha256)

    def file(self, sha256: str) -> Json:
        """Return the file with a hash that was received last."""
        return self.listed("/v1/files", sha256=sha256)[0]

    def prove(self) -> Json:
        """Have the bank prove its books."""
        proof = self.get("/sim/ledger")
        assert proof["is_proved"] is True, proof
        assert proof["debit_cents"] == proof["credit_cents"]
        return proof

    def ledger_cents(self, account_id: str = "trust", **params: object) -> object:
        """Return a ledger balance."""
        return self.get(f"/v1/accounts/{account_id}/balances", **params)["ledger_cents"]


@dataclass(frozen=True)
class Pay:
    """One entry of a file to make."""

    cents: int
    identification: str = "REF000000000001"
    account: str = "555001"
    routing: str = OTHER_BANK
    code: int = 22
    name: str = "GESTATIONAL CARRIER"


def batch_of(
    pays: list[Pay],
    effective: str,
    *,
    number: int = 1,
    reference: str = "RUNREF123456789",
    company: str = COMPANY,
    first_trace: int = 1,
) -> nacha.OutgoingBatch:
    """Return a PPD batch of the trust account."""
    entries = [
        nacha.OutgoingEntry(
            transaction_code=pay.code,
            routing_number=pay.routing,
            account_number=pay.account,
            amount_cents=pay.cents,
            identification=pay.identification,
            name=pay.name,
            trace_number=f"{BANK[:8]}{first_trace + index:07d}",
        )
        for index, pay in enumerate(pays)
    ]
    debits = sum(pay.code % 10 > 4 for pay in pays)
    return nacha.OutgoingBatch(
        service_class=225 if debits == len(pays) else 200 if debits else 220,
        company_name="SEEDTRUST",
        company_discretionary_data=reference,
        company_identification=company,
        sec_code="PPD",
        entry_description="ESCROWPAY",
        descriptive_date="",
        effective_on=date.fromisoformat(effective),
        odfi_identification=BANK[:8],
        batch_number=number,
        entries=entries,
    )


def ach(batches: list[nacha.OutgoingBatch], *, created: str, modifier: str = "A") -> bytes:
    """Return the bytes of a file of the trust account."""
    return nacha.render_file(
        nacha.OutgoingFile(
            immediate_destination=BANK,
            immediate_origin=COMPANY,
            created_at=datetime.combine(date.fromisoformat(created), time(9)),
            file_id_modifier=modifier,
            destination_name="SANDBOX BANK",
            origin_name="SEEDTRUST",
            reference_code="",
            batches=batches,
        )
    )


def simple_ach(cents: int, effective: str, *, created: str, modifier: str = "A") -> bytes:
    """Return a file of one credit."""
    return ach([batch_of([Pay(cents)], effective)], created=created, modifier=modifier)


def totals_of(data: bytes, *, reference: str) -> Json:
    """Return the control totals of a file as the application writes them."""
    lines = data.decode().splitlines()
    control = next(line for line in reversed(lines) if not line.startswith("9" * 94))
    return {
        "sha256": hashlib.sha256(data).hexdigest(),
        "client_reference": reference,
        "batch_count": int(control[1:7]),
        "entry_addenda_count": int(control[13:21]),
        "entry_hash": int(control[21:31]),
        "debit_cents": int(control[31:43]),
        "credit_cents": int(control[43:55]),
    }


def wire_body(cents: int, reference: str, day: str = "2026-01-22", **changes: object) -> Json:
    """Return the body of a wire payment."""
    return {
        "client_reference": reference,
        "rail": "wire",
        "account_id": "trust",
        "amount_cents": cents,
        "counterparty": {
            "name": "Recipient 2207",
            "routing_number": OTHER_BANK,
            "account_number": "000123456789",
        },
        "memo": "Closing refund",
        "requested_on": day,
    } | changes


def ach_body(
    cents: int,
    reference: str,
    day: str = "2026-01-23",
    account: str = "000123456789",
    **changes: object,
) -> Json:
    """Return the body of an ACH payment."""
    return {
        "client_reference": reference,
        "rail": "ach",
        "account_id": "trust",
        "amount_cents": cents,
        "counterparty": {
            "name": "Gestational Carrier 2207",
            "routing_number": OTHER_BANK,
            "account_number": account,
            "account_type": "checking",
            "party_kind": "person",
        },
        "memo": "Monthly allowance",
        "requested_on": day,
        "ach": {
            "sec_code": "PPD",
            "entry_description": "ESCROWPAY",
            "company_identification": COMPANY,
        },
    } | changes


def open_bank(folder: Path, real: Clock | None = None) -> Caller:
    """Start a bank in a folder, on a free port, without a watch on its drop folder."""
    running = RunningBank(folder, 0, API_KEY, scan_seconds=None, real=real)
    running.start()
    return Caller(running, folder / "drop")
