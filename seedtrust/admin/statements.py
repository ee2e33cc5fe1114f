"""The bank's statements, what each line belongs to, and the three-way proof."""

from __future__ import annotations

from typing import Final

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField, TextAreaField
from wtforms.validators import Length

from seedtrust.admin import blueprint, listing
from seedtrust.admin.forms import Form
from seedtrust.core.permissions import Permission
from seedtrust.domain.payments.queries import bank_link, trust_accounts
from seedtrust.domain.payments.states import ReconciliationStatus
from seedtrust.domain.reconciliation import by_hand
from seedtrust.domain.reconciliation.proof import three_ways
from seedtrust.domain.reconciliation.queries import (
    line_view,
    list_statements,
    statement_view,
    unmatched_lines,
)
from seedtrust.domain.reconciliation.views import StatementLineView, StatementView
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import business_today, current_actor, moment
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires
from seedtrust.web.page import Tone

LINE_STATES: Final[dict[ReconciliationStatus, tuple[str, Tone]]] = {
    ReconciliationStatus.MATCHED: ("Matched", "ok"),
    ReconciliationStatus.UNMATCHED: ("Not matched", "warn"),
    ReconciliationStatus.EXCEPTION: ("Superseded", "neutral"),
}
_LINE: Final = "admin.statements_line"
_PAGES: Final = {
    "run": ("Payment run", "admin.runs_detail"),
    "instruction": ("Payment", "admin.payments_detail"),
    "return": ("Returned payment", "admin.payments_detail"),
    "deposit": ("Deposit", "admin.deposits_detail"),
    "check": ("Check", "admin.checks_detail"),
    "debits": ("E-checks", "admin.echecks_list"),
    "deposit_return": ("Bounced deposit", "admin.deposits_detail"),
    "charge": ("Bank charge", None),
    "transfer": ("Transfer by hand", None),
}


class MatchForm(Form):
    """One of the candidates, as kind and reference."""

    candidate = StringField("What the line stands for")
    return_code = StringField("Return code", validators=[Length(max=3)])


class UndoForm(Form):
    """Why a match is wrong."""

    reason = TextAreaField("Reason", validators=[Length(max=500)], render_kw={"rows": 3})


@blueprint.get("/statements")
@requires(Permission.RECONCILIATION_VIEW)
def statements_list() -> ResponseReturnValue:
    """List the bank's statements, the newest day first."""
    actor = current_actor()
    account = request.args.get("account", "")
    account_id = int(account) if account.isdecimal() and len(account) < 20 else None  # noqa: PLR2004 - an id
    csv = listing.wants_csv()
    found, accounts, link, loose = reading(
        lambda unit: (
            list_statements(
                unit,
                actor,
                trust_account_id=account_id,
                limit=listing.EXPORTED if csv else 100,
            ),
            trust_accounts(unit, actor),
            bank_link(unit),
            unmatched_lines(unit, actor),
        )
    )
    if csv:
        return _csv(found)
    return render_template(
        "admin/statements/list.html",
        rows=found,
        loose=loose,
        account=account if account_id is not None else "",
        accounts=[("", "Any account")] + [(str(one.id), one.name) for one in accounts],
        link=link,
    )


def _csv(found: list[StatementView]) -> Response:
    return listing.as_csv(
        "statements",
        (
            "Day",
            "Account",
            "Version",
            "Opening ($)",
            "Closing ($)",
            "Lines",
            "Not matched",
            "File",
            "SHA-256",
        ),
        (
            (
                row.as_of_on,
                row.trust_account,
                row.version_number,
                listing.dollars(row.opening_cents),
                listing.dollars(row.closing_cents),
                row.lines,
                row.unmatched,
                row.file_name,
                row.sha256,
            )
            for row in found
        ),
    )


