"""What jobs work with: clocks, keys and the ports to the outside, made once per process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from seedtrust.core.clock import Clock, Moment
from seedtrust.core.crypto import Keyring
from seedtrust.core.errors import Unavailable
from seedtrust.core.permissions import Actor
from seedtrust.domain.documents.ports import Storage
from seedtrust.domain.notices.ports import Mailer
from seedtrust.domain.operations.service import moment_of
from seedtrust.domain.payments.ports import FILE_DROP, Bank, SandboxControl
from seedtrust.ext import reading


@dataclass(frozen=True)
class Tools:
    """Everything that a handler may reach for; `sandbox` exists only beside the bank simulator."""

    clock: Clock
    business_clock: str
    keyring: Keyring
    banks: Mapping[str, Bank]
    sandbox: SandboxControl | None
    mailer: Mailer
    storage: Storage
    public_base_url: str
    session_idle_seconds: int
    refresh_grace_seconds: int
    bank_calls_days: int = 400

    @property
    def bank(self) -> Bank:
        """Return the bank that takes files; every installation has it."""
        return self.banks[FILE_DROP]

    def bank_of(self, code: str) -> Bank:
        """Return the bank of a code. Raises Unavailable where this installation has none."""
        found = self.banks.get(code)
        if found is None:
            message = f"This installation has no line to the bank {code}."
            raise Unavailable(message)
        return found

    def moment(self) -> Moment:
        """Return both clocks; opens a short unit of work of its own."""
        return reading(self.moment_in)

    def moment_in(self, session: Session) -> Moment:
        """Return both clocks inside a unit of work that is already open."""
        return moment_of(session, self.business_clock, self.clock.now())


def system(job: str, request_id: str = "") -> Actor:
    """Return the actor that a job appears as in the audit trail."""
    return Actor.system(job, request_id)
