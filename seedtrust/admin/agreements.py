"""Agreements of a case: drafting a version, sending it, recording signatures, taking it back."""

from __future__ import annotations

from typing import Any, Final

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seedtrust.admin import blueprint
from seedtrust.admin.case_acts import Act, act_page
from seedtrust.admin.contract_forms import (
    AgreementForm,
    SignatureForm,
    TextForm,
    WithdrawalForm,
    chosen,
    offered,
)
from seedtrust.admin.forms import Form, choices_of
from seedtrust.admin.words import category_words
from seedtrust.core.permissions import Permission
from seedtrust.domain.cases.states import AGREEMENT_STEPS, AgreementState
from seedtrust.domain.desk import contracts as desk
from seedtrust.domain.desk.cases import CaseHead, held_case
from seedtrust.domain.documents.ports import Storage
from seedtrust.domain.signing import service as signing
from seedtrust.domain.signing.queries import SigningView, signings_of, signings_on
from seedtrust.domain.signing.wording import ESCROW_TEXTS, LATEST_ESCROW_TEXT, PLACEHOLDERS
from seedtrust.domain.terms import agreements
from seedtrust.domain.terms.views import AgreementView
from seedtrust.ext import in_transaction, keeping_papers, reading
from seedtrust.web.actor import business_today, current_actor, moment, storage
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires

_DETAIL: Final = "admin.cases_agreement"
_SIGNABLE: Final = frozenset({AgreementState.SENT, AgreementState.PART_SIGNED})
_DRAFTING: Final = Act(
    "New agreement",
    "The next version of one of the case's contracts.",
    "Draft the agreement",
    tab="admin.cases_papers",
    consequences=(
        "A draft is seen by the company only. You send it out for signature on its page.",
        "Once the last party has signed, it replaces the version that is in force.",
    ),
    optional=("document",),
)


@blueprint.route("/cases/<reference>/agreements/new", methods=["GET", "POST"])
@requires(Permission.TERMS_EDIT, back="admin.cases_papers")
def cases_agreement_new(reference: str) -> ResponseReturnValue:
    """Draft the next version of an agreement."""
    actor, when, form = current_actor(), moment(), AgreementForm()

    def look(unit: Session) -> tuple[str, CaseHead, desk.Choices]:
        case, head = held_case(unit, actor, reference)
        return case.kind, head, desk.choices_on(unit, case)

    kind, head, choices = reading(look)
    form.kind.choices = choices_of(("", "Choose"), *agreements.kinds_on(kind))
    form.document.choices = offered(choices.documents, "No file yet")

    def page() -> ResponseReturnValue:
        return act_page(_DRAFTING, form, head)

    if not form.validate_on_submit():
        return page()
    show_again(form, page)
    made = in_transaction(
        lambda unit: (
            agreements.create_agreement(
                unit,
                actor,
                case_ref=reference,
                kind=form.kind.data,
                title=form.title.data,
                document_id=chosen(choices.documents, form.document.data),
                moment=when,
            ).reference
        )
    )
    flash_done("The draft is here. Send it out when it is what everybody should sign.")
    return redirect(url_for(_DETAIL, reference=made), code=303)


@blueprint.get("/agreements/<reference>")
@requires(Permission.DOCUMENTS_VIEW)
def cases_agreement(reference: str) -> ResponseReturnValue:
    """Show one agreement with its signatures and what may be done with it."""
    return agreement_page(reference)


def agreement_page(reference: str, **refused: Form) -> ResponseReturnValue:
    """Return the page of an agreement; forms that were refused are shown again."""
    actor = current_actor()

    def work(unit: Session) -> tuple[CaseHead, list[SigningView]]:
        case_ref = desk.case_of_agreement(unit, actor, reference)
        case, head = held_case(unit, actor, case_ref)
        return head, signings_on(unit, actor, case)

    head, everything = reading(work)
    signed = next(one for one in everything if one.agreement.reference == reference)
    row = signed.agreement
    state = AgreementState(row.state)
    forms: dict[str, Any] = {
        "sign": SignatureForm(formdata=None, prefix="sign-", signed_on=business_today()),
        "withdraw": WithdrawalForm(formdata=None, prefix="withdraw-"),
        **refused,
    }
    _offer_signers(forms["sign"], row)
    page = render_template(
        "admin/cases/agreement.html",
        head=head,
        row=row,
        signing=signed,
        category_words=category_words,
        forms=forms,
        refused=next(iter(refused), None),
        may_send=state is AgreementState.DRAFT,
        may_sign=state in _SIGNABLE,
        may_withdraw=AgreementState.WITHDRAWN in AGREEMENT_STEPS[state],
        left=sum(1 for one in row.signatures if one.signed_on is None),
        in_force=next(
            (
                one.agreement
                for one in everything
                if one.agreement.kind == row.kind and one.agreement.state == "EXECUTED"
            ),
            None,
        ),
    )
    return page, 422 if refused else 200


