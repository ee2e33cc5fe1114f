"""The shipped egg donation, played whole: files, wires, statements, and the last cent."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.app import create_app, make_tools
from seedtrust.core.clock import SystemClock
from seedtrust.domain.cases.models import Case
from seedtrust.domain.disbursements.queries import list_requests, request_detail
from seedtrust.domain.documents.models import Document
from seedtrust.domain.documents.queries import visible_documents
from seedtrust.domain.ledger.queries import case_lines
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.notices.ports import Mail
from seedtrust.domain.operations.models import ExceptionItem, JobRun
from seedtrust.domain.payments.models import PaymentInstruction, TrustAccount
from seedtrust.domain.reconciliation.models import BankStatementLine
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.statements.queries import ledger_for
from seedtrust.ext import db, in_transaction, reading
from seedtrust.gateways.bank import HttpSandboxControl
from seedtrust.jobs.tools import Tools
from seedtrust.journeys.cast import Cast
from seedtrust.journeys.comparer import first_difference, read_expected
from seedtrust.journeys.player import EQUAL, Player
from seedtrust.journeys.reader import read_journey
from seedtrust.journeys.script import Journey
from seedtrust.journeys.setting import set_up
from seedtrust.journeys.shipped import journey_folders
from seedtrust.sandbox.server import RunningBank
from seedtrust.settings import Settings
from tests.support import books, databases

FOLDER = next(folder for folder in journey_folders() if folder.name == "case-b")
UNTIL = date(2026, 5, 28)


class Letterbox:
    """Keeps every mail instead of sending it."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(self, mail: Mail) -> None:
        """Keep one mail."""
        self.mails.append(mail)


@dataclass
class Played:
    """Everything that a played journey leaves behind."""

    app: Flask
    tools: Tools
    journey: Journey
    player: Player
    letterbox: Letterbox
    bank: RunningBank
    settings: Settings
    url: str

    def read(self, work: Any) -> Any:
        """Read in the application's database."""
        with self.app.app_context():
            return reading(work)


