"""The application: create_app is the only place that wires settings, database, doors and guard."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from flask import Flask, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from jinja2 import StrictUndefined
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Map, UnicodeConverter

from seedtrust import __version__, admin, api
from seedtrust.api import docs
from seedtrust.core.clock import Clock, SystemClock
from seedtrust.core.crypto import Keyring
from seedtrust.core.locations import templates_folder
from seedtrust.domain import tables as _tables  # noqa: F401 - every table must be known
from seedtrust.domain.documents.intake import Intake
from seedtrust.domain.documents.ports import Storage
from seedtrust.domain.payments.ports import FILE_DROP, HUNTINGTON, Bank, CallLog
from seedtrust.ext import configure_celery, db, reading, ring_the_relay
from seedtrust.gateways.bank import FileDropBank, HttpSandboxControl
from seedtrust.gateways.channel import ClientCertificate, LineTimeouts, log_line
from seedtrust.gateways.clamd import Clamd
from seedtrust.gateways.cleaning import ProcessCleaner
from seedtrust.gateways.huntington import HuntingtonBank
from seedtrust.gateways.mail import SmtpMailer
from seedtrust.gateways.oauth import Client
from seedtrust.gateways.objects import Bucket, ObjectStorage
from seedtrust.gateways.profile import Profile, ProfileRefused, load_profile
from seedtrust.gateways.storage import LocalStorage
from seedtrust.jobs.hints import call_log
from seedtrust.jobs.tools import Tools
from seedtrust.settings import PREFIX, Settings, SettingsRefused
from seedtrust.web import actor, csrf, files, guard, limits, logs, problems, requestid, webhooks
from seedtrust.web.assets import init_assets
from seedtrust.web.formatting import init_formatting
from seedtrust.web.guard import PUBLIC, Door, requires
from seedtrust.web.headers import init_headers
from seedtrust.web.theme import init_theme

# Endpoints of the user interface kit and of libraries, whose views carry no mark of their own.
_OPEN_ENDPOINTS: Final = ("assets.serve", "theme.choose")


class AsciiConverter(UnicodeConverter):
    """A part of an address: references are ASCII, and MariaDB compares them with nothing else."""

    def __init__(self, url_map: Map, **limits: Any) -> None:
        """Take visible ASCII characters only."""
        super().__init__(url_map, **limits)
        self.regex = self.regex.replace("[^/]", "[!-.0-~]")


def create_app(settings: Settings, *, clock: Clock | None = None) -> Flask:
    """Return the application for these settings; tests pass a clock that they move.

    Raises RouteUndeclared when a route lacks a permission.
    """
    logs.configure_logs(settings)
    app = Flask("seedtrust", static_folder=None, template_folder=str(templates_folder()))
    app.config.update(_flask_config(settings))
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.converters["default"] = AsciiConverter
    app.jinja_env.undefined = StrictUndefined
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.extensions["seedtrust"] = actor.Wiring(
        settings=settings,
        clock=clock or SystemClock(),
        keyring=make_keyring(settings),
        intake=make_intake(settings),
    )
    db.init_app(app)
    configure_celery(settings.broker_url, settings.broker_dir)
    _init_web(app, settings)
    admin.register(app)
    api.register(app)
    webhooks.register(app)
    files.register(app)
    _register_open_routes(app)
    for endpoint in _OPEN_ENDPOINTS:
        guard.declare(app, endpoint, PUBLIC)
    guard.assert_complete(app)
    return app


def make_keyring(settings: Settings) -> Keyring:
    """Return the keys that encrypt fields, for the doors and for the worker."""
    return Keyring(settings.field_key_bytes, settings.primary_field_key, settings.index_key_bytes)


def make_intake(settings: Settings) -> Intake:
    """Return what every uploaded file passes, and the storage where it ends."""
    scanner = Clamd.from_url(settings.scanner_url) if settings.scanner_url else None
    return Intake(make_storage(settings), ProcessCleaner(), scanner)


def make_storage(settings: Settings) -> Storage:
    """Return where the bytes of documents lie: a local folder or a bucket."""
    if not settings.keeps_in_bucket:
        return LocalStorage(settings.storage_dir)
    return ObjectStorage(
        Bucket.from_url(
            settings.storage_url,
            endpoint=settings.storage_endpoint,
            region=settings.storage_region,
            access_key=settings.storage_access_key,
            secret_key=settings.storage_secret_key.get_secret_value(),
        )
    )


def make_tools(settings: Settings, *, clock: Clock | None = None) -> Tools:
    """Return what jobs work with: clocks, keys, and the adapters to bank, mail and storage."""
    key = settings.bank_api_key.get_secret_value()
    beside_simulator = settings.business_clock == "database"
    return Tools(
        clock=clock or SystemClock(),
        business_clock=settings.business_clock,
        keyring=make_keyring(settings),
        banks=make_banks(settings, call_log(clock or SystemClock())),
        sandbox=HttpSandboxControl(settings.bank_url, key) if beside_simulator else None,
        mailer=SmtpMailer(settings.smtp_url.get_secret_value(), settings.mail_from),
        storage=make_storage(settings),
        public_base_url=settings.public_base_url,
        session_idle_seconds=settings.session_idle_seconds,
        refresh_grace_seconds=settings.refresh_grace_seconds,
        bank_calls_days=settings.bank_calls_days,
    )


def make_banks(settings: Settings, calls: CallLog = log_line) -> dict[str, Bank]:
    """Return the adapters of all banks by the code that trust accounts name.

    Raises SettingsRefused when the profile of a bank is missing or wrong.
    """
    key = settings.bank_api_key.get_secret_value()
    connect, read = settings.bank_connect_seconds, settings.bank_read_seconds
    certificate, certificate_key = settings.bank_client_certificate, settings.bank_client_key
    timeouts = LineTimeouts(connect, read)
    return {
        FILE_DROP: FileDropBank(
            settings.bank_url, key, settings.bank_dir, timeouts, call_log=calls
        ),
        HUNTINGTON: HuntingtonBank(
            settings.bank_interface_url or settings.bank_url,
            Client(settings.bank_client_id, settings.bank_client_secret.get_secret_value() or key),
            bank_profile(settings),
            timeouts=timeouts,
            certificate=(
                None
                if certificate is None or certificate_key is None
                else ClientCertificate(certificate, certificate_key)
            ),
            authority=settings.bank_authority,
            call_log=calls,
        ),
    }


def bank_profile(settings: Settings) -> Profile:
    """Return the profile that the settings name. Raises SettingsRefused with every fault of it."""
    try:
        return load_profile(settings.bank_profile)
    except ProfileRefused as refused:
        message = f"{PREFIX}BANK_PROFILE: {refused}"
        raise SettingsRefused(message) from None


def _flask_config(settings: Settings) -> dict[str, object]:
    secure = settings.cookie_secure
    return {
        "ENV_NAME": settings.env.value,
        "TESTING": False,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "SQLALCHEMY_DATABASE_URI": settings.database_url.get_secret_value(),
        "SESSION_COOKIE_NAME": "__Host-seedtrust" if secure else "seedtrust",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "MAX_CONTENT_LENGTH": settings.max_request_bytes,
        "MAX_FORM_MEMORY_SIZE": 2_000_000,
        "MAX_FORM_PARTS": 1_000,
        "WTF_CSRF_SSL_STRICT": secure,
    }


def _init_web(app: Flask, settings: Settings) -> None:
    # Order matters: the id first, then the log, forged forms, and last who is allowed what.
    requestid.init_request_ids(app)
    logs.init_request_log(app)
    init_assets(app, docs.SOURCES)
    init_headers(app)
    init_formatting(app)
    init_theme(app)
    csrf.init_csrf(app)
    limits.init_limits(app, settings)
    problems.init_problems(app)
    guard.init_guard(app, {Door.ADMIN: admin.authenticate, Door.API: api.authenticate})
    app.after_request(_ring_after_changes)
    app.context_processor(_template_values)


def _ring_after_changes(response: Response) -> Response:
    """Wake the relay for what an act promised; without a queue the next tick finds it."""
    if (
        request.method not in {"GET", "HEAD", "OPTIONS"}
        and response.status_code < HTTPStatus.BAD_REQUEST
    ):
        ring_the_relay()
    return response


def _template_values() -> dict[str, object]:
    return {
        "actor": actor.actor_or_none(),
        "may": actor.may,
        "app_version": __version__,
        "environment": actor.current_settings().env.value,
    }


def _register_open_routes(app: Flask) -> None:
    @app.get("/", endpoint="start")
    @requires(PUBLIC)
    def _start() -> ResponseReturnValue:
        return redirect(url_for("admin.home"), code=303)

    @app.get("/health/live", endpoint="health_live")
    @requires(PUBLIC)
    def _live() -> ResponseReturnValue:
        return {"status": "ok"}

    @app.get("/health/ready", endpoint="health_ready")
    @requires(PUBLIC)
    def _ready() -> ResponseReturnValue:
        reading(lambda session: session.execute(text("SELECT 1")))
        return {"status": "ok"}
