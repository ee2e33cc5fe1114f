"""Agreements over the API: read, sign, decline; what is refused, and what nobody learns."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from seedtrust.domain.cases.states import AgreementKind
from tests.factories import signing_world
from tests.factories.api_world import ApiWorld, new_key, wiring_of


def sent(world: ApiWorld, **kwargs: Any) -> str:
    """Send an amendment of the escrow agreement out and return its address."""

    def work(session: Session) -> str:
        agreement = signing_world.sent(
            session,
            world.world,
            wiring_of(world.app).intake.storage,  # type: ignore[arg-type]  # local in tests
            kind=AgreementKind.ESCROW,
            moment=world.moment(),
            **kwargs,
        )
        return agreement.reference

    return f"/cases/{world.case}/agreements/{world.do(work)}"


def typed(world: ApiWorld, who: str, address: str, **changes: Any) -> dict[str, Any]:
    """Return what signs an agreement as somebody who has just read it."""
    shown = world.program(who).get(address).get_json()
    body = {
        "method": "typed",
        "typed_name": getattr(world.world, who).name,
        "consent_version": shown["consent_version"],
        "document_sha256": shown["document_sha256"],
    }
    return body | changes


def test_somebody_reads_the_text_and_signs_it_once(world: ApiWorld) -> None:
    address = sent(world)
    program = world.program("carrier")
    shown = program.get(address).get_json()
    assert (shown["may_sign"], shown["is_electronic"], shown["state"]) == (True, True, "SENT")
    assert shown["consent"].startswith("I agree to sign this agreement electronically")
    text = program.get(f"/documents/{shown['document']}")
    assert text.data.startswith(b"%PDF-")
    body, key = typed(world, "carrier", address), new_key()
    first = program.post(f"{address}/sign", body, key=key)
    assert (first.status_code, first.get_json()["state"]) == (201, "PART_SIGNED")
    again = program.post(f"{address}/sign", body, key=key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.get_json() == first.get_json()
    twice = program.post(f"{address}/sign", body, key=new_key())
    assert (twice.status_code, twice.get_json()["code"]) == (409, "already_signed")
    last = world.program("parent").post(
        f"{address}/sign", typed(world, "parent", address), key=new_key()
    )
    assert last.get_json()["state"] == "EXECUTED"
    listed = program.get(f"/cases/{world.case}/agreements").get_json()["data"]
    assert [row["state"] for row in listed if row["kind"] == "escrow"] == ["EXECUTED", "AMENDED"]


def test_neither_names_nor_addresses_cross_the_sides(world: ApiWorld) -> None:
    address = sent(world)
    world.program("carrier").post(
        f"{address}/sign", typed(world, "carrier", address), key=new_key()
    )
    answer = world.program("parent").get(address).text
    assert "Quarles" not in answer
    assert "Donor" in answer


def test_a_drawn_signature_is_strokes_on_the_field(world: ApiWorld) -> None:
    address = sent(world)
    program = world.program("carrier")
    drawn = typed(world, "carrier", address, method="drawn", typed_name="")
    for wrong in ([], [[[1, 1], [700, 1]]], [[[1]]], "x"):
        answer = program.post(f"{address}/sign", {**drawn, "drawing": wrong}, key=new_key())
        assert answer.status_code == 422, wrong
        assert any(name.startswith("drawing") for name in answer.get_json()["errors"])
    drawn["drawing"] = signing_world.STROKES
    assert program.post(f"{address}/sign", drawn, key=new_key()).status_code == 201


def test_what_was_not_shown_is_not_signed(world: ApiWorld) -> None:
    address = sent(world)
    program = world.program("carrier")
    for changes, status, code in (
        ({"document_sha256": "0" * 64}, 409, "agreement_outdated"),
        ({"document_sha256": "shown"}, 422, "invalid"),
        ({"consent_version": 99}, 422, "consent_missing"),
        ({"typed_name": "Somebody Else"}, 422, "invalid"),
    ):
        body = typed(world, "carrier", address, **changes)
        answer = program.post(f"{address}/sign", body, key=new_key())
        assert (answer.status_code, answer.get_json()["code"]) == (status, code), changes


def test_who_signs_next_waits(world: ApiWorld) -> None:
    address = sent(world, order="recipients_first")
    body = typed(world, "carrier", address)
    assert world.program("carrier").get(address).get_json()["may_sign"] is False
    answer = world.program("carrier").post(f"{address}/sign", body, key=new_key())
    assert (answer.status_code, answer.get_json()["code"]) == (409, "not_your_turn")


def test_somebody_declines_and_the_reason_stays_with_seedtrust(world: ApiWorld) -> None:
    address = sent(world)
    program = world.program("carrier")
    assert program.post(f"{address}/decline", {}, key=new_key()).status_code == 422
    said = {"reason": "Clause 4 is wrong"}
    answer = program.post(f"{address}/decline", said, key=new_key()).get_json()
    assert (answer["state"], answer["declined"]["reason"]) == ("WITHDRAWN", said["reason"])
    other = world.program("parent").get(address).get_json()
    assert other["declined"]["reason"] == ""
    late = world.program("parent").post(
        f"{address}/sign", typed(world, "parent", address), key=new_key()
    )
    assert late.get_json()["code"] == "agreement_step_refused"


def test_who_does_not_sign_and_who_is_not_on_the_case_are_refused(world: ApiWorld) -> None:
    address = sent(world)
    body = typed(world, "carrier", address)
    answer = world.program("attorney").post(f"{address}/sign", body, key=new_key())
    assert (answer.status_code, answer.get_json()["code"]) == (409, "nothing_to_sign")
    elsewhere = address.replace(world.case, "ABCDEFGHJKMNPQR")
    assert world.program("carrier").get(elsewhere).status_code == 404
    assert (
        world.program("carrier").post(f"{elsewhere}/sign", body, key=new_key()).status_code == 404
    )
