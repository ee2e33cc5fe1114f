"""The HTTP surface of the sandbox bank."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from datetime import date
from typing import Final

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from seedtrust.sandbox import accounts, books, checks, events, files, settings, settlement, wires
from seedtrust.sandbox import statements as statement_makers
from seedtrust.sandbox.bank import Bank, clock_as_json
from seedtrust.sandbox.problems import ACCOUNT_NUMBER, BankProblem, Values, parse_day

EXTENSION: Final = "sandbox_bank"
BANNER: Final = ("X-Sandbox", "no real money")
LARGEST_BODY: Final = 1_000_000
_TRACE_NUMBER: Final = re.compile(r"[0-9]{15}")
_RETURN_CODE: Final = re.compile(r"R[0-9]{2}")
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")

bank_surface = Blueprint("bank", __name__, url_prefix="/v1")
simulator = Blueprint("simulator", __name__, url_prefix="/sim")


def _bank() -> Bank:
    bank = current_app.extensions[EXTENSION]
    assert isinstance(bank, Bank), "the application was made for a bank"
    return bank


def _reply(body: dict[str, object], status: int = 200, *, is_replay: bool = False) -> Response:
    response = jsonify(body)
    response.status_code = status
    if is_replay:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _body() -> object:
    body = request.get_json(silent=True)
    if body is None:
        message = "Send a JSON object with the content type application/json."
        raise BankProblem("malformed", message)
    return body


def _day_argument(name: str, *, is_required: bool) -> date | None:
    text = request.args.get(name)
    if text is None and not is_required:
        return None
    day = parse_day(text or "")
    if day is None:
        message = "Give a date as YYYY-MM-DD."
        raise BankProblem("invalid", f"{name}: {message}", errors={name: [message]})
    return day


def _number_argument(name: str, default: int, highest: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) > highest:
        message = f"Give a whole number from 0 to {highest}."
        raise BankProblem("invalid", f"{name}: {message}", errors={name: [message]})
    return int(text)


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise BankProblem("malformed", "The Idempotency-Key has at most 200 visible characters.")
    return key


@bank_surface.get("/health")
def health() -> Response:
    """Say that the bank is open, and what time it is there."""
    with _bank().unit() as connection:
        return _reply({"status": "ok", "sandbox": True} | clock_as_json(connection))


@bank_surface.get("/accounts")
def list_accounts() -> Response:
    """List the accounts."""
    with _bank().unit() as connection:
        rows = accounts.everyone(connection)
        return _reply({"data": [accounts.as_json(connection, row) for row in rows]})


@bank_surface.get("/accounts/<account_id>/balances")
def show_balances(account_id: str) -> Response:
    """Show ledger and available balance, now or at the end of a day."""
    as_of = _day_argument("as_of", is_required=False)
    with _bank().unit() as connection:
        return _reply(accounts.balances(connection, account_id, as_of))


@bank_surface.get("/accounts/<account_id>/transactions")
def list_transactions(account_id: str) -> Response:
    """List posted transactions, oldest first; both dates count."""
    first = _day_argument("from", is_required=False) or date.min
    last = _day_argument("to", is_required=False) or date.max
    with _bank().unit() as connection:
        accounts.require(connection, account_id)
        rows = books.lines_between(connection, account_id, first, last)
        return _reply({"data": [books.line_as_json(row) for row in rows]})


@bank_surface.post("/payments")
def create_payment() -> Response:
    """Take a wire; the client reference makes it safe to send again."""
    wanted = wires.parse_payment(_body())
    with _bank().unit() as connection:
        row, is_replay = wires.send(connection, wanted)
        body = wires.payment_as_json(connection, row)
    return _reply(body, 200 if is_replay else 201, is_replay=is_replay)


@bank_surface.get("/payments")
def list_payments() -> Response:
    """Find a payment by its client reference; the list is empty if there is none."""
    with _bank().unit() as connection:
        rows = wires.payments(connection, request.args.get("client_reference"))
        return _reply({"data": [wires.payment_as_json(connection, row) for row in rows]})


@bank_surface.get("/payments/<payment_id>")
def show_payment(payment_id: str) -> Response:
    """Show a payment."""
    with _bank().unit() as connection:
        row = wires.require_payment(connection, payment_id)
        return _reply(wires.payment_as_json(connection, row))


@bank_surface.get("/files")
def list_files() -> Response:
    """Find files by hash or client reference; the list is empty if there is none."""
    with _bank().unit() as connection:
        rows = files.search(
            connection, request.args.get("sha256"), request.args.get("client_reference")
        )
        return _reply({"data": [files.as_json(connection, row) for row in rows]})


@bank_surface.get("/files/<file_id>")
def show_file(file_id: str) -> Response:
    """Show a file."""
    with _bank().unit() as connection:
        row = files.require_text(connection, file_id)
        return _reply(files.as_json(connection, row))


@bank_surface.post("/files/<file_id>/control-totals")
def give_totals(file_id: str) -> Response:
    """Confirm the control totals of a file."""
    sha256, client_reference, totals = files.parse_totals(_body())
    bank = _bank()
    with bank.unit() as connection:
        row = files.require_text(connection, file_id)
        row = files.confirm(connection, row, client_reference, sha256, totals)
        body = files.as_json(connection, row)
    bank.drop.write_outbox()
    return _reply(body)


@bank_surface.get("/statements")
def show_statement() -> Response:
    """Send the prior-day statement of a date, as BAI2."""
    day = _day_argument("date", is_required=True)
    account_id = request.args.get("account_id", "")
    with _bank().unit() as connection:
        content = statement_makers.content(connection, account_id, day or date.min)
    return Response(content, content_type="text/plain; charset=us-ascii")


@bank_surface.get("/events")
def list_events() -> Response:
    """List events after a cursor, in order."""
    cursor = _number_argument("after", 0, 10**18 - 1)
    limit = _number_argument("limit", 100, events.MAX_PAGE)
    with _bank().unit() as connection:
        return _reply(events.after(connection, cursor, max(limit, 1)))


@simulator.get("/clock")
def show_clock() -> Response:
    """Show the bank's time."""
    with _bank().unit() as connection:
        return _reply(clock_as_json(connection))


