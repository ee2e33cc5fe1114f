"""Settings: read once from the environment, complete or refused in one message."""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX: Final = "SEEDTRUST_"
DEMO_MARK: Final = "demo"
_KEY_BYTES: Final = 32
_SECRET_LENGTH: Final = 32
# The code of the bank that takes single payments, the only one that brings anything.
_WEBHOOK_BANK: Final = "huntington"
_SECRET_MARK: Final = "whsec_"  # noqa: S105 - what every secret of a webhook begins with
_LEAST_WEBHOOK_BYTES: Final = 24
_WELL_KNOWN: Final = frozenset({"changeme", "secret", "password", "development", "test"})


class SettingsRefused(Exception):
    """The environment is incomplete or wrong; the message lists every fault."""


def decode_webhook_secret(text: str) -> bytes:
    """Return the key in a secret such as `whsec_...` (Standard Webhooks).

    Raises ValueError when it is not `whsec_` and at least 24 bytes in base64.
    """
    body = text.removeprefix(_SECRET_MARK)
    try:
        key = base64.b64decode(body, validate=True)
    except binascii.Error as error:
        message = "must be whsec_ and base64"
        raise ValueError(message) from error
    if body == text or len(key) < _LEAST_WEBHOOK_BYTES:
        message = f"must be whsec_ and at least {_LEAST_WEBHOOK_BYTES} bytes in base64"
        raise ValueError(message)
    return key


class Environment(StrEnum):
    """Where the application runs: a demo on one machine, a test, or for real."""

    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


def decode_key(text: str) -> bytes:
    """Return the 32 bytes of a key written in base64, with or without the demo's mark.

    Raises ValueError when the text is not base64 or not 32 bytes long.
    """
    try:
        raw = base64.b64decode(text.removeprefix(f"{DEMO_MARK}:"), validate=True)
    except binascii.Error as error:
        message = "must be base64"
        raise ValueError(message) from error
    if len(raw) != _KEY_BYTES:
        message = f"must be {_KEY_BYTES} bytes in base64, not {len(raw)}"
        raise ValueError(message)
    return raw


