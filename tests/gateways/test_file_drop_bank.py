"""The adapter among faults: what is surely not sent, surely refused, or simply not known."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from seedtrust.core.failpoints import armed
from seedtrust.domain.payments.ports import (
    AuthFailed,
    BankCall,
    BankError,
    BankStatus,
    CutoffPassed,
    Declined,
    NotSent,
    OutcomeUnknown,
)
from seedtrust.gateways.bank import FileDropBank
from seedtrust.gateways.channel import LineTimeouts
from seedtrust.gateways.dropping import is_locked, part_of
from seedtrust.gateways.guards import Limits
from tests.gateways.conftest import API_KEY, Simulator
from tests.gateways.test_bank_contract import ORDER, upload

Answer = tuple[int, bytes]
TAKEN = {
    "id": "PMT-1",
    "client_reference": ORDER.client_reference,
    "amount_cents": ORDER.amount_cents,
    "status": "settled",
    "settles_on": "2026-01-05",
}


class Scripted(BaseHTTPRequestHandler):
    """Answers every call with what the test has written down."""

    url: str = ""
    answer: Answer = (200, b"{}")
    hangs: threading.Event | None = None
    breaks: bool = False

    def _reply(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        if self.hangs is not None:
            self.hangs.wait(20)
            return
        if self.breaks:
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
            self.connection.close()
            return
        status, body = self.answer
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _reply  # noqa: N815 - the names that the server looks for

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[tuple[type[Scripted], FileDropBank]]:
    """Start a bank that answers by script, and the adapter that calls it."""

    class Handler(Scripted):
        """One test's script."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Handler.url = f"http://127.0.0.1:{server.server_port}"
    yield Handler, FileDropBank(Handler.url, "key", tmp_path / "drop", LineTimeouts(10.0, 30.0))
    server.shutdown()
    thread.join()
    server.server_close()


def problem(status: int, code: str = "", detail: str = "No.") -> Answer:
    """Write problem details."""
    return status, json.dumps({"status": status, "code": code, "detail": detail}).encode()


@pytest.mark.parametrize(
    "answer,error",
    [
        (problem(401), AuthFailed),
        (problem(403), AuthFailed),
        (problem(429), NotSent),
        (problem(422, "invalid"), Declined),
        (problem(409, "insufficient_funds"), Declined),
        (problem(409, "cutoff_passed"), CutoffPassed),
        (problem(409, "reference_reused"), OutcomeUnknown),
        (problem(500, "oops"), OutcomeUnknown),
        (problem(502), OutcomeUnknown),
        (problem(503), OutcomeUnknown),
        (problem(504), OutcomeUnknown),
        (problem(404), OutcomeUnknown),
        ((404, b"<html>no such page</html>"), OutcomeUnknown),
        ((302, b""), OutcomeUnknown),
        ((200, b""), OutcomeUnknown),
        ((200, b'{"id": "PMT-1"'), OutcomeUnknown),
        ((200, b"[]"), OutcomeUnknown),
        ((202, b"{}"), OutcomeUnknown),
        ((200, json.dumps(TAKEN | {"amount_cents": "155783"}).encode()), OutcomeUnknown),
        ((200, json.dumps(TAKEN | {"settles_on": "soon"}).encode()), OutcomeUnknown),
    ],
)
def test_every_answer_to_a_wire_says_what_may_be_done_next(
    scripted: tuple[type[Scripted], FileDropBank], answer: Answer, error: type[BankError]
) -> None:
    handler, bank = scripted
    handler.answer = answer
    with pytest.raises(BankError) as refusal:
        bank.create_payment(ORDER)
    assert type(refusal.value) is error
    handler.answer = (201, json.dumps(TAKEN).encode())
    if answer[0] == 429:
        with pytest.raises(NotSent, match="slow down"):
            bank.create_payment(ORDER)
        return
    assert bank.create_payment(ORDER).status is BankStatus.SETTLED


