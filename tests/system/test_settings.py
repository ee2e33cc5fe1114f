"""Settings: the demo needs none, production refuses what is missing, weak or borrowed."""

from __future__ import annotations

import base64
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from seedtrust.app import bank_profile
from seedtrust.settings import PREFIX, Settings, SettingsRefused, decode_key

KEY = base64.b64encode(b"k" * 32).decode()
PRODUCTION = {
    "ENV": "production",
    "DATABASE_URL": "mysql+pymysql://app:pw@db.internal/seedtrust",
    "REDIS_URL": "redis://:pw@redis.internal/0",
    "SECRET_KEY": "Zk3v9Qx7Lm2Rt8Wp5Yc1Nb6Hd4Jf0Gs_",
    "FIELD_KEYS": f"k2:{KEY},k1:{base64.b64encode(b'o' * 32).decode()}",
    "INDEX_KEY": KEY,
    "JWT_SIGNING_KEY": KEY,
    "PUBLIC_BASE_URL": "https://trust.example.com/",
    "SMTP_URL": "smtps://u:p@mail.internal",
    "MAIL_FROM": "Trust <trust@example.com>",
    "STORAGE_URL": "file:///srv/documents",
    "BANK_URL": "https://bank.internal",
    "BANK_API_KEY": "a-key-of-the-bank",
    "BANK_DROP_DIR": "/srv/bank",
    "COOKIE_SECURE": "true",
}

