"""Security headers on every answer: a strict content policy, no caching of what people see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import Flask, Response, current_app, request

Policy = Mapping[str, str]

PAGE_POLICY: Final[Policy] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "manifest-src": "'self'",
}
# An answer that is no page needs nothing at all, should a browser be talked into showing it.
DATA_POLICY: Final[Policy] = {"default-src": "'none'", "frame-ancestors": "'none'"}

HSTS_SECONDS: Final = 2 * 365 * 24 * 60 * 60
_EXTENSION: Final = "seedtrust_policies"
_FIXED: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
        "magnetometer=(), microphone=(), midi=(), payment=(), usb=()"
    ),
}


def extend_policy(app: Flask, blueprint: str, directives: Policy) -> None:
    """Add directives to the page policy of one blueprint, replacing those of the same name.

    A single view that needs its own policy sets the header itself, and it is left alone.
    """
    policies: dict[str, Policy] = app.extensions.setdefault(_EXTENSION, {})
    policies[blueprint] = {**policies.get(blueprint, {}), **directives}


def render_policy(policy: Policy) -> str:
    """Return a policy as the value of the Content-Security-Policy header."""
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def _policy_of(response: Response) -> Policy:
    if response.mimetype != "text/html":
        return DATA_POLICY
    policies: dict[str, Policy] = current_app.extensions[_EXTENSION]
    return {**PAGE_POLICY, **policies.get(request.blueprint or "", {})}


def secure(response: Response) -> Response:
    """Add every header that the view has not set itself."""
    headers = response.headers
    for name, value in _FIXED.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", render_policy(_policy_of(response)))
    if request.is_secure:
        headers.setdefault(
            "Strict-Transport-Security", f"max-age={HSTS_SECONDS}; includeSubDomains"
        )
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    if "no-store" in headers["Cache-Control"]:
        response.vary.update(("Cookie", "Authorization"))
    return response


def init_headers(app: Flask) -> None:
    """Run `secure` after every request."""
    app.extensions.setdefault(_EXTENSION, {})
    app.after_request(secure)
