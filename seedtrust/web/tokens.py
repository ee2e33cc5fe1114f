"""Access tokens of the API: one fixed algorithm, checked against the clock that we are given.

After RFC 9068 (profile and type) and RFC 8725: the verifier fixes algorithm and key, and follows
nothing that the token's header says about keys.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seedtrust.core.errors import TokenExpired
from seedtrust.domain.identity.errors import TokenRefused
from seedtrust.domain.identity.views import IssuedTokens
from seedtrust.settings import Settings

ALGORITHM: Final = "EdDSA"
TYPE: Final = "at+jwt"
_VERSION: Final = 1
_LONGEST: Final = 4_096
_CLOCK_SKEW: Final = timedelta(seconds=60)
_CLAIMS: Final = ("iss", "aud", "sub", "sid", "jti", "iat", "exp", "auth_time", "ver")


@dataclass(frozen=True)
class AccessClaims:
    """What an access token says: whose it is and which session it belongs to; nothing of roles."""

    session_reference: str
    user_reference: str


@lru_cache(maxsize=8)
def _private_key(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


def _audience(settings: Settings) -> str:
    return f"{settings.public_base_url}/api/v1"


def make_access_token(issued: IssuedTokens, settings: Settings, *, now: datetime) -> str:
    """Return a signed access token for an API session."""
    claims: dict[str, Any] = {
        "iss": settings.public_base_url,
        "aud": _audience(settings),
        "sub": issued.user_reference,
        "sid": issued.session_reference,
        "jti": secrets.token_urlsafe(16),
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + settings.access_token_seconds,
        "auth_time": int(issued.signed_in_at.timestamp()),
        "amr": ["pwd", "otp"] if issued.second_factor else ["pwd"],
        "ver": _VERSION,
    }
    return jwt.encode(
        claims, _private_key(settings.jwt_seed), algorithm=ALGORITHM, headers={"typ": TYPE}
    )


def read_access_token(token: str, settings: Settings, *, now: datetime) -> AccessClaims:
    """Return what a token says. Raises TokenExpired, or TokenRefused for anything not ours."""
    claims = _verified(token, settings)
    issued_at = datetime.fromtimestamp(claims["iat"], UTC)
    if issued_at > now + _CLOCK_SKEW:
        raise TokenRefused(_NOT_OURS)
    if datetime.fromtimestamp(claims["exp"], UTC) <= now:
        message = "The access token has expired. Refresh it and repeat the call."
        raise TokenExpired(message)
    return AccessClaims(session_reference=claims["sid"], user_reference=claims["sub"])


_NOT_OURS: Final = "This access token was not made by this service. Sign in again."


def _verified(token: str, settings: Settings) -> dict[str, Any]:
    if len(token) > _LONGEST:
        raise TokenRefused(_NOT_OURS)
    try:
        decoded = jwt.decode_complete(
            token,
            _private_key(settings.jwt_seed).public_key(),
            algorithms=[ALGORITHM],
            audience=_audience(settings),
            issuer=settings.public_base_url,
            # The times are checked against our own clock.
            options={
                "require": list(_CLAIMS),
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except (jwt.PyJWTError, ValueError) as error:
        raise TokenRefused(_NOT_OURS) from error
    header, claims = decoded["header"], decoded["payload"]
    texts = (claims["sid"], claims["sub"], claims["jti"])
    numbers = (claims["iat"], claims["exp"], claims["auth_time"])
    fits = (
        header.get("typ") == TYPE
        and "crit" not in header
        and claims["ver"] == _VERSION
        and all(isinstance(text, str) for text in texts)
        and all(type(number) is int and 0 < number < _LATEST for number in numbers)
    )
    if not fits:
        raise TokenRefused(_NOT_OURS)
    return dict(claims)


_LATEST: Final = 253_402_300_799  # the last second of year 9999
