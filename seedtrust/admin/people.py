"""People: who has an account, inviting, closing, and granting roles."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seedtrust.admin import blueprint
from seedtrust.admin.forms import GrantForm, InviteForm, ReasonForm
from seedtrust.core.errors import Invalid
from seedtrust.core.permissions import ROLE_LABELS, Permission, Role
from seedtrust.domain.audit import queries as audit
from seedtrust.domain.audit.queries import AuditView
from seedtrust.domain.identity import queries, service
from seedtrust.domain.identity.states import UserKind, UserStatus
from seedtrust.domain.identity.views import PersonView
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import clock_now, current_actor, current_settings, keyring
from seedtrust.web.flashes import flash_done, show_again
from seedtrust.web.guard import requires
from seedtrust.web.page import TimelineItem, Tone

_STATUS: dict[UserStatus, tuple[str, Tone]] = {
    UserStatus.INVITED: ("Invited", "warn"),
    UserStatus.ACTIVE: ("Active", "ok"),
    UserStatus.DISABLED: ("Closed", "neutral"),
}
_KINDS = {UserKind.STAFF: "Colleague", UserKind.PARTY: "Outside"}
_ACTS = {
    "identity.created": "Account made",
    "identity.invited": "Invited",
    "identity.invited_again": "Invited again",
    "identity.invitation_accepted": "Accepted the invitation",
    "identity.totp_enrolled": "Set up an authenticator app",
    "identity.totp_begun": "Began to set up an authenticator app",
    "identity.totp_reset": "Authenticator app taken away",
    "identity.signed_in": "Signed in",
    "identity.signed_out": "Signed out",
    "identity.signed_out_everywhere": "Signed out everywhere",
    "identity.sign_in_refused": "Sign-in refused",
    "identity.code_refused": "Code refused",
    "identity.stepped_up": "Confirmed with a fresh code",
    "identity.refresh_reused": "A used token came back; session ended",
    "identity.role_granted": "Role given",
    "identity.role_revoked": "Role taken away",
    "identity.disabled": "Account closed",
}


@dataclass(frozen=True)
class PersonRow:
    """One line of the list, and the head of a person's page."""

    reference: str
    name: str
    email: str
    kind_word: str
    roles: str
    status_word: str
    status_tone: Tone
    has_second_factor: bool
    href: str


def _row(person: PersonView) -> PersonRow:
    word, tone = _STATUS[person.status]
    return PersonRow(
        reference=person.reference,
        name=person.display_name,
        email=person.email,
        kind_word=_KINDS[person.kind],
        roles=", ".join(sorted(ROLE_LABELS[role] for role in person.roles)),
        status_word=word,
        status_tone=tone,
        has_second_factor=person.has_second_factor,
        href=url_for("admin.people_detail", reference=person.reference),
    )


def _one_of_kind(text: str) -> UserKind | None:
    return UserKind(text) if text in set(UserKind) else None


def _one_of_status(text: str) -> UserStatus | None:
    return UserStatus(text) if text in set(UserStatus) else None


@blueprint.get("/people")
@requires(Permission.USERS_VIEW)
def people_list() -> str:
    """List accounts, filtered by name, kind and status."""
    actor = current_actor()
    text = request.args.get("q", "")[:100]
    kind = _one_of_kind(request.args.get("kind", ""))
    status = _one_of_status(request.args.get("status", ""))
    found = reading(lambda unit: queries.people(unit, actor, kind=kind, status=status, text=text))
    return render_template(
        "admin/people/list.html",
        rows=[_row(person) for person in found],
        text=text,
        kind=kind.value if kind else "",
        status=status.value if status else "",
        kinds=[("", "Everybody"), *((key.value, word) for key, word in _KINDS.items())],
        statuses=[("", "Any")] + [(key.value, word) for key, (word, _) in _STATUS.items()],
        may_invite=actor.may(Permission.USERS_INVITE),
    )


@blueprint.route("/people/invite", methods=["GET", "POST"])
@requires(Permission.USERS_INVITE, back="admin.people_invite")
def people_invite() -> ResponseReturnValue:
    """Invite somebody: make the account and send the link."""
    form = InviteForm()

    def page() -> ResponseReturnValue:
        status = 422 if form.is_submitted() else 200
        return render_template("admin/people/invite.html", form=form), status

    if not form.validate_on_submit():
        return page()
    show_again(form, page)
    actor, now, keys = current_actor(), clock_now(), keyring()
    kind = UserKind(form.kind.data)
    roles = [Role(form.role.data)] if form.role.data and kind is UserKind.PARTY else []
    seconds = current_settings().invitation_seconds
    person = in_transaction(
        lambda unit: service.invite(
            unit,
            actor,
            email=form.email.data,
            display_name=form.display_name.data,
            kind=kind,
            roles=roles,
            valid_seconds=seconds,
            keyring=keys,
            now=now,
        )
    )
    flash_done(f"The invitation is on its way to {person.email}.")
    return redirect(url_for("admin.people_detail", reference=person.reference), code=303)


@blueprint.get("/people/<reference>")
@requires(Permission.USERS_VIEW)
def people_detail(reference: str) -> ResponseReturnValue:
    """Show one account with its roles and what happened to it."""
    return _detail(reference, GrantForm(formdata=None))


