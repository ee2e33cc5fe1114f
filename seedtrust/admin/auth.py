"""Signing in and out of the admin pages, the second factor, and one's own sessions."""

from __future__ import annotations

import segno
from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import UserMixin, current_user, login_user
from markupsafe import Markup
from sqlalchemy.orm import Session

from seedtrust.admin import blueprint
from seedtrust.admin.forms import CodeForm, Form, PasswordForm, SignInForm
from seedtrust.admin.navigation import navigation
from seedtrust.core.errors import DomainError, SessionEnded, Unauthenticated
from seedtrust.domain.identity import passwords, queries, service, sessions, signing_in
from seedtrust.domain.identity.service import InvitationView
from seedtrust.domain.identity.views import OpenedSession, PersonView, SessionView, SignedIn
from seedtrust.ext import in_transaction, reading
from seedtrust.web.actor import (
    actor_or_none,
    clock_now,
    current_actor,
    current_settings,
    keyring,
    stash_business_now,
)
from seedtrust.web.client import current_client
from seedtrust.web.flashes import flash_done
from seedtrust.web.guard import PASSWORD_GIVEN, PUBLIC, SIGNED_IN, requires
from seedtrust.web.limits import limiter, sign_in_limit
from seedtrust.web.problems import safe_path
from seedtrust.web.requestid import request_id
from seedtrust.web.signing import check_password

_NEXT = "next"


class Visitor(UserMixin):  # type: ignore[misc]  # flask-login ships no types
    """What flask-login keeps for a request: the cookie's key and the picture of its session."""

    def __init__(self, key: str, outcome: SignedIn | SessionEnded | None = None) -> None:
        """Keep the key and what it stands for: a session, or why it is over."""
        self.id = key
        self.outcome = outcome


def load_visitor(key: str) -> Visitor:
    """Return the visitor of a cookie's key, with a session that goes on or has ended."""
    now, settings = clock_now(), current_settings()

    def work(unit: Session) -> SignedIn | SessionEnded:
        found = sessions.resume(
            unit,
            key,
            idle_seconds=settings.session_idle_seconds,
            request_id=request_id(),
            now=now,
        )
        stash_business_now(unit)
        return found

    outcome = reading(work)
    if isinstance(outcome, SignedIn) and outcome.must_touch:
        session_id = outcome.session_id
        in_transaction(lambda unit: sessions.touch(unit, session_id, now=now))
    return Visitor(key, outcome)


def enter(opened: OpenedSession) -> None:
    """Put a new session's key into the cookie; nothing of the old cookie stays but `next`."""
    wanted = session.get(_NEXT)
    session.clear()
    if wanted is not None:
        session[_NEXT] = wanted
    login_user(Visitor(opened.key))


def _signed_in() -> SignedIn:
    found: SignedIn | SessionEnded | None = getattr(current_user, "outcome", None)
    if not isinstance(found, SignedIn):
        message = "Sign in and try again."
        raise Unauthenticated(message)
    return found


def _onward() -> ResponseReturnValue:
    """Go where the visitor wanted to go before signing in, if that is a page of ours."""
    wanted = safe_path(session.pop(_NEXT, None)) or url_for("admin.home")
    return redirect(wanted, code=303)


def _remember_next() -> None:
    wanted = safe_path(request.args.get(_NEXT))
    if wanted is not None:
        session[_NEXT] = wanted


@blueprint.get("/")
@requires(SIGNED_IN)
def home() -> ResponseReturnValue:
    """Lead to the first page that the reader may open."""
    sections = navigation(current_actor()).sections
    first = sections[0].items[0].href if sections else url_for("admin.account")
    return redirect(first, code=303)