Environ = Callable[..., None]


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Environ:
    """Set the variables of production, with changes; None takes one out."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)

    def choose(**changes: str | None) -> None:
        for name, value in {**PRODUCTION, **changes}.items():
            if value is not None:
                monkeypatch.setenv(f"{PREFIX}{name}", value)

    return choose


def refusal() -> str:
    with pytest.raises(SettingsRefused) as refused:
        Settings.from_env()
    return str(refused.value)


def test_a_complete_production_starts(environ: Environ) -> None:
    environ()
    settings = Settings.from_env()
    assert settings.is_production
    assert settings.public_base_url == "https://trust.example.com"
    assert (settings.primary_field_key, list(settings.field_key_bytes)) == ("k2", ["k2", "k1"])
    assert settings.log_as_json
    assert settings.broker_url == settings.rate_limit_storage == "redis://:pw@redis.internal/0"


@pytest.mark.parametrize("name", [name for name in PRODUCTION if name != "ENV"])
def test_each_missing_variable_is_named(environ: Environ, name: str) -> None:
    environ(**{name: None})
    message = refusal()
    assert f"{PREFIX}{name}: " in message
    assert "1 of its settings" in message


def test_everything_that_is_wrong_is_told_at_once(environ: Environ) -> None:
    environ(
        DATABASE_URL="sqlite:///x.db",
        REDIS_URL=None,
        SECRET_KEY="short",
        INDEX_KEY="not base64",
        SESSION_IDLE_SECONDS="soon",
        BUSINESS_CLOCK="database",
        DATABSE_URL="typo",
    )
    message = refusal()
    assert "7 of its settings" in message
    for name in (
        "DATABASE_URL: must be a mysql+pymysql:// address",
        "REDIS_URL: is missing",
        "SECRET_KEY: must have at least 32 characters",
        "INDEX_KEY: must be base64",
        "SESSION_IDLE_SECONDS: ",
        "BUSINESS_CLOCK: must be real",
        "DATABSE_URL: is not a setting",
    ):
        assert f"{PREFIX}{name}" in message


@pytest.mark.parametrize(
    "name,value,words",
    [
        ("SECRET_KEY", "demo-" + "x" * 40, "is a secret of the demo"),
        ("SECRET_KEY", "changeme" * 8, "is well known"),
        ("FIELD_KEYS", f"demo1:{KEY}", "is a secret of the demo"),
        ("FIELD_KEYS", KEY, "must look like"),
        ("FIELD_KEYS", f"a:{KEY},a:{KEY}", "must look like"),
        ("INDEX_KEY", f"demo:{KEY}", "is a secret of the demo"),
        ("JWT_SIGNING_KEY", base64.b64encode(b"short").decode(), "must be 32 bytes"),
        ("BANK_API_KEY", "demo-x", "is a secret of the demo"),
        ("COOKIE_SECURE", "false", "must be true"),
        ("PUBLIC_BASE_URL", "http://trust.example.com", "must start with https://"),
        ("PUBLIC_BASE_URL", "trust.example.com", "must start with http"),
        ("STORAGE_URL", "https://bucket", "must be file:///path or s3://bucket/prefix"),
        ("STORAGE_URL", "s3://", "must be file:///path or s3://bucket/prefix"),
        ("STORAGE_URL", "file:///", "must be a folder that survives a restart"),
        ("STORAGE_URL", "file:///tmp/documents", "must be a folder that survives a restart"),
        ("STORAGE_ENDPOINT", "minio:9000", "must start with http"),
        ("STORAGE_ENDPOINT", "http://minio:9000", "must start with https://"),
        ("STORAGE_SECRET_KEY", "alone-in-the-world", "an access key needs its secret"),
        ("SCANNER_URL", "clamd:3310", "must be tcp://host:port"),
        ("DOCUMENT_LINK_SECONDS", "86400", ""),
        ("STEP_UP_SECONDS", "100000", ""),
        ("TRUSTED_PROXIES", "many", ""),
        ("BANK_CLIENT_KEY", "/srv/bank.key", "a client certificate needs its key"),
        ("BANK_READ_SECONDS", "-7", ""),
    ],
)
def test_weak_and_borrowed_values_are_refused(
    environ: Environ, name: str, value: str, words: str
) -> None:
    environ(**{name: value})
    message = refusal()
    assert f"{PREFIX}{name}: " in message
    assert words in message
    assert value not in message or name in {"STEP_UP_SECONDS", "STORAGE_URL"}


def test_the_demo_needs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_env()
    assert settings.data_dir == tmp_path / "var"
    assert settings.database_url.get_secret_value() == f"sqlite:///{tmp_path}/var/seedtrust.db"
    assert settings.storage_dir == tmp_path / "var" / "documents"
    assert settings.broker_url == "filesystem://"
    assert not settings.is_production


def test_the_demo_keeps_its_secrets_for_their_owner_alone(tmp_path: Path) -> None:
    first = Settings.from_env(data_dir=tmp_path)
    again = Settings.from_env(data_dir=tmp_path)
    other = Settings.from_env(data_dir=tmp_path / "other")
    assert first.secret_key == again.secret_key
    assert first.jwt_seed == again.jwt_seed
    assert first.jwt_seed != other.jwt_seed
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_processes_that_start_together_share_one_set_of_secrets(tmp_path: Path) -> None:
    found: list[str] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        found.append(Settings.from_env(data_dir=tmp_path).secret_key.get_secret_value())

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


def test_no_secret_shows_in_the_text_of_the_settings(environ: Environ) -> None:
    environ()
    shown = repr(Settings.from_env()) + str(Settings.from_env())
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_KEYS", "SMTP_URL", "INDEX_KEY"):
        assert PRODUCTION[name] not in shown


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = Settings.from_env(data_dir=tmp_path)
    with pytest.raises(ValidationError):
        settings.access_token_seconds = 1
    with pytest.raises(SettingsRefused, match="UNKNOWN"):
        Settings.from_env(data_dir=tmp_path, unknown=1)


def test_a_key_may_carry_the_demos_mark() -> None:
    assert decode_key(KEY) == decode_key(f"demo:{KEY}") == b"k" * 32
    with pytest.raises(ValueError, match="32 bytes"):
        decode_key(base64.b64encode(b"x").decode())


def test_a_bank_profile_that_cannot_be_used_stops_the_worker_with_its_faults(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bank.toml"
    path.write_text('name = "Half a bank"')
    settings = Settings.from_env(data_dir=tmp_path, bank_profile=str(path))
    with pytest.raises(SettingsRefused, match=r"BANK_PROFILE.*\n.*amounts: field required"):
        bank_profile(settings)
