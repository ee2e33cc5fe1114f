"""Reconciled days: the history, one day with its open items, and the two signatures."""

from __future__ import annotations

from datetime import date
from typing import Final

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Length

from seedtrust.admin import blueprint, listing
from seedtrust.admin.forms import Form
from seedtrust.core.bankdays import banking_days_between
from seedtrust.core.errors import Invalid, NotFound
from seedtrust.core.permissions import Permission
from seedtrust.domain.ledger.account_kinds import AccountKind
from seedtrust.domain.payments.queries import trust_accounts
from seedtrust.domain.reconciliation import days, signing, transfers
from seedtrust.domain.reconciliation.states import DayState, TransferKind
from seedtrust.domain.reconciliation.views import (
    DayView,
    ItemKind,
    OpenItem,
    ThreeWay,
    TransferView,
)
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import business_today, current_actor, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires
from seedtrust.web.page import Tone

STATES: Final[dict[DayState, tuple[str, Tone]]] = {
    DayState.OPEN: ("Open", "warn"),
    DayState.PREPARED: ("Prepared", "info"),
    DayState.REVIEWED: ("Reviewed", "info"),
    DayState.LOCKED: ("Locked", "ok"),
    DayState.STALE: ("Out of date", "bad"),
}
ITEM_WORDS: Final = {
    ItemKind.PAYMENT_IN_TRANSIT: "Payment on its way",
    ItemKind.TRANSFER_IN_TRANSIT: "Transfer that waits for the bank",
    ItemKind.UNMATCHED_LINE: "Statement line without a match",
    ItemKind.UNIDENTIFIED_DEPOSIT: "Deposit without a case",
}
TRANSFER_WORDS: Final = {
    TransferKind.SEND_BACK: "Deposit back to its sender",
    TransferKind.FEE_SWEEP: "Fees to the operating account",
    TransferKind.REPAYMENT: "Advance back to the operating account",
}
_SOURCE_PAGES: Final = {
    "deposit": "admin.deposits_detail",
    "instruction": "admin.payments_detail",
    "request": "admin.requests_detail",
    "shortage": "admin.shortages_detail",
}
_DETAIL: Final = "admin.reconciliation_detail"
_DAYS_A_PAGE: Final = 25


class StartForm(Form):
    """The account and the day to reconcile."""

    account = StringField("Account")
    on = StringField("Day")


class PrepareForm(Form):
    """The note of the preparer, and the hash of the figures that were on the screen."""

    content_hash = HiddenField(validators=[Length(max=64)])
    note = TextAreaField("Note", validators=[Length(max=500)], render_kw={"rows": 3})


@blueprint.get("/reconciliation")
@requires(Permission.RECONCILIATION_VIEW)
def reconciliation_list() -> ResponseReturnValue:
    """List reconciled days by date, with their differences and signatures."""
    return _list(request.args.get("account", ""))


def _list(chosen: str, form: StartForm | None = None) -> ResponseReturnValue:
    actor, today, csv = current_actor(), business_today(), listing.wants_csv()
    number = 1 if csv else listing.page_number()
    per_page = listing.EXPORTED if csv else _DAYS_A_PAGE

    def work(
        unit: Session,
    ) -> tuple[tuple[list[DayView], int], list[tuple[str, str]], list[TransferView]]:
        accounts = trust_accounts(unit, actor)
        only = next((one.id for one in accounts if one.reference == chosen), None)
        found = days.history(unit, actor, trust_account_id=only, page=number, per_page=per_page)
        ordered = days.open_transfers(unit, actor)
        return found, [(one.reference, one.name) for one in accounts], ordered

    (found, count), accounts, ordered = reading(work)
    if csv:
        return _csv(found)
    return render_template(
        "admin/reconciliation/list.html",
        rows=found,
        count=count,
        page=number,
        per_page=per_page,
        states=STATES,
        account=chosen,
        accounts=accounts,
        today=today,
        form=form or StartForm(formdata=None, account=chosen),
        may_prepare=actor.may(Permission.RECONCILIATION_PREPARE),
        may_sweep=actor.may(Permission.RECONCILIATION_REVIEW),
        may_cancel=actor.may(Permission.DEPOSITS_MATCH),
        transfers=ordered,
        transfer_words=TRANSFER_WORDS,
    )


