"""Files of a case through HTTP."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from seedtrust.core.ids import new_reference
from tests.factories.api_world import PDF, ApiWorld, new_key


def test_what_was_uploaded_comes_back_as_an_attachment(world: ApiWorld) -> None:
    stored = world.upload("carrier", title="Pay stub, January")
    body = stored.get_json()
    assert stored.status_code == 201
    assert (body["kind"], body["visibility"]) == ("evidence", "carrier")
    assert (body["title"], body["content_type"]) == ("Pay stub, January", "application/pdf")
    assert (body["pages"], body["has_thumbnail"], body["scanned_by"]) == (1, True, "")
    answer = world.program("carrier").get(f"/documents/{body['reference']}")
    assert body["received_sha256"] == hashlib.sha256(PDF).hexdigest()
    assert body["sha256"] == hashlib.sha256(answer.data).hexdigest()
    assert body["size_bytes"] == len(answer.data)
    assert answer.data.startswith(b"%PDF-")
    assert answer.content_type == "application/pdf"
    disposition = answer.headers["Content-Disposition"]
    assert disposition == 'attachment; filename="pay-stub-january.pdf"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_without_a_title_the_file_has_its_own_name(world: ApiWorld) -> None:
    assert world.upload("carrier", name="receipt.pdf").get_json()["title"] == "receipt.pdf"


@pytest.mark.parametrize(
    "who,visibility",
    [("parent", "recipient"), ("agency_admin", "agency"), ("specialist", "staff")],
)
def test_a_file_is_shown_to_the_own_side_unless_told(
    world: ApiWorld, who: str, visibility: str
) -> None:
    assert world.upload(who).get_json()["visibility"] == visibility


def test_neither_side_sees_the_files_of_the_other(world: ApiWorld) -> None:
    donors = world.upload("carrier").get_json()["reference"]
    parents = world.upload("parent").get_json()["reference"]
    path = f"/cases/{world.case}/documents"
    seen = {
        who: [row["reference"] for row in world.program(who).get(path).get_json()["data"]]
        for who in ("carrier", "parent", "specialist")
    }
    assert seen == {"carrier": [donors], "parent": [parents], "specialist": [parents, donors]}
    assert world.program("parent").get(f"/documents/{donors}").status_code == 404
    assert world.program("carrier").get(f"/documents/{parents}").status_code == 404
    assert world.program("carrier").get(f"/documents/{new_reference()}").status_code == 404


@pytest.mark.parametrize(
    "content,name,code",
    [
        (b"", "empty.pdf", "file_empty"),
        (b"MZ\x90\x00" + b"\x00" * 200, "program.exe", "file_type_refused"),
        (b"<html><script>alert(1)</script></html>", "page.pdf", "file_type_refused"),
    ],
)
def test_a_file_that_is_not_safe_is_refused(
    world: ApiWorld, content: bytes, name: str, code: str
) -> None:
    refused = world.upload("carrier", content, name=name)
    assert (refused.status_code, refused.get_json()["code"]) == (422, code)
    assert world.program("carrier").get(f"/cases/{world.case}/documents").get_json()["data"] == []


@pytest.mark.parametrize(
    "form,code,status",
    [
        ({"kind": "novel"}, "invalid", 422),
        ({"visibility": "everybody"}, "invalid", 422),
        ({"visibility": "recipient"}, "visibility_refused", 403),
        ({"title": "x" * 201}, "invalid", 422),
        ({"colour": "red"}, "invalid", 422),
    ],
)
def test_a_form_that_makes_no_sense_names_its_field(
    world: ApiWorld, form: dict[str, Any], code: str, status: int
) -> None:
    refused = world.upload("carrier", **form)
    assert (refused.status_code, refused.get_json()["code"]) == (status, code)
    assert list(refused.get_json()["errors"]) == list(form)


def test_a_form_without_a_file_is_refused(world: ApiWorld) -> None:
    refused = world.program("carrier").call(
        "POST",
        f"/cases/{world.case}/documents",
        data={"kind": "evidence"},
        content_type="multipart/form-data",
        headers={"Idempotency-Key": new_key()},
    )
    assert (refused.status_code, list(refused.get_json()["errors"])) == (422, ["file"])


def test_a_repeated_upload_is_one_document(world: ApiWorld) -> None:
    from io import BytesIO

    def send(key: str, content: bytes) -> tuple[int, str]:
        answer = world.program("carrier").call(
            "POST",
            f"/cases/{world.case}/documents",
            data={"file": (BytesIO(content), "receipt.pdf")},
            headers={"Idempotency-Key": key},
        )
        return answer.status_code, answer.get_json().get("reference", answer.get_json().get("code"))

    key = new_key()
    assert send(key, PDF) == send(key, PDF)
    assert send(key, PDF + b"\n") == (422, "idempotency_key_reused")
    documents = world.program("carrier").get(f"/cases/{world.case}/documents").get_json()["data"]
    assert len(documents) == 1
