"""What follows the last signature: certificate and complete copies, made outside of the signing."""

from __future__ import annotations

from seedtrust.domain.signing.completing import complete as make_papers
from seedtrust.ext import keeping_papers
from seedtrust.jobs.tools import Tools, system


def complete(tools: Tools, payload: dict[str, str]) -> None:
    """Make the papers of an executed agreement; made once, however often it is asked."""
    moment = tools.moment()
    keeping_papers(
        lambda session, storage: make_papers(
            session,
            system("agreement.complete"),
            agreement_ref=payload["agreement"],
            storage=storage,
            moment=moment,
        ),
        tools.storage,
    )
