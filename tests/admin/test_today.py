"""Today: everybody sees the work that their permissions are for."""

from __future__ import annotations

import json
import re
from pathlib import Path

from flask import Flask

from seedtrust.domain.operations.service import open_exception
from seedtrust.domain.payments import events
from seedtrust.domain.payments.ports import FILE_DROP
from seedtrust.web.progress import read_progress
from tests.factories.desk_world import DeskWorld


def test_each_trade_sees_its_own_work(desk: DeskWorld) -> None:
    desk.request()
    desk.stray_deposit()
    escrow, builder = desk.of("second"), desk.browser(desk.builder)
    assert "1 request to review" in escrow.get("/admin/today").text
    seen = builder.get("/admin/today").text
    assert "1 request to review" not in seen
    assert "1 deposit to match" in seen
    assert "bank accounts to check" in seen
    assert "Nothing waits for you" in desk.of("auditor").get("/admin/today").text


def test_a_locked_run_waits_for_a_releaser_until_the_cut_off(desk: DeskWorld) -> None:
    run = desk.locked_run()
    lead = desk.of("payments_lead").get("/admin/today").text
    assert f"/admin/runs/{run}" in lead
    assert "data-deadline" in lead
    assert "run to release" not in desk.browser(desk.builder).get("/admin/today").text


def test_bank_book_and_cases_agree_to_the_cent(desk: DeskWorld) -> None:
    desk.stray_deposit()
    seen = desk.of("auditor").get("/admin/today").text
    assert seen.count("$30,000.00") == 3
    assert "Agrees" in seen
    assert "Does not agree" not in seen


def test_somebody_without_bank_rights_sees_no_money(desk: DeskWorld) -> None:
    answer = desk.browser(desk.it).get("/admin/today")
    assert answer.status_code == 200
    assert "Bank = book = cases" not in answer.text


def test_an_exception_is_listed_with_its_sentence_and_closed(desk: DeskWorld) -> None:
    moment = desk.api.moment()
    item = desk.api.do(
        lambda session: (
            open_exception(
                session, "payment.returned", "case", "x", "The account is closed.", now=moment.at
            ).reference
        )
    )
    lead = desk.of("payments_lead")
    page = "/admin/today/exceptions"
    assert "Payments that came back" in lead.get("/admin/today").text
    assert "The account is closed." in lead.get(f"{page}?kind=payment.returned").text
    assert lead.submit(f"{page}/{item}/close", page=page).status_code == 303
    assert "The account is closed." not in lead.get(page).text


def test_the_play_of_sample_journeys_shows_its_progress(app: Flask, desk: DeskWorld) -> None:
    folder: Path = app.extensions["seedtrust"].settings.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "progress.json"
    lead = desk.of("payments_lead")
    note.write_text(json.dumps({"done": 40, "total": 100, "day": "2026-03-02"}), encoding="utf-8")
    assert "Sample journeys are being played" in lead.get("/admin/today").text
    note.write_text(json.dumps({"done": 100, "total": 100, "day": "2026-07-06"}), encoding="utf-8")
    assert "Sample journeys are being played" not in lead.get("/admin/today").text
    note.write_text("half a li", encoding="utf-8")
    assert read_progress(folder) is None


def test_approvals_stand_before_the_cut_off_with_the_time_left_and_without_a_script(
    desk: DeskWorld,
) -> None:
    desk.request()
    desk.locked_run()
    lead, builder = desk.of("payments_lead"), desk.browser(desk.builder)
    seen = lead.get("/admin/today").text
    assert "ACH run to release" in seen
    assert re.search(r"data-left>\d+ (h|min|s)", seen)
    assert "1 request in review" in seen
    theirs = builder.get("/admin/today").text
    assert "ACH run that waits for a releaser" in theirs
    assert "for somebody else to do" in theirs


def test_ageing_cash_and_the_link_to_the_bank_are_told_with_their_source(desk: DeskWorld) -> None:
    desk.stray_deposit()
    desk.ready(12_345)
    auditor = desk.of("auditor")
    seen = auditor.get("/admin/today").text
    for words in ("Deposits without a case", "Cash position", "No statement yet", "123.45"):
        assert words in seen
    assert "Not answering" not in seen
    desk.api.do(
        lambda session: events.mark_link(
            session, FILE_DROP, healthy=False, moment=desk.api.moment()
        )
    )
    assert "Not answering" in auditor.get("/admin/today").text


def test_it_sees_the_link_to_the_bank_and_no_money(desk: DeskWorld) -> None:
    seen = desk.browser(desk.it).get("/admin/today").text
    assert "Last call answered" in seen
    assert "Cash position" not in seen
    assert "Before the next cut-off" not in seen
