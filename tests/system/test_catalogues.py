"""Lists that people rely on, held against the code: settings and refusals."""

from __future__ import annotations

import importlib
import pkgutil
from http import HTTPStatus

import seedtrust
from scripts import list_settings
from seedtrust.core.errors import DomainError, family
from seedtrust.settings import Settings


def refusals() -> tuple[type[DomainError], ...]:
    """Return every refusal of the product, whichever module defines it."""
    for module in pkgutil.walk_packages(seedtrust.__path__, "seedtrust."):
        if module.name.endswith(".errors"):
            importlib.import_module(module.name)
    return family()


def test_the_page_of_settings_equals_the_settings() -> None:
    written = list_settings.PAGE.read_text(encoding="utf-8")
    assert written == list_settings.page(), "run: python scripts/list_settings.py"


def test_every_setting_says_what_it_is() -> None:
    mute = [name for name, field in Settings.model_fields.items() if not field.description]
    assert mute == []


def test_every_refusal_has_a_code_of_its_own() -> None:
    codes = [error.code for error in refusals()]
    assert len(codes) > 20
    assert sorted(codes) == sorted(set(codes))


def test_every_refusal_has_a_title_that_people_can_read() -> None:
    odd = [
        error.title
        for error in refusals()
        if not error.title[:1].isupper() or error.title.endswith((".", "!")) or "_" in error.title
    ]
    assert odd == []


def test_every_refusal_has_a_status_of_the_client_or_of_a_passing_fault() -> None:
    odd = {error.code: error.status for error in refusals()}
    allowed = {status for status in HTTPStatus if 400 <= status < 500} | {503}
    assert {code for code, status in odd.items() if status not in allowed} == set()
