"""The second factor: time-based codes (RFC 6238), each accepted once, seeds sealed to their row."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Final

import pyotp

from seedtrust.core.crypto import Keyring
from seedtrust.domain.identity.errors import CodeRefused
from seedtrust.domain.identity.models import User

STEP_SECONDS: Final = 30
ISSUER: Final = "SeedTrust"
_DIGITS: Final = 6
# One step earlier and later, for clocks that are a little off.
_OFFSETS: Final = (0, -1, 1)


def aad(user_id: int) -> str:
    """Return what binds a sealed seed to its row."""
    return f"users.totp_secret.{user_id}"


def give_seed(user: User, keyring: Keyring, seed: str | None = None) -> None:
    """Give somebody a seed that is not confirmed yet; `seed` is for accounts made by a shell."""
    user.totp_secret = keyring.seal(seed or pyotp.random_base32(), aad(user.id))
    user.totp_confirmed_at = None
    user.totp_last_step = None


def seed_of(user: User, keyring: Keyring) -> str:
    """Return the seed. Raises CiphertextRefused when it was moved from another row."""
    assert user.totp_secret is not None
    return keyring.open(user.totp_secret, aad(user.id))


def provisioning_uri(user: User, keyring: Keyring) -> str:
    """Return the address that an authenticator app reads from the QR code."""
    return pyotp.TOTP(seed_of(user, keyring)).provisioning_uri(name=user.email, issuer_name=ISSUER)


def refusal_of(user: User, code: str, keyring: Keyring, *, now: datetime) -> CodeRefused | None:
    """Use a code up and return None, or return why it is refused: wrong, too old, or used."""
    digits = code.replace(" ", "")
    step = _step_of(user, digits, keyring, now) if digits.isascii() else None
    if step is None:
        message = "This code is not right. Type the six digits that your app shows now."
    elif user.totp_last_step is not None and step <= user.totp_last_step:
        message = "This code was used already. Wait for the next one, then try again."
    else:
        user.totp_last_step = step
        return None
    return CodeRefused(message, errors={"code": [message]})


def _step_of(user: User, digits: str, keyring: Keyring, now: datetime) -> int | None:
    if user.totp_secret is None or len(digits) != _DIGITS:
        return None
    totp = pyotp.TOTP(seed_of(user, keyring))
    current = int(now.timestamp()) // STEP_SECONDS
    for step in (current + offset for offset in _OFFSETS):
        if hmac.compare_digest(totp.generate_otp(step), digits):
            return step
    return None


def code_at(seed: str, instant: datetime) -> str:
    """Return the code that an authenticator app shows at an instant; for demo and tests."""
    return pyotp.TOTP(seed).generate_otp(int(instant.timestamp()) // STEP_SECONDS)