def test_the_banks_sentence_reaches_the_person_who_decides(
    scripted: tuple[type[Scripted], FileDropBank],
) -> None:
    handler, bank = scripted
    handler.answer = problem(409, "insufficient_funds", "The available balance is too low.")
    with pytest.raises(Declined) as refusal:
        bank.create_payment(ORDER)
    assert refusal.value.sentence == "The available balance is too low."
    assert refusal.value.word.startswith("409")


def test_silence_after_the_call_is_not_known(
    scripted: tuple[type[Scripted], FileDropBank], tmp_path: Path
) -> None:
    handler, _ = scripted
    bank = FileDropBank(handler.url, "key", tmp_path, LineTimeouts(10.0, 0.5))
    handler.hangs = threading.Event()
    with pytest.raises(OutcomeUnknown):
        bank.create_payment(ORDER)
    with pytest.raises(NotSent):
        bank.find_payment(ORDER.client_reference)
    handler.hangs.set()


def test_a_broken_connection_after_the_call_is_not_known(
    scripted: tuple[type[Scripted], FileDropBank],
) -> None:
    handler, bank = scripted
    handler.breaks = True
    with pytest.raises(OutcomeUnknown):
        bank.create_payment(ORDER)


def test_a_refused_connection_has_sent_nothing(tmp_path: Path) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(NotSent) as refusal:
        FileDropBank(url, "key", tmp_path).create_payment(ORDER)
    assert "key" not in repr(refusal.value.args)


@pytest.mark.parametrize(
    "answer",
    [
        problem(500),
        (200, b"nonsense"),
        (200, b"[]"),
        (200, json.dumps({"data": [{"id": 1, "type": "x"}]}).encode()),
    ],
)
def test_events_that_cannot_be_read_move_no_cursor(
    scripted: tuple[type[Scripted], FileDropBank], answer: Answer
) -> None:
    handler, bank = scripted
    handler.answer = answer
    with pytest.raises(NotSent):
        bank.list_events("7")


def test_an_unknown_word_for_a_payment_wants_attention(
    scripted: tuple[type[Scripted], FileDropBank],
) -> None:
    handler, bank = scripted
    handler.answer = (200, json.dumps(TAKEN | {"status": "frobnicated"}).encode())
    assert bank.create_payment(ORDER).status is BankStatus.ATTENTION


def test_another_customers_payment_in_the_list_is_not_ours(
    scripted: tuple[type[Scripted], FileDropBank],
) -> None:
    handler, bank = scripted
    other = TAKEN | {"client_reference": "SOMEBODYELSE222"}
    handler.answer = (200, json.dumps({"data": [other]}).encode())
    assert bank.find_payment(ORDER.client_reference) is None
    handler.answer = (200, json.dumps({"data": [other, TAKEN]}).encode())
    found = bank.find_payment(ORDER.client_reference)
    assert found is not None
    assert found.bank_ref == "PMT-1"


def test_a_file_stands_in_the_inbox_whole_with_its_totals_before_it(simulator: Simulator) -> None:
    file = upload()
    order: list[str] = []
    inbox = simulator.drop / "inbox"

    def look() -> None:
        order.append(",".join(sorted(path.suffix for path in inbox.glob("ST*"))))

    with armed("file.before_rename", look), armed("file.totals_in_place", look):
        simulator.bank.submit_file(file, still_ours=lambda: True)
    assert order == ["", ".json"]
    assert (inbox / f"{file.name}.ach").read_bytes() == file.content
    totals = json.loads((inbox / f"{file.name}.totals.json").read_bytes())
    assert totals == {
        "sha256": file.sha256,
        "client_reference": file.client_reference,
        "batch_count": 1,
        "entry_addenda_count": 1,
        "entry_hash": 2_100_002,
        "debit_cents": 0,
        "credit_cents": 10_000,
    }
    assert list(inbox.glob("*.part")) == []


def test_a_file_whose_bytes_are_not_the_sealed_ones_is_refused(simulator: Simulator) -> None:
    file = replace(upload(), sha256="0" * 64)
    with pytest.raises(NotSent):
        simulator.bank.submit_file(file, still_ours=lambda: True)
    inbox = simulator.drop / "inbox"
    assert not inbox.exists() or list(inbox.glob("ST*")) == []