class Settings(BaseSettings):
    """Everything that an installation may choose; units stand in the names.

    A field's variable is its name in capitals after `SEEDTRUST_`. Nothing below the doors and
    jobs reads this object: services are given the values that they need.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True
    )

    env: Environment = Field(
        Environment.DEMO, description="`demo`, `test` or `production`; production refuses defaults"
    )
    data_dir: Path = Field(
        Path("var"), description="Folder of everything that the demo keeps: database, files, queue"
    )
    database_url: SecretStr = Field(
        SecretStr(""),
        description="SQLAlchemy URL; production takes `mysql+pymysql://` only",
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description="Redis for the queue and the rate limits; without it the demo uses files",
    )
    secret_key: SecretStr = Field(
        SecretStr(""), description="Signs cookies and cursors; at least 32 characters"
    )
    field_keys: SecretStr = Field(
        SecretStr(""),
        description="Keys that encrypt fields, `id:base64,id:base64`; the first one seals",
    )
    index_key: SecretStr = Field(
        SecretStr(""), description="Key of the fingerprints for exact look-ups; 32 bytes in base64"
    )
    jwt_signing_key: SecretStr = Field(
        SecretStr(""), description="Ed25519 seed that signs access tokens; 32 bytes in base64"
    )
    public_base_url: str = Field(
        "http://localhost:8000", description="Address under which people reach the application"
    )
    smtp_url: SecretStr = Field(
        SecretStr("smtp://127.0.0.1:1025"),
        description="Mail server, `smtp://user:password@host:port` or `smtps://`",
    )
    mail_from: str = Field(
        "SeedTrust <no-reply@seedtrust.example>", description="Sender of every mail"
    )
    storage_url: str = Field(
        "",
        description="Where documents lie: `file:///path` or `s3://bucket/prefix`; "
        "the demo uses its data folder",
    )
    storage_endpoint: str = Field(
        "", description="Address of an S3-compatible server; without it the bucket is Amazon's"
    )
    storage_region: str = Field("us-east-1", description="Region of the bucket")
    storage_access_key: str = Field(
        "", description="Who we are at the bucket; without it the machine's own role counts"
    )
    storage_secret_key: SecretStr = Field(
        SecretStr(""), description="Secret that belongs to `SEEDTRUST_STORAGE_ACCESS_KEY`"
    )
    scanner_url: str = Field(
        "",
        description="Virus scanner clamd, `tcp://host:3310` or `unix:///path`; "
        "without it documents say that nobody scanned them",
    )
    document_link_seconds: int = Field(
        300, ge=30, le=900, description="How long a signed link to a document works"
    )
    bank_url: str = Field("http://127.0.0.1:8100", description="Address of the bank's interface")
    bank_api_key: SecretStr = Field(
        SecretStr(""), description="Key that the bank's interface asks for"
    )
    bank_profile: str = Field(
        "neutral",
        description="Words of the bank that takes single payments: a packaged name or a `.toml`",
    )
    bank_interface_url: str = Field(
        "", description="Address of that bank; without it the one of `SEEDTRUST_BANK_URL`"
    )
    bank_client_id: str = Field("seedtrust", description="Our client id at that bank (OAuth 2)")
    bank_client_secret: SecretStr = Field(
        SecretStr(""), description="Our client secret there; without it `SEEDTRUST_BANK_API_KEY`"
    )
    bank_client_certificate: Path | None = Field(
        None, description="Client certificate in PEM, where that bank asks for one"
    )
    bank_client_key: Path | None = Field(
        None, validate_default=True, description="Key of the client certificate, in PEM"
    )
    bank_authority: Path | None = Field(
        None, description="Certificates of who vouches for that bank, in PEM; the system's without"
    )
    bank_webhook_secrets: SecretStr = Field(
        SecretStr(""),
        description="Secrets for what that bank brings, set there by people, `whsec_...,whsec_...`",
    )
    bank_connect_seconds: float = Field(
        5.0, gt=0, le=60, description="How long a bank may take to pick up"
    )
    bank_read_seconds: float = Field(
        30.0, gt=0, le=300, description="How long a bank may take to say something"
    )
    bank_calls_days: int = Field(
        400, ge=30, le=4_000, description="How many days the log of calls to banks is kept"
    )
    bank_drop_dir: Path | None = Field(
        None, description="Folder in which payment files are left for the bank and fetched from it"
    )
    business_clock: Literal["real", "database"] = Field(
        "real", description="`real`, or `database` for a business date that the demo moves"
    )
    cookie_secure: bool = Field(
        default=False, description="Send cookies over TLS only, with the `__Host-` prefix"
    )
    trusted_proxies: int = Field(
        0, ge=0, le=5, description="How many proxies in front may name the client's address"
    )
    session_idle_seconds: int = Field(
        900, ge=60, description="A staff session ends after this long without a request"
    )
    session_absolute_seconds: int = Field(
        43_200, ge=300, description="A staff session ends this long after sign-in"
    )
    step_up_seconds: int = Field(
        300, ge=30, le=900, description="How long a fresh second factor counts for releasing money"
    )
    access_token_seconds: int = Field(
        600, ge=60, le=3600, description="Life of an access token of the API"
    )
    refresh_idle_seconds: int = Field(
        604_800, ge=600, description="A refresh token not used for this long is over"
    )
    refresh_absolute_seconds: int = Field(
        2_592_000, ge=600, description="An API session ends this long after sign-in"
    )
    refresh_grace_seconds: int = Field(
        10, ge=0, le=60, description="A used refresh token gives the same successor this long"
    )
    invitation_seconds: int = Field(
        604_800, ge=600, description="An invitation can be accepted this long"
    )
    sign_in_limit: str = Field(
        "60 per minute", description="Sign-in attempts per client address, in flask-limiter's words"
    )
    log_format: Literal["json", "columns"] | None = Field(
        None, description="`json` for machines, `columns` for people; json in production"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least serious event that is logged"
    )
    max_request_bytes: int = Field(
        26_214_400, ge=65_536, description="Largest request body that is read, uploads included"
    )
    id_machine: int = Field(
        0, ge=0, le=15, description="Number of this machine in row ids; each machine its own"
    )

    @field_validator("index_key", "jwt_signing_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            decode_key(value.get_secret_value())
        return value

    @field_validator("field_keys")
    @classmethod
    def _are_keys(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            _parse_field_keys(value.get_secret_value())
        return value

    @field_validator("bank_webhook_secrets")
    @classmethod
    def _are_webhook_secrets(cls, value: SecretStr) -> SecretStr:
        for part in _parts(value):
            decode_webhook_secret(part)
        return value

    @field_validator("bank_client_key")
    @classmethod
    def _belongs_to_a_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if (value is None) != (info.data.get("bank_client_certificate") is None):
            message = "a client certificate needs its key, and a key its certificate"
            raise ValueError(message)
        return value

    @field_validator("storage_url")
    @classmethod
    def _is_a_storage(cls, value: str) -> str:
        parts = urlsplit(value)
        local = parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path
        bucket = parts.scheme == "s3" and parts.netloc and not parts.query
        if value and not local and not bucket:
            message = "must be file:///path or s3://bucket/prefix"
            raise ValueError(message)
        return value

    @field_validator("storage_endpoint")
    @classmethod
    def _is_an_endpoint(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            message = "must start with http:// or https://"
            raise ValueError(message)
        return value.rstrip("/")

    @field_validator("scanner_url")
    @classmethod
    def _is_a_scanner(cls, value: str) -> str:
        parts = urlsplit(value)
        by_port = parts.scheme == "tcp" and parts.hostname and not parts.path
        by_file = parts.scheme == "unix" and not parts.netloc and parts.path
        if value and not by_port and not by_file:
            message = "must be tcp://host:port or unix:///path"
            raise ValueError(message)
        return value

    @field_validator("public_base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            message = "must start with http:// or https://"
            raise ValueError(message)
        return value.rstrip("/")

    @classmethod
    def from_env(cls, **overrides: Any) -> Self:
        """Read the environment; `overrides` win. In the demo, missing secrets are made and kept.

        Raises SettingsRefused with one line per missing or wrong variable.
        """
        faults: list[str] = []
        bad: dict[str, object] = {}
        try:
            draft = cls(**overrides)
        except ValidationError as error:
            faults = _faults_of(error)
            bad = {str(fault["loc"][0]): None for fault in error.errors()}
            defaults = {
                name: cls.model_fields[name].default for name in bad if name in cls.model_fields
            }
            if len(defaults) < len(bad):
                raise SettingsRefused(_listed(faults)) from None
            draft = cls(**{**overrides, **defaults})
        if draft.is_production:
            faults += [
                fault
                for fault in (*_production_faults(draft), *_unknown_variables(os.environ))
                if _field_of(fault) not in bad
            ]
        if faults:
            raise SettingsRefused(_listed(faults))
        return draft if draft.is_production else draft.model_copy(update=_demo_values(draft))

    @property
    def is_production(self) -> bool:
        """Tell whether real money may be near."""
        return self.env is Environment.PRODUCTION

    @property
    def field_key_bytes(self) -> dict[str, bytes]:
        """Return the field keys by id."""
        return _parse_field_keys(self.field_keys.get_secret_value())

    @property
    def primary_field_key(self) -> str:
        """Return the id of the key that seals."""
        return next(iter(self.field_key_bytes))

    @property
    def index_key_bytes(self) -> bytes:
        """Return the key of the fingerprints."""
        return decode_key(self.index_key.get_secret_value())

    @property
    def jwt_seed(self) -> bytes:
        """Return the Ed25519 seed that signs access tokens."""
        return decode_key(self.jwt_signing_key.get_secret_value())

    @property
    def broker_url(self) -> str:
        """Return the queue's address: Redis if there is one, else files in the data folder."""
        return self.redis_url.get_secret_value() or "filesystem://"

    @property
    def broker_dir(self) -> Path:
        """Return the folder of the queue that needs no server."""
        return self.data_dir / "broker"

    @property
    def keeps_in_bucket(self) -> bool:
        """Tell whether documents lie in a bucket."""
        return self.storage_url.startswith("s3://")

    @property
    def storage_dir(self) -> Path:
        """Return the folder of the documents, from `storage_url`."""
        return Path(unquote(urlsplit(self.storage_url).path))

    def webhook_keys(self, bank: str) -> tuple[bytes, ...]:
        """Return the keys that may sign what a bank brings; none for a bank that brings nothing."""
        if bank != _WEBHOOK_BANK:
            return ()
        return tuple(decode_webhook_secret(part) for part in _parts(self.bank_webhook_secrets))

    @property
    def bank_dir(self) -> Path:
        """Return the folder shared with the bank."""
        return self.bank_drop_dir or self.data_dir / "bank" / "drop"

    @property
    def rate_limit_storage(self) -> str:
        """Return where rate limits are counted: Redis, or this process's memory."""
        return self.redis_url.get_secret_value() or "memory://"

    @property
    def log_as_json(self) -> bool:
        """Tell whether log lines are JSON."""
        return self.log_format == "json" or (self.log_format is None and self.is_production)


