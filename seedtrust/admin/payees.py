"""Bank details of payees: the queue, one change beside what is on file, and the payee itself."""

from __future__ import annotations

from typing import Any, Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from seedtrust.admin import blueprint, listing
from seedtrust.admin.forms import Form, choices_of
from seedtrust.admin.words import category_words
from seedtrust.core.permissions import Permission
from seedtrust.domain.desk import payees as desk
from seedtrust.domain.payees import queries, service, unblocking
from seedtrust.domain.payees.states import AccountState, AccountType, PayeeKind
from seedtrust.domain.payees.views import AccountView, PayeeView
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import current_actor, keyring, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires
from seedtrust.web.page import TimelineItem

_ACCOUNT: Final = "admin.payees_account"
KIND_WORDS: Final = {PayeeKind.PERSON: "Person", PayeeKind.COMPANY: "Company"}
TYPE_WORDS: Final = {AccountType.CHECKING: "Checking", AccountType.SAVINGS: "Savings"}
_NEXT: Final = {
    AccountState.SUBMITTED: "Compare with the evidence",
    AccountState.CHECKED: "Call back the number on file",
    AccountState.VERIFIED: "Approve, as somebody else",
    AccountState.APPROVED: "Nothing; it becomes active",
    AccountState.COOLING: "Nothing; it waits three banking days",
}


class CallBackForm(Form):
    """Whom somebody called back, and what was confirmed."""

    call_back_note = TextAreaField(
        "Call-back",
        description=(
            "Whom you called, on which number from our files, and what was confirmed. "
            "Never use a number from the request itself."
        ),
        validators=[DataRequired("Write down whom you called and what was said."), Length(max=500)],
        render_kw={"rows": 4},
    )


class RejectForm(Form):
    """Why bank details are refused or an account is blocked."""

    reason = TextAreaField(
        "Reason",
        validators=[DataRequired("Say why; it is kept with the account."), Length(max=500)],
        render_kw={"rows": 3},
    )


class AccountForm(Form):
    """Where a payee's money should go, as it stands on the signed paper."""

    holder_name = StringField(
        "Account holder",
        validators=[DataRequired("Enter the name that the account is held in."), Length(max=120)],
    )
    bank_name = StringField("Bank", validators=[Length(max=120)])
    account_type = RadioField(
        "Kind of account",
        choices=choices_of(*((kind.value, word) for kind, word in TYPE_WORDS.items())),
        default=AccountType.CHECKING.value,
    )
    routing_number = StringField(
        "Routing number",
        description="Nine digits, bottom left on a check.",
        validators=[DataRequired("Enter the nine digits of the routing number.")],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )
    account_number = StringField(
        "Account number",
        description="Kept sealed; nobody sees more than its last four characters again.",
        validators=[DataRequired("Enter the account number.")],
        render_kw={"autocomplete": "off"},
    )


@blueprint.get("/payees")
@requires(Permission.PAYEES_VIEW)
def payees_list() -> str:
    """List the bank details that wait for somebody, or search every payee."""
    actor, text = current_actor(), listing.text_of("q")
    everybody = request.args.get("view") == "all"
    after = request.args.get("cursor", "")
    after_id = int(after) if after.isdecimal() and len(after) < 20 else 0  # noqa: PLR2004 - an id

    def work(unit: Session) -> tuple[list[AccountView], dict[str, str], list[PayeeView]]:
        if everybody:
            found = queries.list_payees(
                unit, actor, search=text, after_id=after_id, limit=listing.PER_PAGE
            )
            return [], {}, found
        waiting = queries.waiting_accounts(unit, actor)
        return waiting, desk.on_file(unit, actor, {row.payee_ref for row in waiting}), []

    waiting, known, everyone = reading(work)
    return render_template(
        "admin/payees/list.html",
        waiting=waiting,
        known=known,
        payees=everyone,
        everybody=everybody,
        text=text,
        next_steps=_NEXT,
        kind_words=KIND_WORDS,
    )


@blueprint.get("/payees/<reference>")
@requires(Permission.PAYEES_VIEW)
def payees_detail(reference: str) -> str:
    """Show one payee with every account it has had, masked."""
    actor = current_actor()
    payee, (why, held) = reading(
        lambda unit: (
            queries.payee_view(unit, actor, reference),
            desk.held_payments(unit, actor, reference),
        )
    )
    return render_template(
        "admin/payees/detail.html",
        payee=payee,
        why_held=why,
        held=held,
        kind_words=KIND_WORDS,
        type_words=TYPE_WORDS,
        category_words=category_words,
    )


