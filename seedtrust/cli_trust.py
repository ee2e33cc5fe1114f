"""House policies of a trust account, from a shell."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy.orm import Session

from seedtrust.app import create_app
from seedtrust.cli import data_option, settings_or_exit
from seedtrust.core.clock import SystemClock
from seedtrust.core.errors import DomainError
from seedtrust.core.money import format_dollars, parse_dollars
from seedtrust.core.permissions import Actor
from seedtrust.domain.operations.service import moment_of
from seedtrust.domain.payments.service import limit_first_payments
from seedtrust.ext import in_transaction

NO_LIMIT = "none"


@click.group("trust-account")
def trust_account() -> None:
    """Set the house's policies of a trust account."""


@trust_account.command("first-payment-limit")
@click.argument("code")
@click.argument("amount")
@data_option
def first_payment_limit(code: str, amount: str, data: Path | None) -> None:
    """Limit what a person's changed account gets before a first payment has settled.

    AMOUNT is in dollars, as 7500.00, or `none`. Exits with 1 and a sentence if it is refused.
    """
    settings = settings_or_exit(data, log_level="ERROR")

    def work(session: Session, cents: int | None) -> None:
        moment = moment_of(session, settings.business_clock, SystemClock().now())
        actor = Actor.system("shell")
        limit_first_payments(session, actor, code=code, limit_cents=cents, moment=moment)

    app = create_app(settings)
    with app.app_context():
        try:
            cents = None if amount == NO_LIMIT else parse_dollars(amount)
            in_transaction(lambda session: work(session, cents))
        except DomainError as refusal:
            click.echo(refusal.detail, err=True)
            raise SystemExit(1) from None
    told = "no limit" if cents is None else f"${format_dollars(cents)}"
    click.echo(f"{code}: first payments to changed accounts, {told}")
