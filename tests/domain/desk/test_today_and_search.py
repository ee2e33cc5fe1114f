"""What Today counts by age, what it knows of the bank's link, and searching, on both databases."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor
from seedtrust.domain.desk.ageing import Ages, Bucket, ageing
from seedtrust.domain.desk.banklink import bank_healths
from seedtrust.domain.desk.search import Found, only_one, search
from seedtrust.domain.funding.service import receive_wire
from seedtrust.domain.payments import events, hints
from seedtrust.domain.payments.models import BankInboxItem
from seedtrust.domain.payments.ports import FILE_DROP
from tests.factories import case_world, closing_world
from tests.factories.case_world import World
from tests.support.databases import on_both_databases

Sessions = sessionmaker[Session]
TODAY = date(2026, 5, 18)
MOMENT = case_world.moment_on(TODAY)


def stray(session: Session, world: World, on: date, number: int) -> None:
    receive_wire(
        session,
        Actor.system("tests"),
        trust_account_id=world.case.trust_account_id,
        trust_code="main",
        bank="main",
        bank_reference=f"stray-{number}",
        amount_cents=100 * number,
        sender_name="E. Ashgrove",
        text="no number",
        received_on=on,
        moment=case_world.moment_on(on),
    )


@on_both_databases
def test_what_waits_falls_into_the_bucket_of_its_age(session_factory: Sessions) -> None:
    days = (18, 17, 16, 15, 11, 10)
    with session_factory() as session, session.begin():
        world = case_world.begun(session)
        for number, day in enumerate(days, start=1):
            stray(session, world, date(2026, 5, day), number)
        closing_world.open_request(session, world)
        requests, deposits, payments = ageing(session, TODAY)
    assert [row.kind for row in (requests, deposits, payments)] == list(Ages)
    assert deposits.buckets == (Bucket(1, 100), Bucket(2, 500), Bucket(2, 900), Bucket(1, 600))
    assert requests.buckets[0] == Bucket(1, 100)
    assert (requests.count, payments.count) == (1, 0)


def heard(session: Session, source: str, number: int, *, applied: bool = True) -> None:
    session.add(
        BankInboxItem(
            id=new_id(),
            source=source,
            external_id=f"message-{number}",
            kind="ach.returned",
            payload={},
            received_at=MOMENT.at,
            applied_at=MOMENT.at if applied else None,
        )
    )


@on_both_databases
def test_the_link_says_of_each_bank_when_it_answered_and_what_was_not_applied(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        assert bank_healths(session) == []
        events.move_cursor(session, FILE_DROP, "42", moment=MOMENT)
        events.move_cursor(session, "other", "7", moment=MOMENT)
        heard(session, events.source_of(FILE_DROP), 1)
        heard(session, events.source_of("other"), 2, applied=False)
        heard(session, "returns", 3)
        heard(session, f"{hints.SOURCE}other", 4)  # brought to our door: no bank of its own
        session.flush()
        files, other = sorted(bank_healths(session), key=lambda bank: bank.code != FILE_DROP)
        events.mark_link(session, "other", healthy=False, moment=MOMENT)
        session.flush()
        broken = {bank.code: bank.healthy for bank in bank_healths(session)}
    assert (files.called_at, files.heard_at, files.file_at) == (MOMENT.at,) * 3
    assert (files.not_applied, files.healthy) == (0, True)
    assert (other.code, other.not_applied, other.file_at) == ("other", 1, None)
    assert broken == {FILE_DROP: True, "other": False}


@on_both_databases
def test_search_takes_every_text_and_finds_names_aliases_and_references(
    session_factory: Sessions,
) -> None:
    with session_factory() as session, session.begin():
        world = case_world.begun(session)
        stray(session, world, TODAY, 7)
        auditor = world.auditor
        for odd in ("%", "_x", "'; --", "ünïcödé 测试", "\\", "9" * 30, "stray-8"):
            assert search(session, auditor, odd) == []
        alias = world.parties["carrier"].alias
        assert [group.kind for group in search(session, auditor, alias)] == [Found.CASE]
        named = {group.kind for group in search(session, auditor, "QUARLES")}
        assert {Found.CASE, Found.PAYEE, Found.PERSON} <= named
        number = str(world.case.number)
        assert only_one(search(session, auditor, number)) == (Found.CASE, world.case.reference)
        assert only_one(search(session, auditor, "stray-7")) is not None
        assert only_one(search(session, auditor, "Ashgrove")) is None
        assert only_one(search(session, auditor, world.case.reference[:8])) is None


def test_people_outside_find_nothing_that_is_not_theirs(session_factory: Sessions) -> None:
    with session_factory() as session, session.begin():
        world = case_world.begun(session)
        other = case_world.build(session)
        found = search(session, world.carrier, str(other.case.number))
        assert found == []