def _detail(reference: str, grant_form: GrantForm) -> ResponseReturnValue:
    actor = current_actor()

    def work(unit: Session) -> tuple[PersonView, list[AuditView]]:
        person = queries.person(unit, actor, reference)
        return person, audit.of_subject(unit, "user", person.reference, limit=50)

    person, events = reading(work)
    grant_form.offer(person.kind, person.roles)
    oneself = person.id == actor.user_id
    is_open = person.status is not UserStatus.DISABLED
    page = render_template(
        "admin/people/detail.html",
        person=_row(person),
        created_at=person.created_at,
        roles=[(role.value, ROLE_LABELS[role]) for role in sorted(person.roles)],
        events=[_event(event) for event in events],
        grant_form=grant_form,
        may_grant=actor.may(Permission.USERS_GRANT) and is_open and not oneself,
        may_close=actor.may(Permission.USERS_INVITE) and is_open and not oneself,
        may_invite_again=actor.may(Permission.USERS_INVITE) and person.status is UserStatus.INVITED,
    )
    return page, 422 if grant_form.is_submitted() and grant_form.errors else 200


def _event(event: AuditView) -> TimelineItem:
    role = event.facts.get("role")
    detail = ROLE_LABELS[Role(str(role))] if role else None
    return TimelineItem(
        title=_ACTS.get(event.action, "Changed"),
        at=event.at,
        detail=detail,
        actor=event.actor_name,
        reason=event.reason or None,
        icon="user",
    )


@blueprint.post("/people/<reference>/invite-again")
@requires(Permission.USERS_INVITE, back="admin.people_detail")
def people_invite_again(reference: str) -> ResponseReturnValue:
    """Send a new link; the old one no longer works."""
    actor, now, keys = current_actor(), clock_now(), keyring()
    seconds = current_settings().invitation_seconds
    person = in_transaction(
        lambda unit: service.invite_again(
            unit, actor, reference, valid_seconds=seconds, keyring=keys, now=now
        )
    )
    flash_done(f"A new invitation is on its way to {person.email}.")
    return redirect(url_for("admin.people_detail", reference=reference), code=303)


@blueprint.post("/people/<reference>/roles")
@requires(Permission.USERS_GRANT, back="admin.people_detail")
def people_grant(reference: str) -> ResponseReturnValue:
    """Give somebody a role."""
    actor, now, form = current_actor(), clock_now(), GrantForm()
    show_again(form, lambda: _detail(reference, form))
    role = _role(form.role.data or "")
    in_transaction(lambda unit: service.grant_role(unit, actor, reference, role, now=now))
    flash_done(f"The role {ROLE_LABELS[role]} is given.")
    return redirect(url_for("admin.people_detail", reference=reference), code=303)


@blueprint.route("/people/<reference>/roles/<role>/revoke", methods=["GET", "POST"])
@requires(Permission.USERS_GRANT, back="admin.people_detail")
def people_revoke(reference: str, role: str) -> ResponseReturnValue:
    """Take a role away, after showing what that does."""
    actor, now, taken = current_actor(), clock_now(), _role(role)
    form = ReasonForm()

    def page() -> ResponseReturnValue:
        return _confirm(
            form,
            reference,
            title=f"Take the role {ROLE_LABELS[taken]} away?",
            consequence="Everything that the role allows ends at once, and so does every session.",
            submit="Take the role away",
        )

    if not form.validate_on_submit():
        return page()
    show_again(form, page)
    in_transaction(
        lambda unit: service.revoke_role(
            unit, actor, reference, taken, reason=form.reason.data, now=now
        )
    )
    flash_done(f"The role {ROLE_LABELS[taken]} is taken away.")
    return redirect(url_for("admin.people_detail", reference=reference), code=303)


@blueprint.route("/people/<reference>/close", methods=["GET", "POST"])
@requires(Permission.USERS_INVITE, back="admin.people_detail")
def people_close(reference: str) -> ResponseReturnValue:
    """Close an account, after showing what that does."""
    actor, now, form = current_actor(), clock_now(), ReasonForm()

    def page() -> ResponseReturnValue:
        return _confirm(
            form,
            reference,
            title="Close this account?",
            consequence="Nobody can sign in with it any more, and every open session ends at once.",
            submit="Close the account",
        )

    if not form.validate_on_submit():
        return page()
    show_again(form, page)
    in_transaction(
        lambda unit: service.disable_user(unit, actor, reference, reason=form.reason.data, now=now)
    )
    flash_done("The account is closed.")
    return redirect(url_for("admin.people_detail", reference=reference), code=303)


def _confirm(
    form: ReasonForm, reference: str, *, title: str, consequence: str, submit: str
) -> ResponseReturnValue:
    actor = current_actor()
    person = reading(lambda unit: queries.person(unit, actor, reference))
    page = render_template(
        "admin/people/confirm.html",
        form=form,
        person=_row(person),
        title=title,
        consequence=consequence,
        submit=submit,
    )
    return page, 422 if form.is_submitted() else 200


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        message = "Choose a role from the list."
        raise Invalid(message, errors={"role": [message]}) from error
