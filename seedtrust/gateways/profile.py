"""The profile of a bank's interface: paths, field names and words in one file."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from seedtrust.domain.payments.ports import BankStatus, Capabilities
from seedtrust.gateways.guards import Limits

_SUFFIX: Final = ".toml"
_FOLDER: Final = "profiles"
_PACKAGED: Final = ("neutral",)


class ProfileRefused(Exception):
    """The profile is missing or wrong; the message lists every fault."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TokenPart(_Part):
    """Where an access token comes from."""

    path: str = Field(pattern="^/")
    credentials: Literal["basic", "body"] = "basic"
    scope: str = ""


class PathPart(_Part):
    """The bank's paths; names in braces are filled in."""

    health: str = Field(pattern="^/")
    balance: str = Field(pattern=r"^/.*\{account\}")
    payments: str = Field(pattern="^/")
    payment: str = Field(pattern=r"^/.*\{id\}")
    cancel: str = Field(pattern=r"^/.*\{id\}")
    events: str = Field(pattern="^/")


class CreatePart(_Part):
    """Where each of our fields goes in the body of a new payment; dots lead inside."""

    client_reference: str
    rail: str
    account: str
    amount: str
    name: str
    routing_number: str
    account_number: str
    account_type: str
    party_kind: str
    memo: str
    requested_on: str
    sec_code: str
    entry_description: str
    company_identification: str
    name_length: int = Field(60, ge=1)
    memo_length: int = Field(140, ge=1)
    # A header that carries the reference as well, where the bank wants its key there.
    key_header: str = ""


class WordPart(_Part):
    """The bank's word for each of ours."""

    rails: dict[Literal["ach", "wire"], str]
    account_types: dict[Literal["checking", "savings"], str]
    party_kinds: dict[Literal["person", "company"], str]
    statuses: dict[str, BankStatus]

    @model_validator(mode="after")
    def _is_complete(self) -> WordPart:
        for name, wanted in (
            ("rails", {"ach", "wire"}),
            ("account_types", {"checking", "savings"}),
            ("party_kinds", {"person", "company"}),
        ):
            if missing := wanted - getattr(self, name).keys():
                message = f"{name} lacks {', '.join(sorted(missing))}"
                raise ValueError(message)
        needed = {BankStatus.ACCEPTED, BankStatus.SETTLED, BankStatus.REJECTED}
        if missing_words := needed - set(self.statuses.values()):
            message = f"statuses has no word for {', '.join(sorted(missing_words))}"
            raise ValueError(message)
        return self


class PaymentPart(_Part):
    """Where the facts stand in the bank's picture of a payment; an empty name is not there."""

    id: str = Field(min_length=1)
    client_reference: str = Field(min_length=1)
    amount: str = Field(min_length=1)
    status: str = Field(min_length=1)
    rail: str = ""
    reason: str = ""
    settles_on: str = ""
    trace_number: str = ""
    imad: str = ""
    return_code: str = ""
    return_on: str = ""
    return_trace: str = ""
    corrections: str = ""
    correction_code: str = ""
    correction_data: str = ""
    correction_on: str = ""


class LookupPart(_Part):
    """How a payment is found by our reference."""

    query: str = Field(min_length=1)
    rows: str = Field(min_length=1)


class RefusalPart(_Part):
    """Where the bank says why it refused, and what its words mean for us."""

    code: str = Field(min_length=1)
    detail: str = Field(min_length=1)
    cutoff: tuple[str, ...] = ()
    conflict: tuple[str, ...] = ()
    not_sent: tuple[str, ...] = ()
    # Only where the bank says in writing that a 503 has done nothing.
    unavailable_is_not_sent: bool = False


class EventPart(_Part):
    """The bank's event log: where things stand in it, and its words for kinds of events."""

    after: str = Field(min_length=1)
    limit: str = Field(min_length=1)
    beginning: str = "0"
    rows: str = Field(min_length=1)
    next_cursor: str = Field(min_length=1)
    has_more: str = Field(min_length=1)
    id: str = Field(min_length=1)
    kind: str = Field(min_length=1)
    business_on: str = Field(min_length=1)
    data: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    kinds: dict[str, str] = {}
    # Our name of a fact -> where it stands in the event's data, for events that carry facts.
    facts: dict[str, str] = {}


