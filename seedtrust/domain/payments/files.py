"""Bank files: built once, byte for byte, sealed with their hash, and opened only to be sent."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Final, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.crypto import CiphertextRefused, Keyring
from seedtrust.core.db import lock_where
from seedtrust.core.errors import NotFound, WrongState
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.payees.models import PayeeAccount
from seedtrust.domain.payees.service import account_aad
from seedtrust.domain.payees.states import AccountType
from seedtrust.domain.payments import instructions as life
from seedtrust.domain.payments.access import goes_by_file, locked_run
from seedtrust.domain.payments.achfile import BuiltFile, Receiver, build, sha256_of
from seedtrust.domain.payments.errors import FileAltered, FileDiffers, NoMoreFiles
from seedtrust.domain.payments.models import (
    BankFile,
    ControlTotal,
    PaymentInstruction,
    PaymentRun,
    TrustAccount,
)
from seedtrust.domain.payments.states import FileState, InstructionState, RunState

_MODIFIERS: Final = string.ascii_uppercase + string.digits
_LAST_TRACE: Final = 9_999_999


class Traced(Protocol):
    """A row that the network knows by a trace number: a payment, or a debit."""

    trace_number: str | None
    odfi_identification: str


def file_aad(file_id: int) -> str:
    """Return what binds the sealed bytes of a file to its row."""
    return f"bank_files.content_sealed:{file_id}"


def seal_file(
    session: Session, actor: Actor, *, run_ref: str, keyring: Keyring, moment: Moment
) -> BankFile:
    """Build a released run's file, prove it, and keep it sealed; again returns the same file.

    Trace numbers are allocated here, once and for ever, in the order of the payments. Raises
    FileDiffers for any difference between file and payments, FileAltered when an account number
    cannot be opened, NoMoreFiles after 36 files of a day, WrongState, NotFound.
    """
    actor.require(Permission.RUNS_TRANSMIT)
    account = lock_account(session, run_ref)
    run = locked_run(session, run_ref)
    known = live_file(session, run)
    if known is not None:
        return known
    if run.state != RunState.RELEASED or not goes_by_file(account, run.rail):
        message = "Only a released ACH run of an account with files becomes a file."
        raise WrongState(message, run=run.reference, state=run.state)
    rows = life.of_run(session, run.id, {InstructionState.RELEASED})
    receivers = _receivers(session, rows, keyring)
    allocate_traces(account, rows)
    modifier = next_modifier(session, account, moment)
    built = build(account, run, rows, receivers, modifier=modifier, created_at=moment.business_at)
    file = sealed_row(account, run, built, modifier, keyring=keyring, moment=moment)
    session.add(file)
    session.flush()  # the totals refer to the row
    session.add(totals_row(file, built))
    record(
        session,
        actor,
        "file.sealed",
        "bank_file",
        file.reference,
        facts={"run": run.reference, "sha256": file.sha256, "payments": len(rows)},
        now=moment.at,
    )
    return file


def live_file(session: Session, run: PaymentRun) -> BankFile | None:
    """Lock and return the file of a run that counts, if it has one."""
    rows = lock_where(session, select(BankFile).where(BankFile.live_run_id == run.id))
    return rows[0] if rows else None


def totals_of(session: Session, file: BankFile) -> ControlTotal:
    """Return the control totals of a file."""
    return session.execute(select(ControlTotal).where(ControlTotal.file_id == file.id)).scalar_one()


def sealed_content(file: BankFile, keyring: Keyring) -> bytes:
    """Return the bytes of a file exactly as they were sealed.

    Raises FileAltered when the ciphertext was changed or belongs to another row, or when the
    bytes do not have the hash that was recorded.
    """
    try:
        content = keyring.open_bytes(file.content_sealed, file_aad(file.id))
    except CiphertextRefused as error:
        raise _altered(file) from error
    if sha256_of(content) != file.sha256 or len(content) != file.size_bytes:
        raise _altered(file)
    return content


def download_file(
    session: Session, actor: Actor, *, file_ref: str, keyring: Keyring, moment: Moment
) -> tuple[str, bytes]:
    """Return a file's name and bytes for a person, and write down who took them.

    Raises Forbidden without the permission, NotFound, FileAltered.
    """
    actor.require(Permission.RUNS_DOWNLOAD)
    file = session.execute(
        select(BankFile).where(BankFile.reference == file_ref)
    ).scalar_one_or_none()
    if file is None:
        message = "There is no such file."
        raise NotFound(message)
    content = sealed_content(file, keyring)
    facts = {"sha256": file.sha256}
    record(
        session, actor, "file.downloaded", "bank_file", file.reference, facts=facts, now=moment.at
    )
    return file.name, content


def discard(file: BankFile) -> None:
    """Mark a file that will never be sent; its run may then be paid by another."""
    file.state = FileState.DISCARDED.value
    file.live_run_id = file.content_key = None


def lock_account(session: Session, run_ref: str) -> TrustAccount:
    """Lock the accounts that share a run's origin: their files share modifiers and traces."""
    origin = (
        select(TrustAccount.immediate_origin)
        .join(PaymentRun, PaymentRun.trust_account_id == TrustAccount.id)
        .where(PaymentRun.reference == run_ref)
    )
    accounts = lock_where(
        session,
        select(TrustAccount)
        .where(TrustAccount.immediate_origin == origin.scalar_subquery())
        .order_by(TrustAccount.id),
    )
    own = session.execute(
        select(PaymentRun.trust_account_id).where(PaymentRun.reference == run_ref)
    ).scalar_one_or_none()
    found = next((account for account in accounts if account.id == own), None)
    if found is None:
        message = "There is no such payment run."
        raise NotFound(message)
    return found