def _parts(secret: SecretStr) -> list[str]:
    return [part.strip() for part in secret.get_secret_value().split(",") if part.strip()]


def _parse_field_keys(text: str) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        key_id, colon, body = part.strip().partition(":")
        if not colon or not key_id.isalnum() or key_id in keys:
            message = "must look like `id:base64,id:base64`, each id once"
            raise ValueError(message)
        keys[key_id] = decode_key(body)
    return keys


def _faults_of(error: ValidationError) -> list[str]:
    faults = []
    for fault in error.errors(include_input=False, include_url=False):
        name = str(fault["loc"][0]) if fault["loc"] else "settings"
        text = fault["msg"].removeprefix("Value error, ")
        faults.append(f"{PREFIX}{name.upper()}: {text[0].lower()}{text[1:]}")
    return faults


def _field_of(fault: str) -> str:
    return fault.partition(":")[0].removeprefix(PREFIX).lower()


def _listed(faults: list[str]) -> str:
    lines = "\n".join(f"  {fault}" for fault in faults)
    return (
        f"SeedTrust does not start: {len(faults)} of its settings must be put right "
        f"(docs/configuration.md explains each).\n{lines}"
    )


_NEEDED: Final = (
    "database_url",
    "redis_url",
    "secret_key",
    "field_keys",
    "index_key",
    "jwt_signing_key",
    "public_base_url",
    "smtp_url",
    "mail_from",
    "storage_url",
    "bank_url",
    "bank_api_key",
    "bank_drop_dir",
)


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value or "")


