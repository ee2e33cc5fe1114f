"""The Celery worker: tasks that ring the relay and the schedule; the database is the record."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from celery.signals import worker_ready
from flask import Flask
from kombu.exceptions import OperationalError as BrokerError

from seedtrust.app import bank_profile, create_app, make_tools
from seedtrust.ext import BANK_LANES, LANES, celery, configure_celery
from seedtrust.jobs.relay import drain
from seedtrust.jobs.schedule import tick
from seedtrust.jobs.sending import inquire_due, recover
from seedtrust.jobs.tools import Tools
from seedtrust.settings import Settings

__all__ = [
    "beat_schedule",
    "celery",
    "prepare",
    "recover_payments",
    "relay_outbox",
    "run_due_jobs",
]

RELAY_EVERY_SECONDS = 5.0
TICK_EVERY_SECONDS = 15.0


@lru_cache(maxsize=1)
def _process() -> tuple[Flask, Tools]:
    # Made once per process, after a fork, so that connections and id numbers are its own.
    settings = Settings.from_env()
    return create_app(settings), make_tools(settings)


@celery.task(name="outbox.relay", ignore_result=True)
def relay_outbox(lane: str) -> int:
    """Keep every promise of a lane that is due; a lost or doubled call changes nothing.

    In a bank's lane, also ask the bank about what is unknown and due to be asked.
    """
    app, tools = _process()
    with app.app_context():
        kept = drain(tools, lane)
        if lane in BANK_LANES:
            inquire_due(tools, BANK_LANES[lane])
        return kept


@celery.task(name="jobs.tick", ignore_result=True)
def run_due_jobs(lane: str) -> list[str]:
    """Run every job of a lane that the calendar says is due, then keep what it promised."""
    app, tools = _process()
    with app.app_context():
        ran = tick(tools, lane)
        drain(tools, lane)
        return ran


@celery.task(name="payments.recover", ignore_result=True)
def recover_payments() -> list[str]:
    """Make UNKNOWN what an earlier process left in the middle of a call to a bank."""
    app, tools = _process()
    with app.app_context():
        return recover(tools)


@worker_ready.connect
def _look_for_what_was_left(**_: object) -> None:
    # As a task, so that the pool's processes do it and not the one that watches them.
    with suppress(BrokerError, OSError):
        celery.send_task("payments.recover", ignore_result=True)


def beat_schedule() -> dict[str, dict[str, Any]]:
    """Return beat's two ticks of each lane; what is due is decided by the database, not by them."""
    rhythm = {"outbox.relay": RELAY_EVERY_SECONDS, "jobs.tick": TICK_EVERY_SECONDS}
    return {
        f"{task} {lane}": {
            "task": task,
            "args": [lane],
            "schedule": seconds,
            "options": {"queue": lane, "expires": seconds},
        }
        for lane in LANES
        for task, seconds in rhythm.items()
    }


def prepare(settings: Settings) -> None:
    """Give Celery its broker and its ticks; called by the worker and by beat.

    Raises SettingsRefused when the bank's profile is missing or wrong.
    """
    bank_profile(settings)
    configure_celery(settings.broker_url, settings.broker_dir)
    celery.conf.beat_schedule = beat_schedule()
    celery.conf.beat_schedule_filename = str(Path(settings.data_dir) / "beat-schedule")
