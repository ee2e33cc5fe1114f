"""E-checks in a journey: parents are asked, authorise an account, and have it debited."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.clock import Moment
from seedtrust.core.errors import Invalid
from seedtrust.core.permissions import Role
from seedtrust.domain.cases.models import Case
from seedtrust.domain.echecks import authorising, pulling
from seedtrust.domain.echecks.models import DebitAuthorisation, EcheckPull
from seedtrust.domain.echecks.states import AuthorisationState
from seedtrust.domain.funding import asking
from seedtrust.domain.funding.models import FundingRequest
from seedtrust.ext import in_transaction
from seedtrust.gateways.bank import HttpSandboxControl
from seedtrust.journeys.scenes import Scene, find_case
from seedtrust.journeys.script import Journey, PartySpec

_FROM = "127.0.0.1"


def draw(scene: Scene, index: int, moment: Moment) -> None:
    """Ask the parents for a deposit and have its sender let us draw it; done once."""
    spec = scene.journey.deposits[index]
    sender = next(one for one in scene.journey.parties if one.key == spec.sender)

    def work(session: Session) -> None:
        case = find_case(session, scene.journey)
        request_ref = _asked(session, scene, case, index, moment)
        if request_ref is None:
            return
        pulling.ask_for_pull(
            session,
            scene.cast.party(session, sender.email),
            authorisation_ref=_authorised(session, scene, case, sender, moment),
            funding_request_ref=request_ref,
            amount_cents=spec.amount_cents,
            moment=moment,
        )

    in_transaction(work)


def take_back(
    session: Session, control: HttpSandboxControl, journey: Journey, asked_on: date, code: str
) -> None:
    """Have the bank return the e-check that was asked for on a day. Raises Invalid without one."""
    wanted = select(EcheckPull.trace_number).where(
        EcheckPull.case_id == find_case(session, journey).id,
        EcheckPull.asked_on == asked_on,
        EcheckPull.trace_number.is_not(None),
    )
    trace_number = session.execute(wanted).scalars().first()
    if trace_number is None:
        message = f"No e-check was drawn on {asked_on}, so none comes back."
        raise Invalid(message)
    control.return_entry(trace_number, code)


def _asked(session: Session, scene: Scene, case: Case, index: int, moment: Moment) -> str | None:
    """Ask the parents for the deposit by hand; None when that was done before."""
    spec, reason = scene.journey.deposits[index], f"What deposit {index + 1} brings"
    known = select(FundingRequest.id).where(
        FundingRequest.case_id == case.id, FundingRequest.reason == reason
    )
    if session.execute(known).first() is not None:
        return None
    escrow = scene.cast.next_of(session, Role.ESCROW_SPECIALIST)
    row = asking.draft_request(
        session,
        escrow,
        case_ref=case.reference,
        amount_cents=spec.amount_cents,
        reason=reason,
        moment=moment,
    )
    session.flush()
    asking.send_request(session, escrow, funding_ref=row.reference, moment=moment)
    session.flush()
    return row.reference


def _authorised(
    session: Session, scene: Scene, case: Case, sender: PartySpec, moment: Moment
) -> str:
    actor, account = scene.cast.party(session, sender.email), sender.account
    known = session.execute(
        select(DebitAuthorisation.reference).where(
            DebitAuthorisation.case_id == case.id,
            DebitAuthorisation.user_id == actor.user_id,
            DebitAuthorisation.state == AuthorisationState.ACTIVE.value,
        )
    ).scalar_one_or_none()
    if known is not None:
        return known
    if account is None:
        message = f"{sender.name} has no bank account to draw from."
        raise Invalid(message)
    row = authorising.give_authorisation(
        session,
        actor,
        case_ref=case.reference,
        holder_name=sender.name,
        account_type=account.account_type,
        routing_number=account.routing_number,
        account_number=account.account_number,
        accepted_text=authorising.text_for(session, actor, case.reference),
        given_from=_FROM,
        keyring=scene.tools.keyring,
        moment=moment,
    )
    session.flush()
    authorising.check_account(
        session,
        scene.cast.next_of(session, Role.PAYMENTS_LEAD),
        authorisation_ref=row.reference,
        note="Micro-entries named by the holder.",
        moment=moment,
    )
    return row.reference
