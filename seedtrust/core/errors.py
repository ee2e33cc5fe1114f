"""The one family of errors that people may see, with a stable code and an HTTP status each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

FieldErrors = Mapping[str, Sequence[str]]


class DomainError(Exception):
    """A refusal in product language.

    `detail` is the sentence shown to people and says what to do; `errors` maps a field to its
    messages; `facts` are typed values that a program may read. Both doors render the same object:
    the API as RFC 9457 problem details, the admin UI as a message or a page.
    """

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "The request was refused"
    status: ClassVar[int] = 400

    def __init__(
        self, detail: str, *, errors: FieldErrors | None = None, **facts: str | int | bool | None
    ) -> None:
        """Keep the sentence, the field messages and the facts."""
        super().__init__(detail)
        self.detail = detail
        self.errors: dict[str, list[str]] = {
            field: list(messages) for field, messages in (errors or {}).items()
        }
        self.facts = facts


class NotFound(DomainError):
    """The object does not exist, or is out of the caller's scope: both look the same."""

    code = "not_found"
    title = "Not found"
    status = 404


class Unauthenticated(DomainError):
    """No valid credential came with the call."""

    code = "unauthenticated"
    title = "Sign in first"
    status = 401


class TokenExpired(Unauthenticated):
    """The access token has reached its end; a refresh gives a new one."""

    code = "token_expired"
    title = "The access token has expired"


class SessionEnded(Unauthenticated):
    """The session is over for good; the `reason` fact says why."""

    code = "session_ended"
    title = "The session has ended"


class StepUpRequired(Unauthenticated):
    """The act needs a fresher or stronger sign-in (RFC 9470)."""

    code = "insufficient_user_authentication"
    title = "Confirm that it is you"


class Forbidden(DomainError):
    """The caller is known but lacks the permission."""

    code = "forbidden"
    title = "Not allowed"
    status = 403


class Invalid(DomainError):
    """A value makes no sense; `errors` names the fields."""

    code = "invalid"
    title = "Please check what you entered"
    status = 422


class InvalidAmount(Invalid):
    """An amount of money is missing, malformed, not positive or too large."""

    code = "invalid_amount"
    title = "Please check the amount"


class Conflict(DomainError):
    """The state of the object does not allow it."""

    code = "conflict"
    title = "This cannot be done now"
    status = 409


class WrongState(Conflict):
    """The object's life cycle has no such step from where it stands."""

    code = "wrong_state"
    title = "This step is not possible from here"


class StaleVersion(Conflict):
    """Somebody else changed the object since it was read."""

    code = "stale_version"
    title = "Somebody else was faster"


class InsufficientFunds(Conflict):
    """The available balance does not cover the amount."""

    code = "insufficient_funds"
    title = "The available balance is too low"


class SegregationOfDuties(Conflict):
    """The same person may not act twice on one money path."""

    code = "segregation_of_duties"
    title = "Another person has to do this"


class OnHold(Conflict):
    """A hold with a reason blocks the act."""

    code = "on_hold"
    title = "On hold"


class IdempotencyConflict(DomainError):
    """An idempotency key came back with another request."""

    code = "idempotency_key_reused"
    title = "This key belongs to another request"
    status = 422


class IdempotencyKeyMissing(DomainError):
    """A write that creates money or a request came without its idempotency key."""

    code = "idempotency_key_missing"
    title = "An idempotency key is needed"
    status = 400


class StillRunning(Conflict):
    """The first call with this idempotency key has not finished."""

    code = "still_running"
    title = "The first call is still running"


class TooManyRequests(DomainError):
    """A rate limit was reached; `retry_after_seconds` says when to come back."""

    code = "too_many_requests"
    title = "Too many requests"
    status = 429


class Unavailable(DomainError):
    """Something that is needed is down; nothing was done and trying again is safe."""

    code = "unavailable"
    title = "Temporarily unavailable"
    status = 503


def family() -> tuple[type[DomainError], ...]:
    """Return every class of the family, the root first, for documentation and tests."""
    found: list[type[DomainError]] = []
    queue: list[type[DomainError]] = [DomainError]
    while queue:
        error = queue.pop(0)
        if error not in found:
            found.append(error)
            queue.extend(error.__subclasses__())
    return tuple(found)