def test_a_part_that_was_altered_on_the_way_is_refused(simulator: Simulator) -> None:
    file = upload()

    def damage() -> None:
        for part in (simulator.drop / "inbox").glob(".*.part"):
            part.write_bytes(part.read_bytes()[:-1] + b"?")

    with armed("file.part_written", damage), pytest.raises(NotSent):
        simulator.bank.submit_file(file, still_ours=lambda: True)
    assert simulator.bank.find_file(file) is None
    assert simulator.bank.submit_file(file, still_ours=lambda: True) is not None


def test_a_sender_that_holds_a_file_holds_up_nothing_else(simulator: Simulator) -> None:
    held, other = upload(), upload("ST20260105B-ABCDEFGHIJKLMN3", 20_000)
    seen: list[object] = []

    def meanwhile() -> None:
        # A second sender of the same file, and one of another, while the first has not let go.
        if seen:
            return
        seen.append(simulator.bank.find_file(held))
        with pytest.raises(NotSent, match="Another sender"):
            simulator.bank.submit_file(held, still_ours=lambda: True)
        seen.append(simulator.bank.submit_file(other, still_ours=lambda: True))

    with armed("file.part_written", meanwhile):
        assert simulator.bank.submit_file(held, still_ours=lambda: True) is not None
    assert seen[0] is None
    assert seen[1] is not None
    inbox = simulator.drop / "inbox"
    assert {path.name for path in inbox.glob("*.ach")} == {f"{held.name}.ach", f"{other.name}.ach"}
    assert (inbox / f"{held.name}.ach").read_bytes() == held.content
    assert [path.name for path in inbox.glob(".*")] == []


def test_who_opened_a_half_that_was_moved_on_has_not_got_it(simulator: Simulator) -> None:
    file = upload()
    simulator.bank.submit_file(file, still_ours=lambda: True)
    in_place = simulator.drop / "inbox" / f"{file.name}.ach"
    # What a slow second sender has in hand when the first has renamed the half and let go of it.
    handle = os.open(in_place, os.O_RDWR)
    try:
        assert not is_locked(handle, part_of(in_place))
    finally:
        os.close(handle)
    assert in_place.read_bytes() == file.content


def test_a_folder_that_cannot_be_used_has_got_nothing(tmp_path: Path) -> None:
    (tmp_path / "drop").write_text("a file where the folder should be")
    bank = FileDropBank("http://127.0.0.1:9", "key", tmp_path / "drop")
    calls: tuple[Callable[[], object], ...] = (
        lambda: bank.submit_file(upload(), still_ours=lambda: True),
        lambda: bank.find_file(upload()),
        lambda: bank.download("STMT-1.bai2"),
    )
    for call in calls:
        with pytest.raises(NotSent):
            call()
    assert bank.list_inbound() == ()


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", ".."])
def test_a_file_of_the_bank_is_read_from_its_folder_only(simulator: Simulator, name: str) -> None:
    with pytest.raises(NotSent):
        simulator.bank.download(name)


def test_links_and_other_things_in_the_outbox_are_left_alone(simulator: Simulator) -> None:
    outbox = simulator.drop / "outbox"
    outbox.mkdir(exist_ok=True)
    (outbox / "note.txt").write_text("hello")
    (outbox / "STMT-1.bai2.part").write_text("half")
    (outbox / "STMT-link.bai2").symlink_to("/etc/passwd")
    (outbox / "STMT-2.bai2").write_text("01,")
    assert [file.name for file in simulator.bank.list_inbound()] == ["STMT-2.bai2"]


def test_the_simulator_takes_the_file_once_although_it_was_dropped_twice(
    simulator: Simulator,
) -> None:
    file = upload()
    simulator.bank.submit_file(file, still_ours=lambda: True)
    simulator.control.scan()
    found = simulator.bank.find_file(file)
    assert found is not None
    assert found.bank_ref.startswith("FILE-")
    assert list((simulator.drop / "inbox").glob("ST*")) == []