@blueprint.route("/sign-in", methods=["GET", "POST"])
@requires(PUBLIC)
@limiter.limit(sign_in_limit, methods=["POST"])
def sign_in() -> ResponseReturnValue:
    """Ask for address and password; the second factor follows."""
    if request.method == "GET":
        _remember_next()
        if actor_or_none() is not None:
            return _onward()
    form = SignInForm()
    if not form.validate_on_submit():
        return _page("sign_in", form)
    checked = check_password(form.email.data, form.password.data)
    now, keys, client, settings = clock_now(), keyring(), current_client(), current_settings()
    outcome = in_transaction(
        lambda unit: signing_in.sign_in_web(
            unit,
            checked.candidate,
            matched=checked.matched,
            new_hash=checked.new_hash,
            keyring=keys,
            client=client,
            absolute_seconds=settings.session_absolute_seconds,
            request_id=request_id(),
            now=now,
        )
    )
    if isinstance(outcome, DomainError):
        form.refuse(outcome)
        return _page("sign_in", form)
    enter(outcome)
    return _second_step(needs_enrolment=outcome.needs_enrolment)


def _second_step(*, needs_enrolment: bool) -> ResponseReturnValue:
    endpoint = "admin.enrol" if needs_enrolment else "admin.sign_in_code"
    return redirect(url_for(endpoint), code=303)


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
@requires(PASSWORD_GIVEN)
@limiter.limit(sign_in_limit, methods=["POST"])
def sign_in_code() -> ResponseReturnValue:
    """Ask for the code of the authenticator app; a right one opens the session."""
    if _signed_in().needs_enrolment:
        return redirect(url_for("admin.enrol"), code=303)
    form = CodeForm()
    if form.validate_on_submit():
        outcome = _verify(form.code.data)
        if not isinstance(outcome, DomainError):
            enter(outcome)
            return _onward()
        form.refuse(outcome)
    return _page("sign_in_code", form, name=_signed_in().name)


@blueprint.route("/sign-in/enrol", methods=["GET", "POST"])
@requires(PASSWORD_GIVEN)
@limiter.limit(sign_in_limit, methods=["POST"])
def enrol() -> ResponseReturnValue:
    """Show the QR code of a new authenticator and ask for its first code."""
    if not _signed_in().needs_enrolment:
        return redirect(url_for("admin.sign_in_code"), code=303)
    keys, user_id = keyring(), _signed_in().user_id
    form = CodeForm()
    if form.validate_on_submit():
        outcome = _verify(form.code.data)
        if not isinstance(outcome, DomainError):
            enter(outcome)
            flash_done("Your authenticator app is set up. You will need it at every sign-in.")
            return _onward()
        form.refuse(outcome)
    enrolment = reading(lambda unit: signing_in.enrolment_of(unit, user_id, keyring=keys))
    groups = [enrolment.seed[start : start + 4] for start in range(0, len(enrolment.seed), 4)]
    return _page("enrol", form, qr_code=_qr_code(enrolment.uri), seed=" ".join(groups))


def _qr_code(uri: str) -> Markup:
    drawn = segno.make(uri, error="m").svg_inline(
        scale=5, border=4, dark="#000", light="#fff", title="QR code for your authenticator app"
    )
    return Markup(drawn)  # noqa: S704 - drawn by segno from our own address, as shapes only


def _verify(code: str) -> OpenedSession | DomainError:
    signed_in, settings = _signed_in(), current_settings()
    now, keys, client = clock_now(), keyring(), current_client()
    return in_transaction(
        lambda unit: signing_in.verify_totp(
            unit,
            signed_in.session_id,
            code,
            keyring=keys,
            client=client,
            absolute_seconds=settings.session_absolute_seconds,
            request_id=request_id(),
            now=now,
        )
    )


@blueprint.route("/confirm", methods=["GET", "POST"])
@requires(SIGNED_IN)
@limiter.limit(sign_in_limit, methods=["POST"])
def step_up() -> ResponseReturnValue:
    """Ask for a fresh code before money is released, then go back to where it was asked for."""
    if request.method == "GET":
        _remember_next()
    actor, form = current_actor(), CodeForm()
    if form.validate_on_submit():
        now, keys = clock_now(), keyring()
        outcome = in_transaction(
            lambda unit: signing_in.step_up_web(unit, actor, form.code.data, keyring=keys, now=now)
        )
        if not isinstance(outcome, DomainError):
            enter(outcome)
            flash_done("Thank you. Now do what you were about to do; you have five minutes.")
            return _onward()
        form.refuse(outcome)
    return _page("step_up", form)


