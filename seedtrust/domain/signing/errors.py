"""The refusals of electronic signing."""

from __future__ import annotations

from seedtrust.core.errors import Conflict, Invalid, WrongState


class AgreementOutdated(Conflict):
    """Another text than the one that was shown is out for signature now."""

    code = "agreement_outdated"
    title = "This is not the text to sign any more"


class ConsentMissing(Invalid):
    """Signing electronically needs consent to the current consent text."""

    code = "consent_missing"
    title = "Your consent is needed"


class NotYourTurn(WrongState):
    """The agreement is signed in an order, and somebody else comes first."""

    code = "not_your_turn"
    title = "Others sign first"


class NothingToSign(Conflict):
    """The caller is no party who signs this agreement."""

    code = "nothing_to_sign"
    title = "You have nothing to sign here"


class TextMissing(Conflict):
    """An agreement without a text cannot go out for electronic signature."""

    code = "text_missing"
    title = "This agreement has no text yet"


class TextNamesSomebody(Invalid):
    """The text of an anonymous case names a person of one of its sides."""

    code = "text_names_somebody"
    title = "This would tell who somebody is"
