"""Refusals around money that comes in."""

from __future__ import annotations

from seedtrust.core.errors import Conflict, SegregationOfDuties


class AlreadyMatched(Conflict):
    """The deposit belongs to a case already."""

    code = "deposit_already_matched"
    title = "This deposit is already matched"


class OtherTrustAccount(Conflict):
    """The case is held on another trust account than the one that received the money."""

    code = "other_trust_account"
    title = "The case uses another trust account"


class DecisionOpen(Conflict):
    """Another proposal of its kind about the shortage waits for a second person or its money."""

    code = "shortage_decision_open"
    title = "This has been proposed already"


class ProposerCannotDecide(SegregationOfDuties):
    """Who proposed something about a shortage may not decide it."""

    code = "proposer_cannot_decide"
    title = "Another person has to decide this"


class NothingToRepay(Conflict):
    """The company has advanced nothing for the case that could be repaid now."""

    code = "nothing_to_repay"
    title = "There is no advance to repay"


class AdvanceDoesNotFit(Conflict):
    """The deposit is not the money that two people decided to advance."""

    code = "advance_does_not_fit"
    title = "This is not the advance"