class WebhookPart(_Part):
    """How the bank is told where to bring its events; a bank without it is told by people."""

    subscriptions: str = Field(pattern="^/")
    subscription: str = Field(pattern=r"^/.*\{id\}")
    rotate: str = Field(pattern=r"^/.*\{id\}")
    rows: str = Field(min_length=1)
    id: str = Field(min_length=1)
    url: str = Field(min_length=1)
    secret: str = Field(min_length=1)
    # Where we say for how many seconds the secret before signs as well.
    keep_seconds: str = Field(min_length=1)


class BalancePart(_Part):
    """Where a balance stands."""

    as_of_query: str = Field(min_length=1)
    ledger: str = Field(min_length=1)
    available: str = Field(min_length=1)
    as_of: str = Field(min_length=1)


class PromisePart(_Part):
    """What the bank has promised in writing."""

    lookup_is_consistent: bool
    lookup_consistent_after_seconds: int = Field(ge=0)
    recognises_repeats: bool
    has_webhooks: bool
    can_cancel: bool


class LimitPart(_Part):
    """How often the bank may be called, and when it is left alone."""

    calls_per_second: float = Field(default=20.0, gt=0)
    burst: int = Field(default=100, ge=1)
    longest_wait_seconds: float = Field(default=2.0, ge=0)
    failures_until_open: int = Field(default=5, ge=1)
    open_seconds: float = Field(default=30.0, ge=0)


class Profile(_Part):
    """Everything that another bank would call by another name."""

    name: str = Field(min_length=1)
    amounts: Literal["cents", "decimal"]
    token: TokenPart
    paths: PathPart
    create: CreatePart
    words: WordPart
    payment: PaymentPart
    lookup: LookupPart
    refusal: RefusalPart
    events: EventPart
    balance: BalancePart
    promises: PromisePart
    webhooks: WebhookPart | None = None
    limits: LimitPart = LimitPart()

    @property
    def capabilities(self) -> Capabilities:
        """Return what this bank promises, as payments ask for it."""
        return Capabilities(
            lookup_is_consistent=self.promises.lookup_is_consistent,
            lookup_consistent_after_seconds=self.promises.lookup_consistent_after_seconds,
            recognises_repeats=self.promises.recognises_repeats,
            takes_files=False,
            has_webhooks=self.promises.has_webhooks,
            can_cancel=self.promises.can_cancel,
        )

    @property
    def call_limits(self) -> Limits:
        """Return our own budget of calls to this bank."""
        return Limits(**self.limits.model_dump())


def load_profile(name: str) -> Profile:
    """Return a profile by the name of a packaged one, or by the path of a file.

    Raises ProfileRefused with one line per fault.
    """
    try:
        found = tomllib.loads(_text_of(name))
    except tomllib.TOMLDecodeError as error:
        message = f"The bank profile {name} is not TOML: {error}."
        raise ProfileRefused(message) from error
    try:
        return Profile.model_validate(found)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        lines = "".join(
            f"\n  {_place(fault['loc'])}: {_sentence(fault['msg'])}" for fault in faults
        )
        message = f"The bank profile {name} cannot be used:{lines}"
        raise ProfileRefused(message) from None


def packaged_profiles() -> tuple[str, ...]:
    """Return the names of the profiles that come with the product."""
    return _PACKAGED


def _text_of(name: str) -> str:
    if not name.endswith(_SUFFIX):
        if name not in packaged_profiles():
            known = ", ".join(packaged_profiles())
            message = f"There is no bank profile {name}. Choose {known}, or name a .toml file."
            raise ProfileRefused(message)
        return (resources.files(__package__) / _FOLDER / f"{name}{_SUFFIX}").read_text("utf-8")
    try:
        return Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"The bank profile {name} cannot be read: {type(error).__name__}."
        raise ProfileRefused(message) from error


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "profile"


def _sentence(text: str) -> str:
    text = text.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