@blueprint.post("/sign-out")
@requires(PUBLIC)
def sign_out() -> ResponseReturnValue:
    """End this session, whatever stage it has reached."""
    outcome = getattr(current_user, "outcome", None)
    if isinstance(outcome, SignedIn):
        now, session_id = clock_now(), outcome.session_id
        in_transaction(
            lambda unit: signing_in.sign_out(unit, session_id, request_id=request_id(), now=now)
        )
    session.clear()
    flash_done("You are signed out.")
    return redirect(url_for("admin.sign_in"), code=303)


@blueprint.route("/welcome/<token>", methods=["GET", "POST"])
@requires(PUBLIC)
@limiter.limit(sign_in_limit, methods=["POST"])
def welcome(token: str) -> ResponseReturnValue:
    """Accept an invitation: choose a password, then set up the second factor or open the app."""
    now, form = clock_now(), PasswordForm()
    invitation = reading(lambda unit: service.invitation_of(unit, token, now=now))
    if form.validate_on_submit():
        checked = _checked_password(form, invitation)
        if checked is not None:
            return _accept(token, checked)
    return _page("welcome", form, invitation=invitation)


def _checked_password(form: PasswordForm, invitation: InvitationView) -> str | None:
    text = form.password.data or ""
    context = service.context_words(invitation.email, invitation.display_name)
    refusal = passwords.refusal_of(text, invitation.kind, context)
    if refusal is not None:
        form.refuse(refusal)
        return None
    return passwords.normalise(text)


def _accept(token: str, password: str) -> ResponseReturnValue:
    password_hash = passwords.hash_password(password)
    now, keys, client, settings = clock_now(), keyring(), current_client(), current_settings()
    opened = in_transaction(
        lambda unit: service.accept_invitation(
            unit,
            token,
            password_hash=password_hash,
            keyring=keys,
            client=client,
            absolute_seconds=settings.session_absolute_seconds,
            request_id=request_id(),
            now=now,
        )
    )
    if opened is None:
        return redirect(url_for("admin.welcome_done"), code=303)
    enter(opened)
    return _second_step(needs_enrolment=True)


@blueprint.get("/welcome")
@requires(PUBLIC)
def welcome_done() -> str:
    """Tell somebody outside that the password is set and where to go on."""
    return render_template("admin/auth/welcome_done.html")


@blueprint.get("/account")
@requires(SIGNED_IN)
def account() -> str:
    """Show one's own account: roles, second factor, open sessions."""
    actor, now, settings = current_actor(), clock_now(), current_settings()

    def work(unit: Session) -> tuple[PersonView, list[SessionView]]:
        open_ones = sessions.open_sessions(
            unit, actor, idle_seconds=settings.session_idle_seconds, now=now
        )
        return queries.myself(unit, actor), open_ones

    person, open_ones = reading(work)
    return render_template("admin/auth/account.html", person=person, open_ones=open_ones)


@blueprint.post("/account/sessions/end")
@requires(SIGNED_IN, back="admin.account")
def end_sessions() -> ResponseReturnValue:
    """Sign out everywhere, here too."""
    actor, now = current_actor(), clock_now()
    in_transaction(lambda unit: sessions.sign_out_everywhere(unit, actor, now=now))
    session.clear()
    flash_done("You are signed out on every device.")
    return redirect(url_for("admin.sign_in"), code=303)


@blueprint.post("/account/sessions/<reference>/end")
@requires(SIGNED_IN, back="admin.account")
def end_session(reference: str) -> ResponseReturnValue:
    """End one of one's own sessions."""
    actor, now = current_actor(), clock_now()
    in_transaction(lambda unit: sessions.end_one(unit, actor, reference, now=now))
    flash_done("That session is ended.")
    return redirect(url_for("admin.account"), code=303)


def _page(page: str, form: Form, **values: object) -> ResponseReturnValue:
    """Return a page of the way in; 422 when its form was refused."""
    status = 422 if form.is_submitted() else 200
    return render_template(f"admin/auth/{page}.html", form=form, **values), status
