"""Texts as data: the escrow agreement that we ship, and the consent to sign electronically.

Consent: 15 U.S.C. 7001(c) (ESIGN) and section 5(b) of the UETA: agreed to beforehand, with the
right to paper, the right to withdraw, and what it covers. Versions are never edited, only added.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_ESCROW_1: Final = """# 1. Parties and purpose
This agreement is between {{recipients}} (the intended parents), {{carrier}} (the surrogate or \
donor) and SeedTrust (the escrow holder) for case {{case}}. The agency on this case is {{agency}}. \
SeedTrust holds the money of this case and pays it out as the contracts of the case say.

# 2. Funds
The intended parents pay in the agreed funding before the journey begins. The balance of the case \
stays at or above the minimum that the contracts set. When the balance or its forecast falls \
below it, SeedTrust asks for funds, and the intended parents pay them in within ten banking days.

# 3. How the money is held
The money lies in a trust account at a bank, apart from money of SeedTrust. A ledger is kept for \
this case alone. Money of one case is never used for another. SeedTrust compares the bank, its \
books and the sum of all cases.

# 4. Payments
SeedTrust pays what the surrogacy, donation and agency agreements of this case allow, on the \
evidence that they ask for, and nothing else. What those agreements fix is paid on its day \
without being asked for again. What they leave open is approved as the case's settings say. \
Nobody is paid before this agreement is signed and the payee's bank details are approved.

# 5. Requests
A request names its clause and carries its evidence. SeedTrust decides with a reason that the \
requester can read. A payment that the bank returns is held for the same payee until the bank \
details are right.

# 6. Privacy
SeedTrust shows each party what that party needs. Where this case is anonymous, neither side \
learns the other's name, address, bank or contact from SeedTrust, and this agreement is shown to \
each side with an alias in the other's place.

# 7. Bank details
New bank details are checked by two people and wait three banking days before they replace \
others. SeedTrust never asks for a password or a bank number by mail or telephone.

# 8. Taxes
Every payment is recorded with its tax class. Whether a form is filed with the authorities is \
decided by law and by who pays.

# 9. Disputes
When the parties disagree about a payment, SeedTrust keeps the amount until they agree in \
writing, an amendment says so, or a court orders it. It may hand the amount to a court.

# 10. Duration and closing
This agreement ends when every party has certified that nothing more is due and the rest has \
been paid back to the intended parents. Records are kept for seven years after that.

# 11. Changes
A change of this agreement is a new version that all parties sign. Until then the version that \
all have signed stays in force.

# 12. Fees
SeedTrust's fee is the one that the terms of this case state. It is taken from the case by a fee \
entry that every party who may see the ledger can read."""

ESCROW_TEXTS: Final[Mapping[int, str]] = {1: _ESCROW_1}
LATEST_ESCROW_TEXT: Final = max(ESCROW_TEXTS)

_CONSENT_1: Final = (
    "I agree to sign this agreement electronically, and that my electronic signature counts like "
    "one on paper. I have read the agreement and can save and print it. I may ask SeedTrust for a "
    "copy on paper, free of charge, and may withdraw this consent before I sign by declining; "
    "then I can sign on paper. This consent covers this agreement and its copies only."
)
CONSENTS: Final[Mapping[int, str]] = {1: _CONSENT_1}
LATEST_CONSENT: Final = max(CONSENTS)

# What a text may leave open, and what stands there; filled in when the text goes out.
PLACEHOLDERS: Final[Mapping[str, str]] = {
    "recipients": "the intended parents",
    "carrier": "the surrogate or donor",
    "agency": "the agency",
    "case": "the case number",
}
