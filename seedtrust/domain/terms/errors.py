"""The refusals of contracts: terms, agreements, milestones, and what they let out."""

from __future__ import annotations

from seedtrust.core.errors import Conflict, Forbidden, Invalid, SegregationOfDuties, WrongState


class CategoryLocked(Conflict):
    """The stage or a milestone that has not come keeps the category closed."""

    code = "category_locked"
    title = "This category is not open yet"


class ProposerCannotActivate(SegregationOfDuties):
    """Who proposed a term may not activate the terms of the case."""

    code = "proposer_cannot_activate"
    title = "Another person has to activate these terms"


class NothingToActivate(Conflict):
    """No term of the case waits to be activated."""

    code = "nothing_to_activate"
    title = "There is nothing to activate"


class AgreementStepRefused(WrongState):
    """The agreement's life has no such step from where it stands."""

    code = "agreement_step_refused"
    title = "This agreement cannot be changed like that now"


class NobodySigns(Conflict):
    """No party of the case has to sign, so the agreement could never be executed."""

    code = "nobody_signs"
    title = "Nobody has to sign this agreement"


class AlreadySigned(Conflict):
    """The party's signature is recorded already."""

    code = "already_signed"
    title = "This party has signed"


class NotYourSignature(Forbidden):
    """A party signs for itself; staff may record a signature given on paper."""

    code = "not_your_signature"
    title = "You cannot sign for this party"


class MilestoneOutOfOrder(WrongState):
    """The milestone does not belong to the stage where the case stands."""

    code = "milestone_out_of_order"
    title = "This milestone does not fit here"


class MilestoneAlreadyRecorded(Conflict):
    """The milestone happens once and is recorded."""

    code = "milestone_already_recorded"
    title = "This milestone is recorded"


class MilestoneNotByHand(Conflict):
    """Signatures, money or the company record this milestone, not the caller."""

    code = "milestone_not_by_hand"
    title = "This milestone is not recorded by hand"


class ProofMissing(Invalid):
    """Who is not of the company proves a milestone with a document."""

    code = "proof_missing"
    title = "A document is needed as proof"


class ProposerCannotAccept(SegregationOfDuties):
    """Who proposed to correct a milestone may not accept the correction."""

    code = "proposer_cannot_accept"
    title = "Another person has to accept this correction"


class CorrectionOpen(Conflict):
    """A milestone has one open correction at a time."""

    code = "correction_open"
    title = "A correction of this milestone is waiting"


class CorrectionDecided(WrongState):
    """The correction has been accepted or rejected."""

    code = "correction_decided"
    title = "This correction is decided"


class CorrectionOutdated(Conflict):
    """What the correction would move has changed since it was proposed."""

    code = "correction_outdated"
    title = "This correction is out of date"
