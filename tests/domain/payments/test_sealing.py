"""Sealing a file: what it says, what is refused, and that its bytes cannot be altered unseen."""

from __future__ import annotations

import io
from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from seedtrust.core.crypto import Keyring
from seedtrust.core.db import Base
from seedtrust.core.errors import Forbidden, NotFound, WrongState
from seedtrust.core.ids import new_reference
from seedtrust.domain.audit.models import AuditEvent
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payees.service import account_aad
from seedtrust.domain.payees.states import AccountType, PayeeKind
from seedtrust.domain.payments import runs
from seedtrust.domain.payments.errors import FileAltered, FileDiffers, NoMoreFiles
from seedtrust.domain.payments.files import (
    download_file,
    file_aad,
    seal_file,
    sealed_content,
    totals_of,
)
from seedtrust.domain.payments.models import (
    BankFile,
    ControlTotal,
    PaymentInstruction,
    PaymentRun,
    TrustAccount,
)
from seedtrust.domain.terms.states import TaxClass
from seedtrust.formats import nacha
from tests.factories.payment_world import (
    KEYRING,
    MONDAY,
    SYSTEM,
    TUESDAY,
    PaymentWorld,
    moment_at,
)


def seal(world: PaymentWorld, run: PaymentRun, *, on: date = MONDAY) -> BankFile:
    """Seal the file of a run."""
    return world.do(
        lambda session: seal_file(
            session, SYSTEM, run_ref=run.reference, keyring=KEYRING, moment=moment_at(on)
        )
    )


def entries(file: BankFile) -> list[nacha.ParsedEntry]:
    """Read a sealed file back."""
    parsed = nacha.read_file(io.BytesIO(sealed_content(file, KEYRING)))
    assert parsed.is_valid
    return list(parsed.entries)


def rows_of(world: PaymentWorld, run: PaymentRun) -> list[PaymentInstruction]:
    """Return the payments of a run in order."""
    statement = (
        select(PaymentInstruction)
        .where(PaymentInstruction.run_id == run.id)
        .order_by(PaymentInstruction.position)
    )
    return world.do(lambda session: list(session.execute(statement).scalars()))


def put(world: PaymentWorld, model: type[Base], row_id: int, **values: object) -> None:
    """Write values into a row, as somebody with access to the database may."""

    def work(session: Session) -> None:
        row = session.get_one(model, row_id)
        for name, value in values.items():
            setattr(row, name, value)

    world.do(work)


def test_the_file_says_what_the_payments_say(world: PaymentWorld) -> None:
    case = world.case()
    donor = world.payee(name="José Ñandú-Quarles de la Very Long Name")
    savings = world.payee(account_type=AccountType.SAVINGS)
    agency = world.payee(kind=PayeeKind.COMPANY, name="Larkspur LLC")
    world.request(case, donor, amount_cents=1, tax_class=TaxClass.COMPENSATION)
    bill = world.request(case, agency, amount_cents=850_000, tax_class=TaxClass.VENDOR)
    world.request(case, savings, amount_cents=3_000, tax_class=TaxClass.COMPENSATION)
    run = world.released()
    file = seal(world, run)
    first, third, second = entries(file)
    rows = rows_of(world, run)
    assert [entry.trace_number for entry in (first, second, third)] == [
        "044000020000001",
        "044000020000002",
        "044000020000003",
    ]
    assert [entry.identification for entry in (first, second, third)] == [
        row.reference for row in rows
    ]
    assert (first.name, first.amount_cents) == ("Jose Nandu-Quarles de", 1)
    assert (first.transaction_code, third.transaction_code) == (22, 32)
    assert (second.batch.sec_code, second.batch.entry_description) == ("CCD", "VENDORPAY")
    assert second.remittance == (f"CASE {case.number} REQUEST {bill.reference}",)
    assert first.batch.effective_on == TUESDAY
    assert first.batch.company_discretionary_data == run.reference
    content = sealed_content(file, KEYRING).decode()
    assert case.name not in content
    assert run.reference[:8] in content.splitlines()[0]


def test_control_totals_stand_beside_the_file(world: PaymentWorld) -> None:
    world.ready(3, kind=PayeeKind.COMPANY)
    file = seal(world, world.released())
    totals = world.do(lambda session: totals_of(session, file))
    assert (totals.credit_cents, totals.debit_cents) == (30_003, 0)
    assert (totals.batch_count, totals.entry_addenda_count) == (1, 6)
    assert totals.entry_hash == 3 * 2_100_002


def test_sealing_again_returns_the_same_file(world: PaymentWorld) -> None:
    world.ready()
    run = world.released()
    first = seal(world, run)
    assert seal(world, run).id == first.id
    assert (first.state, first.modifier) == ("SEALED", "A")
    assert world.do(lambda s: len(s.execute(select(ControlTotal)).all())) == 1


