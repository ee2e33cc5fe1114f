"""Signed links to documents, and the scanner at the doors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from seedtrust.domain.documents.errors import FileInfected
from seedtrust.gateways.clamd import Clamd
from tests.factories.api_world import ApiWorld, build, wiring_of
from tests.factories.papers import pdf_bytes, picture
from tests.fakes.clamd import EICAR, daemon


@pytest.fixture
def world(app: Flask) -> ApiWorld:
    """Return a case with people who upload."""
    return build(app)


def stored(world: ApiWorld, who: str = "carrier", content: bytes = b"") -> str:
    """Upload a file and return its reference."""
    answer = world.upload(who, content or picture("PNG", (90, 60)), name="Clinic receipt.png")
    assert answer.status_code == 201, answer.text
    reference: str = answer.get_json()["reference"]
    return reference


def link(world: ApiWorld, who: str, reference: str, part: str = "file") -> str:
    """Return the path of a link that somebody asks for."""
    answer = world.program(who).get(f"/documents/{reference}/link?part={part}")
    assert answer.status_code == 200, answer.text
    path: str = answer.get_json()["url"].removeprefix("http://localhost:8000")
    return path


def stranger(world: ApiWorld) -> FlaskClient:
    """Return a client without a session: the link alone must do."""
    return world.app.test_client()


@pytest.mark.parametrize(
    "part, disposition, kind",
    [
        ("file", "attachment", "image/png"),
        ("preview", "inline", "image/png"),
        ("thumbnail", "inline", "image/jpeg"),
    ],
)
def test_a_link_gives_its_part_and_lets_nothing_run(
    world: ApiWorld, part: str, disposition: str, kind: str
) -> None:
    answer = stranger(world).get(link(world, "carrier", stored(world), part))
    assert (answer.status_code, answer.content_type) == (200, kind)
    assert answer.headers["Content-Disposition"].startswith(f'{disposition}; filename="clinic-')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy


def test_a_link_ends_after_minutes(world: ApiWorld) -> None:
    path, clock = link(world, "carrier", stored(world)), wiring_of(world.app).clock
    clock.advance(timedelta(seconds=299))  # type: ignore[attr-defined]
    assert stranger(world).get(path).status_code == 200
    clock.advance(timedelta(seconds=2))  # type: ignore[attr-defined]
    assert stranger(world).get(path).status_code == 404


def test_a_link_ends_with_the_session_that_asked_for_it(world: ApiWorld) -> None:
    path = link(world, "carrier", stored(world))
    assert stranger(world).get(path).status_code == 200
    ended = world.program("carrier").call("DELETE", "/auth/sessions")
    assert ended.status_code < 300, ended.text
    assert stranger(world).get(path).status_code == 404


def test_a_bent_link_and_a_token_of_another_purpose_lead_nowhere(world: ApiWorld) -> None:
    path, client = link(world, "carrier", stored(world)), stranger(world)
    body, dot, seal = path.rpartition(".")
    cookie = "WyJ4Il0.aaaa"
    for bent in (f"{body}x{dot}{seal}", f"{body}{dot}x{seal[1:]}", "/files/x", f"/files/{cookie}",
                 "/files/" + "x" * 2_000):  # fmt: skip
        assert client.get(bent).status_code == 404


def test_nobody_gets_a_link_to_what_the_other_side_sent(world: ApiWorld) -> None:
    reference = stored(world, "carrier")
    for who in ("parent", "agency_admin"):
        answer = world.program(who).get(f"/documents/{reference}/link")
        assert answer.status_code == 404
    assert world.program("specialist").get(f"/documents/{reference}/link").status_code == 200
    text = world.upload("carrier", b"Words", name="a.txt").get_json()["reference"]
    assert world.program("carrier").get(f"/documents/{text}/link?part=thumbnail").status_code == 404
    assert world.program("carrier").get(f"/documents/{text}/link?part=all").status_code == 422


def test_staff_save_by_a_link_and_look_at_the_small_picture(world: ApiWorld) -> None:
    reference, browser = stored(world), world.browser("specialist")
    saved = browser.get(f"/admin/documents/{reference}?save=1")
    assert saved.status_code == 303
    assert stranger(world).get(saved.location).headers["Content-Disposition"].startswith("att")
    small = browser.get(f"/admin/documents/{reference}/thumbnail")
    assert small.content_type == "image/jpeg"


@pytest.fixture
def scanner(world: ApiWorld) -> Iterator[str]:
    """Let the application ask a scanner, and give its address."""
    with daemon() as url:
        wiring = wiring_of(world.app)
        intake = replace(wiring.intake, scanner=Clamd.from_url(url, seconds=5))
        world.app.extensions["seedtrust"] = replace(wiring, intake=intake)
        yield url


def test_a_scanned_document_says_so_and_an_infected_one_is_refused(
    world: ApiWorld, scanner: str
) -> None:
    assert scanner.startswith("tcp://")
    clean = world.upload("carrier", pdf_bytes("Receipt"), name="a.pdf")
    assert clean.get_json()["scanned_by"] == "clamd"
    refused = world.upload("carrier", EICAR, name="a.txt")
    assert (refused.status_code, refused.get_json()["code"]) == (422, FileInfected.code)


def test_a_silent_scanner_keeps_files_out_and_says_when_to_try_again(world: ApiWorld) -> None:
    wiring = wiring_of(world.app)
    with daemon() as url:
        gone = url
    intake = replace(wiring.intake, scanner=Clamd.from_url(gone))
    world.app.extensions["seedtrust"] = replace(wiring, intake=intake)
    refused = world.upload("carrier", b"Receipt", name="a.txt")
    assert refused.status_code == 503
    assert "Try again in a few minutes" in refused.get_json()["detail"]
    assert world.program("carrier").get(f"/cases/{world.case}/documents").get_json()["data"] == []
