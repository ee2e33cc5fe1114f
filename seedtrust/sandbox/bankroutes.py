"""The HTTP surface of the sandbox bank that its customers use."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, request

from seedtrust.sandbox import (
    accounts,
    books,
    events,
    files,
    paymentbook,
    payments,
    settings,
    webhooks,
)
from seedtrust.sandbox import statements as statement_makers
from seedtrust.sandbox.bank import clock_as_json
from seedtrust.sandbox.replies import (
    day_argument,
    json_body,
    json_body_if_any,
    number_argument,
    reply,
    the_bank,
)

bank_surface = Blueprint("bank", __name__, url_prefix="/v1")


@bank_surface.get("/health")
def health() -> Response:
    """Say that the bank is open, and what time it is there."""
    with the_bank().unit() as connection:
        return reply({"status": "ok", "sandbox": True} | clock_as_json(connection))


@bank_surface.get("/accounts")
def list_accounts() -> Response:
    """List the accounts."""
    with the_bank().unit() as connection:
        rows = accounts.everyone(connection)
        return reply({"data": [accounts.as_json(connection, row) for row in rows]})


@bank_surface.get("/accounts/<account_id>/balances")
def show_balances(account_id: str) -> Response:
    """Show ledger and available balance, now or at the end of a day."""
    as_of = day_argument("as_of", is_required=False)
    with the_bank().unit() as connection:
        return reply(accounts.balances(connection, account_id, as_of))


@bank_surface.get("/accounts/<account_id>/transactions")
def list_transactions(account_id: str) -> Response:
    """List posted transactions, oldest first; both dates count."""
    first = day_argument("from", is_required=False) or date.min
    last = day_argument("to", is_required=False) or date.max
    with the_bank().unit() as connection:
        accounts.require(connection, account_id)
        rows = books.lines_between(connection, account_id, first, last)
        return reply({"data": [books.line_as_json(row) for row in rows]})


@bank_surface.post("/payments")
def create_payment() -> Response:
    """Take a payment; the client reference makes it safe to send again."""
    wanted = payments.parse(json_body())
    bank = the_bank()
    with bank.unit() as connection:
        row, is_replay = payments.ask(connection, wanted, bank.real.now())
        body = paymentbook.as_json(connection, row)
    return reply(body, 200 if is_replay else 201, is_replay=is_replay)


@bank_surface.get("/payments")
def list_payments() -> Response:
    """Find payments by their client reference; the list is empty if there is none."""
    bank = the_bank()
    with bank.unit() as connection:
        rows = paymentbook.search(
            connection,
            request.args.get("client_reference"),
            settings.read(connection),
            bank.real.now(),
        )
        return reply({"data": [paymentbook.as_json(connection, row) for row in rows]})


@bank_surface.get("/payments/<payment_id>")
def show_payment(payment_id: str) -> Response:
    """Show a payment."""
    with the_bank().unit() as connection:
        row = paymentbook.require(connection, payment_id)
        return reply(paymentbook.as_json(connection, row))


@bank_surface.post("/payments/<payment_id>/cancel")
def cancel_payment(payment_id: str) -> Response:
    """Stop a payment that has not been sent."""
    with the_bank().unit() as connection:
        return reply(payments.cancel(connection, payment_id))


@bank_surface.get("/files")
def list_files() -> Response:
    """Find files by hash or client reference; the list is empty if there is none."""
    with the_bank().unit() as connection:
        rows = files.search(
            connection, request.args.get("sha256"), request.args.get("client_reference")
        )
        return reply({"data": [files.as_json(connection, row) for row in rows]})


@bank_surface.get("/files/<file_id>")
def show_file(file_id: str) -> Response:
    """Show a file."""
    with the_bank().unit() as connection:
        row = files.require_text(connection, file_id)
        return reply(files.as_json(connection, row))


@bank_surface.post("/files/<file_id>/control-totals")
def give_totals(file_id: str) -> Response:
    """Confirm the control totals of a file."""
    sha256, client_reference, totals = files.parse_totals(json_body())
    bank = the_bank()
    with bank.unit() as connection:
        row = files.require_text(connection, file_id)
        row = files.confirm(connection, row, client_reference, sha256, totals)
        body = files.as_json(connection, row)
    bank.drop.write_outbox()
    return reply(body)


@bank_surface.get("/statements")
def show_statement() -> Response:
    """Send the prior-day statement of a date, as BAI2."""
    day = day_argument("date", is_required=True)
    account_id = request.args.get("account_id", "")
    with the_bank().unit() as connection:
        content = statement_makers.content(connection, account_id, day or date.min)
    return Response(content, content_type="text/plain; charset=us-ascii")


@bank_surface.get("/events")
def list_events() -> Response:
    """List events after a cursor, in order."""
    cursor = number_argument("after", 0, 10**18 - 1)
    limit = number_argument("limit", 100, events.MAX_PAGE)
    with the_bank().unit() as connection:
        return reply(events.after(connection, cursor, max(limit, 1)))


@bank_surface.post("/webhook-subscriptions")
def subscribe() -> Response:
    """Have events brought to an address from now on; the secret is in this reply only."""
    body = json_body()
    bank = the_bank()
    with bank.unit() as connection:
        subscription = webhooks.subscribe(connection, body, bank.real.now())
        bank.has_webhooks = True
    return reply(subscription, 201)


@bank_surface.get("/webhook-subscriptions")
def list_subscriptions() -> Response:
    """List the addresses to which events are brought."""
    with the_bank().unit() as connection:
        return reply({"data": webhooks.listed(connection)})


@bank_surface.delete("/webhook-subscriptions/<subscription_id>")
def unsubscribe(subscription_id: str) -> Response:
    """Stop bringing events to an address."""
    bank = the_bank()
    with bank.unit() as connection:
        webhooks.unsubscribe(connection, subscription_id)
        bank.has_webhooks = bool(webhooks.subscriptions(connection))
    return Response(status=204)


@bank_surface.post("/webhook-subscriptions/<subscription_id>/rotate-secret")
def rotate_secret(subscription_id: str) -> Response:
    """Give a subscription a new secret; the old one signs beside it for a while."""
    body = json_body_if_any()
    bank = the_bank()
    with bank.unit() as connection:
        return reply(webhooks.rotate(connection, subscription_id, body, bank.real.now()))
