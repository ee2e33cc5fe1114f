"""Search in the top bar: one page with everything that fits, by kind, within reach."""

from __future__ import annotations

from typing import Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from seedtrust.admin import blueprint, listing
from seedtrust.domain.desk.search import Found, only_one, search
from seedtrust.ext import reading
from seedtrust.web.actor import current_actor
from seedtrust.web.guard import SIGNED_IN, requires

_PAGES: Final = {
    Found.CASE: "admin.cases_overview",
    Found.REQUEST: "admin.requests_detail",
    Found.RUN: "admin.runs_detail",
    Found.PAYMENT: "admin.payments_detail",
    Found.PAYEE: "admin.payees_detail",
    Found.DEPOSIT: "admin.deposits_detail",
    Found.PERSON: "admin.people_detail",
}
_TITLES: Final = {
    Found.CASE: "Cases",
    Found.REQUEST: "Requests",
    Found.RUN: "Payment runs",
    Found.PAYMENT: "Payments",
    Found.PAYEE: "Payees",
    Found.DEPOSIT: "Deposits",
    Found.PERSON: "People",
}


def _whole_list(kind: Found, text: str) -> str:
    """Return the list that shows all that fit; runs have references only, so all are listed."""
    lists = {
        Found.CASE: url_for("admin.cases_list", q=text),
        Found.REQUEST: url_for("admin.requests_list", q=text),
        Found.RUN: url_for("admin.runs_list"),
        Found.PAYMENT: url_for("admin.payments_list", q=text),
        Found.PAYEE: url_for("admin.payees_list", view="all", q=text),
        Found.DEPOSIT: url_for("admin.deposits_list", q=text),
        Found.PERSON: url_for("admin.people_list", q=text),
    }
    return lists[kind]


@blueprint.get("/search", endpoint="search")
@requires(SIGNED_IN)
def search_page() -> ResponseReturnValue:
    """Show what fits, or go straight to what has the number or reference that was typed."""
    actor, text = current_actor(), listing.text_of("q")
    groups = reading(lambda unit: search(unit, actor, text))
    one = only_one(groups)
    if one is not None and "all" not in request.args:
        kind, reference = one
        return redirect(url_for(_PAGES[kind], reference=reference), code=303)
    return render_template(
        "admin/search.html",
        text=text,
        count=sum(len(group.hits) for group in groups),
        groups=[
            (
                _TITLES[group.kind],
                group.kind.value,
                [(hit, url_for(_PAGES[group.kind], reference=hit.reference)) for hit in group.hits],
                _whole_list(group.kind, text) if group.has_more else None,
            )
            for group in groups
        ],
    )
