"""The refusals of a case's own life."""

from __future__ import annotations

from seedtrust.core.errors import Conflict, OnHold, WrongState


class CaseClosed(Conflict):
    """The case is closed or cancelled; only a reopening changes it."""

    code = "case_closed"
    title = "This case is closed"


class CaseOnHold(OnHold):
    """A legal or compliance hold stops the case."""

    code = "case_on_hold"
    title = "This case is on hold"


class CaseFrozen(Conflict):
    """Something is wrong with the money of the case; a person alone does not lift that."""

    code = "case_frozen"
    title = "This case is frozen"


class StageNotAllowed(WrongState):
    """The template of the case has no such move from where it stands."""

    code = "stage_not_allowed"
    title = "The case cannot move there from its stage"


class CaseHoldsMoney(Conflict):
    """The case cannot end while its ledger is not at 0.00."""

    code = "case_holds_money"
    title = "There is still money on this case"


class AgencyExists(Conflict):
    """Another agency has this name."""

    code = "agency_exists"
    title = "This agency is known already"


class CaseNumberTaken(Conflict):
    """Another case has this number."""

    code = "case_number_taken"
    title = "This case number is taken"


class PartyExists(Conflict):
    """The person has this role on the case already."""

    code = "party_exists"
    title = "This person is on the case already"


class PartyOnBothSides(Conflict):
    """Nobody may stand on both sides of an anonymous case."""

    code = "party_on_both_sides"
    title = "This person stands on the other side"
