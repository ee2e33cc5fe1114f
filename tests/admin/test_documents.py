"""Documents on the pages: uploaded, looked at, refused, replaced, held."""

from __future__ import annotations

import re
from io import BytesIO

from werkzeug.test import TestResponse

from tests.factories.api_world import PDF
from tests.factories.desk_world import DeskWorld
from tests.factories.papers import picture
from tests.support.doors import Browser, csrf_token


def upload(
    desk: DeskWorld, content: bytes, name: str, query: str = "", **form: str
) -> TestResponse:
    """Send a file by the page of the staff."""
    browser, page = desk.of("specialist"), f"/admin/cases/{desk.case}/documents/new{query}"
    data = {
        "csrf_token": csrf_token(browser.get(page)),
        "kind": "general",
        "visibility": "staff",
        "file": (BytesIO(content), name),
        **form,
    }
    return browser.client.post(page, data=data, headers={"Referer": f"http://localhost{page}"})


def newest(desk: DeskWorld) -> str:
    """Return the path of the page of the newest document."""
    papers = desk.of("specialist").get(f"/admin/cases/{desk.case}/papers").text
    found = re.search(r"/admin/documents/[A-Z0-9]+/details", papers)
    assert found is not None
    return found[0]


def act(browser: Browser, path: str, verb: str, **form: str) -> TestResponse:
    """Do something to a document from its page."""
    return browser.submit(path.replace("/details", f"/{verb}"), form, page=path)


def test_an_uploaded_picture_is_seen_with_its_hashes(desk: DeskWorld) -> None:
    made = upload(desk, picture("PNG", (300, 200)), "Clinic.png", title="Clinic bill")
    assert made.status_code == 303
    page = desk.of("specialist").get(newest(desk)).text
    for words in ("Clinic bill", "300 by 200", "nobody scanned it", "as it was sent", "/thumbnail"):
        assert words in page


def test_a_refused_upload_keeps_what_was_typed_and_names_the_file(desk: DeskWorld) -> None:
    refused = upload(desk, b"%PDF-1.7\nno pages\n%%EOF", "bill.pdf", title="Clinic bill")
    assert refused.status_code == 422
    assert "Clinic bill" in refused.text
    assert "The PDF is damaged" in refused.text


def test_staff_refuse_with_a_reason_and_replace(desk: DeskWorld) -> None:
    upload(desk, PDF, "bill.pdf")
    path, browser = newest(desk), desk.of("specialist")
    bare = act(browser, path, "refuse", **{"refuse-reason": ""})
    assert bare.status_code == 422
    assert "Say why." in bare.text
    done = act(browser, path, "refuse", **{"refuse-reason": "It is the wrong month"})
    assert done.status_code == 303
    assert "It is the wrong month" in browser.get(path).text
    reference = path.split("/")[3]
    better = upload(desk, PDF, "better.pdf", f"?replaces={reference}", reason="The right month")
    assert better.status_code == 303
    page = browser.get(path).text
    assert "Replaced" in page
    assert newest(desk) in page


def test_two_people_lift_a_legal_hold(desk: DeskWorld) -> None:
    upload(desk, PDF, "bill.pdf")
    path, legal, controller = newest(desk), desk.of("legal"), desk.of("controller")
    assert act(legal, path, "hold", **{"hold-reason": "Subpoena 26-118"}).status_code == 303
    assert "Subpoena 26-118" in desk.of("specialist").get(path).text
    assert act(legal, path, "lift-ask", **{"lift-reason": "Settled"}).status_code == 303
    assert "A colleague has to lift it." in legal.get(path).text
    act(legal, path, "lift")
    assert "Subpoena 26-118" in legal.get(path).text
    act(controller, path, "hold-keep")
    assert "asks to lift" not in controller.get(path).text
    act(legal, path, "lift-ask", **{"lift-reason": "Settled"})
    assert act(controller, path, "lift").status_code == 303
    assert "Subpoena 26-118" not in controller.get(path).text