@blueprint.route("/payees/<reference>/account", methods=["GET", "POST"])
@requires(Permission.PAYEES_SUBMIT, back="admin.payees_detail")
def payees_submit(reference: str) -> ResponseReturnValue:
    """Submit bank details for a payee; a colleague checks and another one approves them."""
    actor, when, form = current_actor(), moment(), AccountForm()
    payee = reading(lambda unit: queries.payee_view(unit, actor, reference))

    def page() -> str:
        return render_template("admin/payees/submit.html", form=form, payee=payee)

    if not form.validate_on_submit():
        return page(), 422 if form.is_submitted() else 200
    show_again(form, page)
    keys = keyring()
    account = in_transaction(
        lambda unit: (
            service.submit_account(
                unit,
                actor,
                payee_ref=reference,
                account_type=form.account_type.data,
                holder_name=form.holder_name.data,
                bank_name=form.bank_name.data or "",
                routing_number=form.routing_number.data,
                account_number=form.account_number.data,
                keyring=keys,
                moment=when,
            ).reference
        )
    )
    return _back(account, "Submitted. A colleague compares it with the evidence.")


@blueprint.get("/payees/accounts/<reference>")
@requires(Permission.PAYEES_VIEW)
def payees_account(reference: str) -> ResponseReturnValue:
    """Show one set of bank details beside those on file, with what may be done."""
    return account_page(reference)


def account_page(reference: str, **refused: Form) -> ResponseReturnValue:
    """Return the page of an account; forms that were refused are shown again."""
    actor = current_actor()

    def work(unit: Session) -> tuple[PayeeView, tuple[str, str, bool], desk.Held]:
        payee_ref = desk.payee_of_account(unit, actor, reference)
        return (
            queries.payee_view(unit, actor, payee_ref),
            desk.open_question(unit, actor, reference),
            desk.held_payments(unit, actor, payee_ref),
        )

    payee, (asked_by, asked_why, asked_self), (why, held) = reading(work)
    account = next(row for row in payee.accounts if row.reference == reference)
    before = payee.active if payee.active is not account else None
    forms: dict[str, Any] = {
        "verify": CallBackForm(formdata=None, prefix="verify-"),
        "reject": RejectForm(formdata=None, prefix="reject-"),
        "block": RejectForm(formdata=None, prefix="block-"),
        "unblock": RejectForm(formdata=None, prefix="unblock-"),
        "stay": RejectForm(formdata=None, prefix="stay-"),
    }
    is_blocked = account.state is AccountState.BLOCKED
    page = render_template(
        "admin/payees/account.html",
        payee=payee,
        row=account,
        before=before,
        forms={**forms, **refused},
        refused=next(iter(refused), None),
        may_block=actor.may(Permission.PAYEES_APPROVE) and account.state is AccountState.ACTIVE,
        asked_by=asked_by,
        asked_why=asked_why,
        asked_self=asked_self,
        may_ask=is_blocked and not asked_by and actor.may(Permission.PAYEES_CHECK),
        may_decide=is_blocked
        and bool(asked_by)
        and not asked_self
        and actor.may(Permission.PAYEES_APPROVE),
        why_held=why,
        held=held,
        category_words=category_words,
        own_hand=_own_hand(account),
        items=_history(account),
        type_words=TYPE_WORDS,
        next_step=_NEXT.get(account.state, ""),
    )
    return page, 422 if refused else 200


def _own_hand(account: AccountView) -> bool:
    """Tell whether the reader could approve, had they not handled these details themselves."""
    may = current_actor().may(Permission.PAYEES_APPROVE)
    return may and account.state is AccountState.VERIFIED and not account.may_approve


def _history(account: AccountView) -> list[TimelineItem]:
    items = [
        TimelineItem(
            "Submitted", account.submitted_at, actor=account.submitted_by, icon="file-plus"
        )
    ]
    if account.checked_by:
        items.append(
            TimelineItem(
                "Compared with the evidence",
                actor=account.checked_by,
                icon="eye-check",
                tone="info",
            )
        )
    if account.verified_by:
        items.append(
            TimelineItem(
                "Called back",
                actor=account.verified_by,
                reason=account.call_back_note,
                icon="phone",
                tone="info",
            )
        )
    if account.approved_by:
        items.append(
            TimelineItem(
                "Approved",
                account.approved_at,
                actor=account.approved_by,
                icon="shield-check",
                tone="ok",
            )
        )
    if account.cooling_until_on:
        items.append(
            TimelineItem("Cools off until", account.cooling_until_on, icon="clock", tone="info")
        )
    if account.active_on:
        items.append(TimelineItem("In use since", account.active_on, icon="check", tone="ok"))
    if account.state_reason:
        items.append(
            TimelineItem(account.state_label, reason=account.state_reason, icon="ban", tone="bad")
        )
    return items


def _back(reference: str, words: str) -> ResponseReturnValue:
    flash_done(words)
    return redirect(url_for(_ACCOUNT, reference=reference), code=303)