def _offer_signers(form: SignatureForm, row: AgreementView) -> None:
    waiting = [one for one in row.signatures if one.signed_on is None]
    form.party.choices = choices_of(
        ("", "Choose"), *((one.party_ref, one.label) for one in waiting)
    )


@blueprint.post("/agreements/<reference>/send")
@requires(Permission.TERMS_EDIT, back=_DETAIL)
def cases_agreement_send(reference: str) -> ResponseReturnValue:
    """Send a draft out for signature."""
    actor, when = current_actor(), moment()
    electronic = _signing(reference).is_electronic

    def work(unit: Session, files: Storage) -> None:
        if electronic:
            signing.send_for_signature(
                unit, actor, agreement_ref=reference, storage=files, moment=when
            )
        else:
            agreements.send_agreement(unit, actor, agreement_ref=reference, moment=when)

    keeping_papers(work, storage())
    flash_done("The agreement is out for signature.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


@blueprint.post("/agreements/<reference>/sign")
@requires(Permission.TERMS_EDIT, back=_DETAIL)
def cases_agreement_sign(reference: str) -> ResponseReturnValue:
    """Record a signature that was given on paper."""
    actor, when, form = current_actor(), moment(), SignatureForm(prefix="sign-")

    def page() -> ResponseReturnValue:
        return agreement_page(reference, sign=form)

    show_again(form, page)
    _offer_signers(form, _signing(reference).agreement)
    if not form.validate_on_submit():
        return page()
    state = in_transaction(
        lambda unit: (
            signing.record_on_paper(
                unit,
                actor,
                agreement_ref=reference,
                party_ref=form.party.data,
                signed_on=form.signed_on.data,
                moment=when,
            ).state
        )
    )
    executed = state == AgreementState.EXECUTED
    told = "Everybody has signed; the case goes on." if executed else "Others still have to sign."
    flash_done(f"The signature is recorded. {told}")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


def _signing(reference: str) -> SigningView:
    actor = current_actor()

    def work(unit: Session) -> list[SigningView]:
        return signings_of(unit, actor, desk.case_of_agreement(unit, actor, reference))

    return next(one for one in reading(work) if one.agreement.reference == reference)


@blueprint.route("/agreements/<reference>/text", methods=["GET", "POST"])
@requires(Permission.TERMS_EDIT, back=_DETAIL)
def cases_agreement_text(reference: str) -> ResponseReturnValue:
    """Write what a draft says, so that the parties can sign it electronically."""
    actor, when = current_actor(), moment()

    def look(unit: Session) -> tuple[CaseHead, SigningView]:
        case_ref = desk.case_of_agreement(unit, actor, reference)
        case, head = held_case(unit, actor, case_ref)
        everything = signings_on(unit, actor, case)
        return head, next(one for one in everything if one.agreement.reference == reference)

    head, held = reading(look)
    ours = ESCROW_TEXTS[LATEST_ESCROW_TEXT] if held.agreement.kind == "escrow" else ""
    form = TextForm(body=held.body or ours, signing_order=held.signing_order)
    act = Act(
        f"Text of the {held.agreement.label.lower()}",
        "What the parties read and sign.",
        "Keep the text",
        tab="admin.cases_papers",
        consequences=(
            "A line that begins with # is a heading; an empty line begins a paragraph.",
            "Filled in when it goes out: "
            + ", ".join(f"{{{{{name}}}}} for {words}" for name, words in PLACEHOLDERS.items())
            + ".",
            "On an anonymous case each side reads an alias in the other's place.",
        ),
    )

    def page() -> ResponseReturnValue:
        return act_page(act, form, head)

    if not form.validate_on_submit():
        return page()
    show_again(form, page)
    in_transaction(
        lambda unit: signing.write_text(
            unit,
            actor,
            agreement_ref=reference,
            body=form.body.data,
            signing_order=form.signing_order.data,
            moment=when,
        )
    )
    flash_done("The text is kept. Send the agreement out when it is what everybody should sign.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


@blueprint.post("/agreements/<reference>/withdraw")
@requires(Permission.TERMS_EDIT, back=_DETAIL)
def cases_agreement_withdraw(reference: str) -> ResponseReturnValue:
    """Take back an agreement that not everybody has signed."""
    actor, when, form = current_actor(), moment(), WithdrawalForm(prefix="withdraw-")

    def page() -> ResponseReturnValue:
        return agreement_page(reference, withdraw=form)

    if not form.validate_on_submit():
        return page()
    show_again(form, page)
    in_transaction(
        lambda unit: agreements.withdraw_agreement(
            unit, actor, agreement_ref=reference, reason=form.reason.data, moment=when
        )
    )
    flash_done("The agreement is taken back; nobody signs it any more.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)
