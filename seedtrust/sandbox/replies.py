"""What the routes of the sandbox bank share: the bank, the request's values, the reply."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from flask import Response, current_app, jsonify, request

from seedtrust.sandbox.bank import Bank
from seedtrust.sandbox.problems import BankProblem, parse_day

EXTENSION: Final = "sandbox_bank"


def the_bank() -> Bank:
    """Return the bank that this application speaks for."""
    bank = current_app.extensions[EXTENSION]
    assert isinstance(bank, Bank), "the application was made for a bank"
    return bank


def reply(body: dict[str, object], status: int = 200, *, is_replay: bool = False) -> Response:
    """Return a JSON reply; a replay is marked as one."""
    response = jsonify(body)
    response.status_code = status
    if is_replay:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def json_body() -> object:
    """Return the JSON of the request; raise BankProblem if there is none."""
    body = request.get_json(silent=True)
    if body is None:
        message = "Send a JSON object with the content type application/json."
        raise BankProblem("malformed", message)
    return body


def json_body_if_any() -> object:
    """Return the JSON of the request, an empty object if nothing was sent."""
    return json_body() if request.get_data(cache=True) else {}


def day_argument(name: str, *, is_required: bool) -> date | None:
    """Return a date of the query string; raise BankProblem if it is none."""
    text = request.args.get(name)
    if text is None and not is_required:
        return None
    day = parse_day(text or "")
    if day is None:
        message = "Give a date as YYYY-MM-DD."
        raise BankProblem("invalid", f"{name}: {message}", errors={name: [message]})
    return day


def number_argument(name: str, default: int, highest: int) -> int:
    """Return a whole number of the query string; raise BankProblem if it is none."""
    text = request.args.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) > highest:
        message = f"Give a whole number from 0 to {highest}."
        raise BankProblem("invalid", f"{name}: {message}", errors={name: [message]})
    return int(text)
