"""Refusals of identity, each with its code."""

from __future__ import annotations

from seedtrust.core.errors import Conflict, Forbidden, Invalid, TooManyRequests, Unauthenticated


class SignInRefused(Invalid):
    """Address, password or code do not fit together; never says which."""

    code = "sign_in_refused"
    title = "Sign-in did not work"


class SignInSlowedDown(TooManyRequests):
    """Too many wrong attempts; the wait grows with each, and ends by itself."""

    code = "sign_in_slowed_down"
    title = "Wait a moment"


class CodeRefused(Invalid):
    """The six digits are wrong, too old or used before."""

    code = "code_refused"
    title = "The code was not accepted"


class InvitationRefused(Invalid):
    """The link was used, is too old, or was never made."""

    code = "invitation_refused"
    title = "This invitation cannot be used"


class PasswordRefused(Invalid):
    """The password is too short, too long, or easy to guess."""

    code = "password_refused"
    title = "Choose another password"


class EmailTaken(Conflict):
    """Somebody with this address is there already."""

    code = "email_taken"
    title = "This address is in use"


class RolesConflict(Conflict):
    """Two roles that one person must not hold together, or a grant to oneself."""

    code = "roles_conflict"
    title = "These roles do not go together"


class SecondFactorMissing(Forbidden):
    """Staff must enrol an authenticator app before they reach anything else."""

    code = "second_factor_missing"
    title = "Set up your authenticator app first"


class AlreadyEnrolled(Conflict):
    """An authenticator app is in use; it is replaced by another way."""

    code = "already_enrolled"
    title = "An authenticator app is set up already"


class StaffOnly(Forbidden):
    """The admin pages are for the company's own people."""

    code = "staff_only"
    title = "Not the right entrance"


class TokenRefused(Unauthenticated):
    """The bearer token is malformed, forged, or made for something else."""

    code = "invalid_token"
    title = "The access token is not valid"
