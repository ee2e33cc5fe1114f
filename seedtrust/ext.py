"""The database and Celery instances, and the ways to open a unit of work."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from celery import Celery
from flask_sqlalchemy import SQLAlchemy
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from seedtrust.core.db import Base, is_retryable, make_engine
from seedtrust.core.errors import NotFound, StaleVersion
from seedtrust.core.failpoints import reach
from seedtrust.domain.documents.ports import Storage
from seedtrust.domain.outbox.service import MAIN_LANE, bank_lane
from seedtrust.domain.payments.ports import FILE_DROP, HUNTINGTON

Result = TypeVar("Result")

_ATTEMPTS: Final = 5
# Every lane is a queue of its own: what calls a bank that hangs holds up that bank's lane alone.
BANK_LANES: Final = {bank_lane(bank): bank for bank in (FILE_DROP, HUNTINGTON)}
LANES: Final = (MAIN_LANE, *BANK_LANES)
# A request must not wait for a queue that is down: it is asked twice, at once, and left alone.
_ASK_ONCE: Final = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}


class Database(SQLAlchemy):
    """Flask-SQLAlchemy with engines made by `core.db`, so tests and doors share one recipe."""

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Any) -> Engine:
        del bind_key, app
        return make_engine(options["url"])


db = Database(
    metadata=Base.metadata,
    session_options={"autobegin": False, "expire_on_commit": False},
)
celery = Celery("seedtrust")


def in_transaction(work: Callable[[Session], Result]) -> Result:
    """Run `work` in one unit of work and commit it; an exception rolls everything back.

    The whole unit is repeated up to five times after a deadlock, a lock wait or a busy SQLite,
    so `work` must not touch the network and must not keep state between attempts.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with db.session.begin():
                result = work(db.session())
                reach("unit.before_commit")
        except DBAPIError as error:
            if attempt == _ATTEMPTS or not is_retryable(error):
                raise
            _pause(attempt)
        else:
            reach("unit.after_commit")
            return result
    raise AssertionError


class _UndoneError(Exception):
    """Carries out what a unit of work came to that must leave nothing behind."""

    def __init__(self, result: object) -> None:
        """Keep the result."""
        super().__init__("undone on purpose")
        self.result = result


def rehearse(work: Callable[[Session], Result]) -> Result:
    """Run `work` as `in_transaction` does, and undo all of it: what would come of an act.

    The verbs themselves say so, locks and refusals included; nothing is left in the database.
    """

    def undone(session: Session) -> Result:
        raise _UndoneError(work(session))

    try:
        return in_transaction(undone)
    except _UndoneError as done:
        return cast("Result", done.result)


class _Drafts:
    """A storage in memory: holds what a rehearsed act would keep, or knows what was kept."""

    def __init__(self, papers: dict[str, bytes], *, is_open: bool) -> None:
        """Hold papers by their hash; once closed, no other may be put."""
        self.papers, self._is_open = papers, is_open

    def put(self, key: str, content: bytes) -> None:
        """Hold a paper. Raises StaleVersion for one that the rehearsal did not bring."""
        if not self._is_open and key not in self.papers:
            raise StaleVersion("Somebody changed this meanwhile. Look at it again, and repeat.")
        self.papers[key] = content

    def get(self, key: str) -> bytes:
        """Return a paper that is held. Raises NotFound."""
        if key not in self.papers:
            raise NotFound("There is no such paper.")
        return self.papers[key]


def keeping_papers(work: Callable[[Session, Storage], Result], storage: Storage) -> Result:
    """Run a unit of work that makes papers, which are kept before it begins: no network inside it.

    The unit is rehearsed for its papers, so with the same moment it must make the same bytes. Bytes
    without a row harm nobody; a row without bytes does. Raises StaleVersion when the papers differ
    the second time, Unavailable when the storage fails.
    """
    drafts: dict[str, bytes] = {}
    rehearse(lambda session: work(session, _Drafts(drafts, is_open=True)))
    for key, content in drafts.items():
        storage.put(key, content)
    return in_transaction(lambda session: work(session, _Drafts(drafts, is_open=False)))


def reading(work: Callable[[Session], Result]) -> Result:
    """Run `work` in a unit that only reads; on SQLite it never waits for a writer."""
    with db.session.begin():
        session = db.session()
        session.connection(execution_options={"seedtrust_read_only": True})
        return work(session)


def _pause(attempt: int) -> None:
    # An Event's wait sleeps without blocking signals; 2 to 50 ms, growing, with jitter.
    threading.Event().wait(random.uniform(0.002, 0.01) * attempt)  # noqa: S311 - jitter


def is_sqlite(url: str) -> bool:
    """Tell whether a database URL names SQLite."""
    return make_url(url).get_backend_name() == "sqlite"


def configure_celery(broker_url: str, broker_dir: Path) -> None:
    """Give Celery its broker: Redis, or files in a folder that only this user can read.

    Messages carry a lane and nothing else; results are off; work is acknowledged late. Whatever
    the queue loses, the relay's next tick finds in the outbox.
    """
    settings: dict[str, Any] = {
        "broker_url": broker_url,
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_serializer": "json",
        "task_default_queue": MAIN_LANE,
        "accept_content": ["json"],
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
        "broker_connection_retry_on_startup": True,
        "timezone": "UTC",
    }
    if broker_url.startswith("filesystem:"):
        folders = {name: broker_dir / name for name in ("queue", "control", "processed")}
        for folder in folders.values():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings["broker_transport_options"] = {
            "data_folder_in": str(folders["queue"]),
            "data_folder_out": str(folders["queue"]),
            "processed_folder": str(folders["processed"]),
            "control_folder": str(folders["control"]),
            "store_processed": False,
            "polling_interval": 0.1,
        }
    else:
        settings["broker_transport_options"] = {
            "visibility_timeout": 3600,
            "unacked_restore_throttle": 1,
        }
    celery.conf.update(settings)


def ring_the_relay() -> bool:
    """Wake every lane's relay after a commit; False if the queue is down, which costs seconds."""
    try:
        for lane in LANES:
            celery.send_task(
                "outbox.relay",
                args=[lane],
                queue=lane,
                ignore_result=True,
                expires=30,
                retry_policy=_ASK_ONCE,
            )
    except (BrokerError, OSError):
        return False
    return True
