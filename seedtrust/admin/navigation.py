"""The sidebar: which pages there are, for whom, and where the reader stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import current_app, request, url_for

from seedtrust.core.permissions import ROLE_LABELS, Actor, Permission
from seedtrust.web.actor import actor_or_none, business_today, current_settings
from seedtrust.web.guard import Door, door_of
from seedtrust.web.page import Nav, NavItem, NavSection, NavUser


@dataclass(frozen=True)
class Entry:
    """One page of the sidebar; `feature` starts the endpoints that belong under it."""

    label: str
    endpoint: str
    feature: str
    icon: str
    permission: Permission
    key: str | None = None


# A line whose page does not exist, or may not be opened by the reader, is left out.
SECTIONS: Final[tuple[tuple[str, tuple[Entry, ...]], ...]] = (
    (
        "Work",
        (
            Entry("Today", "admin.today", "today", "sun-high", Permission.TODAY_VIEW, "t"),
            Entry("Cases", "admin.cases_list", "cases", "folders", Permission.CASES_VIEW, "c"),
            Entry(
                "Requests",
                "admin.requests_list",
                "requests",
                "receipt",
                Permission.REQUESTS_VIEW,
                "r",
            ),
            Entry(
                "Bank details",
                "admin.payees_list",
                "payees",
                "id-badge-2",
                Permission.PAYEES_VIEW,
                "b",
            ),
        ),
    ),
    (
        "Money",
        (
            Entry("Payment runs", "admin.runs_list", "runs", "send", Permission.RUNS_VIEW, "p"),
            Entry("Payments", "admin.payments_list", "payments", "cash", Permission.RUNS_VIEW, "m"),
            Entry("Checks", "admin.checks_list", "checks", "writing-sign", Permission.RUNS_VIEW),
            Entry(
                "Returns",
                "admin.returns_list",
                "returns",
                "arrow-back-up",
                Permission.RUNS_VIEW,
                "e",
            ),
            Entry(
                "Deposits",
                "admin.deposits_list",
                "deposits",
                "building-bank",
                Permission.DEPOSITS_VIEW,
                "d",
            ),
            Entry(
                "Requests for funds",
                "admin.funding_list",
                "funding",
                "wallet",
                Permission.DEPOSITS_VIEW,
            ),
            Entry(
                "Shortages",
                "admin.shortages_list",
                "shortages",
                "alert-triangle",
                Permission.DEPOSITS_VIEW,
            ),
            Entry(
                "E-checks",
                "admin.echecks_list",
                "echecks",
                "arrow-down-right",
                Permission.ECHECKS_VIEW,
            ),
            Entry(
                "Statements",
                "admin.statements_list",
                "statements",
                "file-text",
                Permission.RECONCILIATION_VIEW,
                "s",
            ),
            Entry(
                "Reconciliation",
                "admin.reconciliation_list",
                "reconciliation",
                "scale",
                Permission.RECONCILIATION_VIEW,
                "n",
            ),
        ),
    ),
    (
        "House",
        (
            Entry("People", "admin.people_list", "people", "users", Permission.USERS_VIEW, "u"),
            Entry(
                "Rails",
                "admin.rails_list",
                "rails",
                "route",
                Permission.BANK_ACCOUNTS_VIEW,
            ),
            Entry(
                "Limits",
                "admin.limits_list",
                "limits",
                "adjustments",
                Permission.BANK_ACCOUNTS_VIEW,
            ),
            Entry("System", "admin.jobs_overview", "jobs", "settings", Permission.JOBS_VIEW, "y"),
        ),
    ),
)

_ENVIRONMENTS: Final = {"demo": "Demo", "test": "Test", "production": None}


def template_values() -> dict[str, object]:
    """Return `nav` for pages of the staff; None before somebody is signed in."""
    actor = actor_or_none()
    if actor is None or door_of(request.blueprint) is not Door.ADMIN:
        return {"nav": None}
    return {"nav": navigation(actor)}


def navigation(actor: Actor) -> Nav:
    """Return what surrounds a page for this reader."""
    environment = _ENVIRONMENTS[current_settings().env.value]
    known = current_app.view_functions
    sections = (
        NavSection(
            title,
            tuple(
                NavItem(
                    label=entry.label,
                    href=url_for(entry.endpoint),
                    icon=entry.icon,
                    current=_is_current(entry),
                    key=entry.key,
                )
                for entry in entries
                if entry.endpoint in known and actor.may(entry.permission)
            ),
        )
        for title, entries in SECTIONS
    )
    return Nav(
        sections=tuple(section for section in sections if section.items),
        user=NavUser(
            name=actor.name,
            role=", ".join(sorted(ROLE_LABELS[role] for role in actor.roles)) or "No role yet",
            account_href=url_for("admin.account"),
        ),
        home_href=url_for("admin.home"),
        search_href=url_for("admin.search"),
        sign_out_href=url_for("admin.sign_out"),
        environment=environment,
        business_on=business_today() if environment else None,
    )


def _is_current(entry: Entry) -> bool:
    name = (request.endpoint or "").removeprefix("admin.")
    return name == entry.feature or name.startswith(f"{entry.feature}_")
