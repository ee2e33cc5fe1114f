"""Balances and statements as people read them: by effective day, with a running balance."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from seedtrust.domain.ledger import chart, daily, queries, service
from seedtrust.domain.ledger.account_kinds import AccountKind
from seedtrust.domain.ledger.errors import AccountNotFound
from seedtrust.domain.ledger.queries import CaseLine, LineCursor
from seedtrust.domain.ledger.service import Posting, TxnKind, credit, debit
from tests.domain.ledger.books_world import CLERK, DAY, NOW, World, counted, two_legs


def lines(world: World, account: int | None = None, **page: object) -> list[CaseLine]:
    return world.do(
        lambda session: queries.case_lines(session, account or world.case, **page)  # type: ignore[arg-type]
    )


def as_of(world: World, on: date) -> int:
    return world.do(lambda session: queries.balance_as_of(session, world.case, on))


def roll_up(world: World, at_least: int = 1) -> int:
    return world.do(lambda session: daily.roll_up(session, at_least=at_least))


def history(world: World, count: int = 40) -> None:
    """Post deposits whose effective days jump back and forth."""
    for number in range(count):
        on = DAY + timedelta(days=number * 7 % 11)
        world.deposit(100 + number, f"d{number}", on)


def test_lines_stand_in_effective_order_and_ties_in_posting_order(world: World) -> None:
    world.deposit(1_000, "a", date(2026, 3, 2))
    world.deposit(500, "b", date(2026, 3, 1))
    world.spend(300, "c", date(2026, 3, 1))
    found = lines(world)
    assert [(line.effective_on.day, line.amount_cents) for line in found] == [
        (1, 500),
        (1, -300),
        (2, 1_000),
    ]
    assert [line.balance_cents for line in found] == [500, 200, 1_200]


def test_a_line_carries_every_character_of_its_memo_and_the_instant(world: World) -> None:
    memo = '"Smith" \\ O\'Brien\t\n\x01 100% – Ünal 🌱 [1, 2]'
    move = (debit(world.bank, 5), credit(world.case, 5))
    posting = Posting(TxnKind.DEPOSIT, memo, DAY, move, memo=memo, category=None)
    world.post(posting)
    assert world.post(posting).replayed
    world.do(
        lambda session: service.post_many(
            session, CLERK, [replace(posting, key="bulk", source_ref="a'b\\")], now=NOW
        )
    )
    first, second = lines(world)
    assert (first.memo, first.category, first.posted_at) == (memo, None, NOW)
    assert (second.memo, second.source_ref) == (memo, "a'b\\")


def test_a_line_says_what_it_is(world: World) -> None:
    world.deposit(1_000)
    sent = world.capture(world.reserve(400))
    line = lines(world)[-1]
    assert (line.txn_id, line.kind, line.category) == (
        sent.txn_id,
        TxnKind.DISBURSEMENT,
        "legal",
    )
    assert (line.memo, line.source_type, line.source_ref) == ("Attorney", "payment", "P1")
    assert (line.amount_cents, line.balance_cents) == (-400, 600)
    assert (line.effective_on, line.posted_at) == (DAY, NOW)


def test_held_money_is_no_line(world: World) -> None:
    world.deposit(1_000)
    world.release(world.reserve(400))
    assert len(lines(world)) == 1


def test_an_account_without_movements_has_no_lines(world: World) -> None:
    assert lines(world) == []
    assert lines(world, newest_first=True) == []


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("rolled_up", [False, True])
def test_pages_put_together_are_the_whole(
    world: World,
    newest_first: bool,
    rolled_up: bool,
) -> None:
    history(world)
    if rolled_up:
        roll_up(world)
        world.deposit(9, "after", DAY + timedelta(days=3))
    whole = lines(world, limit=500)
    assert whole[-1].balance_cents == world.balance().ledger_cents
    if newest_first:
        whole.reverse()
    pages: list[CaseLine] = []
    after = None
    while page := lines(world, limit=7, after=after, newest_first=newest_first):
        pages += page
        after = page[-1].cursor
    assert pages == whole


def test_a_page_costs_one_query_however_long_it_is(world: World, engine: Engine) -> None:
    history(world)
    with counted(engine) as few:
        lines(world, limit=1)
    with counted(engine) as many:
        lines(world, limit=40, after=LineCursor(DAY, 0))
    assert len(few) == len(many) == 1


def test_an_asset_account_grows_with_debits(world: World) -> None:
    world.deposit(1_000)
    assert lines(world, world.bank)[0].amount_cents == 1_000


def test_the_balance_of_a_day_counts_by_effective_day(world: World) -> None:
    world.deposit(1_000, "late", date(2026, 3, 9))
    world.deposit(200, "early", date(2026, 3, 2))
    assert as_of(world, date(2026, 3, 1)) == 0
    assert as_of(world, date(2026, 3, 2)) == 200
    assert as_of(world, date(2026, 3, 8)) == 200
    assert as_of(world, date(2026, 3, 9)) == 1_200


def test_daily_sums_change_no_balance_of_any_day(world: World) -> None:
    days = [DAY + timedelta(days=number) for number in range(-1, 13)]
    history(world, 20)
    before = [as_of(world, day) for day in days]
    assert roll_up(world) == 2
    assert [as_of(world, day) for day in days] == before
    world.release(world.reserve(5))
    world.deposit(1, "more", days[5])
    after = [before[n] + (1 if n >= 5 else 0) for n in range(len(days))]
    assert [as_of(world, day) for day in days] == after
    roll_up(world)
    assert [as_of(world, day) for day in days] == after
    assert roll_up(world) == 0


def test_quiet_accounts_are_not_rolled_up(world: World) -> None:
    history(world, 5)
    assert roll_up(world, at_least=6) == 0
    assert roll_up(world, at_least=5) == 2


def test_an_account_with_held_money_alone_is_rolled_up_without_days(world: World) -> None:
    world.deposit(100)
    roll_up(world)
    world.reserve(100)
    assert roll_up(world) == 2
    assert as_of(world, DAY) == 100


def test_unknown_accounts_have_no_balance(world: World) -> None:
    with pytest.raises(AccountNotFound):
        world.balance(77)
    with pytest.raises(AccountNotFound):
        world.do(lambda session: queries.balance_as_of(session, 77, DAY))
    assert world.do(lambda session: queries.balances_of(session, [77])) == {}


def test_balances_of_many_accounts_come_in_one_query(world: World, engine: Engine) -> None:
    world.deposit(100)
    world.reserve(40)
    with counted(engine) as sent:
        found = world.do(
            lambda session: queries.balances_of(session, [world.case, world.other_case])
        )
    assert len(sent) == 1
    assert found[world.case].reserved_cents == 40
    assert found[world.other_case].available_cents == 0


def test_open_holds_of_an_account_are_listed(world: World) -> None:
    world.deposit(100)
    first = world.reserve(40, "one")
    second = world.reserve(30, "two")
    world.release(first)
    found = world.do(lambda session: queries.open_holds(session, world.case))
    assert [(hold.hold_id, hold.remaining_cents) for hold in found] == [(second, 30)]


def test_sums_by_kind_are_those_of_the_day(world: World) -> None:
    world.deposit(1_000, "in", date(2026, 3, 2))
    world.post(two_legs(world.bank, world.other_case, 50, "other", on=date(2026, 3, 3)))
    world.spend(300, "fee", date(2026, 3, 4))

    def sums(day: int) -> dict[AccountKind, int]:
        return world.do(lambda session: queries.sums_by_kind(session, date(2026, 3, day)))

    assert sums(1)[AccountKind.CASE] == 0
    assert sums(2)[AccountKind.CASE] == 1_000
    assert sums(3)[AccountKind.CASE] == 1_050
    assert sums(4)[AccountKind.CASE] == 750
    assert sums(4)[AccountKind.FEES_PAYABLE] == 300
    assert sums(3)[AccountKind.FEES_PAYABLE] == 0
    assert sums(4)[AccountKind.BANK_CASH] == 1_050
    assert AccountKind.OPERATING_CASH not in sums(4)


def test_sums_of_the_operating_book_stand_apart(world: World) -> None:
    income = world.do(lambda session: chart.account_id(session, "operating", "fee_income"))
    world.post(two_legs(world.operating_cash, income, 75, "sweep", kind=TxnKind.INCOME))
    found = world.do(lambda session: queries.sums_by_kind(session, DAY, "operating"))
    assert found[AccountKind.FEE_INCOME] == 75
    assert found[AccountKind.OPERATING_CASH] == 75
    assert AccountKind.CASE not in found


def test_a_trial_balance_has_equal_totals_and_one_row_for_all_cases(world: World) -> None:
    world.deposit(1_000)
    world.capture(world.reserve(400))
    found = world.do(lambda session: queries.trial_balance(session, "trust"))
    rows = {row.code: row for row in found.rows}
    assert found.debit_cents == found.credit_cents == 1_000
    assert (rows["case"].accounts, rows["case"].credit_cents) == (2, 600)
    assert rows["in_transit:ach:out"].credit_cents == 400
    assert rows["bank_cash:main"].debit_cents == 1_000


def test_sums_must_be_whole() -> None:
    assert queries.whole(Decimal(5)) == 5
    assert queries.whole(None) == 0
    with pytest.raises(ValueError, match="whole"):
        queries.whole(Decimal("1.5"))


def test_the_sample_day_of_the_design_balances_three_ways(world: World) -> None:
    """Adjusted bank, book and owners are one figure while a payment is under way."""
    world.deposit(1_000)
    world.spend(100, "fee")
    world.capture(world.reserve(400))
    found = world.do(lambda session: queries.sums_by_kind(session, DAY))
    book = (
        found[AccountKind.BANK_CASH]
        + found[AccountKind.IN_TRANSIT]
        - found[AccountKind.CHECKS_OUTSTANDING]
    )
    owners = found[AccountKind.CASE] + found[AccountKind.FEES_PAYABLE]
    assert book == owners == 600
    settle = Posting(
        TxnKind.SETTLEMENT,
        "settled",
        DAY,
        (debit(world.transit, 400), credit(world.bank, 400)),
    )
    world.do(lambda session: service.post(session, CLERK, settle, now=NOW))
    found = world.do(lambda session: queries.sums_by_kind(session, DAY))
    assert (found[AccountKind.BANK_CASH], found[AccountKind.IN_TRANSIT]) == (600, 0)
