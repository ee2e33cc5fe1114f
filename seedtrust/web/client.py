"""Where a request comes from, as sessions keep it."""

from __future__ import annotations

from flask import request

from seedtrust.domain.identity.sessions import Client


def current_client() -> Client:
    """Return address and browser of the caller; the address by the trusted proxies only."""
    agent = "".join(character for character in request.user_agent.string if character.isprintable())
    return Client(address=(request.remote_addr or "")[:45], browser=agent[:200])
