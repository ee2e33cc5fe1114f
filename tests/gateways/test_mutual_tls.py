"""A bank that demands a certificate of who calls: the right one pays, every other sends nothing."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from seedtrust.domain.payments.ports import (
    AuthFailed,
    BankCall,
    BankError,
    BankStatus,
    NotSent,
    OutcomeUnknown,
)
from seedtrust.gateways.channel import Channel, ClientCertificate, LineTimeouts, Noted
from seedtrust.gateways.guards import Limits
from seedtrust.gateways.huntington import HuntingtonBank
from seedtrust.gateways.oauth import Client
from seedtrust.gateways.profile import load_profile
from seedtrust.sandbox import RunningBank
from tests.gateways.test_huntington_simulator import ORDER, WIRE
from tests.sandbox.support import API_KEY, TRUST
from tests.support.certificates import Authority, Pair, demanding

TIMEOUTS = LineTimeouts(5.0, 5.0)


@dataclass
class Secure:
    """A bank behind TLS that knows the clients of its authority, and its books."""

    folder: Path
    running: RunningBank
    authority: Authority
    calls: list[BankCall] = field(default_factory=list)

    def line(self, shown: Pair | None, trusts: Path | None) -> HuntingtonBank:
        """Return an adapter that shows a certificate, or none, and trusts somebody."""
        certificate = None if shown is None else ClientCertificate(shown.certificate, shown.key)
        return HuntingtonBank(
            self.running.url,
            Client("seedtrust", API_KEY),
            load_profile("neutral"),
            timeouts=TIMEOUTS,
            certificate=certificate,
            authority=trusts,
            call_log=self.calls.append,
        )

    def sim(self, client: Pair, path: str, body: dict[str, object]) -> None:
        """Pull a string of the bank, as somebody whom it knows."""
        answer = requests.post(
            self.running.url + path,
            json=body,
            headers={"Authorization": f"Bearer {API_KEY}"},
            cert=(str(client.certificate), str(client.key)),
            verify=str(self.authority.certificate),
            timeout=20,
        )
        assert answer.ok, answer.text

    def made(self) -> int:
        """Return how many payments the bank has made."""
        with self.running.bank.unit() as connection:
            counted = connection.execute("SELECT count(*) AS number FROM payment").fetchone()
            return int(counted["number"])


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Secure]:
    """Start such a bank with one account."""
    authority = Authority(tmp_path, "authority")
    context = demanding(authority.vouch_for("bank"), authority)
    running = RunningBank(tmp_path / "bank", 0, API_KEY, scan_seconds=None, tls=context)
    running.start()
    yield Secure(tmp_path, running, authority)
    running.stop()


def test_with_the_right_certificate_a_payment_is_taken(secure: Secure) -> None:
    client = secure.authority.vouch_for("client")
    wire = {"account_id": "trust", "amount_cents": 100_000, "sender_name": "Somebody"}
    secure.sim(client, "/sim/accounts", TRUST)
    secure.sim(client, "/sim/inbound/wire", {**wire, "text": "", "reference": ""})
    line = secure.line(client, secure.authority.certificate)
    assert line.health().ok
    assert line.create_payment(WIRE).status in {BankStatus.ACCEPTED, BankStatus.SETTLED}
    assert secure.made() == 1


Make = Callable[[Secure], tuple[Pair | None, Path | None]]


def _nothing(secure: Secure) -> tuple[Pair | None, Path | None]:
    return None, secure.authority.certificate


def _stranger(secure: Secure) -> tuple[Pair | None, Path | None]:
    other = Authority(secure.folder, "stranger")
    return other.vouch_for("of-a-stranger"), secure.authority.certificate


def _ended(secure: Secure) -> tuple[Pair | None, Path | None]:
    return secure.authority.vouch_for("ended", has_ended=True), secure.authority.certificate


def _untrusted(secure: Secure) -> tuple[Pair | None, Path | None]:
    return secure.authority.vouch_for("client"), Authority(secure.folder, "else").certificate


def _mismatched(secure: Secure) -> tuple[Pair | None, Path | None]:
    one, two = secure.authority.vouch_for("one"), secure.authority.vouch_for("two")
    return Pair(one.certificate, two.key), secure.authority.certificate


def _missing(secure: Secure) -> tuple[Pair | None, Path | None]:
    good = secure.authority.vouch_for("client")
    return Pair(secure.folder / "nowhere.crt", good.key), secure.authority.certificate


def _garbage(secure: Secure) -> tuple[Pair | None, Path | None]:
    good = secure.authority.vouch_for("client")
    good.certificate.write_text("no certificate", encoding="utf-8")
    return good, secure.authority.certificate


def _nobody(secure: Secure) -> tuple[Pair | None, Path | None]:
    return secure.authority.vouch_for("client"), secure.folder / "nowhere.pem"


@pytest.mark.parametrize(
    "make,error",
    [
        (_nothing, NotSent),
        (_stranger, NotSent),
        (_ended, NotSent),
        (_untrusted, NotSent),
        (_mismatched, AuthFailed),
        (_missing, AuthFailed),
        (_garbage, AuthFailed),
        (_nobody, NotSent),
    ],
)
def test_with_anything_else_nothing_is_sent(
    secure: Secure, make: Make, error: type[BankError]
) -> None:
    line = secure.line(*make(secure))
    with pytest.raises(NotSent) as refusal:
        line.create_payment(ORDER)
    assert isinstance(refusal.value, error)
    assert not line.health().ok
    assert secure.made() == 0
    # No token was got, so that not even the beginning of a payment went out.
    assert {call.status for call in secure.calls} == {0}


def test_what_the_bank_says_of_our_certificate_is_told(secure: Secure, tmp_path: Path) -> None:
    # An older server refuses in the handshake itself, where its reason always arrives.
    context = demanding(secure.authority.vouch_for("older"), secure.authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    running = RunningBank(tmp_path / "older", 0, API_KEY, scan_seconds=None, tls=context)
    running.start()
    secure.running, first = running, secure.running
    shown, trusts = _stranger(secure)
    try:
        with pytest.raises(AuthFailed, match="does not accept our certificate"):
            secure.line(shown, trusts).create_payment(ORDER)
        with pytest.raises(NotSent, match="not one that we trust"):
            secure.line(shown, Authority(tmp_path, "else").certificate).create_payment(ORDER)
    finally:
        running.stop()
        secure.running = first


def test_a_secure_connection_that_breaks_off_after_the_call_is_not_known(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    pair = authority.vouch_for("bank")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    listening = socket.create_server(("127.0.0.1", 0))
    got: list[bytes] = []

    def take_and_go() -> None:
        plain, _ = listening.accept()
        secure = context.wrap_socket(plain, server_side=True)
        while b"155783" not in b"".join(got):
            got.append(secure.recv(65_536))
        # Without a word of farewell, as a process that dies.
        socket.socket(fileno=secure.detach()).close()

    serving = threading.Thread(target=take_and_go)
    serving.start()
    channel = Channel(
        "huntington",
        f"https://127.0.0.1:{listening.getsockname()[1]}",
        timeouts=TIMEOUTS,
        limits=Limits(),
        authority=authority.certificate,
    )
    with pytest.raises(OutcomeUnknown):
        channel.write("/v1/payments", {"amount_cents": 155_783}, {}, Noted())
    serving.join()
    listening.close()
    assert got