def test_traces_go_on_over_runs_and_modifiers_begin_anew_each_day(world: PaymentWorld) -> None:
    made = []
    for _ in range(2):
        world.ready()
        made.append(seal(world, world.released()))
    world.ready()
    run = world.released(moment=moment_at(TUESDAY))
    made.append(seal(world, run, on=TUESDAY))
    assert [file.modifier for file in made] == ["A", "B", "A"]
    assert rows_of(world, run)[0].trace_number == "044000020000003"
    assert len({file.name for file in made}) == 3


@pytest.mark.parametrize(
    "upcoming,first,after", [(9_999_998, 9_999_998, 10_000_000), (9_999_999, 1, 3)]
)
def test_a_file_that_does_not_fit_before_the_wrap_begins_at_one(
    world: PaymentWorld, upcoming: int, first: int, after: int
) -> None:
    put(world, TrustAccount, world.trust_account_id, next_trace=upcoming)
    world.ready(2)
    run = world.released()
    seal(world, run)
    assert rows_of(world, run)[0].trace_number == f"04400002{first:07d}"
    assert world.account().next_trace == after


def test_what_a_file_cannot_carry_is_refused_in_words(world: PaymentWorld) -> None:
    world.ready()
    run = world.released()
    [row] = rows_of(world, run)
    put(world, PaymentInstruction, row.id, entry_description="REVERSAL")
    with pytest.raises(FileDiffers) as refusal:
        seal(world, run)
    assert "cannot be written" in refusal.value.detail
    assert rows_of(world, run)[0].trace_number is None


def test_the_thirty_seventh_file_of_a_day_is_refused(world: PaymentWorld) -> None:
    world.ready()
    run = world.released()
    template = seal(world, run)

    def fill(session: Session) -> None:
        for number, letter in enumerate("BCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", start=1):
            columns = {
                column.key: getattr(template, column.key) for column in BankFile.__table__.columns
            }
            columns |= {
                "id": template.id + number,
                "reference": new_reference(),
                "name": f"{template.name}{letter}",
                "modifier": letter,
                "sha256": f"{number:064d}",
                "content_key": None,
                "live_run_id": None,
            }
            session.add(BankFile(**columns))

    world.do(fill)
    world.ready()
    last = world.released()
    with pytest.raises(NoMoreFiles) as refusal:
        seal(world, last)
    assert refusal.value.code == "no_more_files"
    assert rows_of(world, last)[0].trace_number is None


def test_only_a_released_ach_run_is_sealed_and_only_by_who_may_transmit(
    world: PaymentWorld,
) -> None:
    world.ready()
    run = world.locked()
    with pytest.raises(WrongState):
        seal(world, run)
    with pytest.raises(NotFound):
        world.do(
            lambda s: seal_file(
                s, SYSTEM, run_ref="AAAAAAAAAAAAAAA", keyring=KEYRING, moment=moment_at()
            )
        )
    world.release(run)
    with pytest.raises(Forbidden):
        world.do(
            lambda s: seal_file(
                s, world.builder, run_ref=run.reference, keyring=KEYRING, moment=moment_at()
            )
        )
    assert seal(world, run).state == "SEALED"


