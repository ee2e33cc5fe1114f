"""Jobs and the outbox: what ran, how it went, and messages that wait for a person."""

from __future__ import annotations

from typing import Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seedtrust.admin import blueprint, listing
from seedtrust.admin.words import age_words
from seedtrust.core.permissions import Permission
from seedtrust.domain.audit.service import record
from seedtrust.domain.desk import jobs as desk
from seedtrust.domain.outbox import queries as outbox
from seedtrust.domain.outbox import service as promises
from seedtrust.ext import in_transaction, reading, ring_the_relay
from seedtrust.web.actor import clock_now, current_actor
from seedtrust.web.flashes import flash_done
from seedtrust.web.guard import requires

JOB_WORDS: Final = {
    "cases.closing": "Close cases whose last payment has settled",
    "deposits.collect": "Let the money of deposited checks be spent",
    "fees.charge": "Charge the fees that fall due",
    "funding.check_minimum": "Ask parents for funds, and remind them",
    "identity.clean": "End sessions that ran out",
    "ledger.roll_up": "Add the day to the sums of the books",
    "ledger.self_check": "Prove the books",
    "payees.cooling_off": "Put cooled-off bank accounts to use",
    "payments.inquire": "Look up payments whose outcome is unknown",
    "payments.inquire_interface": "Ask the interface's bank about what is unknown",
    "payments.poll": "Read the bank's events",
    "reconciliation.nightly": "Prove that bank, book and owners agree",
    "payments.poll_interface": "Read the events of the interface's bank",
    "schedule.materialise": "Turn what is due into requests",
    "statements.import": "Import the bank's statements",
}
TOPIC_WORDS: Final = {
    "bank.hint": "Ask the bank about what it has just told",
    "closing.refund_settled": "Close a case after its refund",
    "notice.mail": "Mail",
    "run.transmit": "Payment run to the bank",
    "sandbox.clock": "Business date to the simulated bank",
    "payment.send": "Payment to the bank",
}


@blueprint.get("/jobs")
@requires(Permission.JOBS_VIEW)
def jobs_overview() -> str:
    """Show every job with its latest run, the outbox's health, and what is parked."""
    actor, now = current_actor(), clock_now()
    latest, health, messages = reading(
        lambda unit: (
            desk.latest_of_each(unit, actor),
            outbox.health(unit),
            desk.unkept(unit, actor),
        )
    )
    return render_template(
        "admin/jobs/overview.html",
        jobs=latest,
        health=health,
        oldest=age_words(health.oldest_due_at, now),
        messages=messages,
        job_words=JOB_WORDS,
        topic_words=TOPIC_WORDS,
    )


@blueprint.get("/jobs/runs")
@requires(Permission.JOBS_VIEW)
def jobs_runs() -> str:
    """List the runs of jobs, the newest first."""
    actor, number = current_actor(), listing.page_number()
    job, failed = listing.text_of("job"), request.args.get("result") == "failed"
    rows, count = reading(
        lambda unit: desk.job_runs(
            unit, actor, job=job, failed=failed, page=number, per_page=listing.PER_PAGE
        )
    )
    return render_template(
        "admin/jobs/runs.html",
        rows=rows,
        count=count,
        job=job,
        jobs=[("", "Any job"), *JOB_WORDS.items()],
        result="failed" if failed else "",
        page=number,
        per_page=listing.PER_PAGE,
        job_words=JOB_WORDS,
    )


@blueprint.post("/jobs/messages/<int:message_id>/retry")
@requires(Permission.JOBS_RUN, back="admin.jobs_overview")
def jobs_retry(message_id: int) -> ResponseReturnValue:
    """Give a parked message another round."""
    actor, now = current_actor(), clock_now()

    def work(unit: Session) -> None:
        message = promises.retry_parked(unit, message_id, now=now)
        record(
            unit,
            actor,
            "outbox.retried",
            "outbox_message",
            str(message_id),
            facts={"topic": message.topic},
            now=now,
        )

    in_transaction(work)
    ring_the_relay()
    flash_done("The message is tried again.")
    return redirect(url_for("admin.jobs_overview"), code=303)