@blueprint.get("/statements/proof")
@requires(Permission.RECONCILIATION_VIEW)
def statements_proof() -> str:
    """Show bank, book and owners side by side for every trust account, on a day."""
    actor, today = current_actor(), business_today()
    on = min(listing.day_of("on") or today, today)
    found = reading(lambda unit: three_ways(unit, actor, on))
    return render_template("admin/statements/proof.html", proofs=found, on=on, today=today)


@blueprint.get("/statements/<reference>")
@requires(Permission.RECONCILIATION_VIEW)
def statements_detail(reference: str) -> str:
    """Show one statement with its lines and what each of them belongs to."""
    actor = current_actor()
    statement, lines = reading(lambda unit: statement_view(unit, actor, reference))
    return render_template(
        "admin/statements/detail.html",
        row=statement,
        lines=[(line, LINE_STATES[line.status], *_match_of(line)) for line in lines],
    )


@blueprint.get("/statements/<reference>/lines/<int:number>")
@requires(Permission.RECONCILIATION_VIEW)
def statements_line(reference: str, number: int) -> ResponseReturnValue:
    """Show one line with what it belongs to, or with what it may stand for."""
    return _line_page(reference, number)


def _line_page(
    reference: str, number: int, match: MatchForm | None = None, undo: UndoForm | None = None
) -> str:
    actor = current_actor()
    (statement, line), candidates = reading(
        lambda unit: (
            line_view(unit, actor, reference, number),
            by_hand.candidates(unit, actor, statement_ref=reference, number=number),
        )
    )
    words, href = _match_of(line)
    return render_template(
        "admin/statements/line.html",
        row=statement,
        line=line,
        word=LINE_STATES[line.status],
        match_words=words,
        match_href=href,
        candidates=[(one, *_page_of(one.kind, one.reference)) for one in candidates],
        match=match or MatchForm(formdata=None),
        undo=undo or UndoForm(formdata=None),
        may_match=actor.may(Permission.DEPOSITS_MATCH) and statement.is_current,
    )


@blueprint.post("/statements/<reference>/lines/<int:number>/match")
@requires(Permission.DEPOSITS_MATCH, back=_LINE)
def statements_match(reference: str, number: int) -> ResponseReturnValue:
    """Say what a line stands for."""
    actor, when, form = current_actor(), moment(), MatchForm()
    show_again(form, lambda: _line_page(reference, number, match=form), 422)
    kind, _, chosen = (form.candidate.data or "").partition(":")
    in_transaction(
        lambda unit: by_hand.match_line(
            unit,
            actor,
            statement_ref=reference,
            number=number,
            kind=kind,
            reference=chosen,
            return_code=form.return_code.data or "",
            moment=when,
        )
    )
    flash_done("Matched. Nothing automatic changes this line any more.")
    return redirect(url_for(_LINE, reference=reference, number=number), code=303)


@blueprint.post("/statements/<reference>/lines/<int:number>/undo")
@requires(Permission.DEPOSITS_MATCH, back=_LINE)
def statements_undo(reference: str, number: int) -> ResponseReturnValue:
    """Take a match away, with a reason."""
    actor, when, form = current_actor(), moment(), UndoForm()
    if not form.validate_on_submit():
        return _line_page(reference, number, undo=form), 422
    show_again(form, lambda: _line_page(reference, number, undo=form), 422)
    in_transaction(
        lambda unit: by_hand.undo_match(
            unit,
            actor,
            statement_ref=reference,
            number=number,
            reason=form.reason.data or "",
            moment=when,
        )
    )
    flash_done("The match is undone. The line waits for a person.")
    return redirect(url_for(_LINE, reference=reference, number=number), code=303)


def _match_of(line: StatementLineView) -> tuple[str, str | None]:
    return _page_of(line.matched_type, line.matched_ref) if line.matched_type else ("", None)


def _page_of(kind: str, reference: str) -> tuple[str, str | None]:
    words, endpoint = _PAGES.get(kind, (kind, None))
    return words, url_for(endpoint, reference=reference) if endpoint and reference else None
