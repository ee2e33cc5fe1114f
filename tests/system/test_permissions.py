"""The grants, held against the rules of segregation that the trade asks for."""

from __future__ import annotations

import pytest

from seedtrust.core.errors import Forbidden
from seedtrust.core.permissions import (
    GRANTS,
    ROLE_LABELS,
    STAFF_ROLES,
    Actor,
    ActorKind,
    Permission,
    Role,
    Scope,
)

PARTIES = frozenset(Role) - STAFF_ROLES
# Acts that change what somebody is paid, or who may change it.
MONEY = {
    Permission.CASES_APPROVE_ACCOUNTING,
    Permission.DEPOSITS_MATCH,
    Permission.PAYEES_APPROVE,
    Permission.PAYEES_CHECK,
    Permission.RUNS_BUILD,
    Permission.RUNS_RELEASE,
    Permission.RUNS_TRANSMIT,
    Permission.SHORTAGES_DECIDE,
    Permission.SHORTAGES_PROPOSE,
}


def holders(permission: Permission) -> set[Role]:
    return {role for role in Role if permission in GRANTS[role]}


def actor(*roles: Role) -> Actor:
    return Actor(ActorKind.STAFF, 1, "Test", roles=frozenset(roles))


def test_every_role_has_grants_and_a_name() -> None:
    assert set(GRANTS) == set(Role) == set(ROLE_LABELS)


def test_every_permission_is_held_by_somebody() -> None:
    assert [name.value for name in Permission if not holders(name)] == []


@pytest.mark.parametrize(
    "first,second",
    [
        (Permission.RUNS_BUILD, Permission.RUNS_RELEASE),
        (Permission.PAYEES_CHECK, Permission.PAYEES_APPROVE),
        (Permission.CASES_PROPOSE_ACCOUNTING, Permission.CASES_APPROVE_ACCOUNTING),
        (Permission.TERMS_EDIT, Permission.SCHEDULE_ACTIVATE),
        (Permission.REQUESTS_REVIEW, Permission.RUNS_BUILD),
        (Permission.SHORTAGES_PROPOSE, Permission.SHORTAGES_DECIDE),
        (Permission.LIMITS_PROPOSE, Permission.LIMITS_DECIDE),
        (Permission.USERS_GRANT, Permission.USERS_INVITE),
        (Permission.USERS_GRANT, Permission.RUNS_RELEASE),
    ],
)
def test_no_single_role_holds_both_ends_of_a_money_path(
    first: Permission, second: Permission
) -> None:
    assert holders(first) & holders(second) == set()


@pytest.mark.parametrize("role", [Role.IT_ADMIN, Role.LEGAL, Role.AUDITOR, *sorted(PARTIES)])
def test_these_roles_move_no_money(role: Role) -> None:
    assert set(GRANTS[role]) & MONEY == set()


@pytest.mark.parametrize("role", sorted(PARTIES))
def test_a_party_never_reaches_beyond_its_cases(role: Role) -> None:
    assert Scope.ALL not in GRANTS[role].values()


def test_an_auditor_only_reads() -> None:
    acts = {
        permission.value.partition(".")[2]
        for permission in GRANTS[Role.AUDITOR]
        if permission is not Permission.ACCOUNT_SELF
    }
    assert acts == {"view"}


def test_the_widest_of_several_scopes_counts() -> None:
    both = actor(Role.CASE_MANAGER, Role.AGENCY_ADMINISTRATOR)
    assert both.scope(Permission.CASES_VIEW) is Scope.AGENCY
    assert actor(Role.CASE_MANAGER).scope(Permission.CASES_VIEW) is Scope.ASSIGNED
    assert actor().scope(Permission.CASES_VIEW) is None


def test_a_missing_permission_is_a_refusal_that_names_it() -> None:
    with pytest.raises(Forbidden) as refused:
        actor(Role.AUDITOR).require(Permission.RUNS_RELEASE)
    assert refused.value.facts == {"permission": "runs.release"}
    assert actor(Role.CONTROLLER).require(Permission.RUNS_RELEASE) is Scope.ALL
