"""The bank's statements, what each line belongs to, and the three-way proof."""

from __future__ import annotations

from typing import Final

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from seedtrust.admin import blueprint, listing
from seedtrust.core.permissions import Permission
from seedtrust.domain.payments.queries import bank_link, trust_accounts
from seedtrust.domain.payments.states import ReconciliationStatus
from seedtrust.domain.reconciliation.proof import three_ways
from seedtrust.domain.reconciliation.queries import (
    list_statements,
    statement_view,
    unmatched_lines,
)
from seedtrust.domain.reconciliation.views import StatementLineView, StatementView
from seedtrust.ext import reading
from seedtrust.web.actor import business_today, current_actor
from seedtrust.web.guard import requires
from seedtrust.web.page import Tone

LINE_STATES: Final[dict[ReconciliationStatus, tuple[str, Tone]]] = {
    ReconciliationStatus.MATCHED: ("Matched", "ok"),
    ReconciliationStatus.UNMATCHED: ("Not matched", "warn"),
    ReconciliationStatus.EXCEPTION: ("Superseded", "neutral"),
}
_PAGES: Final = {
    "run": ("Payment run", "admin.runs_detail"),
    "instruction": ("Payment", "admin.payments_detail"),
    "return": ("Returned payment", "admin.payments_detail"),
    "deposit": ("Deposit", "admin.deposits_detail"),
    "deposit_return": ("Bounced deposit", "admin.deposits_detail"),
}


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


def _match_of(line: StatementLineView) -> tuple[str, str | None]:
    if not line.matched_ref:
        return "", None
    words, endpoint = _PAGES.get(line.matched_type, (line.matched_type, None))
    return words, url_for(endpoint, reference=line.matched_ref) if endpoint else None