def test_an_altered_byte_of_the_sealed_file_is_noticed(world: PaymentWorld) -> None:
    world.ready()
    file = seal(world, world.released())
    assert sealed_content(file, KEYRING).startswith(b"101 ")
    whole = file.content_sealed
    for place in (len(whole) // 2, len(whole) - 5, 10):
        letter = "A" if whole[place] != "A" else "B"
        file.content_sealed = whole[:place] + letter + whole[place + 1 :]
        with pytest.raises(FileAltered) as refusal:
            sealed_content(file, KEYRING)
        assert refusal.value.code == "file_altered"


def test_bytes_sealed_anew_with_our_own_key_do_not_pass_for_the_file(world: PaymentWorld) -> None:
    world.ready()
    file = seal(world, world.released())
    content = sealed_content(file, KEYRING)
    other = content.replace(b"0000010000", b"0009910000")
    assert other != content
    file.content_sealed = KEYRING.seal_bytes(other, file_aad(file.id))
    with pytest.raises(FileAltered):
        sealed_content(file, KEYRING)


def test_the_ciphertext_of_another_file_is_refused(world: PaymentWorld) -> None:
    world.ready()
    first = seal(world, world.released())
    world.ready()
    second = seal(world, world.released())
    first.content_sealed = second.content_sealed
    with pytest.raises(FileAltered):
        sealed_content(first, KEYRING)
    assert sealed_content(second, KEYRING)


def test_the_file_opens_with_the_ring_that_sealed_it_only(world: PaymentWorld) -> None:
    world.ready()
    file = seal(world, world.released())
    stranger = Keyring({"k2": bytes(32)}, "k2", bytes(32))
    with pytest.raises(FileAltered):
        sealed_content(file, stranger)
    assert file.content_sealed.startswith("k1.")


def test_swapped_account_numbers_of_two_payees_are_refused(world: PaymentWorld) -> None:
    case = world.case()
    one, two = world.payee(), world.payee()
    world.request(case, one, amount_cents=1_000)
    world.request(case, two, amount_cents=2_000)
    run = world.released()
    first, second = world.do(
        lambda s: s.execute(select(PayeeAccount).order_by(PayeeAccount.id)).scalars().all()
    )
    put(world, PayeeAccount, first.id, account_number_sealed=second.account_number_sealed)
    with pytest.raises(FileAltered):
        seal(world, run)
    put(world, PayeeAccount, first.id, account_number_sealed=first.account_number_sealed)
    assert seal(world, run).state == "SEALED"


def test_another_number_sealed_with_our_own_key_is_refused(world: PaymentWorld) -> None:
    world.ready()
    run = world.released()
    account = world.do(lambda s: s.execute(select(PayeeAccount)).scalar_one())
    forged = KEYRING.seal("9999999999", account_aad(account.id))
    put(world, PayeeAccount, account.id, account_number_sealed=forged)
    with pytest.raises(FileDiffers) as refusal:
        seal(world, run)
    assert refusal.value.code == "file_differs"
    assert world.do(lambda s: s.execute(select(BankFile)).all()) == []


def test_another_routing_number_on_the_account_is_refused(world: PaymentWorld) -> None:
    world.ready()
    run = world.released()
    account = world.do(lambda s: s.execute(select(PayeeAccount)).scalar_one())
    put(world, PayeeAccount, account.id, routing_number="044000024")
    with pytest.raises(FileDiffers):
        seal(world, run)
    put(world, PayeeAccount, account.id, routing_number=account.routing_number)
    assert seal(world, run).state == "SEALED"


def test_a_payment_with_another_day_than_its_run_is_refused(world: PaymentWorld) -> None:
    world.ready()
    run = world.released()
    [row] = rows_of(world, run)
    put(world, PaymentInstruction, row.id, effective_on=date(2026, 1, 7))
    with pytest.raises(FileDiffers):
        seal(world, run)
    put(world, PaymentInstruction, row.id, effective_on=TUESDAY)
    assert seal(world, run).state == "SEALED"


def test_the_account_number_is_nowhere_in_the_database_in_clear(world: PaymentWorld) -> None:
    world.ready()
    seal(world, world.released())
    number = f"77{world.numbers[-1]:08d}"
    tables = ("bank_files", "control_totals", "payment_instructions", "audit_events")
    dumped = world.do(
        lambda s: repr([s.execute(text(f"SELECT * FROM {name}")).all() for name in tables])
    )
    assert number not in dumped
    assert number[-4:] in dumped


def test_a_cancelled_run_discards_its_file_and_its_requests_go_into_another(
    world: PaymentWorld,
) -> None:
    world.ready()
    run = world.released()
    file = seal(world, run)
    world.do(
        lambda s: runs.cancel_run(
            s, world.builder, run_ref=run.reference, reason="Not today.", moment=moment_at()
        )
    )
    discarded = world.do(lambda s: s.get_one(BankFile, file.id))
    assert (discarded.state, discarded.live_run_id) == ("DISCARDED", None)
    again = world.released()
    assert seal(world, again).modifier == "B"


def test_a_download_is_for_who_may_and_is_written_down(world: PaymentWorld) -> None:
    world.ready()
    file = seal(world, world.released())

    def fetch(session: Session) -> tuple[str, bytes]:
        return download_file(
            session, world.lead, file_ref=file.reference, keyring=KEYRING, moment=moment_at()
        )

    name, content = world.do(fetch)
    assert (name, content) == (file.name, sealed_content(file, KEYRING))
    trail = select(AuditEvent.actor_name).where(AuditEvent.action == "file.downloaded")
    assert world.do(lambda s: s.execute(trail).scalar_one()) == world.lead.name
    with pytest.raises(Forbidden):
        world.do(
            lambda s: download_file(
                s, world.builder, file_ref=file.reference, keyring=KEYRING, moment=moment_at()
            )
        )
    with pytest.raises(NotFound):
        world.do(
            lambda s: download_file(
                s, world.lead, file_ref="AAAAAAAAAAAAAAA", keyring=KEYRING, moment=moment_at()
            )
        )
