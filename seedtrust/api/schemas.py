"""Ground for schemas of the API: input that is strict, output that may grow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, INCLUDE, Schema, ValidationError, fields, validate

from seedtrust.core.errors import InvalidAmount
from seedtrust.core.ids import is_reference
from seedtrust.core.money import MAX_AMOUNT_CENTS, check_amount_cents
from seedtrust.web.problems import CodedMessage

_LONGEST_TEXT = 2_000


class Input(Schema):
    """A body or a query; a field that nobody knows is refused."""


class Output(Schema):
    """An answer; clients must ignore members that they do not know, so it may grow."""

    class Meta:
        """The document says that further members may come."""

        unknown = EXCLUDE


class StrictAmountCents(fields.Integer):
    """A whole number of cents from 1 to the most that one payment carries; never 5.0 or "5"."""

    def __init__(self, **kwargs: Any) -> None:
        """Document the bounds; the check itself is the money module's."""
        kwargs.setdefault("validate", validate.Range(min=1, max=MAX_AMOUNT_CENTS))
        super().__init__(strict=True, **kwargs)

    def make_error(self, key: str, **kwargs: Any) -> ValidationError:
        """Return the refusal of a missing amount or of null, under the code of amounts."""
        del key, kwargs
        message = "Give the amount as a whole number of cents."
        return ValidationError([CodedMessage(message, InvalidAmount.code)])

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        del attr, data, kwargs
        try:
            return check_amount_cents(value, self.data_key or self.name or "amount_cents")
        except InvalidAmount as error:
            raise ValidationError([CodedMessage(error.detail, error.code)]) from error


class Text(fields.String):
    """Text that people write: no control characters but line ends, no half characters."""

    def __init__(
        self, *, max_length: int = _LONGEST_TEXT, min_length: int = 0, **kwargs: Any
    ) -> None:
        """Take the bounds in characters."""
        super().__init__(validate=validate.Length(min=min_length, max=max_length), **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if any(
            (ord(character) < ord(" ") and character not in "\r\n\t")
            or 0xD800 <= ord(character) <= 0xDFFF  # noqa: PLR2004 - surrogates
            or character == "\x7f"
            for character in text
        ):
            message = "Take out the characters that cannot be printed."
            raise ValidationError(message)
        return text


class Reference(fields.String):
    """A 15-character reference; a wrong check character is refused before anything is looked up."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if not is_reference(text):
            message = "This is not a reference. Copy all 15 characters."
            raise ValidationError(message)
        return text


class Instant(fields.AwareDateTime):
    """An instant as RFC 3339 in UTC."""

    def __init__(self, **kwargs: Any) -> None:
        """Fix the format."""
        super().__init__(format="iso", **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        text = super()._serialize(value, attr, obj, **kwargs)
        return text.replace("+00:00", "Z") if isinstance(text, str) else text


class ProblemSchema(Schema):
    """Problem details, RFC 9457, with our extension members."""

    class Meta:
        """Facts come as further members."""

        unknown = INCLUDE

    type = fields.String(required=True, metadata={"description": "urn:seedtrust:problem:<code>"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "What to do, for people"})
    instance = fields.String(required=True, metadata={"description": "The request's id"})
    code = fields.String(required=True, metadata={"description": "Stable name of the refusal"})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "Messages by field, as a dotted path"},
    )


def dump(schema: type[Schema], value: object) -> dict[str, Any]:
    """Return a view object as plain JSON members, for answers that are stored."""
    members: dict[str, Any] = schema().dump(value)
    return members
