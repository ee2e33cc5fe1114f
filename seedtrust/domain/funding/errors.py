"""Refusals around money that comes in."""

from __future__ import annotations

from seedtrust.core.errors import Conflict


class AlreadyMatched(Conflict):
    """The deposit belongs to a case already."""

    code = "deposit_already_matched"
    title = "This deposit is already matched"


class OtherTrustAccount(Conflict):
    """The case is held on another trust account than the one that received the money."""

    code = "other_trust_account"
    title = "The case uses another trust account"