def _receivers(
    session: Session, rows: Sequence[PaymentInstruction], keyring: Keyring
) -> dict[int, Receiver]:
    ids = {row.payee_account_id for row in rows}
    accounts = {
        account.id: account
        for account in session.execute(
            select(PayeeAccount).where(PayeeAccount.id.in_(ids))
        ).scalars()
    }
    return {row.id: receiver_of(row, accounts[row.payee_account_id], keyring) for row in rows}


def receiver_of(row: PaymentInstruction, account: PayeeAccount, keyring: Keyring) -> Receiver:
    """Open the account number of a payment and prove that it is the one that was approved.

    Raises FileAltered when it cannot be opened, FileDiffers when it is another one.
    """
    try:
        number = keyring.open(account.account_number_sealed, account_aad(account.id))
    except CiphertextRefused as error:
        message = (
            f"The account number of payment {row.reference} cannot be opened: it was altered or "
            "belongs to another payee. Nothing was sent. Tell an administrator at once."
        )
        raise FileAltered(message, instruction=row.reference) from error
    fingerprint = keyring.fingerprint(f"{account.routing_number}:{number}")
    same_bank = account.routing_number == row.routing_number
    if fingerprint != row.account_fingerprint or not same_bank:
        message = (
            f"The account of payment {row.reference} is not the one that was released. "
            "Nothing was sent. Tell an administrator at once."
        )
        raise FileDiffers(message, instruction=row.reference)
    return Receiver(AccountType(account.account_type), number)


def allocate_traces(account: TrustAccount, rows: Sequence[Traced]) -> None:
    """Give every payment its trace number, for ever, ascending within the file.

    A file that the rest of the seven digits does not hold begins anew at one.
    """
    missing = [row for row in rows if row.trace_number is None]
    if account.next_trace + len(missing) - 1 > _LAST_TRACE:
        account.next_trace = 1
    for number, row in enumerate(missing, start=account.next_trace):
        row.odfi_identification = account.odfi_identification
        row.trace_number = f"{account.odfi_identification}{number:07d}"
    account.next_trace += len(missing)


def next_modifier(session: Session, account: TrustAccount, moment: Moment) -> str:
    """Return the letter or digit that tells a new file from the others of its origin and day.

    The caller holds the account's lock. Raises NoMoreFiles.
    """
    used = set(
        session.execute(
            select(BankFile.modifier).where(
                BankFile.immediate_origin == account.immediate_origin,
                BankFile.immediate_destination == account.immediate_destination,
                BankFile.created_on == moment.today,
            )
        ).scalars()
    )
    free = next((letter for letter in _MODIFIERS if letter not in used), None)
    if free is None:
        message = (
            "Thirty-six files were made for this bank today, which is all that its format can "
            "tell apart. Send the rest on the next banking day."
        )
        raise NoMoreFiles(message)
    return free


def sealed_row(
    account: TrustAccount,
    run: PaymentRun,
    built: BuiltFile,
    modifier: str,
    *,
    keyring: Keyring,
    moment: Moment,
) -> BankFile:
    """Return the row that keeps a file's bytes sealed to it."""
    file_id = new_id()
    return BankFile(
        id=file_id,
        reference=new_reference(),
        run_id=run.id,
        live_run_id=run.id,
        name=f"ST{moment.today:%Y%m%d}{modifier}-{run.reference}",
        state=FileState.SEALED.value,
        immediate_origin=account.immediate_origin,
        immediate_destination=account.immediate_destination,
        created_on=moment.today,
        modifier=modifier,
        size_bytes=len(built.content),
        sha256=built.sha256,
        content_key=built.content_key,
        content_sealed=keyring.seal_bytes(built.content, file_aad(file_id)),
        sealed_at=moment.at,
    )


def totals_row(file: BankFile, built: BuiltFile) -> ControlTotal:
    """Return the row of the totals that the bank is given beside a file."""
    totals = built.totals
    return ControlTotal(
        id=new_id(),
        file_id=file.id,
        batch_count=totals.batch_count,
        block_count=totals.block_count,
        entry_addenda_count=totals.entry_addenda_count,
        entry_hash=totals.entry_hash,
        debit_cents=totals.debit_cents,
        credit_cents=totals.credit_cents,
    )


def _altered(file: BankFile) -> FileAltered:
    message = (
        f"The stored bytes of file {file.name} are not the ones that were sealed. "
        "Nothing was sent. Tell an administrator at once."
    )
    return FileAltered(message, file=file.reference)
