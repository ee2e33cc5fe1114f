"""Chromium opens every hostile file that was accepted: nothing of it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Error, Page
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from tests.factories.api_world import ApiWorld, build, new_key
from tests.factories.hostile import MARK, PAGE
from tests.factories.hostile_world import hostile_files, open_once

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

# What a browser says when it saves a file instead of showing it.
_SAVED = ("ERR_ABORTED", "Download is starting")

pytestmark = pytest.mark.browser


@contextmanager
def served(application: object) -> Iterator[str]:
    """Serve an application on a free port."""
    server = make_server("127.0.0.1", 0, application, threaded=True)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Careless:
    """A server that hands out files with their type and no protection at all."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[bytes, str]] = {"/page": (PAGE, "text/html")}

    def __call__(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        """Give a file."""
        content, kind = self.files.get(environ["PATH_INFO"], (b"", "text/plain"))
        return Response(content, content_type=kind)(environ, start)


class Watch:
    """Opens addresses and keeps what they did beyond being shown."""

    def __init__(self, context: BrowserContext) -> None:
        self.did: list[str] = []
        self.page = context.new_page()
        self.page.on("dialog", self._dialog)
        self.page.on("popup", lambda popup: self.did.append(f"popup {popup.url}"))
        context.on("request", self._request)

    def _dialog(self, dialog: object) -> None:
        self.did.append(f"dialog {dialog.message}")  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    def _request(self, request: object) -> None:
        url = request.url  # type: ignore[attr-defined]
        if MARK in url or "127.0.0.1:9/" in url:
            self.did.append(f"request {url}")

    def open(self, url: str) -> list[str]:
        """Open an address and return what it did."""
        # What is saved leaves the page before in its place, so there is none.
        self.page.goto("about:blank")
        self.did.clear()
        try:
            self.page.goto(url, wait_until="load")
        except Error as error:
            # What is saved instead of shown ends the navigation.
            if not any(word in str(error) for word in _SAVED):
                raise
        if MARK in _title(self.page):
            self.did.append("title")
        return list(self.did)


def _title(page: Page) -> str:
    return page.title()


def accepted(world: ApiWorld) -> Iterator[tuple[str, str]]:
    """Send every file and yield what was taken, with its reference."""
    from io import BytesIO

    for one in hostile_files():
        answer = world.program("specialist").call(
            "POST",
            f"/cases/{world.case}/documents",
            data={"file": (BytesIO(one.content), one.name, one.stated)},
            headers={"Idempotency-Key": new_key()},
        )
        if answer.status_code == 201:
            yield one.what, answer.get_json()["reference"]


def test_nothing_of_an_accepted_file_runs_in_a_browser(
    app: Flask, chromium: Browser, record_property: Callable[[str, object], None]
) -> None:
    world, careless = build(app), Careless()
    open_once(app)
    program = world.program("specialist")
    taken = list(accepted(world))
    links = []
    for number, (_what, reference) in enumerate(taken):
        answer = program.get(f"/documents/{reference}")
        careless.files[f"/{number}"] = (answer.data, answer.content_type)
        links += [
            program.get(f"/documents/{reference}/link?part={part}").get_json()["url"]
            for part in ("file", "preview")
        ]
    with served(app.wsgi_app) as ours, served(careless) as theirs:
        context = chromium.new_context(accept_downloads=True)
        watch = Watch(context)
        # The watch sees a page that does run.
        assert watch.open(f"{theirs}/page") != []
        ran = {
            url: did
            for url in (
                *(f"{ours}/files/{link.rpartition('/')[2]}" for link in links),
                *(f"{theirs}/{number}" for number in range(len(taken))),
            )
            if (did := watch.open(url))
        }
        context.close()
    record_property("told", f"hostile files opened in Chromium: {len(taken)}, none ran")
    assert ran == {}
    assert len(taken) > 40
