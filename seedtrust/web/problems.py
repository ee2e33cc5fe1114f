"""Refusals: one handler that answers problem details to the API and pages or messages to people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Self, cast
from urllib.parse import quote, urlsplit

import structlog
from flask import (
    Flask,
    Response,
    current_app,
    jsonify,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from jinja2 import TemplateError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BuildError, RequestRedirect

from seedtrust.core.db import is_retryable
from seedtrust.core.errors import DomainError, SessionEnded, StepUpRequired, Unauthenticated
from seedtrust.web.csrf import API_PREFIX
from seedtrust.web.flashes import flash_note, flash_refusal, page_again
from seedtrust.web.guard import Door, access_of, door_of
from seedtrust.web.requestid import request_id

PROBLEM_TYPE: Final = "application/problem+json"
URN: Final = "urn:seedtrust:problem:"
SIGN_IN: Final = "admin.sign_in"
STEP_UP: Final = "admin.step_up"
HOME: Final = "/admin/"
_BACK_ON_POST: Final = frozenset({409, 422, 429})
_RETRY_SECONDS: Final = "2"
_log = structlog.get_logger("seedtrust.web")

# What a program and a person are told about an HTTP error that is not ours.
HTTP_WORDS: Final[Mapping[int, tuple[str, str, str]]] = {
    400: ("bad_request", "Not understood", "The request could not be read. Correct it."),
    404: ("not_found", "Not found", "There is nothing at this address."),
    405: ("method_not_allowed", "Not possible here", "This address does not take that method."),
    406: ("not_acceptable", "Not acceptable", "This address cannot answer in the type asked for."),
    408: ("request_timeout", "Too slow", "The request took too long to arrive. Try again."),
    413: ("too_large", "Too large", "The request is larger than this address takes."),
    414: ("too_large", "Too large", "The address is too long."),
    415: ("unsupported_media_type", "Wrong type", "Send the body as JSON."),
    422: ("invalid", "Please check what you entered", "Some fields need another value."),
    429: ("too_many_requests", "Too many requests", "Wait a moment, then try again."),
    431: ("too_large", "Too large", "The headers are too large."),
    503: ("unavailable", "Temporarily unavailable", "Try again in a moment; nothing was done."),
}
INTERNAL: Final = (
    "internal",
    "Something went wrong on our side",
    "Nothing was lost. Try again, and tell us the number below if it happens again.",
)


_NEXT_STEP: Final = "Go back, check what you entered, and try again."
_NEXT_STEPS: Final[Mapping[int, str]] = {
    400: "Go back, reload the page, and try again.",
    403: "Go back, or ask an administrator for the role that you need.",
    404: "Check the address, or go back and search for what you need.",
    429: "Wait a moment, then go back and try again.",
    500: "Go back and try again. If it happens again, tell us the number below.",
    503: "Wait a moment, then go back and try again.",
}


class CodedMessage(str):
    """A field's message that carries the code which the whole refusal should have."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, text: str, code: str) -> Self:
        """Keep the code beside the text."""
        message = super().__new__(cls, text)
        message.code = code
        return message


