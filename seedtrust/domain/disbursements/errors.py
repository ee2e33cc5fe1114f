"""Refusals around disbursement requests, one code and one sentence each."""

from __future__ import annotations

from seedtrust.core.errors import Conflict, Invalid, SegregationOfDuties


class OverCap(Invalid):
    """The amount is above what the contract allows."""

    code = "over_cap"
    title = "Above what the contract allows"


class NoClause(Conflict):
    """No active term of the contract covers the category."""

    code = "no_clause"
    title = "No clause covers this"


class EvidenceMissing(Invalid):
    """The term asks for evidence and none came with the request."""

    code = "evidence_missing"
    title = "Evidence is missing"


class DuplicateSuspected(Conflict):
    """The same payee and amount was asked for within ten days."""

    code = "duplicate_suspected"
    title = "This looks like a duplicate"


class AlreadyDecided(Conflict):
    """The same person has already given an answer in this round."""

    code = "already_decided"
    title = "You have already answered"


class ReviewerIsRequester(SegregationOfDuties):
    """Whoever asked may not review."""

    code = "reviewer_is_requester"
    title = "Somebody else has to review this"


class ApproverIsRelated(SegregationOfDuties):
    """A payee, its side, or the requester may not approve."""

    code = "approver_is_related"
    title = "Somebody else has to approve this"


class ReasonMissing(Invalid):
    """A refusal, a question or a partial approval needs a reason fit for the reader."""

    code = "reason_missing"
    title = "A reason is needed"


class PayeeNotPayable(Conflict):
    """The payee has no account in use, so what came back cannot be paid again yet."""

    code = "payee_not_payable"
    title = "The payee cannot be paid yet"
