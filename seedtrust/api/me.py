"""Who the caller is, what they may do, and their second factor."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from seedtrust.api.auth import CodeInput
from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.schemas import Output
from seedtrust.core.permissions import Permission
from seedtrust.domain.identity import queries, signing_in
from seedtrust.domain.identity.service import settled
from seedtrust.domain.identity.views import EnrolmentView, PersonView
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import clock_now, current_actor, keyring
from seedtrust.web.guard import SIGNED_IN, requires
from seedtrust.web.limits import limiter, sign_in_limit

blueprint = ApiBlueprint("me", description="The caller")


class MeOutput(Output):
    """The caller's account; `permissions` say how far each one reaches."""

    reference = fields.String(required=True)
    email = fields.String(required=True)
    display_name = fields.String(required=True)
    kind = fields.String(required=True, metadata={"enum": ["staff", "party"]})
    roles = fields.List(fields.String(), required=True)
    permissions = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "Scope by permission: `all`, `agency`, `assigned` or `own`"},
    )
    has_second_factor = fields.Boolean(required=True)


class EnrolmentOutput(Output):
    """What an authenticator app needs; shown until it is confirmed."""

    secret = fields.String(required=True, attribute="seed")
    uri = fields.String(required=True, metadata={"description": "For a QR code"})


@blueprint.route("/me")
@requires(Permission.ACCOUNT_SELF)
@blueprint.response(200, MeOutput)
def me() -> dict[str, Any]:
    """Show the caller's account, roles and permissions."""
    actor = current_actor()
    person = reading(lambda session: queries.myself(session, actor))
    return {**_members(person), "permissions": _permissions()}


def _members(person: PersonView) -> dict[str, Any]:
    return {
        "reference": person.reference,
        "email": person.email,
        "display_name": person.display_name,
        "kind": person.kind.value,
        "roles": sorted(role.value for role in person.roles),
        "has_second_factor": person.has_second_factor,
    }


def _permissions() -> dict[str, str]:
    actor = current_actor()
    scopes = {permission: actor.scope(permission) for permission in Permission}
    return {name.value: scope.value for name, scope in scopes.items() if scope is not None}


@blueprint.route("/me/mfa/totp", methods=["POST"])
@requires(SIGNED_IN)
@blueprint.response(201, EnrolmentOutput)
def begin_totp() -> EnrolmentView:
    """Get a secret for an authenticator app; it counts once it is confirmed with a code."""
    actor, now, keys = current_actor(), clock_now(), keyring()
    return in_transaction(
        lambda session: signing_in.begin_enrolment(session, actor, keyring=keys, now=now)
    )


@blueprint.route("/me/mfa/totp/confirm", methods=["POST"])
@requires(SIGNED_IN)
@limiter.limit(sign_in_limit)
@blueprint.arguments(CodeInput)
@blueprint.response(204)
def confirm_totp(values: dict[str, str]) -> None:
    """Confirm the app with its first code; from now on every sign-in asks for one."""
    actor, now, keys = current_actor(), clock_now(), keyring()
    settled(
        in_transaction(
            lambda session: signing_in.finish_enrolment(
                session, actor, values["code"], keyring=keys, now=now
            )
        )
    )