def _csv(found: list[DayView]) -> Response:
    return listing.as_csv(
        "reconciliation",
        (
            "Day",
            "Account",
            "Version",
            "Status",
            "Bank ($)",
            "Book ($)",
            "Owners ($)",
            "Difference ($)",
            "Prepared by",
            "Reviewed by",
            "Seal (SHA-256)",
        ),
        (
            (
                row.on,
                row.trust_account,
                row.version_number,
                STATES[row.state][0],
                listing.dollars(row.adjusted_bank_cents),
                listing.dollars(row.book_cents),
                listing.dollars(row.owners_cents),
                listing.dollars(row.worst_difference_cents),
                row.prepared_by,
                row.reviewed_by,
                row.lock_hash,
            )
            for row in found
        ),
    )


@blueprint.post("/reconciliation")
@requires(Permission.RECONCILIATION_PREPARE, back="admin.reconciliation_list")
def reconciliation_start() -> ResponseReturnValue:
    """Take stock of a day that the night has not looked at, or again of a stale one."""
    actor, when, form = current_actor(), moment(), StartForm()
    show_again(form, lambda: _list("", form))

    def work(unit: Session) -> str:
        found = [
            one.id for one in trust_accounts(unit, actor) if one.reference == form.account.data
        ]
        if not found:
            message = "Choose one of the trust accounts."
            raise Invalid(message, errors={"account": [message]})
        day = _day_before(form.on.data or "", when.today)
        row = signing.take_stock(unit, actor, trust_account_id=found[0], on=day, moment=when)
        return row.reference

    return redirect(url_for(_DETAIL, reference=in_transaction(work)), code=303)


@blueprint.post("/reconciliation/sweep")
@requires(Permission.RECONCILIATION_REVIEW, back="admin.reconciliation_list")
def reconciliation_sweep() -> ResponseReturnValue:
    """Order all fees of a trust account to the operating account."""
    actor, when, account = current_actor(), moment(), request.form.get("account", "")
    transfer = in_transaction(
        lambda unit: (
            transfers.sweep_fees(unit, actor, trust_account_ref=account, moment=when).reference
        )
    )
    flash_done(f"Make the transfer at the bank now, with the reference {transfer}.")
    return redirect(url_for("admin.reconciliation_list"), code=303)


@blueprint.post("/reconciliation/transfers/<reference>/cancel")
@requires(Permission.DEPOSITS_MATCH, back="admin.reconciliation_list")
def reconciliation_cancel_transfer(reference: str) -> ResponseReturnValue:
    """Take an order back that nobody made at the bank."""
    actor, when = current_actor(), moment()
    in_transaction(
        lambda unit: transfers.cancel_transfer(unit, actor, reference=reference, moment=when)
    )
    flash_done("The order is taken back.")
    return redirect(url_for("admin.reconciliation_list"), code=303)