@blueprint.post("/payees/accounts/<reference>/check")
@requires(Permission.PAYEES_CHECK, back=_ACCOUNT)
def payees_check(reference: str) -> ResponseReturnValue:
    """Record that number and name were compared with the evidence."""
    actor, when = current_actor(), moment()
    in_transaction(
        lambda unit: service.check_account(unit, actor, account_ref=reference, moment=when)
    )
    return _back(reference, "Checked. Now call the number on file back.")


@blueprint.post("/payees/accounts/<reference>/verify")
@requires(Permission.PAYEES_CHECK, back=_ACCOUNT)
def payees_verify(reference: str) -> ResponseReturnValue:
    """Record the call back."""
    form = CallBackForm(prefix="verify-")
    if not form.validate_on_submit():
        return account_page(reference, verify=form)
    show_again(form, lambda: account_page(reference, verify=form), 422)
    actor, when, note = current_actor(), moment(), form.call_back_note.data
    in_transaction(
        lambda unit: service.verify_account(
            unit, actor, account_ref=reference, call_back_note=note, moment=when
        )
    )
    return _back(reference, "The call-back is recorded. Somebody else has to approve.")


@blueprint.post("/payees/accounts/<reference>/approve")
@requires(Permission.PAYEES_APPROVE, back=_ACCOUNT)
def payees_approve(reference: str) -> ResponseReturnValue:
    """Approve as a second person."""
    actor, when = current_actor(), moment()
    state = in_transaction(
        lambda unit: service.approve_account(unit, actor, account_ref=reference, moment=when).state
    )
    cooling = state == AccountState.COOLING
    told = "It cools off for three banking days, then it is paid." if cooling else "It is in use."
    return _back(reference, f"Approved. {told}")


@blueprint.post("/payees/accounts/<reference>/reject")
@requires(Permission.PAYEES_VIEW, back=_ACCOUNT)
def payees_reject(reference: str) -> ResponseReturnValue:
    """Refuse bank details, with a reason."""
    form = RejectForm(prefix="reject-")
    if not form.validate_on_submit():
        return account_page(reference, reject=form)
    show_again(form, lambda: account_page(reference, reject=form), 422)
    actor, when, reason = current_actor(), moment(), form.reason.data
    in_transaction(
        lambda unit: service.reject_account(
            unit, actor, account_ref=reference, reason=reason, moment=when
        )
    )
    return _back(reference, "The bank details are refused.")


@blueprint.post("/payees/accounts/<reference>/block")
@requires(Permission.PAYEES_APPROVE, back=_ACCOUNT)
def payees_block(reference: str) -> ResponseReturnValue:
    """Stop every payment to an account."""
    form = RejectForm(prefix="block-")
    if not form.validate_on_submit():
        return account_page(reference, block=form)
    show_again(form, lambda: account_page(reference, block=form), 422)
    actor, when, reason = current_actor(), moment(), form.reason.data
    in_transaction(
        lambda unit: service.block_account(
            unit, actor, account_ref=reference, reason=reason, moment=when
        )
    )
    return _back(reference, "Nothing is paid to this account any more.")


@blueprint.post("/payees/accounts/<reference>/unblock")
@requires(Permission.PAYEES_CHECK, back=_ACCOUNT)
def payees_unblock(reference: str) -> ResponseReturnValue:
    """Ask that a blocked account be used again, as the first of two people."""
    form = RejectForm(prefix="unblock-")
    if not form.validate_on_submit():
        return account_page(reference, unblock=form)
    show_again(form, lambda: account_page(reference, unblock=form), 422)
    actor, when, reason = current_actor(), moment(), form.reason.data

    def work(unit: Session) -> None:
        unblocking.ask_unblock(unit, actor, account_ref=reference, reason=reason, moment=when)

    in_transaction(work)
    return _back(reference, "A second person decides about it now.")


@blueprint.post("/payees/accounts/<reference>/unblock/confirm")
@requires(Permission.PAYEES_APPROVE, back=_ACCOUNT)
def payees_unblock_confirm(reference: str) -> ResponseReturnValue:
    """Put a blocked account back to use, as the second person."""
    actor, when = current_actor(), moment()

    def work(unit: Session) -> None:
        unblocking.confirm_unblock(unit, actor, account_ref=reference, moment=when)

    in_transaction(work)
    return _back(reference, "The account is in use again.")


@blueprint.post("/payees/accounts/<reference>/unblock/refuse")
@requires(Permission.PAYEES_APPROVE, back=_ACCOUNT)
def payees_unblock_refuse(reference: str) -> ResponseReturnValue:
    """Leave a blocked account blocked, with a reason."""
    form = RejectForm(prefix="stay-")
    if not form.validate_on_submit():
        return account_page(reference, stay=form)
    show_again(form, lambda: account_page(reference, stay=form), 422)
    actor, when, reason = current_actor(), moment(), form.reason.data

    def work(unit: Session) -> None:
        unblocking.refuse_unblock(unit, actor, account_ref=reference, reason=reason, moment=when)

    in_transaction(work)
    return _back(reference, "The account stays blocked.")