def _production_faults(settings: Settings) -> list[str]:
    faults = [
        f"{PREFIX}{name.upper()}: is missing"
        for name in _NEEDED
        if name not in settings.model_fields_set or not _plain(getattr(settings, name))
    ]
    missing = {fault.partition(":")[0] for fault in faults}
    faults += [fault for fault in _unfit(settings) if fault.partition(":")[0] not in missing]
    return faults


def _unfit(settings: Settings) -> list[str]:
    secret = _plain(settings.secret_key)
    checks = {
        "DATABASE_URL: must be a mysql+pymysql:// address": not _plain(
            settings.database_url
        ).startswith("mysql+pymysql://"),
        f"SECRET_KEY: must have at least {_SECRET_LENGTH} characters": len(secret) < _SECRET_LENGTH,
        "SECRET_KEY: is well known": any(word in secret.lower() for word in _WELL_KNOWN),
        "PUBLIC_BASE_URL: must start with https://": not settings.public_base_url.startswith(
            "https://"
        ),
        "STORAGE_URL: must be a folder that survives a restart": _is_passing(settings),
        "STORAGE_ENDPOINT: must start with https://": settings.storage_endpoint.startswith("http:"),
        "STORAGE_SECRET_KEY: an access key needs its secret, and a secret its access key": (
            bool(settings.storage_access_key) != bool(_plain(settings.storage_secret_key))
        ),
        "STORAGE_ACCESS_KEY: a server of your own asks for one": (
            bool(settings.storage_endpoint) and not settings.storage_access_key
        ),
        "COOKIE_SECURE: must be true": not settings.cookie_secure,
        "BUSINESS_CLOCK: must be real": settings.business_clock != "real",
    }
    faults = [f"{PREFIX}{text}" for text, wrong in checks.items() if wrong]
    faults += [
        f"{PREFIX}{name.upper()}: is a secret of the demo; make one of your own"
        for name in ("secret_key", "field_keys", "index_key", "jwt_signing_key", "bank_api_key")
        if _plain(getattr(settings, name)).startswith(DEMO_MARK)
    ]
    return faults


