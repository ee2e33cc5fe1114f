"""Cases: the list, and one case tab by tab."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from seedtrust.admin import blueprint, listing
from seedtrust.admin.words import stage_tone
from seedtrust.core.permissions import Permission
from seedtrust.domain.cases.queries import CaseFilters
from seedtrust.domain.cases.stages import ENDED
from seedtrust.domain.cases.states import STAGE_LABELS, CaseKind, Stage
from seedtrust.domain.cases.views import KIND_LABELS
from seedtrust.domain.desk import cases as desk
from seedtrust.domain.disbursements.forecast import Forecast
from seedtrust.domain.funding.states import FUNDING_LABELS, FUNDING_TONES
from seedtrust.ext import reading
from seedtrust.web import charts, page
from seedtrust.web.actor import business_today, current_actor
from seedtrust.web.guard import requires

VIEWS = {
    "open": tuple(stage for stage in Stage if stage not in ENDED),
    "closing": (Stage.AWAITING_CLOSE_APPROVAL, Stage.FINAL_ACCOUNTING, Stage.FINAL_DISBURSEMENT),
    "closed": tuple(ENDED),
}


def _filters() -> CaseFilters:
    stage = listing.choice_of("stage", Stage)
    view = VIEWS.get(request.args.get("view", ""), ())
    return CaseFilters(
        stages=(stage,) if stage is not None else view,
        kind=listing.choice_of("kind", CaseKind),
        agency_ref=listing.text_of("agency"),
        search=listing.text_of("q"),
        assigned_to_me=request.args.get("view") == "mine",
    )


@blueprint.get("/cases")
@requires(Permission.CASES_VIEW)
def cases_list() -> ResponseReturnValue:
    """List cases with their money and its total."""
    actor, filters = current_actor(), _filters()
    sort, number = listing.sort_of(desk.SORTS, "-number"), listing.page_number()
    if listing.wants_csv():
        whole = reading(
            lambda unit: desk.case_table(
                unit, actor, filters=filters, sort=sort, per_page=listing.EXPORTED
            )
        )
        return _csv(whole)
    table, agencies = reading(
        lambda unit: (
            desk.case_table(
                unit, actor, filters=filters, sort=sort, page=number, per_page=listing.PER_PAGE
            ),
            desk.agency_names(unit),
        )
    )
    return render_template(
        "admin/cases/list.html",
        table=table,
        filters=filters,
        view=request.args.get("view", ""),
        sort=sort,
        page=number,
        per_page=listing.PER_PAGE,
        stage=request.args.get("stage", ""),
        stages=[("", "Any stage")] + [(stage.value, STAGE_LABELS[stage]) for stage in Stage],
        kinds=[("", "Any kind")] + [(kind.value, KIND_LABELS[kind]) for kind in CaseKind],
        agencies=[("", "Any agency"), *agencies],
        stage_tone=stage_tone,
    )


def _csv(table: desk.CaseTable) -> ResponseReturnValue:
    head = (
        "Number", "Reference", "Name", "Kind", "Stage", "Since", "Agency",
        "Ledger ($)", "Reserved ($)", "Available ($)",
    )  # fmt: skip
    return listing.as_csv(
        "cases",
        head,
        (
            (
                row.number,
                row.reference,
                row.name,
                row.kind_label,
                row.stage_label,
                row.since_on,
                row.agency,
                listing.dollars(row.balance.ledger_cents),
                listing.dollars(row.balance.reserved_cents),
                listing.dollars(row.balance.available_cents),
            )
            for row in table.rows
        ),
    )


@blueprint.get("/cases/<reference>")
@requires(Permission.CASES_VIEW)
def cases_overview(reference: str) -> str:
    """Show where a case stands: its course, its money, what comes next, and its people."""
    actor, today = current_actor(), business_today()
    found = reading(lambda unit: desk.overview(unit, actor, reference, today))
    steps = [
        page.Stage(step.stage, step.label, step.entered_on)
        for step in found.view.stages
        if step.progress != "skipped"
    ]
    current = next((step.stage for step in found.view.stages if step.progress == "current"), "")
    return render_template(
        "admin/cases/overview.html",
        head=found.head,
        view=found.view,
        balance=found.balance,
        steps=steps,
        current=current,
        forecast=found.forecast,
        chart=_chart(found.forecast),
        coming=_coming(found.forecast),
        funding=found.funding,
        funding_words=FUNDING_LABELS,
        funding_tones=FUNDING_TONES,
        today=today,
        stage_tone=stage_tone,
        case_tabs=case_tabs(reference),
    )


def case_tabs(reference: str) -> list[tuple[str, str, bool, int | None]]:
    """Return the tabs of a case that the reader may open."""
    actor = current_actor()
    known = (
        ("Overview", "admin.cases_overview", Permission.CASES_VIEW),
        ("Ledger", "admin.cases_ledger", Permission.LEDGER_VIEW),
        ("Schedule", "admin.cases_schedule", Permission.SCHEDULE_VIEW),
        ("Requests", "admin.cases_requests", Permission.REQUESTS_VIEW),
        ("Agreements and documents", "admin.cases_papers", Permission.DOCUMENTS_VIEW),
        ("Closing", "admin.cases_closing", Permission.CASES_VIEW),
        ("Activity", "admin.cases_activity", Permission.CASES_VIEW),
    )
    return [
        (label, url_for(endpoint, reference=reference), request.endpoint == endpoint, None)
        for label, endpoint, permission in known
        if actor.may(permission)
    ]


def _chart(forecast: Forecast) -> charts.ForecastChart | None:
    days: dict[date, int] = {}
    for point in forecast.points:
        days[point.on] = point.balance_cents
    if len(days) < 2:  # noqa: PLR2004 - a single point draws nothing
        return None
    shortfall = None
    if forecast.shortfall_on is not None:
        shortfall = (forecast.shortfall_on, days[forecast.shortfall_on])
    return charts.forecast_chart(
        sorted(days.items()),
        forecast.minimum_cents,
        forecast.today,
        shortfall=shortfall,
        title="Balance of the case, past and expected",
    )


def _coming(forecast: Forecast) -> list[tuple[date, str, int, int]]:
    """Return day, what for, amount and balance afterwards of what is still to be paid."""
    ahead = [point for point in forecast.points if not point.is_past]
    return [
        (after.on, after.label, before.balance_cents - after.balance_cents, after.balance_cents)
        for before, after in pairwise(ahead)
    ]
