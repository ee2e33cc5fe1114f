"""The Celery worker: two tasks that ring the relay and the schedule; the database is the record."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask

from seedtrust.app import bank_profile, create_app, make_tools
from seedtrust.ext import celery, configure_celery
from seedtrust.jobs.relay import drain
from seedtrust.jobs.schedule import tick
from seedtrust.jobs.tools import Tools
from seedtrust.settings import Settings

__all__ = ["beat_schedule", "celery", "prepare", "relay_outbox", "run_due_jobs"]

RELAY_EVERY_SECONDS = 5.0
TICK_EVERY_SECONDS = 15.0


@lru_cache(maxsize=1)
def _process() -> tuple[Flask, Tools]:
    # Made once per process, after a fork, so that connections and id numbers are its own.
    settings = Settings.from_env()
    return create_app(settings), make_tools(settings)


@celery.task(name="outbox.relay", ignore_result=True)
def relay_outbox() -> int:
    """Keep every promise that is due; a lost or doubled call changes nothing."""
    app, tools = _process()
    with app.app_context():
        return drain(tools)


@celery.task(name="jobs.tick", ignore_result=True)
def run_due_jobs() -> list[str]:
    """Run every job that the calendar says is due, then keep what it promised."""
    app, tools = _process()
    with app.app_context():
        ran = tick(tools)
        drain(tools)
        return ran


def beat_schedule() -> dict[str, dict[str, Any]]:
    """Return beat's two ticks; what is due is decided by the database, not by them."""
    return {
        "relay": {
            "task": "outbox.relay",
            "schedule": RELAY_EVERY_SECONDS,
            "options": {"expires": RELAY_EVERY_SECONDS},
        },
        "tick": {
            "task": "jobs.tick",
            "schedule": TICK_EVERY_SECONDS,
            "options": {"expires": TICK_EVERY_SECONDS},
        },
    }


def prepare(settings: Settings) -> None:
    """Give Celery its broker and its ticks; called by the worker and by beat.

    Raises SettingsRefused when the bank's profile is missing or wrong.
    """
    bank_profile(settings)
    configure_celery(settings.broker_url, settings.broker_dir)
    celery.conf.beat_schedule = beat_schedule()
    celery.conf.beat_schedule_filename = str(Path(settings.data_dir) / "beat-schedule")
