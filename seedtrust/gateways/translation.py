"""Between our words and a bank's: bodies, pictures of payments and events, by its profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Literal

from seedtrust.domain.payments.ports import (
    BankEvent,
    BankStatus,
    CorrectionNotice,
    EventPage,
    PaymentOrder,
    PaymentSnapshot,
    ReturnNotice,
    Subscription,
)
from seedtrust.gateways.profile import Profile

Json = Mapping[str, object]
Amounts = Literal["cents", "decimal"]


class Unreadable(ValueError):
    """What the bank sent is not what its profile says."""


def body_of(order: PaymentOrder, profile: Profile) -> Json:
    """Return the body that asks this bank for a payment."""
    part, words = profile.create, profile.words
    cents = order.amount_cents
    values: dict[str, object] = {
        part.client_reference: order.client_reference,
        part.rail: words.rails["ach" if order.rail == "ach" else "wire"],
        part.account: order.from_account,
        part.amount: cents if profile.amounts == "cents" else f"{cents // 100}.{cents % 100:02d}",
        part.name: order.beneficiary_name[: part.name_length].strip(),
        part.routing_number: order.routing_number,
        part.account_number: order.account_number,
        part.account_type: words.account_types[
            "savings" if order.account_type == "savings" else "checking"
        ],
        part.party_kind: words.party_kinds[
            "company" if order.party_kind == "company" else "person"
        ],
        part.memo: order.text[: part.memo_length],
        part.requested_on: order.requested_on.isoformat(),
    }
    if order.rail == "ach":
        values |= {
            part.sec_code: order.sec_code,
            part.entry_description: order.entry_description,
            part.company_identification: order.company_identification,
        }
    body: dict[str, object] = {}
    for place, value in values.items():
        _put(body, place, value)
    return body


def snapshot_of(body: Json, profile: Profile) -> PaymentSnapshot:
    """Return the bank's picture of a payment. Raises Unreadable for one that cannot be right."""
    part = profile.payment
    word = text_at(body, part.status)
    status = profile.words.statuses.get(word)
    if status is None:
        message = f"it uses a word for a payment that we do not know, {word[:40]}"
        raise Unreadable(message)
    settled_on = text_at(body, part.settles_on, needed=False)
    is_settled = status in {BankStatus.SETTLED, BankStatus.RETURNED}
    theirs = text_at(body, part.rail, needed=False)
    ours = {their: our for our, their in profile.words.rails.items()}
    return PaymentSnapshot(
        bank_ref=text_at(body, part.id),
        client_reference=text_at(body, part.client_reference),
        amount_cents=whole_cents_at(body, part.amount, profile.amounts),
        status=status,
        word=word,
        settled_on=_day(settled_on) if is_settled and settled_on else None,
        reason=text_at(body, part.reason, needed=False),
        rail=ours.get(theirs, theirs),
        trace_number=text_at(body, part.trace_number, needed=False),
        imad=text_at(body, part.imad, needed=False),
        returned=_returned(body, profile),
        corrections=_corrections(body, profile),
    )


def event_page_of(body: Json, after: str, profile: Profile) -> EventPage:
    """Return a page of the bank's events. Raises Unreadable for one that cannot be read."""
    part = profile.events
    cursor = _at(body, part.next_cursor)
    return EventPage(
        tuple(_event(row, profile) for row in rows_at(body, part.rows)),
        str(cursor if cursor is not None else after),
        _at(body, part.has_more) is True,
    )


def subscription_of(body: Json, profile: Profile) -> Subscription:
    """Return where the bank says that it brings its events. Raises Unreadable."""
    part = profile.webhooks
    assert part is not None, "who asks has looked"
    return Subscription(
        bank_ref=text_at(body, part.id),
        url=text_at(body, part.url),
        secret=text_at(body, part.secret, needed=False),
    )


def text_at(body: Json, place: str, *, needed: bool = True) -> str:
    """Return the text at a place, or empty if it may lack. Raises Unreadable if it is needed."""
    value = _at(body, place)
    if isinstance(value, str) and (value or not needed):
        return value
    if needed:
        message = f"it has no {place}"
        raise Unreadable(message)
    return ""


def day_at(body: Json, place: str) -> date:
    """Return the day at a place. Raises Unreadable."""
    return _day(text_at(body, place))


def whole_cents_at(body: Json, place: str, amounts: Amounts) -> int:
    """Return an amount in cents from whole cents or a decimal text. Raises Unreadable."""
    value = _at(body, place)
    message = f"it has no usable {place}"
    if amounts == "cents":
        if type(value) is not int:
            raise Unreadable(message)
        return value
    if not isinstance(value, str):
        raise Unreadable(message)
    try:
        cents = Decimal(value) * 100
    except InvalidOperation as error:
        raise Unreadable(message) from error
    if not cents.is_finite() or cents != cents.to_integral_value():
        raise Unreadable(message)
    return int(cents)


def rows_at(body: Json, place: str) -> list[Json]:
    """Return the objects of a list. Raises Unreadable if there is none."""
    value = _at(body, place)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        message = f"it has no list {place}"
        raise Unreadable(message)
    return value


def _event(row: Json, profile: Profile) -> BankEvent:
    part = profile.events
    data = _at(row, part.data)
    plain: Json = data if isinstance(data, dict) else {}
    said = {
        name: value
        for name, value in plain.items()
        if value is None or isinstance(value, str | int | bool)
    }
    for name, place in part.facts.items():
        value = _at(plain, place)
        if isinstance(value, str | int | bool):
            said[name] = value
    reference = text_at(plain, part.reference, needed=False)
    if reference:
        said["client_reference"] = reference
    kind = text_at(row, part.kind)
    identity = _at(row, part.id)
    if not isinstance(identity, str | int):
        message = "an event has no id"
        raise Unreadable(message)
    return BankEvent(
        id=str(identity),
        kind=part.kinds.get(kind, kind),
        business_on=_day(text_at(row, part.business_on)),
        data=said,
    )


def _returned(body: Json, profile: Profile) -> ReturnNotice | None:
    part = profile.payment
    code = text_at(body, part.return_code, needed=False)
    if not code:
        return None
    on = _day(text_at(body, part.return_on))
    return ReturnNotice(code, on, text_at(body, part.return_trace, needed=False))


def _corrections(body: Json, profile: Profile) -> tuple[CorrectionNotice, ...]:
    part = profile.payment
    found = _at(body, part.corrections) if part.corrections else None
    rows: Sequence[object] = found if isinstance(found, list) else ()
    return tuple(
        CorrectionNotice(
            text_at(row, part.correction_code),
            text_at(row, part.correction_data, needed=False),
            _day(text_at(row, part.correction_on)),
        )
        for row in rows
        if isinstance(row, dict)
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        message = "it has a day that is none"
        raise Unreadable(message) from error


def _at(body: Json, place: str) -> object:
    """Return what stands at a place such as `counterparty.name`; None where nothing does."""
    value: object = body
    for name in place.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _put(body: dict[str, object], place: str, value: object) -> None:
    *outer, last = place.split(".")
    inner = body
    for name in outer:
        inner = inner.setdefault(name, {})  # type: ignore[assignment]
    inner[last] = value