@simulator.put("/clock")
def move_clock() -> Response:
    """Move the bank's time forward, through all that is due."""
    values = Values(_body())
    target = values.instant("now")
    values.done()
    bank = _bank()
    steps = bank.move_clock(target)
    with bank.unit() as connection:
        return _reply(clock_as_json(connection) | {"steps": steps})


@simulator.post("/scan")
def scan() -> Response:
    """Look into the drop folder now."""
    result = _bank().scan()
    return _reply({"files": result.files, "totals": result.totals})


@simulator.get("/settings")
def show_settings() -> Response:
    """Show the switches."""
    with _bank().unit() as connection:
        return _reply(settings.as_json(connection))


@simulator.put("/settings")
def change_settings() -> Response:
    """Turn the switches that the body names."""
    body = _body()
    with _bank().unit() as connection:
        settings.change(connection, body)
        return _reply(settings.as_json(connection))


@simulator.post("/accounts")
def open_account() -> Response:
    """Open an account; the same body again changes nothing."""
    new = accounts.parse(_body())
    with _bank().unit() as connection:
        row, is_new = accounts.open_account(connection, new)
        body = accounts.as_json(connection, row)
    return _reply(body, 201 if is_new else 200, is_replay=not is_new)


@simulator.post("/inbound/wire")
def receive_wire() -> Response:
    """Have somebody send a wire to an account; an Idempotency-Key makes it safe to repeat."""
    key = _idempotency_key()
    wanted = wires.parse_inbound(_body())
    with _bank().unit() as connection:
        row, is_replay = wires.receive(connection, wanted, key)
        body = wires.inbound_as_json(connection, row)
    status = 202 if row["status"] == "queued" else 201
    return _reply(body, 200 if is_replay else status, is_replay=is_replay)


