"""Writes that may be repeated: the wrapper that owns the unit of work of a POST."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any, Final

from flask import Response, current_app, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seedtrust.core.db import canonical_json, is_duplicate_key
from seedtrust.core.errors import IdempotencyKeyMissing, Invalid
from seedtrust.domain.idempotency import service
from seedtrust.domain.idempotency.service import FirstAnswer
from seedtrust.ext import in_transaction
from seedtrust.web.actor import clock_now, current_actor, keyring

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
_KEY: Final = re.compile(r"[\x21-\x7e]{8,100}")

Work = Callable[[Session], tuple[dict[str, Any], int]]

# For `@blueprint.doc(**ONCE)` above every view that ends with `idempotent`.
ONCE: Final[dict[str, Any]] = {
    "parameters": [
        {
            "in": "header",
            "name": HEADER,
            "required": True,
            "description": "A value of your own, the same for every repetition of this call",
            "schema": {"type": "string", "minLength": 8, "maxLength": 100},
        }
    ],
    "responses": {400: "BAD_REQUEST", 409: "CONFLICT", 422: "UNPROCESSABLE_ENTITY"},
}


def idempotent(work: Work) -> Response:
    """Run `work` once per Idempotency-Key and answer its body and status, now and ever after.

    The answer is stored in the transaction of the effect. The same key and request give the first
    answer again with `Idempotency-Replayed: true`; a refusal stores nothing, so the call may be
    repeated. Raises IdempotencyKeyMissing (400), IdempotencyConflict (422), StillRunning (409).
    """
    key = _key_of_request()
    user_id = current_actor().user_id or 0
    route = f"{request.method} {request.url_rule}"[:160]
    body_hash = _hash_of_request()
    now = clock_now()

    def once(session: Session) -> tuple[FirstAnswer, bool]:
        first = service.recall(session, user_id=user_id, route=route, key=key, body_hash=body_hash)
        if first is not None:
            return first, True
        body, status = work(session)
        answer = FirstAnswer(status=status, response=json.dumps(body, separators=(",", ":")))
        service.keep(
            session,
            user_id=user_id,
            route=route,
            key=key,
            body_hash=body_hash,
            answer=answer,
            now=now,
        )
        return answer, False

    try:
        answer, replayed = in_transaction(once)
    except IntegrityError as error:
        if not is_duplicate_key(error) or "idempotency_keys" not in str(error.statement):
            raise
        # A twin committed between our look and our insert: its answer is there now.
        answer, replayed = in_transaction(once)
    response = current_app.response_class(
        answer.response, status=answer.status, mimetype="application/json"
    )
    if replayed:
        response.headers[REPLAYED] = "true"
    return response


def _key_of_request() -> str:
    key = request.headers.get(HEADER, "")
    if not key:
        message = f"Send the header {HEADER} with a value of your own for each new request."
        raise IdempotencyKeyMissing(message)
    if not _KEY.fullmatch(key):
        message = f"The header {HEADER} takes 8 to 100 printable characters without blanks."
        raise Invalid(message, errors={HEADER: [message]})
    return key


def _hash_of_request() -> str:
    body = request.get_json(silent=True)
    if body is None and request.content_length:
        # Uploads: their fields and the bytes of their files.
        body = {
            "form": sorted(request.form.items(multi=True)),
            "files": sorted(
                (name, _hash_of_stream(file.stream))
                for name, file in request.files.items(multi=True)
            ),
        }
    described = canonical_json([request.path, request.query_string.decode("latin-1"), body])
    # Keyed, because a body may hold a bank account and few numbers have to be tried.
    return keyring().fingerprint(described)


def _hash_of_stream(stream: Any) -> str:
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    stream.seek(0)
    return digest
