"""The refusals of payments."""

from __future__ import annotations

from seedtrust.core.errors import Conflict, Invalid, SegregationOfDuties, Unavailable


class BuilderCannotRelease(SegregationOfDuties):
    """Who built a run, or put a payment into it, may not release it."""

    code = "builder_cannot_release"
    title = "Another person has to release this run"


class BankDetailsTouched(SegregationOfDuties):
    """Who handled bank details that the run pays may not release it for thirty days."""

    code = "bank_details_touched"
    title = "Another person has to release this run"


class SecondReleaserMustDiffer(SegregationOfDuties):
    """A run above the account's limit needs a second releaser."""

    code = "second_releaser_must_differ"
    title = "A second person has to release this run"


class ContentChanged(Conflict):
    """The run is not what the releaser was shown."""

    code = "content_changed"
    title = "The run has changed"


class RunIsEmpty(Conflict):
    """A run without payments cannot be locked."""

    code = "run_is_empty"
    title = "There is nothing to pay in this run"


class PaymentsNotPossible(Conflict):
    """Something that the run pays may no longer be paid."""

    code = "payments_not_possible"
    title = "Some payments are no longer possible"


class EffectiveDatePassed(Conflict):
    """The bank's cut-off for the run's settlement day has passed."""

    code = "effective_date_passed"
    title = "The bank's cut-off has passed"


class FileAltered(Conflict):
    """The stored bytes of a file are not the ones that were sealed."""

    code = "file_altered"
    title = "The file was altered"


class FileDiffers(Conflict):
    """What the file says is not what the run says."""

    code = "file_differs"
    title = "The file does not say what the run says"


class NoMoreFiles(Conflict):
    """Thirty-six files a day is what the file id modifier allows."""

    code = "no_more_files"
    title = "No further file is possible today"


class MoneyHasMoved(Conflict):
    """The rail of a case is decided before the first cent."""

    code = "money_has_moved"
    title = "Money has moved already"


class RailStopped(Unavailable):
    """Somebody has stopped sending on this rail; what is released waits."""

    code = "rail_stopped"
    title = "Sending is stopped"


class NotCancellable(Conflict):
    """The bank cannot be asked to stop this payment, or not any more."""

    code = "not_cancellable"
    title = "This payment cannot be stopped"


class SecondConfirmerMustDiffer(SegregationOfDuties):
    """That a payment was not sent takes the word of two people."""

    code = "second_confirmer_must_differ"
    title = "A second person has to confirm this"


class StillBeingAsked(Conflict):
    """A call about this payment may still be under way."""

    code = "still_being_asked"
    title = "Wait a little before you confirm this"


class InvalidTrustAccount(Invalid):
    """The set-up of a trust account does not hold what the bank assigns."""

    code = "invalid_trust_account"
    title = "Please check the trust account"


class ProposerCannotApply(SegregationOfDuties):
    """Who proposed a correction of bank details may not apply it."""

    code = "proposer_cannot_apply"
    title = "Another person has to apply this correction"


class LimitChangeOpen(Conflict):
    """Another change of the same limit waits for a second person."""

    code = "limit_change_open"
    title = "A change of this limit is waiting"


class LimitProposerCannotDecide(SegregationOfDuties):
    """Who proposed a limit may not decide about it."""

    code = "limit_proposer_cannot_decide"
    title = "Another person has to decide about this limit"
