"""The three-way reconciliation of a trust account on a day, from a shell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import click
from sqlalchemy.orm import Session

from seedtrust.app import create_app
from seedtrust.cli import data_option, settings_or_exit
from seedtrust.core.money import format_dollars
from seedtrust.core.permissions import Actor
from seedtrust.domain.payments.queries import trust_accounts
from seedtrust.domain.reconciliation.proof import three_way
from seedtrust.domain.reconciliation.signing import figures_of, hash_of
from seedtrust.domain.reconciliation.views import OpenItem, Part, ThreeWay
from seedtrust.ext import reading

_WIDTH = 44


@click.command()
@click.option("--account", required=True, help="Code or reference of the trust account.")
@click.option(
    "--date", "on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Day, as 2026-01-31."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON, in cents.")
@data_option
def reconcile(account: str, on: datetime, data: Path | None, *, as_json: bool) -> None:
    """Compare what the bank, the book and the owners' ledgers say at the end of a day.

    Exits with 0 if all three agree, with 1 and the open items if they differ, and with 2 if the
    account or the day cannot be used. Nothing is changed.
    """
    app = create_app(settings_or_exit(data, log_level="ERROR"))
    with app.app_context():
        proof = reading(lambda session: _proof_of(session, account, on.date()))
    if as_json:
        told = {**figures_of(proof), **_totals(proof), "content_hash": hash_of(proof)}
        click.echo(json.dumps(told, indent=2))
    else:
        _print(proof)
    raise SystemExit(0 if proof.agrees else 1)


def _proof_of(session: Session, account: str, on: date) -> ThreeWay:
    known = trust_accounts(session, Actor.system("shell"))
    found = [one for one in known if account in {one.code, one.reference}]
    if not found:
        names = ", ".join(one.code for one in known) or "none is open"
        message = f"There is no trust account {account}. Those here: {names}."
        raise click.BadParameter(message, param_hint="--account")
    return three_way(session, found[0].id, on)


def _totals(proof: ThreeWay) -> dict[str, int | bool]:
    return {
        "adjusted_bank_cents": proof.adjusted_bank_cents,
        "book_cents": proof.book_cents,
        "owners_cents": proof.owners_cents,
        "difference_cents": proof.difference_cents,
        "owners_difference_cents": proof.owners_difference_cents,
        "agrees": proof.agrees,
    }


def _print(proof: ThreeWay) -> None:
    told = (
        "no statement yet" if proof.statement_on is None else f"statement of {proof.statement_on}"
    )
    click.echo(f"{proof.trust_account} {proof.masked_number}, end of {proof.on}, {told}")
    _print_column("Bank", proof.bank, proof.adjusted_bank_cents)
    _print_column("Book", proof.book, proof.book_cents)
    _print_column("Owners", proof.owners, proof.owners_cents)
    click.echo()
    _print_amount("Bank less book", proof.difference_cents)
    _print_amount("Book less owners", proof.owners_difference_cents)
    _print_items(proof.items)


def _print_column(name: str, parts: Sequence[Part], total_cents: int) -> None:
    click.echo(f"\n{name}")
    for part in parts:
        if part.cents or part is parts[0]:
            _print_amount(f"  {part.label}", part.cents)
    _print_amount("  Together", total_cents)


def _print_items(items: Sequence[OpenItem]) -> None:
    if items:
        click.echo("\nOpen items")
    for item in items:
        words = item.kind.value.replace("_", " ").capitalize()
        _print_amount(f"  {item.on}  {words}  {item.reference}", item.amount_cents)


def _print_amount(label: str, cents: int) -> None:
    click.echo(f"{label:<{_WIDTH}} {format_dollars(cents):>18}")
