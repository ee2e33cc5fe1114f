"""The hostile files driven through a door, each opened once however many doors it comes by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cache

from flask import Flask

from seedtrust.core.errors import DomainError
from seedtrust.domain.documents.ports import Cleaned, Cleaner
from seedtrust.formats.papers.bounds import MOST_MEMORY_BYTES
from seedtrust.gateways.cleaning import Answer, ProcessCleaner
from tests.factories.api_world import wiring_of
from tests.factories.hostile import Hostile, corpus


@cache
def hostile_files() -> tuple[Hostile, ...]:
    """Return the corpus, made once."""
    return tuple(corpus())


class MeasuredCleaner(ProcessCleaner):
    """The product's own cleaner, which keeps the peak of memory of every process."""

    peaks: list[int]

    def run(self, act: str, content: bytes, content_type: str) -> Answer:
        """Run as the product does, and note the peak."""
        answer = super().run(act, content, content_type)
        assert 0 < answer.peak_bytes <= MOST_MEMORY_BYTES
        return answer


@dataclass
class RememberingCleaner:
    """Cleans each content once, since opening it is slow on purpose."""

    inner: Cleaner = field(default_factory=MeasuredCleaner)
    seen: dict[str, Cleaned | DomainError] = field(default_factory=dict)

    def clean(self, content: bytes, content_type: str) -> Cleaned:
        """Return what came of it, or raise what was raised, the first time."""
        key = f"{content_type}:{hashlib.sha256(content).hexdigest()}"
        if key not in self.seen:
            try:
                self.seen[key] = self.inner.clean(content, content_type)
            except DomainError as refusal:
                self.seen[key] = refusal
        outcome = self.seen[key]
        if isinstance(outcome, DomainError):
            raise outcome
        return outcome


CLEANER = RememberingCleaner()


def open_once(app: Flask) -> None:
    """Let an application clean with the shared memory of this process."""
    wiring = wiring_of(app)
    app.extensions["seedtrust"] = replace(wiring, intake=replace(wiring.intake, cleaner=CLEANER))
