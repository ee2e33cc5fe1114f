"""Tokens of the API: OAuth 2 token endpoint, revocation, sessions, and the bearer check."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify, request
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.schemas import Input, Instant, Output
from seedtrust.core.errors import DomainError, SessionEnded, TooManyRequests, Unavailable
from seedtrust.core.permissions import Actor
from seedtrust.domain.identity import refresh, sessions, signing_in
from seedtrust.domain.identity.errors import TokenRefused
from seedtrust.domain.identity.refresh import BearerView, RefreshLimits
from seedtrust.domain.identity.service import settled
from seedtrust.domain.identity.signing_in import Challenge
from seedtrust.domain.identity.views import IssuedTokens, SessionView
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import (
    clock_now,
    current_actor,
    current_settings,
    keyring,
    stash_business_now,
)
from seedtrust.web.client import current_client
from seedtrust.web.guard import PUBLIC, SIGNED_IN, requires
from seedtrust.web.limits import limiter, sign_in_limit
from seedtrust.web.requestid import request_id
from seedtrust.web.signing import check_password
from seedtrust.web.tokens import make_access_token, read_access_token

blueprint = ApiBlueprint("auth", description="Sign in, refresh, sign out")

MFA_GRANT: Final = "urn:seedtrust:params:oauth:grant-type:mfa-otp"
_SCHEME: Final = "bearer "
_LONGEST: Final = 1_000


class TokenInput(Input):
    """What the token endpoint takes; each grant type needs fields of its own."""

    grant_type = fields.String(
        required=True,
        metadata={"enum": ["password", "refresh_token", MFA_GRANT]},
    )
    username = fields.String(metadata={"description": "E-mail address, for `password`"})
    password = fields.String(metadata={"description": "For `password`"})
    refresh_token = fields.String(metadata={"description": "For `refresh_token`"})
    mfa_token = fields.String(metadata={"description": "From `mfa_required`, for the code"})
    otp = fields.String(metadata={"description": "Six digits of the authenticator app"})
    client_id = fields.String(metadata={"description": "Taken for OAuth's sake and ignored"})
    scope = fields.String(metadata={"description": "Taken for OAuth's sake and ignored"})


class TokenOutput(Output):
    """A successful answer of the token endpoint (RFC 6749 section 5.1)."""

    access_token = fields.String(required=True)
    token_type = fields.String(required=True, validate=validate.OneOf(["Bearer"]))
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds"})
    refresh_token = fields.String(required=True)
    session_expires_at = Instant(required=True)


class OAuthErrorOutput(Output):
    """A refusal of the token endpoint (RFC 6749 section 5.2)."""

    error = fields.String(required=True)
    error_description = fields.String(required=True)
    code = fields.String(metadata={"description": "Our stable code of the refusal"})
    reason = fields.String(metadata={"description": "Why a session has ended"})
    mfa_token = fields.String(metadata={"description": "With `mfa_required`"})
    expires_in = fields.Integer(metadata={"description": "Life of `mfa_token` in seconds"})


class RevokeInput(Input):
    """The token to give up, of either kind (RFC 7009)."""

    token = fields.String(required=True, validate=validate.Length(min=1, max=4_096))
    token_type_hint = fields.String()


class CodeInput(Input):
    """A code of the authenticator app."""

    code = fields.String(required=True, validate=validate.Length(min=6, max=10))


class SessionOutput(Output):
    """One open sign-in."""

    reference = fields.String(required=True)
    door = fields.String(required=True, metadata={"description": "`api` or `admin`"})
    address = fields.String(required=True)
    browser = fields.String(required=True)
    started_at = Instant(required=True)
    seen_at = Instant(required=True)
    expires_at = Instant(required=True)
    current = fields.Boolean(required=True)


class SessionsOutput(Output):
    """Every open sign-in of the caller."""

    data = fields.List(fields.Nested(SessionOutput), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class StepUpOutput(Output):
    """Until when the fresh second factor counts."""

    valid_for_seconds = fields.Integer(required=True)


def bearer_actor() -> Actor | None:
    """Return who the bearer token belongs to, or None without one.

    Raises TokenExpired, TokenRefused or SessionEnded.
    """
    header = request.headers.get("Authorization", "")
    if not header:
        return None
    if header[: len(_SCHEME)].lower() != _SCHEME:
        message = "Send the access token as `Authorization: Bearer ...`."
        raise TokenRefused(message)
    now = clock_now()
    claims = read_access_token(header[len(_SCHEME) :].strip(), current_settings(), now=now)

    def work(session: Session) -> BearerView:
        found = refresh.bearer(
            session,
            claims.session_reference,
            claims.user_reference,
            request_id=request_id(),
            now=now,
        )
        stash_business_now(session)
        return found

    view = reading(work)
    family_id = view.actor.session_id
    if view.must_touch and family_id is not None:
        in_transaction(lambda session: refresh.touch(session, family_id, now=now))
    return view.actor


def limits() -> RefreshLimits:
    """Return how long API sessions live here."""
    settings = current_settings()
    return RefreshLimits(
        idle_seconds=settings.refresh_idle_seconds,
        absolute_seconds=settings.refresh_absolute_seconds,
        grace_seconds=settings.refresh_grace_seconds,
    )


@blueprint.route("/auth/token", methods=["POST"])
@requires(PUBLIC)
@limiter.limit(sign_in_limit)
@blueprint.doc(
    requestBody={
        "required": True,
        "content": {
            "application/json": {"schema": TokenInput},
            "application/x-www-form-urlencoded": {"schema": TokenInput},
        },
    }
)
@blueprint.response(200, TokenOutput)
@blueprint.alt_response(400, schema=OAuthErrorOutput)
@blueprint.alt_response(403, schema=OAuthErrorOutput)
@blueprint.alt_response(429, schema=OAuthErrorOutput)
def token() -> Response:
    """Give tokens for a password, a code, or a refresh token.

    Form or JSON. Errors are OAuth's own: `invalid_grant`, `mfa_required` with an `mfa_token`.
    """
    values = _token_values()
    grants = {
        "password": (_by_password, ("username", "password")),
        MFA_GRANT: (_by_code, ("mfa_token", "otp")),
        "refresh_token": (_by_refresh, ("refresh_token",)),
    }
    grant_type = values.get("grant_type", "")
    if not grant_type:
        return _oauth_error("invalid_request", "Send a grant_type.")
    if grant_type not in grants:
        return _oauth_error("unsupported_grant_type", "This grant type is not offered here.")
    grant, needed = grants[grant_type]
    missing = [name for name in needed if not values.get(name)]
    if missing:
        return _oauth_error("invalid_request", f"Send {' and '.join(missing)}.")
    if any(len(values[name]) > _LONGEST for name in needed):
        return _oauth_error("invalid_request", "A value is too long.")
    try:
        outcome = grant(values)
    except (TooManyRequests, Unavailable) as error:
        outcome = error
    return _token_answer(outcome)


def _token_values() -> dict[str, str]:
    """Return the parameters of a form or of a JSON object; anything else counts as missing."""
    if request.is_json:
        body = request.get_json()
        members = body.items() if isinstance(body, dict) else ()
        return {key: value for key, value in members if isinstance(value, str)}
    # RFC 6749 section 3.2: parameters must not be included more than once.
    return {key: held[0] for key, held in request.form.lists() if len(held) == 1}


Outcome = IssuedTokens | Challenge | DomainError


def _by_password(values: dict[str, str]) -> Outcome:
    checked = check_password(values["username"], values["password"])
    now, client, bounds = clock_now(), current_client(), limits()
    return in_transaction(
        lambda session: signing_in.sign_in_api(
            session,
            checked.candidate,
            matched=checked.matched,
            new_hash=checked.new_hash,
            client=client,
            limits=bounds,
            request_id=request_id(),
            now=now,
        )
    )


def _by_code(values: dict[str, str]) -> Outcome:
    now, client, bounds, keys = clock_now(), current_client(), limits(), keyring()
    return in_transaction(
        lambda session: signing_in.answer_challenge(
            session,
            values["mfa_token"],
            values["otp"],
            keyring=keys,
            client=client,
            limits=bounds,
            request_id=request_id(),
            now=now,
        )
    )


def _by_refresh(values: dict[str, str]) -> Outcome:
    now, bounds, keys = clock_now(), limits(), keyring()
    return in_transaction(
        lambda session: refresh.refresh(
            session,
            values["refresh_token"],
            keyring=keys,
            limits=bounds,
            request_id=request_id(),
            now=now,
        )
    )


def _token_answer(outcome: Outcome) -> Response:
    if isinstance(outcome, Challenge):
        return _oauth_error(
            "mfa_required",
            "Send the code of the authenticator app with this mfa_token.",
            403,
            mfa_token=outcome.mfa_token,
            expires_in=outcome.expires_in,
        )
    if isinstance(outcome, DomainError):
        return _oauth_refusal(outcome)
    settings = current_settings()
    body = TokenOutput().dump(
        {
            "access_token": make_access_token(outcome, settings, now=clock_now()),
            "token_type": "Bearer",
            "expires_in": settings.access_token_seconds,
            "refresh_token": outcome.refresh_token,
            "session_expires_at": outcome.expires_at,
        }
    )
    return _never_kept(jsonify(body))


def _oauth_refusal(refusal: DomainError) -> Response:
    extra: dict[str, Any] = {"code": refusal.code}
    if isinstance(refusal, SessionEnded):
        extra["reason"] = refusal.facts["reason"]
    if isinstance(refusal, TooManyRequests | Unavailable):
        response = _oauth_error("temporarily_unavailable", refusal.detail, refusal.status, **extra)
        response.headers["Retry-After"] = str(refusal.facts.get("retry_after_seconds", 2))
        return response
    return _oauth_error("invalid_grant", refusal.detail, **extra)


def _oauth_error(error: str, description: str, status: int = 400, **extra: Any) -> Response:
    response = jsonify({"error": error, "error_description": description, **extra})
    response.status_code = status
    return _never_kept(response)


def _never_kept(response: Response) -> Response:
    # RFC 6749 section 5.1.
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


@blueprint.route("/auth/revoke", methods=["POST"])
@requires(PUBLIC)
@limiter.limit(sign_in_limit)
@blueprint.doc(
    requestBody={
        "required": True,
        "content": {
            "application/json": {"schema": RevokeInput},
            "application/x-www-form-urlencoded": {"schema": RevokeInput},
        },
    }
)
@blueprint.response(200)
def revoke() -> Response:
    """Give up a token of either kind and end its session (RFC 7009); always answers 200."""
    given = _token_values().get("token", "")
    if not given:
        return _oauth_error("invalid_request", "Send the token to give up.")
    now = clock_now()
    try:
        claims = read_access_token(given, current_settings(), now=now)
    except DomainError:
        in_transaction(
            lambda session: refresh.revoke_token(session, given, request_id=request_id(), now=now)
        )
    else:
        in_transaction(
            lambda session: refresh.revoke_session(
                session, claims.session_reference, request_id=request_id(), now=now
            )
        )
    return jsonify({})


@blueprint.route("/auth/step-up", methods=["POST"])
@requires(SIGNED_IN)
@limiter.limit(sign_in_limit)
@blueprint.arguments(CodeInput)
@blueprint.response(200, StepUpOutput)
def step_up(values: dict[str, str]) -> dict[str, int]:
    """Confirm with a fresh code; needed for acts that answer `insufficient_user_authentication`."""
    actor, now, keys = current_actor(), clock_now(), keyring()
    refusal = in_transaction(
        lambda session: signing_in.step_up_api(
            session, actor, values["code"], keyring=keys, now=now
        )
    )
    settled(refusal)
    return {"valid_for_seconds": current_settings().step_up_seconds}


@blueprint.route("/auth/sessions")
@requires(SIGNED_IN)
@blueprint.response(200, SessionsOutput)
def list_sessions() -> dict[str, list[SessionView] | None]:
    """List the caller's open sign-ins, at both doors."""
    actor, now, idle = current_actor(), clock_now(), current_settings().session_idle_seconds
    found = reading(
        lambda session: sessions.open_sessions(session, actor, idle_seconds=idle, now=now)
    )
    return {"data": found, "next_cursor": None}


@blueprint.route("/auth/sessions", methods=["DELETE"])
@requires(SIGNED_IN)
@blueprint.response(204)
def end_sessions() -> None:
    """Sign out everywhere: every session of the caller ends, this one too."""
    actor, now = current_actor(), clock_now()
    in_transaction(lambda session: sessions.sign_out_everywhere(session, actor, now=now))


@blueprint.route("/auth/sessions/<reference>", methods=["DELETE"])
@requires(SIGNED_IN)
@blueprint.response(204)
def end_session(reference: str) -> None:
    """End one of the caller's sign-ins."""
    actor, now = current_actor(), clock_now()
    in_transaction(lambda session: sessions.end_one(session, actor, reference, now=now))