def test_the_simulators_refusal_is_told(simulator: Simulator) -> None:
    with pytest.raises(NotSent) as refusal:
        simulator.control.return_entry("000000000000000", "R01")
    assert "refused" in refusal.value.sentence


@dataclass
class Noted:
    """The calls that an adapter made."""

    calls: list[BankCall] = field(default_factory=list)

    def told(self) -> list[tuple[str, str, str, int]]:
        """Return verb, reference, outcome and status of every call."""
        return [(call.verb, call.reference, call.outcome, call.status) for call in self.calls]


def adapter_at(simulator: Simulator, noted: Noted, limits: Limits | None = None) -> FileDropBank:
    """Return an adapter at the simulator whose calls are noted."""
    return FileDropBank(
        simulator.running.url, API_KEY, simulator.drop, limits=limits, call_log=noted.calls.append
    )


def test_the_log_has_every_call_and_neither_secrets_nor_account_numbers(
    simulator: Simulator,
) -> None:
    noted = Noted()
    bank, file = adapter_at(simulator, noted), upload()
    bank.health()
    bank.submit_file(file, still_ours=lambda: True)
    with pytest.raises(Declined):
        bank.create_payment(ORDER)
    assert bank.find_payment(ORDER.client_reference) is None
    bank.list_events("")
    bank.list_inbound()
    with pytest.raises(NotSent):
        bank.download("nothing-1234567890.ach")
    assert noted.told() == [
        ("health", "", "ok", 200),
        ("find_file", file.client_reference, "ok", 200),
        ("submit_file", file.client_reference, "ok", 0),
        ("create_payment", ORDER.client_reference, "Declined", 409),
        ("find_payment", ORDER.client_reference, "ok", 200),
        ("list_events", "", "ok", 200),
        ("list_inbound", "", "ok", 0),
        ("download", "nothing-1234567890.ach", "NotSent", 0),
    ]
    assert {call.bank for call in noted.calls} == {"filedrop"}
    written = repr(noted.calls)
    assert API_KEY not in written
    assert ORDER.account_number not in written


def test_a_long_number_in_the_banks_sentence_is_not_kept(
    scripted: tuple[type[Scripted], FileDropBank],
) -> None:
    handler, bank = scripted
    handler.answer = problem(409, "invalid", f"The account {ORDER.account_number} is closed.")
    with pytest.raises(Declined) as refusal:
        bank.create_payment(ORDER)
    assert ORDER.account_number not in refusal.value.sentence + refusal.value.word
    assert refusal.value.sentence == f"The account …{ORDER.account_number[-4:]} is closed."


def test_a_bank_that_keeps_failing_is_left_alone_and_the_folder_is_not(
    scripted: tuple[type[Scripted], FileDropBank], tmp_path: Path
) -> None:
    handler, bank = scripted
    handler.answer = problem(500)
    for _ in range(5):
        with pytest.raises(NotSent, match="status 500"):
            bank.list_events("7")
    handler.answer = (200, b'{"data": []}')
    with pytest.raises(NotSent, match="several times in a row"):
        bank.list_events("7")
    with pytest.raises(NotSent, match="several times in a row"):
        bank.create_payment(ORDER)
    (tmp_path / "drop" / "outbox").mkdir(parents=True)
    (tmp_path / "drop" / "outbox" / "RET-1.ach").write_bytes(b"x")
    assert [file.name for file in bank.list_inbound()] == ["RET-1.ach"]


def test_our_own_budget_of_calls_is_kept(simulator: Simulator) -> None:
    noted = Noted()
    limits = Limits(calls_per_second=0.001, burst=2, longest_wait_seconds=0.0)
    bank = adapter_at(simulator, noted, limits)
    bank.list_events("")
    bank.list_events("")
    with pytest.raises(NotSent, match="Our own limit"):
        bank.list_events("")
    assert [call.outcome for call in noted.calls] == ["ok", "ok", "NotSent"]
