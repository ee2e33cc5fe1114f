"""The policies of a trust account from a shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from seedtrust.cli import main
from seedtrust.core import migrations
from seedtrust.core.db import make_engine
from seedtrust.domain.audit.models import AuditEvent
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.settings import Settings
from tests.factories import payment_world


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the folder of a migrated demo with one trust account."""
    url = Settings.from_env(data_dir=tmp_path).database_url.get_secret_value()
    migrations.upgrade(url)
    engine = make_engine(url)
    payment_world.build(sessionmaker(engine, autobegin=False, expire_on_commit=False))
    engine.dispose()
    return tmp_path


def limit(data: Path, code: str, amount: str) -> Result:
    """Set the limit of first payments."""
    words = ["trust-account", "first-payment-limit", code, amount, "--data", str(data)]
    return CliRunner().invoke(main, words)


def kept(data: Path) -> tuple[int | None, int]:
    """Return the limit, and how often it was written down that it changed."""
    engine = make_engine(Settings.from_env(data_dir=data).database_url.get_secret_value())
    with sessionmaker(engine, autobegin=False)() as session, session.begin():
        cents = session.execute(select(TrustAccount.first_payment_limit_cents)).scalar_one()
        action = AuditEvent.action == "trust_account.first_payment_limited"
        changes = len(session.execute(select(AuditEvent.id).where(action)).all())
    engine.dispose()
    return cents, changes


def test_the_limit_of_first_payments_is_set_lifted_and_written_down(data: Path) -> None:
    assert kept(data) == (750_000, 0)
    told = limit(data, "main", "2500.00")
    assert (told.exit_code, told.output) == (
        0,
        "main: first payments to changed accounts, $2,500.00\n",
    )
    assert kept(data) == (250_000, 1)
    assert "no limit" in limit(data, "main", "none").output
    assert kept(data) == (None, 2)


@pytest.mark.parametrize(
    "code,amount,words",
    [("main", "0", "amount"), ("main", "a lot", "amount"), ("other", "5.00", "no trust account")],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    data: Path, code: str, amount: str, words: str
) -> None:
    told = limit(data, code, amount)
    assert told.exit_code == 1
    assert words in told.output.lower()
    assert kept(data) == (750_000, 0)
