"""More than a hundred hostile files at both doors: none kept as it came, none outside its place."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from tests.factories.api_world import ApiWorld, build, new_key, wiring_of
from tests.factories.hostile import MARK, Hostile
from tests.factories.hostile_world import hostile_files, open_once
from tests.support.doors import csrf_token

NEVER_SEEN = (b"JavaScript", b"/Launch", b"/OpenAction", b"/EmbeddedFile", b"/XFA", MARK.encode())
FEWEST = 100


@pytest.fixture
def world(app: Flask) -> ApiWorld:
    """Return a case whose application opens each hostile file once for all tests."""
    made = build(app)
    open_once(app)
    return made


def by_program(world: ApiWorld, one: Hostile) -> TestResponse:
    """Send a file to the API."""
    return world.program("carrier").call(
        "POST",
        f"/cases/{world.case}/documents",
        data={"file": (io.BytesIO(one.content), one.name, one.stated)},
        headers={"Idempotency-Key": new_key()},
    )


def by_page(world: ApiWorld, one: Hostile) -> TestResponse:
    """Send a file by the page of the staff."""
    browser, page = world.browser("specialist"), f"/admin/cases/{world.case}/documents/new"
    return browser.client.post(
        page,
        data={
            "csrf_token": csrf_token(browser.get(page)),
            "kind": "general",
            "visibility": "staff",
            "file": (io.BytesIO(one.content), one.name, one.stated),
        },
        headers={"Referer": f"http://localhost{page}"},
    )


def assert_clean(content: bytes, content_type: str) -> None:
    """Prove that a kept file is what it says and holds nothing that acts."""
    if content_type == "application/pdf":
        with pikepdf.Pdf.open(io.BytesIO(content)) as paper:
            assert set(paper.Root.keys()) == {"/Type", "/Pages"}
            told = repr([repr(part) for part in paper.objects]).encode()
        assert not [word for word in NEVER_SEEN if word in told]
        return
    assert not [word for word in NEVER_SEEN if word in content]
    if content_type.startswith("image/"):
        image = Image.open(io.BytesIO(content))
        assert getattr(image, "n_frames", 1) == 1
        assert not dict(image.getexif())
        assert "icc_profile" not in image.info
    else:
        assert content_type in {"text/plain", "text/csv"}


def files_below(folder: Path) -> set[Path]:
    """Return every file of a folder."""
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("door", ["program", "page"])
def test_no_hostile_file_is_kept_as_it_came_or_outside_its_place(
    world: ApiWorld, tmp_path: Path, door: str, record_property: Callable[[str, object], None]
) -> None:
    files, send = hostile_files(), by_program if door == "program" else by_page
    taken = {201} if door == "program" else {303}
    assert len(files) >= FEWEST
    before = files_below(tmp_path)
    accepted = []
    for one in files:
        answer = send(world, one)
        assert answer.status_code in taken | {422}, (one.what, answer.status_code, answer.text)
        if answer.status_code in taken:
            accepted.append(one.what)
    settings = wiring_of(world.app).settings
    place = settings.storage_dir
    new = files_below(tmp_path) - before
    kept = {path for path in new if place in path.parents}
    # Beside them lie the database and the doorbells of the queue.
    others = {path.name for path in new - kept if settings.broker_dir not in path.parents}
    assert all(name.startswith("seedtrust.sqlite3") for name in others), others
    for path in kept:
        content = path.read_bytes()
        assert path == place / path.name[:2] / hashlib.sha256(content).hexdigest()
    rows = world.program("specialist").get(f"/cases/{world.case}/documents").get_json()["data"]
    assert len(rows) == len(accepted)
    for row in rows:
        answer = world.program("specialist").get(f"/documents/{row['reference']}")
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert set(row["file_name"]) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        assert_clean(answer.data, row["content_type"])
    refused = len(files) - len(accepted)
    record_property("told", f"hostile files by {door}: {len(files)}, refused {refused}")
    assert refused > FEWEST // 2


def test_a_refused_file_is_written_down_with_its_reason_and_not_kept(world: ApiWorld) -> None:
    wanted = {"pdf: opened by a password", "pdf: flate bomb", "png of 65000 by 65000"}
    told = {
        one.what: by_program(world, one).get_json()["detail"]
        for one in hostile_files()
        if one.what in wanted
    }
    assert told.keys() == wanted
    page = world.browser("specialist").get(f"/admin/cases/{world.case}/activity").text
    assert page.count("Uploaded file refused") == 3
    for reason in told.values():
        assert reason in page
