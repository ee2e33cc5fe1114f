"""Writes that are repeated have one effect, through HTTP."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask, Response
from marshmallow import fields
from sqlalchemy import text
from sqlalchemy.orm import Session

from seedtrust.api.blueprint import ApiBlueprint
from seedtrust.api.idempotency import idempotent
from seedtrust.api.schemas import Input
from seedtrust.core.errors import Conflict
from seedtrust.core.permissions import Role
from seedtrust.domain.audit import queries
from seedtrust.domain.audit.service import record
from seedtrust.ext import reading
from seedtrust.web.actor import clock_now, current_actor
from seedtrust.web.guard import SIGNED_IN, requires
from tests.support.databases import on_both_databases
from tests.support.doors import ApiClient, person_in

KEY = "a-key-of-my-own-1"


class ProbeInput(Input):
    """What the probe takes."""

    word = fields.String(required=True)


@pytest.fixture
def program(app: Flask) -> ApiClient:
    """Return a signed-in program at an application with a write that leaves an audit row."""
    blueprint = ApiBlueprint("probe", description="For tests")

    @blueprint.route("/probe/<part>", methods=["POST"])
    @requires(SIGNED_IN)
    @blueprint.arguments(ProbeInput)
    @blueprint.response(201)
    def write(values: dict[str, str], part: str) -> Response:
        actor, now = current_actor(), clock_now()

        def work(session: Session) -> tuple[dict[str, Any], int]:
            event = record(session, actor, "probe.written", "probe", "1", now=now)
            if values["word"] == "refuse":
                message = "Not this word."
                raise Conflict(message)
            return {"id": str(event.id), "word": values["word"], "part": part}, 201

        return idempotent(work)

    app.extensions["flask-smorest"]["apis"][""]["ext_obj"].register_blueprint(blueprint)
    client = ApiClient(app)
    client.sign_in(person_in(app, Role.DONOR, seed=None))
    return client


def effects(app: Flask) -> int:
    with app.app_context():
        return len(reading(lambda session: queries.of_subject(session, "probe", "1")))


@on_both_databases
def test_a_repeated_call_gets_the_first_answer_and_has_one_effect(
    app: Flask, program: ApiClient
) -> None:
    first = program.post("/probe/a", {"word": "hello"}, key=KEY)
    again = program.post("/probe/a", {"word": "hello"}, key=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert effects(app) == 1


def test_members_may_come_in_another_order(program: ApiClient) -> None:
    program.call(
        "POST",
        "/probe/a",
        data=b'{"word": "hello"}',
        content_type="application/json",
        headers={"Idempotency-Key": KEY},
    )
    again = program.call(
        "POST",
        "/probe/a",
        data=b'{ "word" : "hello" }',
        content_type="application/json",
        headers={"Idempotency-Key": KEY},
    )
    assert again.headers["Idempotency-Replayed"] == "true"


@on_both_databases
@pytest.mark.parametrize("path,word", [("/probe/a", "other"), ("/probe/b", "hello")])
def test_the_same_key_with_another_request_is_refused(
    app: Flask, program: ApiClient, path: str, word: str
) -> None:
    program.post("/probe/a", {"word": "hello"}, key=KEY)
    refused = program.post(path, {"word": word}, key=KEY)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "idempotency_key_reused")
    assert effects(app) == 1


def test_a_refusal_stores_nothing_so_the_key_stays_free(app: Flask, program: ApiClient) -> None:
    refused = program.post("/probe/a", {"word": "refuse"}, key=KEY)
    assert (refused.status_code, effects(app)) == (409, 0)
    assert program.post("/probe/a", {"word": "hello"}, key=KEY).status_code == 201


def test_a_key_belongs_to_its_caller(app: Flask, program: ApiClient) -> None:
    program.post("/probe/a", {"word": "hello"}, key=KEY)
    other = ApiClient(app)
    other.sign_in(person_in(app, Role.DONOR, seed=None))
    answer = other.post("/probe/a", {"word": "hello"}, key=KEY)
    assert "Idempotency-Replayed" not in answer.headers
    assert effects(app) == 2


def test_without_a_key_nothing_is_written(app: Flask, program: ApiClient) -> None:
    refused = program.post("/probe/a", {"word": "hello"})
    assert (refused.status_code, refused.get_json()["code"]) == (400, "idempotency_key_missing")
    assert effects(app) == 0


@pytest.mark.parametrize("key", ["short", "x" * 101, "with blanks in it", "caf\u00e9-caf\u00e9"])
def test_a_key_of_the_wrong_shape_is_refused(program: ApiClient, key: str) -> None:
    refused = program.post("/probe/a", {"word": "hello"}, key=key)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "invalid")


@on_both_databases
def test_twins_at_the_same_time_have_one_effect(app: Flask, program: ApiClient) -> None:
    answers: list[tuple[int, str | None]] = []
    barrier = threading.Barrier(8)

    def call() -> None:
        twin = ApiClient(app, program.access_token)
        barrier.wait()
        answer = twin.post("/probe/a", {"word": "hello"}, key=KEY)
        answers.append((answer.status_code, answer.headers.get("Idempotency-Replayed")))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert effects(app) == 1
    assert len([status for status, replayed in answers if status == 201 and not replayed]) == 1
    assert {status for status, _ in answers} <= {201, 409}


def test_the_answer_is_kept_in_the_transaction_of_its_effect(
    app: Flask, program: ApiClient
) -> None:
    program.post("/probe/a", {"word": "hello"}, key=KEY)
    with app.app_context():
        kept = reading(
            lambda session: session.execute(
                text("SELECT status, response FROM idempotency_keys")
            ).all()
        )
    assert len(kept) == 1
    assert kept[0].status == 201
    assert '"word":"hello"' in kept[0].response
