"""What a replay must repeat: the plain text of a request and its fingerprints.

The text is stored as a hash with every transaction, so it must never change: the same request has
to give the same hash in every later version.
"""

from __future__ import annotations

import hashlib

from seedtrust.domain.ledger.posting import Phase, Posting

Request = tuple[object, ...]


def digest_key(key: str) -> bytes:
    """Return the 16 bytes under which an idempotency key is stored."""
    return hashlib.blake2b(key.encode(), digest_size=16).digest()


def digest_request(request: Request) -> bytes:
    """Return the 32 bytes by which a repeated request is told from a changed one."""
    return hashlib.sha256(repr(request).encode()).digest()


def posting_request(posting: Posting) -> Request:
    """Return what a posting says as plain values, whose text is the same in every version."""
    return (
        str(posting.kind),
        posting.effective_on.isoformat(),
        [(leg.account_id, int(leg.side), leg.amount_cents, int(leg.layer)) for leg in posting.legs],
        sorted([(str(link.relation), link.txn_id, link.full) for link in posting.links]),
        *_words(posting),
    )


def hold_request(posting: Posting, hold_kind: str) -> Request:
    """Return the request of a hold."""
    return ("hold", str(hold_kind), *posting_request(posting))


def capture_request(posting: Posting, amount_cents: int | None) -> Request:
    """Return the request of a capture; without an amount, of all that is left."""
    hold, credited = posting.links[0].txn_id, posting.legs[-1].account_id
    day = posting.effective_on.isoformat()
    return ("capture", hold, amount_cents, str(posting.kind), day, credited, *_words(posting))


def release_request(posting: Posting, amount_cents: int | None) -> Request:
    """Return the request of a release; without an amount, of all that is left."""
    return ("release", posting.links[0].txn_id, amount_cents)


def possible_requests(posting: Posting, phase: Phase, hold_kind: str | None) -> list[Request]:
    """Return the requests that can have led to what is stored as this posting."""
    if phase is Phase.SINGLE:
        return [posting_request(posting)]
    if phase is Phase.HOLD:
        return [hold_request(posting, hold_kind or "")]
    if not posting.links:
        return []
    request = capture_request if phase is Phase.CAPTURE else release_request
    return [request(posting, None), request(posting, posting.legs[-1].amount_cents)]


def _words(posting: Posting) -> Request:
    return (
        posting.memo,
        posting.category,
        posting.source_type,
        posting.source_ref,
        posting.counterparty_ref,
    )
