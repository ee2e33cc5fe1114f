"""The door of the staff: server-rendered pages under /admin, one module per feature.

A module of this package takes the one blueprint and adds its views:

    from seedtrust.admin import blueprint

    @blueprint.get("/cases/<reference>")
    @requires(Permission.CASES_VIEW)
    def cases_detail(reference: str) -> str:
        actor, today = current_actor(), business_today()
        case = reading(lambda session: cases.case_view(session, actor, reference, on=today))
        return render_template("admin/cases/detail.html", case=case)

    @blueprint.post("/cases/<reference>/close")
    @requires(Permission.CASES_CLOSE, back="admin.cases_detail")
    def cases_close(reference: str) -> ResponseReturnValue:
        actor, now = current_actor(), clock_now()
        in_transaction(lambda session: closing.close(session, actor, reference, now=now))
        flash_done("The case is closed.")
        return redirect(url_for("admin.cases_detail", reference=reference), code=303)

A refusal is raised, not caught: 409 and 422 on a POST become a message and a way back (303).
"""

from __future__ import annotations

import importlib
import pkgutil

from flask import Blueprint, Flask
from flask_login import LoginManager, current_user

from seedtrust.core.errors import SessionEnded
from seedtrust.domain.identity.service import settled
from seedtrust.domain.identity.states import SessionStage
from seedtrust.domain.identity.views import SignedIn
from seedtrust.web.guard import Caller

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


def register(app: Flask) -> None:
    """Import every module of this package, then register the blueprint that they filled."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    from seedtrust.admin import auth, navigation  # noqa: PLC0415 - they need the blueprint above

    login = LoginManager()
    login.session_protection = None
    login.user_loader(auth.load_visitor)
    login.init_app(app, add_context_processor=False)
    app.register_blueprint(blueprint)
    app.context_processor(navigation.template_values)


def authenticate() -> Caller:
    """Return who the cookie belongs to; headers are never read.

    Only a session with both factors has an actor. Raises SessionEnded when the session is over.
    """
    outcome: SignedIn | SessionEnded | None = getattr(current_user, "outcome", None)
    if outcome is None:
        return Caller()
    signed_in = settled(outcome)
    return Caller(signed_in.actor, password_given=signed_in.stage is SessionStage.PASSWORD)