@simulator.post("/inbound/check-deposit")
def deposit_check() -> Response:
    """Have a check deposited to an account; an Idempotency-Key makes it safe to repeat."""
    key = _idempotency_key()
    wanted = wires.parse_inbound(_body())
    with _bank().unit() as connection:
        row, is_replay = checks.deposit(connection, wanted, key)
        body = checks.as_json(connection, row)
    status = 202 if row["status"] == "queued" else 201
    return _reply(body, 200 if is_replay else status, is_replay=is_replay)


@simulator.post("/deposits/<deposit_id>/return")
def return_deposit(deposit_id: str) -> Response:
    """Have a deposited check bounce on the next banking day; ordering it again changes nothing."""
    values = Values(_body())
    reason = values.text("reason", longest=60)
    values.done()
    with _bank().unit() as connection:
        row, is_replay = checks.order_return(connection, deposit_id, reason)
        body = checks.as_json(connection, row)
    return _reply(body, 200 if is_replay else 202, is_replay=is_replay)


@simulator.post("/counterparties/close")
def close_counterparty() -> Response:
    """Close an account at another bank; entries that settle from that day on come back R02."""
    values = Values(_body())
    routing_number = values.routing_number("routing_number")
    account_number = values.text("account_number", longest=17, pattern=ACCOUNT_NUMBER)
    closed_on = values.day("on")
    values.done()
    with _bank().unit() as connection:
        settlement.close_counterparty(connection, routing_number, account_number, closed_on)
    return _reply(
        {
            "routing_number": routing_number,
            "account_number_last4": account_number[-4:],
            "on": closed_on.isoformat(),
        }
    )


@simulator.post("/entries/return")
def return_entry() -> Response:
    """Have an entry come back with a return code, in the time that the rules give."""
    values = Values(_body())
    trace_number = values.text("trace_number", longest=15, pattern=_TRACE_NUMBER)
    code = values.text("code", longest=3, pattern=_RETURN_CODE)
    values.done()
    with _bank().unit() as connection:
        return _reply(settlement.order_return(connection, trace_number, code), 202)


@simulator.get("/ledger")
def show_ledger() -> Response:
    """Show the trial balance and the proof of the bank's books."""
    with _bank().unit() as connection:
        return _reply(books.proof(connection))


def _authenticator(api_key: str) -> Callable[[], None]:
    expected = f"Bearer {api_key}".encode()

    def check() -> None:
        if request.endpoint == "bank.health":
            return
        given = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, expected):
            raise BankProblem("unauthenticated", "Send the bank's API key as a bearer token.")

    return check


def _as_problem(problem: BankProblem) -> Response:
    response = _reply(problem.as_json(), problem.status)
    response.content_type = "application/problem+json"
    if problem.status == 401:  # noqa: PLR2004 - the HTTP status itself
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _as_http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    response = _reply(
        {
            "type": "about:blank",
            "title": error.name,
            "status": status,
            "detail": error.description or error.name,
            "code": error.name.lower().replace(" ", "_"),
        },
        status,
    )
    response.content_type = "application/problem+json"
    return response


def _mark(response: Response) -> Response:
    response.headers[BANNER[0]] = BANNER[1]
    return response


def build_app(bank: Bank, api_key: str) -> Flask:
    """Return the application that speaks for a bank."""
    app = Flask("seedtrust.sandbox", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.extensions[EXTENSION] = bank
    app.register_blueprint(bank_surface)
    app.register_blueprint(simulator)
    app.before_request(_authenticator(api_key))
    app.after_request(_mark)
    app.register_error_handler(BankProblem, _as_problem)
    app.register_error_handler(HTTPException, _as_http_problem)
    return app