@pytest.fixture(scope="module")
def played(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Play the journey once for every test of this module."""
    folder = tmp_path_factory.mktemp("journey")
    url = databases.copy_of(sqlite_template, folder / "seedtrust.sqlite3")
    bank_dir = folder / "bank"
    bank = RunningBank(bank_dir, 0, "test-key", scan_seconds=None)
    bank.start()
    settings = Settings.from_env(
        env="test",
        data_dir=folder,
        database_url=url,
        business_clock="database",
        bank_url=bank.url,
        bank_api_key="test-key",
        bank_drop_dir=bank_dir / "drop",
    )
    app = create_app(settings, clock=SystemClock())
    letterbox = Letterbox()
    tools = replace(make_tools(settings), mailer=letterbox)
    control = HttpSandboxControl(bank.url, "test-key")
    journey = read_journey(FOLDER / "journey.toml")
    with app.app_context():
        cast = Cast(tools.keyring)
        in_transaction(lambda session: cast.hire(session, now=tools.clock.now()))
        set_up(tools, control)
        player = Player(tools, control, cast)
        player.play([journey], until=UNTIL)
    yield Played(app, tools, journey, player, letterbox, bank, settings, url)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    bank.stop()


def _case(session: Session) -> Case:
    return session.execute(select(Case)).scalar_one()


def _lines(played: Played) -> Sequence[Any]:
    found: Sequence[Any] = played.read(
        lambda s: case_lines(s, _case(s).ledger_account_id, limit=1000)
    )
    return found


def test_the_ledger_equals_the_file_line_by_line_and_the_case_is_closed(played: Played) -> None:
    with played.app.app_context():
        outcome = played.player.outcome(played.journey, FOLDER / "ledger.csv")
    assert outcome.result == EQUAL
    case = played.read(_case)
    assert (case.stage, _lines(played)[-1].balance_cents) == ("CLOSED", 0)


def test_the_file_is_read_by_the_comparer_alone(played: Played) -> None:
    with played.app.app_context():
        outcome = played.player.outcome(played.journey, None)
    assert "no ledger.csv" in outcome.result
    assert len(_lines(played)) == 16


@pytest.mark.parametrize("row", range(16))
@pytest.mark.parametrize("column", range(5))
def test_one_altered_cell_fails_at_its_line(played: Played, row: int, column: int) -> None:
    expected = read_expected(FOLDER / "ledger.csv")
    cells = list(expected[row].cells)
    cells[column] += "x"
    expected[row] = replace(expected[row], cells=tuple(cells))
    difference = first_difference(expected, _lines(played))
    assert difference is not None
    assert difference.startswith(expected[row].place)


def test_the_books_are_sound(played: Played) -> None:
    assert books.faults(played.url) == []


def test_bank_book_and_cases_agree_on_every_banking_day(played: Played) -> None:
    def differences(session: Session) -> list[int]:
        accounts = session.execute(select(TrustAccount.id)).scalars().all()
        days = {line.effective_on for line in _lines_in(session)} | {UNTIL}
        return [
            three_way(session, account, day).difference_cents
            for account in accounts
            for day in sorted(days)
        ]

    assert set(played.read(differences)) == {0}


def _lines_in(session: Session) -> Sequence[Any]:
    return case_lines(session, _case(session).ledger_account_id, limit=1000)


def test_the_banks_own_books_agree(played: Played) -> None:
    request = urllib.request.Request(  # noqa: S310 - our own simulator
        f"{played.bank.url}/sim/ledger", headers={"Authorization": "Bearer test-key"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        assert json.load(answer)["is_proved"] is True


def test_every_payment_settled_and_stands_on_a_statement(played: Played) -> None:
    rows = played.read(
        lambda s: [
            (row.state, row.reconciliation_status)
            for row in s.execute(select(PaymentInstruction)).scalars()
        ]
    )
    assert len(rows) == 14
    assert set(rows) == {("SETTLED", "matched")}


def test_every_statement_line_is_matched(played: Played) -> None:
    statuses = played.read(lambda s: set(s.execute(select(BankStatementLine.status)).scalars()))
    assert statuses == {"matched"}


def test_no_job_failed_and_nothing_waits_for_a_person(played: Played) -> None:
    errors = played.read(
        lambda s: [
            (run.job, run.error)
            for run in s.execute(select(JobRun)).scalars()
            if run.error or run.items_failed or run.finished_at is None
        ]
    )
    assert errors == []
    waiting = played.read(
        lambda s: list(
            s.execute(
                select(ExceptionItem.sentence).where(ExceptionItem.closed_at.is_(None))
            ).scalars()
        )
    )
    assert waiting == []


def test_different_people_acted_at_each_step(played: Played) -> None:
    from seedtrust.domain.payments.models import PaymentRun

    runs = played.read(lambda s: list(s.execute(select(PaymentRun)).scalars()))
    assert all(run.builder_user_id != run.releaser_user_id for run in runs)
    assert len({run.builder_user_id for run in runs}) == 2
    assert len({run.releaser_user_id for run in runs}) == 2


def _secrets_of(journey: Journey, roles: set[str]) -> set[str]:
    words: set[str] = set()
    for party in journey.parties:
        if party.role in roles:
            words |= {party.name, *party.name.split(), party.email}
            if party.account is not None:
                account = party.account
                words |= {account.bank_name, account.account_number, account.routing_number}
    return words


@pytest.mark.parametrize(
    "reader, hidden",
    [("intended_parent", {"donor"}), ("donor", {"intended_parent"})],
)
def test_neither_side_reads_anything_of_the_other(
    played: Played, reader: str, hidden: set[str]
) -> None:
    secrets = _secrets_of(played.journey, hidden)
    # The two families share no name in this journey, so every word of one is a secret of the other.
    emails = [party.email for party in played.journey.parties if party.role == reader]

    def everything(session: Session) -> str:
        texts = []
        for email in emails:
            actor = played.player._cast.party(session, email)  # noqa: SLF001 - the people of the play
            case = _case(session)
            rows, _ = list_requests(session, actor, case_ref=case.reference, limit=200)
            texts += [str(rows)]
            texts += [str(request_detail(session, actor, row.reference)) for row in rows]
            texts += [str(visible_documents(session, actor, case.reference))]
            if reader == "intended_parent":
                texts += [str(ledger_for(session, actor, case.reference, limit=200))]
        return "\n".join(texts)

    found = played.read(everything)
    mails = "\n".join(
        mail.subject + mail.text + mail.html for mail in played.letterbox.mails if mail.to in emails
    )
    assert len(found) > 1000
    assert mails
    for secret in secrets:
        assert secret not in found, secret
        assert secret not in mails, secret


def test_no_account_number_lies_in_the_clear_in_the_database(played: Played) -> None:
    path = Path(played.url.removeprefix("sqlite:///"))
    content = path.read_bytes()
    wal = path.with_name(path.name + "-wal")
    content += wal.read_bytes() if wal.exists() else b""
    accounts = [party.account for party in played.journey.parties if party.account]
    accounts += [payee.account for payee in played.journey.payees]
    assert all(account.account_number.encode() not in content for account in accounts)


def test_evidence_is_stored_with_its_hash(played: Played) -> None:
    import hashlib

    documents = played.read(lambda s: list(s.execute(select(Document)).scalars()))
    assert len(documents) >= 12
    for document in documents:
        content = played.tools.storage.get(document.sha256)
        assert hashlib.sha256(content).hexdigest() == document.sha256


def test_everybody_who_had_to_be_told_was_told_once(played: Played) -> None:
    states = played.read(lambda s: set(s.execute(select(NoticeDelivery.state)).scalars()))
    assert states == {"sent"}
    keys = [mail.message_id for mail in played.letterbox.mails]
    assert len(keys) == len(set(keys)) > 20


def test_playing_again_from_the_same_data_changes_nothing(played: Played) -> None:
    before = [(line.effective_on, line.amount_cents) for line in _lines(played)]
    with played.app.app_context():
        played.player.play([played.journey], until=UNTIL)
    assert [(line.effective_on, line.amount_cents) for line in _lines(played)] == before
