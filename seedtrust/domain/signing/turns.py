"""Whose turn it is to sign."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from seedtrust.domain.cases.models import CaseParty
from seedtrust.domain.cases.states import Side
from seedtrust.domain.signing.models import AgreementText
from seedtrust.domain.signing.states import SigningOrder

_FIRST: Final = {
    SigningOrder.RECIPIENTS_FIRST: Side.RECIPIENT,
    SigningOrder.CARRIER_FIRST: Side.CARRIER,
}


def waiting_now(
    text: AgreementText, signers: Sequence[CaseParty], signed: Collection[int]
) -> list[CaseParty]:
    """Return who may sign now: everybody who has not, or those of the side that comes first."""
    waiting = [party for party in signers if party.id not in signed]
    first = _FIRST.get(SigningOrder(text.signing_order))
    leading = [party for party in waiting if first is not None and party.side == first.value]
    return leading or waiting
