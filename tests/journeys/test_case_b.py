"""The shipped egg donation, played whole: files, wires, statements, and the last cent."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.domain.disbursements.queries import list_requests, request_detail
from seedtrust.domain.documents.models import Document
from seedtrust.domain.documents.queries import visible_documents
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.operations.models import ExceptionItem, JobRun
from seedtrust.domain.payments.models import PaymentInstruction, TrustAccount
from seedtrust.domain.reconciliation.models import BankStatementLine
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.statements.queries import ledger_for
from seedtrust.journeys.comparer import first_difference, read_expected
from seedtrust.journeys.player import EQUAL
from seedtrust.journeys.script import Journey
from tests.support import books
from tests.support.shipped_play import Played, lines_in, play_shipped, the_case

UNTIL = date(2026, 5, 28)


@pytest.fixture(scope="module")
def played(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Play the journey once for every test of this module."""
    folder = tmp_path_factory.mktemp("journey")
    with play_shipped("case-b", UNTIL, sqlite_template, folder) as found:
        yield found


def test_the_ledger_equals_the_file_line_by_line_and_the_case_is_closed(played: Played) -> None:
    with played.app.app_context():
        outcome = played.player.outcome(played.journey, played.folder / "ledger.csv")
    assert outcome.result == EQUAL
    case = played.read(the_case)
    assert (case.stage, played.lines()[-1].balance_cents) == ("CLOSED", 0)


def test_the_file_is_read_by_the_comparer_alone(played: Played) -> None:
    with played.app.app_context():
        outcome = played.player.outcome(played.journey, None)
    assert "no ledger.csv" in outcome.result
    assert len(played.lines()) == 16


@pytest.mark.parametrize("row", range(16))
@pytest.mark.parametrize("column", range(5))
def test_one_altered_cell_fails_at_its_line(played: Played, row: int, column: int) -> None:
    expected = read_expected(played.folder / "ledger.csv")
    cells = list(expected[row].cells)
    cells[column] += "x"
    expected[row] = replace(expected[row], cells=tuple(cells))
    difference = first_difference(expected, played.lines())
    assert difference is not None
    assert difference.startswith(expected[row].place)


def test_the_books_are_sound(played: Played) -> None:
    assert books.faults(played.url) == []


def test_bank_book_and_cases_agree_on_every_banking_day(played: Played) -> None:
    def differences(session: Session) -> list[int]:
        accounts = session.execute(select(TrustAccount.id)).scalars().all()
        days = {line.effective_on for line in lines_in(session)} | {UNTIL}
        return [
            three_way(session, account, day).difference_cents
            for account in accounts
            for day in sorted(days)
        ]

    assert set(played.read(differences)) == {0}


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
            case = the_case(session)
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
    before = [(line.effective_on, line.amount_cents) for line in played.lines()]
    with played.app.app_context():
        played.player.play([played.journey], until=UNTIL)
    assert [(line.effective_on, line.amount_cents) for line in played.lines()] == before