class Problem:
    """A refusal on its way out: what RFC 9457 asks for, and our extension members."""

    def __init__(
        self,
        *,
        code: str,
        title: str,
        status: int,
        detail: str,
        errors: Mapping[str, list[str]] | None = None,
        facts: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep the parts."""
        self.code = code
        self.title = title
        self.status = status
        self.detail = detail
        self.errors = dict(errors or {})
        self.facts = dict(facts or {})
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """Return the JSON object; facts never replace a member of the standard."""
        members: dict[str, object] = {
            **self.facts,
            "type": f"{URN}{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": request_id(),
            "code": self.code,
        }
        if self.errors:
            members["errors"] = self.errors
        return members

    def as_json(self) -> Response:
        """Return the answer for a program."""
        response = jsonify(self.body())
        response.status_code = self.status
        response.content_type = PROBLEM_TYPE
        response.headers.update(self.headers)
        return response

    def as_page(self) -> Response:
        """Return the answer for a person."""
        values = {
            "title": self.title,
            "sentence": self.detail,
            "next_step": _NEXT_STEPS.get(self.status, _NEXT_STEP),
            "request_id": request_id(),
            "back_href": safe_path(request.referrer) or "/",
            "back_label": "Go back",
            "status": self.status,
        }
        try:
            body = render_template("errors/error.html", **values)
        except TemplateError as error:
            _log.exception("page.failed", error=type(error).__name__)
            body = render_template("errors/plain.html", **values)
        response = current_app.make_response((body, self.status))
        response.headers.update(self.headers)
        return response


def problem_of(error: DomainError) -> Problem:
    """Return the problem that a domain error stands for."""
    headers: dict[str, str] = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = _challenge(error)
    if "retry_after_seconds" in error.facts:
        headers["Retry-After"] = str(error.facts["retry_after_seconds"])
    elif error.status == 503 or error.code == "still_running":  # noqa: PLR2004 - service unavailable
        headers["Retry-After"] = _RETRY_SECONDS
    return Problem(
        code=error.code,
        title=error.title,
        status=error.status,
        detail=error.detail,
        errors=error.errors,
        facts=error.facts,
        headers=headers,
    )


def _challenge(error: Unauthenticated) -> str:
    # RFC 6750 section 3 and, for a step-up, RFC 9470 section 3.
    if error.code == "unauthenticated":
        return 'Bearer realm="seedtrust"'
    name = error.code if isinstance(error, StepUpRequired) else "invalid_token"
    parts = ['realm="seedtrust"', f'error="{name}"', f'error_description="{error.detail}"']
    if "max_age" in error.facts:
        parts.append(f'max_age="{error.facts["max_age"]}"')
    return "Bearer " + ", ".join(parts)


def _problem_of_http(error: HTTPException) -> Problem:
    status = error.code or 500
    code, title, detail = HTTP_WORDS.get(status, INTERNAL)
    headers = {
        name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}
    }
    fields, field_code = _field_errors(getattr(error, "data", None))
    return Problem(
        code=field_code or code,
        title=title,
        status=status,
        detail=_detail_of(fields) or detail,
        errors=fields,
        headers=headers,
    )


def _detail_of(fields: Mapping[str, list[str]]) -> str | None:
    if len(fields) != 1:
        return None
    return next(iter(fields.values()))[0]


def _field_errors(data: Any) -> tuple[dict[str, list[str]], str | None]:
    """Flatten the messages of a parsed body to `lines.0.amount_cents`, with their common code."""
    messages = (data or {}).get("messages") if isinstance(data, dict) else None
    if not isinstance(messages, dict):
        return {}, None
    fields: dict[str, list[str]] = {}
    codes: set[str | None] = set()
    for held in messages.values():
        for path, message in _walk(held, ()):
            fields.setdefault(".".join(path) or "body", []).append(str(message))
            codes.add(getattr(message, "code", None))
    common = codes.pop() if len(codes) == 1 else None
    return fields, common


def _walk(held: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(held, Mapping):
        for key, inner in held.items():
            # marshmallow files whole-schema messages under _schema.
            yield from _walk(inner, path if key == "_schema" else (*path, str(key)))
    elif isinstance(held, list):
        for inner in held:
            yield from _walk(inner, path)
    else:
        yield path, held


# Browsers drop control characters and read a backslash as a slash.
_ODD_IN_ADDRESS: Final = re.compile(r"[\x00-\x20\x7f\\]")


def safe_path(address: str | None) -> str | None:
    """Return path and query of an address of ours, or None: never a way to another site."""
    if not address or address.startswith("//") or _ODD_IN_ADDRESS.search(address):
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.netloc and parts.netloc != request.host:
        return None
    if parts.scheme not in {"", "http", "https"} or (parts.scheme and not parts.netloc):
        return None
    if not parts.path.startswith("/") or parts.path.startswith("//"):
        return None
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def back_path() -> str:
    """Return the page that a refused form came from: ours by referrer, else as declared."""
    found = safe_path(request.referrer)
    if found is not None and found != request.full_path.rstrip("?"):
        return found
    endpoint = request.endpoint or ""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way
    access = access_of(app, endpoint, request.method) if endpoint else None
    if access is not None and access.back is not None:
        try:
            return url_for(access.back, **(request.view_args or {}))
        except BuildError:
            return HOME
    return found or HOME


def _to_sign_in(error: Unauthenticated) -> ResponseReturnValue:
    wanted = (
        request.full_path.rstrip("?") if request.method == "GET" else safe_path(request.referrer)
    )
    endpoint = STEP_UP if isinstance(error, StepUpRequired) else SIGN_IN
    if isinstance(error, SessionEnded):
        session.clear()
        flash_note(error.detail)
    target = url_for(endpoint)
    if wanted and wanted not in {HOME, "/"}:
        target = f"{target}?next={quote(wanted, safe='/')}"
    return redirect(target, code=303)


def _is_api() -> bool:
    return request.path.startswith(API_PREFIX) or request.path == API_PREFIX.rstrip("/")


def handle_domain_error(error: DomainError) -> ResponseReturnValue:
    """Answer a refusal of ours by the door it came through."""
    problem = problem_of(error)
    if _is_api():
        return problem.as_json()
    if door_of(request.blueprint) is Door.ADMIN:
        if isinstance(error, Unauthenticated):
            return _to_sign_in(error)
        if request.method == "POST" and error.status in _BACK_ON_POST:
            flash_refusal(error)
            again = page_again(error)
            if again is None:
                return redirect(back_path(), code=303)
            answer = current_app.make_response(again())
            answer.status_code = error.status
            return answer
    return problem.as_page()


def handle_http_exception(error: HTTPException) -> ResponseReturnValue:
    """Answer an error of the protocol; replaces flask-smorest's handler, which answers JSON."""
    if isinstance(error, RequestRedirect):
        return cast("ResponseReturnValue", error.get_response())
    problem = _problem_of_http(error)
    return problem.as_json() if _is_api() else problem.as_page()


def handle_unexpected(error: Exception) -> ResponseReturnValue:
    """Answer what nobody foresaw: 503 when the database is too busy, else 500, with the id only."""
    if isinstance(error, DBAPIError) and is_retryable(error):
        code, title, detail = HTTP_WORDS[503]
        problem = Problem(
            code=code,
            title=title,
            status=503,
            detail=detail,
            headers={"Retry-After": _RETRY_SECONDS},
        )
    else:
        code, title, detail = INTERNAL
        problem = Problem(code=code, title=title, status=500, detail=detail)
    _log.error("request.failed", error=type(error).__name__, exc_info=error)
    return problem.as_json() if _is_api() else problem.as_page()


def init_problems(app: Flask) -> None:
    """Install the three handlers."""
    app.register_error_handler(DomainError, handle_domain_error)
    app.register_error_handler(HTTPException, handle_http_exception)
    app.register_error_handler(Exception, handle_unexpected)
