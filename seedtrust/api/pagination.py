"""Lists: `?limit=&cursor=`, answered by `{"data": [...], "next_cursor": ...}`.

    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(LedgerLineOutput))
    def ledger(query: dict[str, Any], reference: str) -> Page:
        return paginate(
            query,
            lambda after, limit: reading(
                lambda session: ledger.lines(session, actor, reference, after=after, limit=limit)
            ),
            position=lambda line: [line.effective_on.isoformat(), line.id],
        )

A position is what the list is ordered by; it must name one place, so it ends with an id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, TypeVar

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from marshmallow import fields, validate

from seedtrust.api.schemas import Input, Output
from seedtrust.core.errors import Invalid

Item = TypeVar("Item")
Position = list[str | int | None]
DEFAULT_LIMIT: Final = 50
MOST: Final = 200


class PageQuery(Input):
    """How much of a list, and from where."""

    limit = fields.Integer(
        load_default=DEFAULT_LIMIT,
        validate=validate.Range(min=1, max=MOST),
        metadata={"description": f"How many items, up to {MOST}"},
    )
    cursor = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=500),
        metadata={"description": "`next_cursor` of the page before"},
    )


@cache
def page_of(item: type[Output]) -> type[Output]:
    """Return the schema of a page of these items."""
    name = item.__name__.removesuffix("Output") + "Page"
    made: type[Output] = Output.from_dict(  # type: ignore[assignment]
        {
            "data": fields.List(fields.Nested(item), required=True),
            "next_cursor": fields.String(
                required=True,
                allow_none=True,
                metadata={"description": "Give it back as `cursor`; null at the end"},
            ),
        },
        name=name,
    )
    return made


def paginate(
    query: dict[str, Any],
    fetch: Callable[[Position | None, int], Sequence[Item]],
    position: Callable[[Item], Position],
) -> dict[str, Any]:
    """Return one page; `fetch(after, limit)` is asked for one item more than the page holds.

    Raises Invalid for a cursor that we did not make for this list.
    """
    limit: int = query["limit"]
    found = fetch(read_cursor(query["cursor"]), limit + 1)
    items = list(found[:limit])
    more = len(found) > limit
    return {"data": items, "next_cursor": make_cursor(position(items[-1])) if more else None}


def _serializer() -> URLSafeSerializer:
    # A cursor is good for its own list only.
    salt = f"cursor {request.url_rule}"
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=salt)


def make_cursor(position: Position) -> str:
    """Return a position as opaque text that clients cannot forge."""
    text: str = _serializer().dumps(position)
    return text


def read_cursor(text: str | None) -> Position | None:
    """Return the position that a cursor holds. Raises Invalid for a foreign one."""
    if text is None:
        return None
    try:
        position: Position = _serializer().loads(text)
    except BadSignature as error:
        message = "This cursor was not made by this list. Start again without one."
        raise Invalid(message, errors={"cursor": [message]}) from error
    return position
