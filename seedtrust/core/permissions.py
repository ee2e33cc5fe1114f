"""Who may do what: permissions, scopes, roles, and the actor that carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from seedtrust.core.errors import Forbidden


class Permission(StrEnum):
    """Every act that a route, a verb or a job may guard, as feature.action."""

    ACCOUNT_SELF = "account.self"
    AGREEMENTS_SIGN = "agreements.sign"
    AUDIT_VIEW = "audit.view"
    BANK_ACCOUNTS_VIEW = "bank_accounts.view"
    CASES_APPROVE_ACCOUNTING = "cases.approve_accounting"
    CASES_CERTIFY = "cases.certify"
    CASES_CHOOSE_RAIL = "cases.choose_rail"
    CASES_CLOSE = "cases.close"
    CASES_HOLD = "cases.hold"
    CASES_OPEN = "cases.open"
    CASES_PROPOSE_ACCOUNTING = "cases.propose_accounting"
    CASES_VIEW = "cases.view"
    CLOCK_MOVE = "clock.move"
    DEPOSITS_MATCH = "deposits.match"
    DEPOSITS_VIEW = "deposits.view"
    DOCUMENTS_HOLD = "documents.hold"
    DOCUMENTS_JUDGE = "documents.judge"
    DOCUMENTS_UPLOAD = "documents.upload"
    DOCUMENTS_VIEW = "documents.view"
    ECHECKS_ASK = "echecks.ask"
    ECHECKS_AUTHORISE = "echecks.authorise"
    ECHECKS_PRESENT = "echecks.present"
    ECHECKS_RELEASE = "echecks.release"
    ECHECKS_VIEW = "echecks.view"
    FUNDING_ASK = "funding.ask"
    JOBS_RUN = "jobs.run"
    JOBS_VIEW = "jobs.view"
    LEDGER_VIEW = "ledger.view"
    LIMITS_DECIDE = "limits.decide"
    LIMITS_PROPOSE = "limits.propose"
    MILESTONES_RECORD = "milestones.record"
    PAYMENTS_CANCEL = "payments.cancel"
    PAYMENTS_CONFIRM_NOT_SENT = "payments.confirm_not_sent"
    PAYEES_APPROVE = "payees.approve"
    PAYEES_CHECK = "payees.check"
    PAYEES_SUBMIT = "payees.submit"
    PAYEES_VIEW = "payees.view"
    RECONCILIATION_PREPARE = "reconciliation.prepare"
    RECONCILIATION_REVIEW = "reconciliation.review"
    RAILS_SWITCH = "rails.switch"
    RECONCILIATION_VIEW = "reconciliation.view"
    REQUESTS_APPROVE = "requests.approve"
    REQUESTS_CREATE = "requests.create"
    REQUESTS_LEAD = "requests.lead"
    REQUESTS_REVIEW = "requests.review"
    REQUESTS_VIEW = "requests.view"
    RUNS_BUILD = "runs.build"
    RUNS_DOWNLOAD = "runs.download"
    RUNS_RELEASE = "runs.release"
    RUNS_TRANSMIT = "runs.transmit"
    RUNS_VIEW = "runs.view"
    SCHEDULE_ACTIVATE = "schedule.activate"
    SCHEDULE_VIEW = "schedule.view"
    SHORTAGES_DECIDE = "shortages.decide"
    SHORTAGES_PROPOSE = "shortages.propose"
    TERMS_EDIT = "terms.edit"
    TODAY_VIEW = "today.view"
    USERS_GRANT = "users.grant"
    USERS_INVITE = "users.invite"
    USERS_VIEW = "users.view"


class Scope(StrEnum):
    """How far a permission reaches over cases."""

    ALL = "all"
    ASSIGNED = "assigned"
    AGENCY = "agency"
    OWN = "own"


class Role(StrEnum):
    """What a person is to the company or to a case; grants hang on it."""

    ESCROW_SPECIALIST = "escrow_specialist"
    PAYMENTS_SPECIALIST = "payments_specialist"
    PAYMENTS_LEAD = "payments_lead"
    CONTROLLER = "controller"
    LEGAL = "legal"
    IT_ADMIN = "it_admin"
    AUDITOR = "auditor"
    INTENDED_PARENT = "intended_parent"
    IP_REPRESENTATIVE = "ip_representative"
    SURROGATE = "surrogate"
    DONOR = "donor"
    AGENCY_ADMINISTRATOR = "agency_administrator"
    CASE_MANAGER = "case_manager"
    ATTORNEY = "attorney"


STAFF_ROLES: Final = frozenset(
    {
        Role.ESCROW_SPECIALIST,
        Role.PAYMENTS_SPECIALIST,
        Role.PAYMENTS_LEAD,
        Role.CONTROLLER,
        Role.LEGAL,
        Role.IT_ADMIN,
        Role.AUDITOR,
    }
)

ROLE_LABELS: Final[Mapping[Role, str]] = {
    Role.ESCROW_SPECIALIST: "Escrow specialist",
    Role.PAYMENTS_SPECIALIST: "Payments specialist",
    Role.PAYMENTS_LEAD: "Payments lead",
    Role.CONTROLLER: "Controller",
    Role.LEGAL: "Legal",
    Role.IT_ADMIN: "IT admin",
    Role.AUDITOR: "Auditor",
    Role.INTENDED_PARENT: "Intended parent",
    Role.IP_REPRESENTATIVE: "Representative of the parents",
    Role.SURROGATE: "Surrogate",
    Role.DONOR: "Donor",
    Role.AGENCY_ADMINISTRATOR: "Agency administrator",
    Role.CASE_MANAGER: "Case manager",
    Role.ATTORNEY: "Attorney",
}

_READ_ALL: Final = {
    Permission.AUDIT_VIEW: Scope.ALL,
    Permission.BANK_ACCOUNTS_VIEW: Scope.ALL,
    Permission.CASES_VIEW: Scope.ALL,
    Permission.DEPOSITS_VIEW: Scope.ALL,
    Permission.DOCUMENTS_VIEW: Scope.ALL,
    Permission.ECHECKS_VIEW: Scope.ALL,
    Permission.JOBS_VIEW: Scope.ALL,
    Permission.LEDGER_VIEW: Scope.ALL,
    Permission.PAYEES_VIEW: Scope.ALL,
    Permission.RECONCILIATION_VIEW: Scope.ALL,
    Permission.REQUESTS_VIEW: Scope.ALL,
    Permission.RUNS_VIEW: Scope.ALL,
    Permission.SCHEDULE_VIEW: Scope.ALL,
    Permission.TODAY_VIEW: Scope.ALL,
    Permission.USERS_VIEW: Scope.ALL,
}


def _party(scope: Scope, *extra: Permission) -> dict[Permission, Scope]:
    reads = (
        Permission.AGREEMENTS_SIGN,
        Permission.CASES_VIEW,
        Permission.CASES_CERTIFY,
        Permission.DOCUMENTS_UPLOAD,
        Permission.DOCUMENTS_VIEW,
        Permission.REQUESTS_CREATE,
        Permission.REQUESTS_VIEW,
        Permission.SCHEDULE_VIEW,
    )
    return {Permission.ACCOUNT_SELF: Scope.OWN, **dict.fromkeys((*reads, *extra), scope)}


def _staff(*extra: Permission) -> dict[Permission, Scope]:
    return {Permission.ACCOUNT_SELF: Scope.OWN, **_READ_ALL, **dict.fromkeys(extra, Scope.ALL)}


_PARENTS: Final = (
    Permission.ECHECKS_ASK,
    Permission.ECHECKS_AUTHORISE,
    Permission.ECHECKS_VIEW,
    Permission.LEDGER_VIEW,
    Permission.PAYEES_SUBMIT,
    Permission.REQUESTS_APPROVE,
)

GRANTS: Final[Mapping[Role, Mapping[Permission, Scope]]] = {
    Role.ESCROW_SPECIALIST: _staff(
        Permission.CASES_OPEN,
        Permission.CASES_PROPOSE_ACCOUNTING,
        Permission.CASES_CLOSE,
        Permission.DOCUMENTS_JUDGE,
        Permission.DOCUMENTS_UPLOAD,
        Permission.FUNDING_ASK,
        Permission.MILESTONES_RECORD,
        Permission.PAYEES_SUBMIT,
        Permission.REQUESTS_CREATE,
        Permission.REQUESTS_REVIEW,
        Permission.SHORTAGES_PROPOSE,
        Permission.TERMS_EDIT,
        Permission.USERS_INVITE,
        Permission.CLOCK_MOVE,
    ),
    Role.PAYMENTS_SPECIALIST: _staff(
        Permission.DEPOSITS_MATCH,
        Permission.DOCUMENTS_JUDGE,
        Permission.DOCUMENTS_UPLOAD,
        Permission.ECHECKS_ASK,
        Permission.ECHECKS_AUTHORISE,
        Permission.ECHECKS_PRESENT,
        Permission.FUNDING_ASK,
        Permission.PAYEES_CHECK,
        Permission.PAYEES_SUBMIT,
        Permission.RECONCILIATION_PREPARE,
        Permission.RUNS_BUILD,
        Permission.SHORTAGES_PROPOSE,
        Permission.CLOCK_MOVE,
    ),
    Role.PAYMENTS_LEAD: _staff(
        Permission.DEPOSITS_MATCH,
        Permission.ECHECKS_RELEASE,
        Permission.FUNDING_ASK,
        Permission.LIMITS_PROPOSE,
        Permission.PAYEES_APPROVE,
        Permission.RECONCILIATION_REVIEW,
        Permission.CASES_CHOOSE_RAIL,
        Permission.PAYMENTS_CANCEL,
        Permission.PAYMENTS_CONFIRM_NOT_SENT,
        Permission.RAILS_SWITCH,
        Permission.REQUESTS_LEAD,
        Permission.RUNS_RELEASE,
        Permission.RUNS_TRANSMIT,
        Permission.RUNS_DOWNLOAD,
        Permission.CLOCK_MOVE,
    ),
    Role.CONTROLLER: _staff(
        Permission.CASES_APPROVE_ACCOUNTING,
        Permission.CASES_HOLD,
        Permission.DOCUMENTS_HOLD,
        Permission.ECHECKS_RELEASE,
        Permission.RECONCILIATION_REVIEW,
        Permission.CASES_CHOOSE_RAIL,
        Permission.PAYMENTS_CANCEL,
        Permission.PAYMENTS_CONFIRM_NOT_SENT,
        Permission.RAILS_SWITCH,
        Permission.RUNS_RELEASE,
        Permission.SHORTAGES_DECIDE,
        Permission.LIMITS_DECIDE,
        Permission.CLOCK_MOVE,
    ),
    Role.LEGAL: _staff(
        Permission.CASES_HOLD,
        Permission.DOCUMENTS_HOLD,
        Permission.SCHEDULE_ACTIVATE,
        Permission.USERS_GRANT,
    ),
    Role.IT_ADMIN: {
        Permission.ACCOUNT_SELF: Scope.OWN,
        Permission.AUDIT_VIEW: Scope.ALL,
        Permission.CLOCK_MOVE: Scope.ALL,
        Permission.JOBS_RUN: Scope.ALL,
        Permission.JOBS_VIEW: Scope.ALL,
        Permission.TODAY_VIEW: Scope.ALL,
        Permission.USERS_INVITE: Scope.ALL,
        Permission.USERS_VIEW: Scope.ALL,
    },
    Role.AUDITOR: _staff(),
    Role.INTENDED_PARENT: _party(Scope.OWN, *_PARENTS),
    Role.IP_REPRESENTATIVE: _party(Scope.OWN, *_PARENTS),
    Role.SURROGATE: _party(Scope.OWN, Permission.PAYEES_SUBMIT),
    Role.DONOR: _party(Scope.OWN, Permission.PAYEES_SUBMIT),
    Role.AGENCY_ADMINISTRATOR: _party(
        Scope.AGENCY,
        Permission.LEDGER_VIEW,
        Permission.MILESTONES_RECORD,
        Permission.REQUESTS_APPROVE,
        Permission.PAYEES_SUBMIT,
    ),
    Role.CASE_MANAGER: _party(Scope.ASSIGNED, Permission.LEDGER_VIEW, Permission.MILESTONES_RECORD),
    Role.ATTORNEY: _party(Scope.OWN),
}

_WIDTH: Final = {Scope.OWN: 0, Scope.ASSIGNED: 1, Scope.AGENCY: 2, Scope.ALL: 3}


class ActorKind(StrEnum):
    """Whether a person of the company, a person outside, or a job acts."""

    STAFF = "staff"
    PARTY = "party"
    SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    """Who acts, with what rights, frozen for the length of one call."""

    kind: ActorKind
    user_id: int | None
    name: str
    roles: frozenset[Role] = frozenset()
    agency_id: int | None = None
    session_id: int | None = None
    stepped_up_at: datetime | None = None
    request_id: str = ""
    email: str = field(default="", repr=False)

    @classmethod
    def system(cls, job: str, request_id: str = "") -> Actor:
        """Return the actor of a job; it reaches every case and holds every permission."""
        return cls(ActorKind.SYSTEM, None, job, request_id=request_id)

    @property
    def is_staff(self) -> bool:
        """Tell whether a person of the company acts."""
        return self.kind is ActorKind.STAFF

    @property
    def is_system(self) -> bool:
        """Tell whether a job acts."""
        return self.kind is ActorKind.SYSTEM

    def scope(self, permission: Permission) -> Scope | None:
        """Return how far the permission reaches for this actor, or None without it."""
        if self.is_system:
            return Scope.ALL
        scopes = [GRANTS[role][permission] for role in self.roles if permission in GRANTS[role]]
        return max(scopes, key=_WIDTH.__getitem__, default=None)

    def may(self, permission: Permission) -> bool:
        """Tell whether the actor holds the permission at all."""
        return self.scope(permission) is not None

    def require(self, permission: Permission) -> Scope:
        """Return the scope of the permission. Raises Forbidden without it."""
        scope = self.scope(permission)
        if scope is None:
            message = "Your role does not allow this. Ask an administrator if you need it."
            raise Forbidden(message, permission=permission.value)
        return scope