def _is_passing(settings: Settings) -> bool:
    """Tell whether documents would lie where a machine forgets them, or anywhere at all."""
    if settings.keeps_in_bucket:
        return False
    folder = settings.storage_dir
    forgotten = ("/tmp", "/var/tmp", "/dev", "/proc", "/run", "/sys")  # noqa: S108 - refused
    return folder == Path("/") or any(folder.is_relative_to(place) for place in forgotten)


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return [
        f"{name}: is not a setting; check the spelling"
        for name in sorted(environ)
        if name.startswith(PREFIX) and name not in known
    ]


def _demo_values(draft: Settings) -> dict[str, object]:
    folder = draft.data_dir.resolve()
    values: dict[str, object] = {"data_dir": folder}
    if not _plain(draft.database_url):
        values["database_url"] = SecretStr(f"sqlite:///{folder / 'seedtrust.db'}")
    if not draft.storage_url:
        values["storage_url"] = f"file://{folder / 'documents'}"
    if draft.bank_drop_dir is None:
        values["bank_drop_dir"] = folder / "bank" / "drop"
    lacking = [name for name in _DEMO_SECRETS if not _plain(getattr(draft, name))]
    if lacking:
        kept = _kept_secrets(folder)
        values |= {name: SecretStr(kept[name]) for name in lacking}
    return values


def _demo_key() -> str:
    return f"{DEMO_MARK}:{base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}"


_DEMO_SECRETS: Final[dict[str, Callable[[], str]]] = {
    "secret_key": lambda: f"{DEMO_MARK}-{secrets.token_urlsafe(_KEY_BYTES)}",
    "field_keys": lambda: _demo_key().replace(DEMO_MARK, f"{DEMO_MARK}1", 1),
    "index_key": _demo_key,
    "jwt_signing_key": _demo_key,
    "bank_api_key": lambda: f"{DEMO_MARK}-{secrets.token_urlsafe(_KEY_BYTES)}",
}


def _kept_secrets(folder: Path) -> dict[str, str]:
    """Return the secrets of this data folder, made once; readable by their owner alone."""
    path = folder / "secrets.json"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".secrets-{os.getpid()}-{secrets.token_hex(4)}"
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w") as stream:
            json.dump({name: make() for name, make in _DEMO_SECRETS.items()}, stream, indent=2)
        try:
            # A link fails if another process was first, so all processes share one set.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    kept: dict[str, str] = json.loads(path.read_text())
    return kept
