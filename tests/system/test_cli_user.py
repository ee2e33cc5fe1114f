"""Accounts from a shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seedtrust.cli import main
from seedtrust.core import migrations
from seedtrust.settings import Settings

PASSWORD = "lantern orchard velvet"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the folder of a migrated demo."""
    settings = Settings.from_env(data_dir=tmp_path)
    migrations.upgrade(settings.database_url.get_secret_value())
    return tmp_path


def run(data: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["user", *words, "--data", str(data)])


def create(data: Path, *words: str, password: str = PASSWORD) -> Result:
    return run(
        data, "create", "kim@example.com", "--name", "Kim Test", "--password", password, *words
    )


def test_an_account_is_made_with_roles_and_a_second_factor(data: Path) -> None:
    made = create(data, "--role", "auditor", "--totp")
    assert made.exit_code == 0, made.output
    assert "kim@example.com" in made.output
    assert "Key for the authenticator app: " in made.output
    shown = run(data, "roles", "KIM@example.com")
    assert shown.output == "kim@example.com: auditor\n"


@pytest.mark.parametrize(
    "words,password,sentence",
    [
        ([], "short", "Use at least 15 characters"),
        (["--role", "payments_specialist", "--role", "controller"], PASSWORD, "cannot hold"),
        (["--role", "donor"], PASSWORD, "Only people outside"),
    ],
)
def test_a_refusal_is_one_sentence_and_exit_code_1(
    data: Path, words: list[str], password: str, sentence: str
) -> None:
    refused = create(data, *words, password=password)
    assert refused.exit_code == 1
    assert sentence in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert run(data, "roles", "kim@example.com").exit_code == 1


def test_roles_are_given_and_taken(data: Path) -> None:
    create(data)
    assert run(data, "roles", "kim@example.com", "--grant", "legal").output.endswith("legal\n")
    refused = run(data, "roles", "kim@example.com", "--grant", "payments_lead")
    assert refused.exit_code == 1
    assert run(data, "roles", "kim@example.com", "--revoke", "legal").output.endswith("no role\n")


def test_people_are_invited_and_factors_taken_away(data: Path) -> None:
    invited = run(data, "invite", "sam@example.com", "--name", "Sam Test", "--role", "auditor")
    assert invited.exit_code == 0, invited.output
    create(data, "--totp")
    taken = run(data, "reset-mfa", "kim@example.com", "--reason", "lost phone")
    assert "taken away" in taken.output
    assert run(data, "reset-mfa", "nobody@example.com", "--reason", "x").exit_code == 1


def test_wrong_words_are_exit_code_2(data: Path) -> None:
    assert run(data, "create", "kim@example.com").exit_code == 2
    assert run(data, "roles", "kim@example.com", "--grant", "emperor").exit_code == 2
