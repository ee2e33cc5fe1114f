"""Forms of the staff pages: what the browser sends, checked for shape; rules are the domain's."""

from __future__ import annotations

from typing import Final

from flask_wtf import FlaskForm
from wtforms import (
    EmailField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from seedtrust.core.errors import DomainError
from seedtrust.core.permissions import ROLE_LABELS, STAFF_ROLES, Role
from seedtrust.domain.identity.states import UserKind

_LONGEST_PASSWORD: Final = 600


def choices_of(*pairs: tuple[str, str]) -> list[SelectChoice]:
    """Return values with their labels as choices of a select or radio field."""
    return [SelectChoice(value, label) for value, label in pairs]


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """A form that can show a refusal of the domain beside the fields that it names."""

    def refuse(self, refusal: DomainError) -> None:
        """Put the refusal's messages beside their fields; the rest stands above the form."""
        named = {name: held for name, held in refusal.errors.items() if name in self}
        for name, messages in named.items():
            self[name].errors = [*self[name].errors, *messages]
        if not named:
            self.form_errors.append(refusal.detail)


class SignInForm(Form):
    """Address and password."""

    email = EmailField(
        "E-mail address",
        validators=[DataRequired("Enter your e-mail address."), Length(max=254)],
        render_kw={"autocomplete": "username", "autofocus": True},
    )
    password = PasswordField(
        "Password",
        validators=[DataRequired("Enter your password."), Length(max=_LONGEST_PASSWORD)],
        render_kw={"autocomplete": "current-password"},
    )


class CodeForm(Form):
    """A code of the authenticator app."""

    code = StringField(
        "Six-digit code",
        validators=[DataRequired("Enter the six digits that your app shows."), Length(max=20)],
        render_kw={"autofocus": True},
    )


class PasswordForm(Form):
    """A new password; shown once more only by the browser's own eye, never twice to type."""

    password = PasswordField(
        "New password",
        validators=[DataRequired("Choose a password."), Length(max=_LONGEST_PASSWORD)],
        render_kw={"autocomplete": "new-password", "autofocus": True},
    )


class InviteForm(Form):
    """Whom to invite, and as what."""

    display_name = StringField(
        "Full name",
        validators=[DataRequired("Enter the person's name."), Length(max=120)],
        render_kw={"autocomplete": "off"},
    )
    email = EmailField(
        "E-mail address",
        validators=[DataRequired("Enter the person's e-mail address."), Length(max=254)],
        description="The invitation goes to this address.",
        render_kw={"autocomplete": "off"},
    )
    kind = RadioField(
        "Who is it?",
        choices=choices_of(
            (UserKind.PARTY.value, "Somebody outside: a parent, surrogate, donor or agency"),
            (UserKind.STAFF.value, "A colleague; Legal grants the roles afterwards"),
        ),
        default=UserKind.PARTY.value,
        validators=[DataRequired("Say who it is.")],
    )
    role = SelectField(
        "Role of somebody outside",
        choices=choices_of(
            ("", "Choose a role"),
            *((role.value, ROLE_LABELS[role]) for role in Role if role not in STAFF_ROLES),
        ),
    )

    def validate_role(self, field: SelectField) -> None:
        """Ask for a role where the invitation itself gives it. Raises ValidationError."""
        if self.kind.data == UserKind.PARTY.value and not field.data:
            message = "Choose what the person is to the case."
            raise ValidationError(message)


class GrantForm(Form):
    """A role to give."""

    role = SelectField("Role", validators=[DataRequired("Choose a role.")])

    def offer(self, kind: UserKind, held: frozenset[Role]) -> None:
        """Offer the roles that this kind of person may hold and does not hold yet."""
        fitting = [role for role in Role if (role in STAFF_ROLES) is (kind is UserKind.STAFF)]
        self.role.choices = choices_of(
            ("", "Choose a role"),
            *((role.value, ROLE_LABELS[role]) for role in fitting if role not in held),
        )


class ButtonForm(Form):
    """Nothing to fill in but the button."""


class ReasonForm(Form):
    """Why something is done; kept in the audit trail."""

    reason = TextAreaField(
        "Reason",
        validators=[DataRequired("Say why; it is kept with the act."), Length(max=500)],
        render_kw={"rows": 3},
    )


class CheckboxesField(SelectMultipleField):  # type: ignore[misc]  # WTForms ships no types
    """Several choices as boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()
