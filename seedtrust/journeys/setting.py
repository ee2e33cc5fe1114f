"""Setting the stage: the books, the trust account, and its twin at the bank."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment, at_new_york
from seedtrust.core.permissions import Actor
from seedtrust.domain.ledger import chart
from seedtrust.domain.payments import service as payments
from seedtrust.domain.payments.models import TrustAccount
from seedtrust.domain.payments.states import CaseRail
from seedtrust.ext import in_transaction
from seedtrust.gateways.bank import HttpSandboxControl
from seedtrust.jobs.tools import Tools

# A number of the right shape that no bank uses in this demo: the check digit fits.
ODFI_ROUTING: Final = "044000024"
_BEGINNING: Final = date(2024, 1, 2)
TRUST_ACCOUNTS: Final = (
    (CaseRail.NACHA, "trust-nacha", "Trust account, NACHA", "2200418806", "1844200017"),
    (CaseRail.HUNTINGTON, "trust-api", "Trust account, bank interface", "2200418814", "1844200025"),
)


def set_up(tools: Tools, control: HttpSandboxControl) -> None:
    """Open the books and the trust accounts here and at the bank; a second time changes nothing."""

    def work(session: Session) -> None:
        moment = Moment(tools.clock.now(), at_new_york(_BEGINNING, 9))
        actor = Actor.system("setup")
        chart.open_books(session, moment.at)
        for rail, code, name, number, company in TRUST_ACCOUNTS:
            known = select(TrustAccount.id).where(TrustAccount.code == code)
            if session.execute(known).first() is None:
                payments.open_trust_account(
                    session,
                    actor,
                    code=code,
                    name=name,
                    case_rail=rail,
                    bank_name="Sandbox bank",
                    bank_account_ref=code,
                    routing_number=ODFI_ROUTING,
                    last_four=number[-4:],
                    immediate_destination=f" {ODFI_ROUTING}",
                    immediate_origin=company,
                    company_name="SEEDTRUST ESCROW",
                    company_identification=company,
                    odfi_identification=ODFI_ROUTING[:8],
                    moment=moment,
                )

    in_transaction(work)
    for _, code, name, number, company in TRUST_ACCOUNTS:
        control.open_account(
            {
                "id": code,
                "name": name,
                "routing_number": ODFI_ROUTING,
                "account_number": number,
                "company_identifications": [company],
                "opening_cents": 0,
            }
        )
