"""Inviting, accepting, granting and closing, without any door."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import combinations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import DomainError, Forbidden, Invalid, NotFound, WrongState
from seedtrust.core.permissions import GRANTS, STAFF_ROLES, Actor, Role
from seedtrust.domain.audit import queries as audit
from seedtrust.domain.identity import queries, service, sessions
from seedtrust.domain.identity.errors import EmailTaken, InvitationRefused, RolesConflict
from seedtrust.domain.identity.models import Invitation, User
from seedtrust.domain.identity.service import NEVER_TOGETHER
from seedtrust.domain.identity.sessions import Client
from seedtrust.domain.identity.states import SessionStage, UserKind, UserStatus
from seedtrust.domain.notices.models import NoticeDelivery
from tests.factories.identity import KEYRING, NOW, actor_for, make_person, password_hash

Maker = sessionmaker[Session]
WEEK = 604_800


def invite(session: Session, actor: Actor, **overrides: object) -> str:
    values: dict[str, object] = {
        "email": "Dana@Example.com",
        "display_name": "  Dana   Example ",
        "kind": UserKind.PARTY,
        "roles": [Role.SURROGATE],
        "valid_seconds": WEEK,
        "keyring": KEYRING,
        "now": NOW,
        **overrides,
    }
    return service.invite(session, actor, **values).reference  # type: ignore[arg-type]


def token_of(session: Session) -> str:
    delivery = session.scalars(select(NoticeDelivery).order_by(NoticeDelivery.id.desc())).first()
    assert delivery is not None
    sealed = delivery.facts["token_sealed"]
    return KEYRING.open(sealed, service.invitation_aad(delivery.event_key))


def accept(session: Session, token: str, **overrides: object) -> object:
    values: dict[str, object] = {
        "password_hash": password_hash(),
        "keyring": KEYRING,
        "client": Client(),
        "absolute_seconds": 3600,
        "now": NOW,
        **overrides,
    }
    return service.accept_invitation(session, token, **values)  # type: ignore[arg-type]


@pytest.fixture
def it_admin(session_factory: Maker) -> Actor:
    with session_factory() as session, session.begin():
        return actor_for(session, make_person(session, Role.IT_ADMIN))


@pytest.fixture
def legal(session_factory: Maker) -> Actor:
    with session_factory() as session, session.begin():
        return actor_for(session, make_person(session, Role.LEGAL))


def test_an_invitation_tidies_name_and_address(session_factory: Maker, it_admin: Actor) -> None:
    with session_factory() as session, session.begin():
        reference = invite(session, it_admin)
        person = queries.person(session, it_admin, reference)
    assert (person.email, person.display_name) == ("dana@example.com", "Dana Example")
    assert (person.status, person.roles) == (UserStatus.INVITED, frozenset({Role.SURROGATE}))


def test_the_link_is_stored_nowhere_in_clear(session_factory: Maker, it_admin: Actor) -> None:
    with session_factory() as session, session.begin():
        invite(session, it_admin)
        session.flush()
        token = token_of(session)
        delivery = session.scalars(select(NoticeDelivery)).one()
        row = session.scalars(select(Invitation)).one()
    assert token not in str(delivery.facts)
    assert row.token_hash != token


@pytest.mark.parametrize(
    "overrides,error,field",
    [
        ({"email": "no address"}, Invalid, "email"),
        ({"email": "j\u00f6rg@example.com"}, Invalid, "email"),
        ({"email": "a" * 250 + "@example.com"}, Invalid, "email"),
        ({"display_name": " "}, Invalid, "display_name"),
        ({"display_name": "x" * 121}, Invalid, "display_name"),
        ({"display_name": "a\x00b"}, Invalid, "display_name"),
        ({"roles": [Role.CONTROLLER]}, RolesConflict, None),
        ({"kind": UserKind.STAFF}, RolesConflict, None),
    ],
)
def test_a_bad_invitation_is_refused_and_the_good_one_passes(
    session_factory: Maker,
    it_admin: Actor,
    overrides: dict[str, object],
    error: type[DomainError],
    field: str | None,
) -> None:
    with pytest.raises(error) as refused, session_factory() as session, session.begin():
        invite(session, it_admin, **overrides)
    assert field is None or list(refused.value.errors) == [field]
    with session_factory() as session, session.begin():
        assert invite(session, it_admin)


def test_an_address_belongs_to_one_person(session_factory: Maker, it_admin: Actor) -> None:
    with session_factory() as session, session.begin():
        invite(session, it_admin)
    with pytest.raises(EmailTaken), session_factory() as session, session.begin():
        invite(session, it_admin, email="DANA@example.COM")


def test_inviting_takes_the_permission(session_factory: Maker, it_admin: Actor) -> None:
    with pytest.raises(Forbidden), session_factory() as session, session.begin():
        invite(session, replace(it_admin, roles=frozenset({Role.AUDITOR})))


def test_accepting_sets_the_password_and_uses_the_link_up(
    session_factory: Maker, it_admin: Actor
) -> None:
    with session_factory() as session, session.begin():
        invite(session, it_admin)
        token = token_of(session)
    with session_factory() as session, session.begin():
        assert service.invitation_of(session, token, now=NOW).shortest_password == 12
        assert accept(session, token) is None
    with session_factory() as session, session.begin():
        user = session.scalars(select(User).where(User.email == "dana@example.com")).one()
        assert (user.status, user.password_hash) == (UserStatus.ACTIVE, password_hash())
        with pytest.raises(InvitationRefused):
            accept(session, token)


def test_a_colleague_goes_on_to_set_up_the_second_factor(
    session_factory: Maker, it_admin: Actor
) -> None:
    with session_factory() as session, session.begin():
        invite(session, it_admin, kind=UserKind.STAFF, roles=[])
        opened = accept(session, token_of(session))
    assert opened is not None
    assert opened.stage is SessionStage.PASSWORD  # type: ignore[attr-defined]
    assert opened.needs_enrolment  # type: ignore[attr-defined]


@pytest.mark.parametrize("after,works", [(WEEK - 1, True), (WEEK, False)])
def test_a_link_works_for_a_week(
    session_factory: Maker,
    it_admin: Actor,
    after: int,
    works: bool,
) -> None:
    with session_factory() as session, session.begin():
        invite(session, it_admin)
        token = token_of(session)
    late = NOW + timedelta(seconds=after)
    with session_factory() as session, session.begin():
        if works:
            accept(session, token, now=late)
        else:
            with pytest.raises(InvitationRefused):
                accept(session, token, now=late)
            with pytest.raises(InvitationRefused):
                service.invitation_of(session, token, now=late)


def test_roles_that_act_on_the_same_money_never_meet(session_factory: Maker, legal: Actor) -> None:
    refused = set()
    for first, second in combinations(sorted(STAFF_ROLES), 2):
        with session_factory() as session, session.begin():
            person = make_person(session, first)
            try:
                service.grant_role(session, legal, person.reference, second, now=NOW)
            except RolesConflict:
                refused.add((first, second))
    expected = {
        (first, second)
        for first, second in combinations(sorted(STAFF_ROLES), 2)
        for left, right in NEVER_TOGETHER
        if (left in GRANTS[first] and right in GRANTS[second])
        or (right in GRANTS[first] and left in GRANTS[second])
    }
    assert refused == expected
    assert (Role.PAYMENTS_LEAD, Role.PAYMENTS_SPECIALIST) in refused
    assert (Role.CONTROLLER, Role.PAYMENTS_SPECIALIST) in refused
    assert (Role.IT_ADMIN, Role.PAYMENTS_LEAD) in refused
    assert (Role.LEGAL, Role.PAYMENTS_LEAD) in refused


def test_no_single_role_holds_what_must_stay_apart() -> None:
    for role in Role:
        service.refuse_bad_pairs(frozenset({role}))
    assert NEVER_TOGETHER


def test_nobody_changes_their_own_roles(session_factory: Maker, legal: Actor) -> None:
    with session_factory() as session, session.begin():
        own = session.get_one(User, legal.user_id).reference
        with pytest.raises(RolesConflict, match="own roles"):
            service.grant_role(session, legal, own, Role.AUDITOR, now=NOW)
        with pytest.raises(RolesConflict, match="own roles"):
            service.revoke_role(session, legal, own, Role.LEGAL, reason="x", now=NOW)


def test_granting_takes_the_permission_and_an_existing_person(
    session_factory: Maker, legal: Actor, it_admin: Actor
) -> None:
    with session_factory() as session, session.begin():
        person = make_person(session, Role.AUDITOR)
        with pytest.raises(Forbidden):
            service.grant_role(session, it_admin, person.reference, Role.LEGAL, now=NOW)
        with pytest.raises(NotFound):
            service.grant_role(session, legal, "AAAAAAAAAAAAAAA", Role.LEGAL, now=NOW)
        with pytest.raises(RolesConflict, match="Only people outside"):
            service.grant_role(session, legal, person.reference, Role.DONOR, now=NOW)


def test_a_role_can_be_given_again_after_it_was_taken(session_factory: Maker, legal: Actor) -> None:
    with session_factory() as session, session.begin():
        reference = make_person(session, Role.AUDITOR).reference
    for _ in range(2):
        with session_factory() as session, session.begin():
            service.revoke_role(session, legal, reference, Role.AUDITOR, reason="x", now=NOW)
        with session_factory() as session, session.begin():
            assert queries.person(session, legal, reference).roles == frozenset()
            with pytest.raises(WrongState):
                service.revoke_role(session, legal, reference, Role.AUDITOR, reason="x", now=NOW)
        with session_factory() as session, session.begin():
            view = service.grant_role(session, legal, reference, Role.AUDITOR, now=NOW)
            assert view.roles == {Role.AUDITOR}


def test_closing_an_account_needs_a_reason_and_somebody_else(
    session_factory: Maker, it_admin: Actor
) -> None:
    with session_factory() as session, session.begin():
        person = make_person(session, Role.AUDITOR)
        own = session.get_one(User, it_admin.user_id).reference
    with session_factory() as session, session.begin():
        with pytest.raises(Invalid):
            service.disable_user(session, it_admin, person.reference, reason=" ", now=NOW)
        with pytest.raises(RolesConflict):
            service.disable_user(session, it_admin, own, reason="tired", now=NOW)
    with session_factory() as session, session.begin():
        view = service.disable_user(session, it_admin, person.reference, reason="left", now=NOW)
        assert view.status is UserStatus.DISABLED
        with pytest.raises(WrongState):
            service.disable_user(session, it_admin, person.reference, reason="left", now=NOW)


def test_only_the_shell_makes_accounts_and_takes_factors_away(
    session_factory: Maker, it_admin: Actor
) -> None:
    with session_factory() as session, session.begin():
        person = make_person(session, Role.AUDITOR)
        with pytest.raises(Forbidden):
            service.create_user(
                session,
                it_admin,
                email="x@example.com",
                display_name="Xenia",
                kind=UserKind.STAFF,
                password_hash=password_hash(),
                keyring=KEYRING,
                now=NOW,
            )
        with pytest.raises(Forbidden):
            service.reset_second_factor(
                session, it_admin, person.reference, reason="lost", keyring=KEYRING, now=NOW
            )
        shell = Actor.system("shell")
        view = service.reset_second_factor(
            session, shell, person.reference, reason="lost", keyring=KEYRING, now=NOW
        )
    assert not view.has_second_factor


def test_every_act_leaves_an_audit_row(
    session_factory: Maker, it_admin: Actor, legal: Actor
) -> None:
    with session_factory() as session, session.begin():
        reference = invite(session, it_admin, kind=UserKind.STAFF, roles=[])
        accept(session, token_of(session))
        service.grant_role(session, legal, reference, Role.AUDITOR, now=NOW)
        service.revoke_role(session, legal, reference, Role.AUDITOR, reason="moved", now=NOW)
        service.disable_user(session, it_admin, reference, reason="left", now=NOW)
    with session_factory() as session, session.begin():
        events = audit.of_subject(session, "user", reference)
    assert [event.action for event in reversed(events)] == [
        "identity.invited",
        "identity.invitation_accepted",
        "identity.role_granted",
        "identity.role_revoked",
        "identity.disabled",
    ]
    assert events[0].reason == "left"
    assert "@" not in str([event.facts for event in events])


def test_a_list_of_people_costs_two_queries_however_long(
    session_factory: Maker, it_admin: Actor
) -> None:
    from sqlalchemy import event

    with session_factory() as session, session.begin():
        for _ in range(12):
            make_person(session, Role.DONOR)
    statements: list[str] = []
    with session_factory() as session, session.begin():
        bind = session.get_bind()
        event.listen(bind, "before_cursor_execute", lambda *call: statements.append(call[2]))
        found = queries.people(session, it_admin)
        total = session.scalar(select(func.count()).select_from(User))
    assert len(found) == total
    assert len([text for text in statements if text.startswith("SELECT users.id")]) == 1
    assert len([text for text in statements if "user_roles" in text]) == 1


def test_somebody_sees_only_their_own_sessions(session_factory: Maker) -> None:
    with session_factory() as session, session.begin():
        mine, theirs = make_person(session, Role.AUDITOR), make_person(session, Role.AUDITOR)
        for person in (mine, theirs):
            sessions.open_session(
                session,
                session.get_one(User, person.user_id),
                SessionStage.FULL,
                client=Client("192.0.2.1", "Firefox"),
                absolute_seconds=3600,
                now=NOW,
            )
        actor = actor_for(session, mine)
        session.flush()
        found = sessions.open_sessions(session, actor, idle_seconds=900, now=NOW)
        late = sessions.open_sessions(
            session, actor, idle_seconds=900, now=NOW + timedelta(seconds=900)
        )
    assert [view.browser for view in found] == ["Firefox"]
    assert late == []
