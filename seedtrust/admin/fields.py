"""Fields that several forms share: money as people write it, and figures that travel along."""

from __future__ import annotations

from typing import Any

from wtforms import StringField
from wtforms.validators import ValidationError

from seedtrust.core.errors import DomainError
from seedtrust.core.money import format_dollars, parse_dollars


class MoneyField(StringField):  # type: ignore[misc]  # WTForms ships no types
    """An amount in dollars as text; `cents` holds it once the form is valid."""

    cents: int | None = None

    def __init__(self, *args: Any, optional: bool = False, **kwargs: Any) -> None:
        """Take a field that may stay empty with `optional`; `cents` is None then."""
        super().__init__(*args, **kwargs)
        self._optional = optional

    def process_data(self, value: int | None) -> None:
        """Show cents as dollars."""
        self.data = "" if value is None else format_dollars(value)

    def pre_validate(self, form: Any) -> None:
        """Read the amount by the house's one rule. Raises ValidationError with its sentence."""
        del form
        if self._optional and not (self.data or "").strip():
            return
        try:
            self.cents = parse_dollars(self.data or "", self.short_name)
        except DomainError as refusal:
            raise ValidationError(refusal.detail) from refusal
