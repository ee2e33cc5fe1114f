"""Opening the books and their accounts."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.domain.ledger import chart
from seedtrust.domain.ledger.account_kinds import AccountKind, BookCode, normal_side
from seedtrust.domain.ledger.errors import AccountNotFound
from seedtrust.domain.ledger.models import LedgerAccount, LedgerBalance, LedgerBook
from seedtrust.domain.ledger.posting import Side
from tests.domain.ledger.books_world import NOW, World, open_world


def test_opening_everything_again_changes_nothing(
    session_factory: sessionmaker[Session], world: World
) -> None:
    def count(session: Session) -> tuple[int, int]:
        accounts = session.execute(select(func.count()).select_from(LedgerAccount)).scalar_one()
        books = session.execute(select(func.count()).select_from(LedgerBook)).scalar_one()
        return accounts, books

    before = world.do(count)
    assert open_world(session_factory) == world
    assert world.do(count) == before
    assert before[1] == 2


def test_case_accounts_alone_are_guarded(world: World) -> None:
    rows = world.do(
        lambda session: session.execute(
            select(LedgerAccount.kind, LedgerBalance.guard).join(
                LedgerBalance, LedgerBalance.account_id == LedgerAccount.id
            )
        ).all()
    )
    assert {kind for kind, guard in rows if guard} == {AccountKind.CASE}


def test_a_case_account_knows_its_case(world: World) -> None:
    account = world.do(lambda session: session.get_one(LedgerAccount, world.case))
    assert (account.owner_type, account.owner_id, account.code) == ("case", 1, "case:1")


@pytest.mark.parametrize(
    "code",
    [
        "bank_cash:main",
        "in_transit:ach:out",
        "in_transit:ach:in",
        "in_transit:wire:out",
        "shortage_receivable",
        "bank_charges_recoverable",
        "case:1",
        "deposits_in_process",
        "unidentified_receipts",
        "fees_payable",
        "returned_payments",
        "checks_outstanding",
        "stale_items",
        "commitments",
    ],
)
def test_the_trust_book_has_its_accounts(world: World, code: str) -> None:
    assert world.do(lambda session: chart.account_id(session, "trust", code)) > 0


@pytest.mark.parametrize(
    "code", ["operating_cash", "fee_income", "bank_charges", "shortage_expense", "due_to_trust"]
)
def test_the_operating_book_has_its_accounts(world: World, code: str) -> None:
    assert world.do(lambda session: chart.account_id(session, "operating", code)) > 0


def test_an_unknown_code_or_book_is_named(world: World) -> None:
    with pytest.raises(AccountNotFound) as refusal:
        world.do(lambda session: chart.account_id(session, "trust", "case:99"))
    assert refusal.value.facts["code"] == "case:99"
    with pytest.raises(AccountNotFound):
        world.do(lambda session: chart.account_ids(session, "trust", ["commitments", "x"]))
    with pytest.raises(AccountNotFound):
        world.do(lambda session: chart.open_account(session, "savings", AccountKind.CASE, "c", NOW))


def test_codes_spell_out_what_they_name() -> None:
    assert chart.bank_cash_code("main") == "bank_cash:main"
    assert chart.in_transit_code("wire", "in") == "in_transit:wire:in"
    assert chart.case_code(7) == "case:7"


def test_every_kind_stands_on_a_side_and_in_a_book() -> None:
    assets = {kind for kind in AccountKind if normal_side(kind) is Side.DEBIT}
    assert AccountKind.BANK_CASH in assets
    assert AccountKind.CASE not in assets
    assert set(BookCode) == {"trust", "operating"}
