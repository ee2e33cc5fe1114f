"""Tokens of the API: OAuth 2 token endpoint, revocation, sessions, and the bearer check."""

from __future__ import annotations

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.core.permissions import Actor

blueprint = ApiBlueprint("auth", description="Sign in, refresh, sign out")


def bearer_actor() -> Actor | None:
    """Return who the bearer token belongs to, or None without one."""
    return None