def _day_before(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = today
    if day < today:
        return day
    message = "Choose a day before today; the bank reports it on the next banking morning."
    raise Invalid(message, errors={"on": [message]})


@blueprint.get("/reconciliation/<reference>")
@requires(Permission.RECONCILIATION_VIEW)
def reconciliation_detail(reference: str) -> ResponseReturnValue:
    """Show bank, book and owners of a day, what is open, and who signed."""
    return _page(reference)


def _page(reference: str, form: PrepareForm | None = None) -> str:
    actor = current_actor()
    day, proof = reading(lambda unit: days.day_for(unit, actor, reference))
    shown = form or PrepareForm(formdata=None)
    shown.content_hash.data = signing.hash_of(proof)
    may_review = actor.may(Permission.RECONCILIATION_REVIEW)
    return render_template(
        "admin/reconciliation/detail.html",
        row=day,
        proof=proof,
        word=STATES[day.state],
        form=shown,
        items=[_item(item, proof) for item in proof.items],
        hrefs=_hrefs(day, proof),
        may_prepare=actor.may(Permission.RECONCILIATION_PREPARE)
        and day.is_current
        and day.state in {DayState.OPEN, DayState.PREPARED},
        may_start=actor.may(Permission.RECONCILIATION_PREPARE) and day.state is DayState.STALE,
        may_review=may_review and day.state is DayState.PREPARED,
        may_lock=may_review and day.state is DayState.REVIEWED,
        is_own=day.prepared_by_user_id == actor.user_id,
    )


def _item(item: OpenItem, proof: ThreeWay) -> tuple[OpenItem, str, int, str | None]:
    pages = {
        ItemKind.PAYMENT_IN_TRANSIT: "admin.payments_detail",
        ItemKind.UNIDENTIFIED_DEPOSIT: "admin.deposits_detail",
    }
    endpoint = pages.get(item.kind)
    if endpoint is not None:
        href = url_for(endpoint, reference=item.reference)
    else:
        href = url_for("admin.statements_list")
    return item, ITEM_WORDS[item.kind], banking_days_between(item.on, proof.on), href


def _hrefs(day: DayView, proof: ThreeWay) -> dict[str, str]:
    """Return the page behind each figure."""
    behind = {
        part.code: url_for("admin.reconciliation_behind", reference=day.reference, part=part.code)
        for part in (*proof.book, *proof.owners)
    }
    if proof.statement_ref:
        behind["statement"] = url_for("admin.statements_detail", reference=proof.statement_ref)
    behind["since"] = behind["bank_cash"]
    behind["payments_in_transit"] = "#items"
    behind["deposits_in_transit"] = "#items"
    return behind


@blueprint.get("/reconciliation/<reference>/behind/<part>")
@requires(Permission.RECONCILIATION_VIEW)
def reconciliation_behind(reference: str, part: str) -> str:
    """List what one figure of a day is made of."""
    actor = current_actor()
    if part not in {kind.value for kind in AccountKind}:
        message = "There is no such figure."
        raise NotFound(message)
    kind = AccountKind(part)
    day, proof = reading(lambda unit: days.day_for(unit, actor, reference, with_items=False))
    cents = {one.code: one for one in (*proof.book, *proof.owners)}.get(part)
    if cents is None:
        message = "This figure is zero on this day, so nothing stands behind it."
        raise NotFound(message)
    cases, lines = reading(
        lambda unit: (
            (days.cases_behind(unit, actor, day), [])
            if kind is AccountKind.CASE
            else ([], days.lines_behind(unit, actor, day, kind))
        )
    )
    return render_template(
        "admin/reconciliation/behind.html",
        row=day,
        part=cents,
        cases=cases,
        lines=[(line, _source(line.source_type, line.source_ref)) for line in lines],
    )


def _source(source_type: str, source_ref: str) -> str | None:
    endpoint = _SOURCE_PAGES.get(source_type)
    return url_for(endpoint, reference=source_ref) if endpoint and source_ref else None


@blueprint.post("/reconciliation/<reference>/prepare")
@requires(Permission.RECONCILIATION_PREPARE, back=_DETAIL)
def reconciliation_prepare(reference: str) -> ResponseReturnValue:
    """Stand for the figures as they are shown."""
    actor, when, form = current_actor(), moment(), PrepareForm()
    if not form.validate_on_submit():
        return _page(reference, form), 422
    show_again(form, lambda: _page(reference, form), 422)
    in_transaction(
        lambda unit: signing.prepare(
            unit,
            actor,
            reference=reference,
            note=form.note.data or "",
            content_hash=form.content_hash.data or "",
            moment=when,
        )
    )
    flash_done("Prepared. Another person reviews it now.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


@blueprint.post("/reconciliation/<reference>/review")
@requires(Permission.RECONCILIATION_REVIEW, back=_DETAIL)
def reconciliation_review(reference: str) -> ResponseReturnValue:
    """Confirm what another person prepared."""
    actor, when = current_actor(), moment()
    content_hash = request.form.get("content_hash", "")
    in_transaction(
        lambda unit: signing.review(
            unit, actor, reference=reference, content_hash=content_hash, moment=when
        )
    )
    flash_done("Reviewed. Lock it, so that nothing changes any more.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)


@blueprint.post("/reconciliation/<reference>/lock")
@requires(Permission.RECONCILIATION_REVIEW, back=_DETAIL)
def reconciliation_lock(reference: str) -> ResponseReturnValue:
    """Seal a reviewed day."""
    actor, when = current_actor(), moment()
    in_transaction(lambda unit: signing.lock_day(unit, actor, reference=reference, moment=when))
    flash_done("Locked and sealed.")
    return redirect(url_for(_DETAIL, reference=reference), code=303)
