"""Forms around requests: the reviewer's decisions, and asking on somebody's behalf."""

from __future__ import annotations

from decimal import Decimal

from flask_wtf.file import FileField
from wtforms import DateField, DecimalField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from seedtrust.admin.fields import MoneyField
from seedtrust.admin.forms import Form

_ROWS = {"rows": 3}


class AcceptForm(Form):
    """Accept in full, or in part with a reason."""

    amount_cents = MoneyField("Amount to approve")
    reason = TextAreaField(
        "Reason, if it is less than asked for",
        description="The requester reads it.",
        validators=[Length(max=1000)],
        render_kw=_ROWS,
    )
    version = HiddenField(validators=[DataRequired()])


class RefuseForm(Form):
    """Refuse, with a reason and perhaps the clause."""

    reason = TextAreaField(
        "Why is it refused?",
        description="The requester reads this; say what to do instead.",
        validators=[DataRequired("Say why; the requester reads it."), Length(max=1000)],
        render_kw=_ROWS,
    )
    clause = StringField("Clause", validators=[Length(max=40)])


class AskForm(Form):
    """Ask for something that is missing."""

    question = TextAreaField(
        "What is missing?",
        description="The requester reads this and answers.",
        validators=[DataRequired("Say what is missing."), Length(max=1000)],
        render_kw=_ROWS,
    )


class WhyForm(Form):
    """A reason that stays inside the company, for holds and the like."""

    reason = TextAreaField(
        "Reason",
        validators=[DataRequired("Say why; it is kept with the request."), Length(max=1000)],
        render_kw=_ROWS,
    )


class NewRequestForm(Form):
    """A request on behalf of somebody."""

    category = SelectField("What for", validators=[DataRequired("Choose what it is for.")])
    payee = SelectField("Payee", validators=[DataRequired("Choose who is paid.")])
    amount_cents = MoneyField("Amount")
    description = StringField(
        "Description",
        description="As it should be read later, such as “Flight on May 3”.",
        validators=[DataRequired("Say what it is for."), Length(max=500)],
    )
    serves_on = DateField(
        "Day it is for",
        description="Needed where the contract has a cap a day or a week.",
        validators=[Optional()],
    )
    quantity = DecimalField(
        "Units, such as hours",
        description="Needed where the contract has a cap on them.",
        places=2,
        validators=[Optional(), NumberRange(min=Decimal("0.01"), max=Decimal(100_000))],
        render_kw={"inputmode": "decimal"},
    )
    pay_on = DateField("Pay not before", validators=[Optional()])
    evidence = FileField("Evidence", description="PDF, PNG, JPEG, WebP, text or CSV; up to 20 MB.")
    duplicate_reason = StringField(
        "Why it is no duplicate",
        description="Only if the same payee asked for the same amount within ten days.",
        validators=[Length(max=500)],
    )
