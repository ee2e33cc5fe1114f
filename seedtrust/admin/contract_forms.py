"""Forms around a case's contract: opening, parties, agreements, terms, milestones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from seedtrust.admin.fields import MoneyField
from seedtrust.admin.forms import Form, choices_of
from seedtrust.admin.words import TAX_WORDS, category_words
from seedtrust.core.pregnancy import LAST_WEEK
from seedtrust.domain.cases.states import CaseKind
from seedtrust.domain.cases.views import KIND_LABELS
from seedtrust.domain.desk.contracts import Chosen
from seedtrust.domain.signing.states import ORDER_LABELS, SigningOrder
from seedtrust.domain.terms.plans import MOST_ITEMS
from seedtrust.domain.terms.states import (
    Category,
    TaxClass,
    TermApprover,
    TermKind,
    TermSchedule,
)
from seedtrust.domain.terms.views import APPROVER_LABELS

_NOT_OF_A_CONTRACT: Final = frozenset({Category.FUNDING, Category.CLOSING_REFUND})
KIND_WORDS: Final = {
    TermKind.SCHEDULED: "The calendar pays it when its milestone has come",
    TermKind.REQUESTED: "Somebody asks for it, up to the amount and the cap",
    TermKind.FEE: "A fee of the company, charged when its milestone has come",
}


SCHEDULE_WORDS: Final = {
    TermSchedule.ONCE: "Once, after its milestone",
    TermSchedule.INSTALMENTS: "The amount in equal monthly instalments",
    TermSchedule.MONTHLY: "The amount every month",
    TermSchedule.PREGNANCY_WEEK: "Once, when the pregnancy reaches a week",
}


def offered(rows: Iterable[Chosen], empty: str) -> list[SelectChoice]:
    """Return rows as choices of a select field that may stay empty."""
    return choices_of(("", empty), *((row.reference, row.words) for row in rows))


def chosen(rows: Iterable[Chosen], reference: str | None) -> int | None:
    """Return the row that was chosen, or None for the empty choice."""
    return next((row.id for row in rows if reference and row.reference == reference), None)


class CaseForm(Form):
    """A new case: what the journey is, for whom, on which account, with how much money."""

    kind = RadioField(
        "Kind of journey",
        choices=choices_of(*((kind.value, words) for kind, words in KIND_LABELS.items())),
        default=CaseKind.SURROGACY.value,
        validators=[DataRequired("Choose what the journey is.")],
    )
    name = StringField(
        "Name of the case",
        description="As the files call it, such as “Ashgrove_Quarles”. The company alone reads it.",
        validators=[DataRequired("Enter the name of the case."), Length(max=200)],
    )
    number = IntegerField(
        "Case number",
        description="Six digits. Leave it empty and a free one is drawn.",
        validators=[Optional(), NumberRange(100_000, 999_999, "Enter six digits.")],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )
    agency = SelectField("Agency", default="")
    new_agency = StringField(
        "Another agency",
        description="Only if the agency is not in the list; it is put into the directory.",
        validators=[Length(max=120)],
    )
    trust_account = SelectField(
        "Trust account",
        validators=[DataRequired("Choose the account that holds the money.")],
    )
    funding_required_cents = MoneyField(
        "Agreed funding", description="What the parents pay in before the journey begins."
    )
    minimum_balance_cents = MoneyField(
        "Minimum balance",
        optional=True,
        description="What the contract asks to keep on the case; empty for nothing.",
    )
    anonymous = BooleanField("The two sides do not know each other's names")
    all_parents_approve = BooleanField("Every parent has to approve, not only one")


class PartyForm(Form):
    """Somebody on a case, on one side of the contract."""

    part = SelectField("Part on the case", validators=[DataRequired("Choose who it is.")])
    name = StringField(
        "Full name", validators=[DataRequired("Enter the person's name."), Length(max=120)]
    )
    email = StringField(
        "E-mail address",
        description="Somebody who was invited with this address signs in as this party.",
        validators=[Length(max=254)],
        render_kw={"inputmode": "email", "autocomplete": "off"},
    )
    alias = StringField(
        "Alias",
        description="What the other side of an anonymous case reads; empty to have one drawn.",
        validators=[Length(max=60)],
    )
    region = StringField("State", validators=[Length(max=10)], description="Such as MA.")
    country = StringField("Country", default="US", validators=[Length(max=2)])
    must_sign = BooleanField("Signs the agreements", default=True)
    must_certify = BooleanField("Certifies at the end that nothing more is due", default=True)
    is_paid = BooleanField("May be paid or refunded from this case", default=True)


class AgreementForm(Form):
    """A new version of an agreement."""

    kind = SelectField("Agreement", validators=[DataRequired("Choose which agreement it is.")])
    title = StringField(
        "Title", validators=[DataRequired("Enter the title on the paper."), Length(max=200)]
    )
    document = SelectField("File", default="", description="One of the documents of this case.")


class SignatureForm(Form):
    """A signature that was given on paper."""

    party = SelectField("Who signed", validators=[DataRequired("Choose who signed.")])
    signed_on = DateField(
        "Signed on", validators=[DataRequired("Enter the day on the paper, such as 2026-02-18.")]
    )


class TextForm(Form):
    """What an agreement says, and who signs first."""

    body = TextAreaField(
        "Text",
        validators=[DataRequired("Write the text of the agreement."), Length(max=100_000)],
        render_kw={"rows": 24, "spellcheck": "true"},
    )
    signing_order = RadioField(
        "Who signs first",
        choices=choices_of(*((order.value, words) for order, words in ORDER_LABELS.items())),
        default=SigningOrder.TOGETHER.value,
    )


class WithdrawalForm(Form):
    """Why something of a contract is taken back."""

    reason = TextAreaField(
        "Reason",
        description="It is kept with the case.",
        validators=[DataRequired("Say why; it is kept with the case."), Length(max=500)],
        render_kw={"rows": 3},
    )


class TermForm(Form):
    """One clause of the contract as a term."""

    clause = StringField(
        "Clause", description="Such as 4.1.", validators=[DataRequired("Enter the clause.")]
    )
    title = StringField(
        "Title",
        description="As people read it, such as “Monthly allowance”.",
        validators=[DataRequired("Enter what the clause gives."), Length(max=200)],
    )
    category = SelectField(
        "What for",
        choices=choices_of(
            ("", "Choose"),
            *(
                (one.value, category_words(one.value))
                for one in Category
                if one not in _NOT_OF_A_CONTRACT
            ),
        ),
        validators=[DataRequired("Choose what it is for.")],
    )
    kind = RadioField(
        "How it is paid",
        choices=choices_of(*((kind.value, words) for kind, words in KIND_WORDS.items())),
        default=TermKind.REQUESTED.value,
    )
    payee = SelectField("Payee", default="", description="Needed for what the calendar pays.")
    amount_cents = MoneyField("Amount of one payment", optional=True)
    cap_cents = MoneyField("Cap of all payments", optional=True)
    trigger = SelectField(
        "Milestone", default="", description="Opens the term, or makes the calendar pay."
    )
    pay_after_days = IntegerField(
        "Days after the milestone",
        default=0,
        validators=[InputRequired("Enter 0 or more days."), NumberRange(0, 730)],
        render_kw={"inputmode": "numeric"},
    )
    schedule = SelectField(
        "Spread over the calendar",
        choices=choices_of(*((one.value, words) for one, words in SCHEDULE_WORDS.items())),
        default=TermSchedule.ONCE.value,
        description="For what the calendar pays. Instalments divide the amount.",
    )
    item_count = IntegerField(
        "How many payments",
        description="For instalments and monthly payments.",
        validators=[Optional(), NumberRange(1, MOST_ITEMS)],
        render_kw={"inputmode": "numeric"},
    )
    pregnancy_week = IntegerField(
        "Week of pregnancy",
        description="For a payment by week; counted from the embryo transfer.",
        validators=[Optional(), NumberRange(1, LAST_WEEK)],
        render_kw={"inputmode": "numeric"},
    )
    last_trigger = SelectField(
        "Milestone of the last payment",
        default="",
        description="Such as the birth, for a balance that waits for it.",
    )
    last_pay_after_days = IntegerField(
        "Days after that milestone",
        default=0,
        validators=[Optional(), NumberRange(0, 730)],
        render_kw={"inputmode": "numeric"},
    )
    day_cap_cents = MoneyField("Cap a day", optional=True)
    week_cap_cents = MoneyField("Cap a week", optional=True)
    week_hours = IntegerField(
        "Hours a week",
        description="The most hours of a week, Monday to Sunday, that are paid.",
        validators=[Optional(), NumberRange(1, 168)],
        render_kw={"inputmode": "numeric"},
    )
    approver = SelectField(
        "Approved by",
        choices=choices_of(*((one.value, words) for one, words in APPROVER_LABELS.items())),
        default=TermApprover.ESCROW.value,
    )
    tax_class = SelectField(
        "Tax class",
        choices=choices_of(*((one.value, words) for one, words in TAX_WORDS.items())),
        default=TaxClass.REIMBURSEMENT.value,
    )
    evidence = TextAreaField(
        "Evidence that a request needs",
        description="One document a line, such as “Receipt”.",
        validators=[Length(max=2500)],
        render_kw={"rows": 3},
    )
    agreement = SelectField("Agreement", default="")


class MilestoneForm(Form):
    """Something that happened on a day."""

    code = SelectField("Milestone", validators=[DataRequired("Choose what happened.")])
    occurred_on = DateField(
        "Happened on", validators=[DataRequired("Enter the day, such as 2026-02-18.")]
    )
    document = SelectField("Proof", default="", description="One of the documents of this case.")
    embryo_age_days = SelectField(
        "Age of the embryo",
        choices=choices_of(
            ("", "Not a transfer"), ("5", "Transferred on day 5"), ("3", "Transferred on day 3")
        ),
        default="",
        description="Of an embryo transfer; weeks of pregnancy are counted from it.",
    )
    note = StringField("Note", validators=[Length(max=500)])


class CorrectionForm(Form):
    """Another day for a milestone that is recorded."""

    occurred_on = DateField(
        "Happened on", validators=[DataRequired("Enter the day, such as 2026-02-18.")]
    )
    reason = TextAreaField(
        "Reason",
        description="What the first day rested on, and why the other one is right.",
        validators=[DataRequired("Say why; it is kept with the case."), Length(max=500)],
        render_kw={"rows": 3},
    )
