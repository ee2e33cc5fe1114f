"""A journey that cannot be played is refused with line and reason before anything happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seedtrust.journeys.generated import generate
from seedtrust.journeys.reader import JourneyRefused, read_journey
from seedtrust.journeys.shipped import journey_folders

CASE_B = next(folder for folder in journey_folders() if folder.name == "case-b")
TEXT = (CASE_B / "journey.toml").read_text(encoding="utf-8")


def _refusal(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "journey.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(JourneyRefused) as refused:
        read_journey(path)
    return refused.value.faults


def _line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_the_shipped_journey_is_read_whole() -> None:
    journey = read_journey(CASE_B / "journey.toml")
    assert (journey.name, journey.number, len(journey.requests)) == ("case-b", 100398, 12)
    assert journey.terms[0].amount_cents == 75_000
    assert journey.last_day.isoformat() == "2026-05-22"


@pytest.mark.parametrize(
    "good, bad, reason",
    [
        ('amount = "8500.00"', 'amount = "1e3"', "is not an amount"),
        ('amount = "8500.00"', 'amount = "12.345"', "is not an amount"),
        ('amount = "8500.00"', 'amount = "0.00"', "is not an amount"),
        ('amount = "8500.00"', 'amount = "-5.00"', "is not an amount"),
        ('amount = "8500.00"', 'amount = "1000000000000000"', "is not an amount"),
        ('amount = "8500.00"', "amount = 8500.00", "must be text in quotes"),
        ('kind = "egg_donation"', 'kind = "cloning"', "must be one of surrogacy, egg_donation"),
        ("opened_on = 2026-01-12", "opened_on = 2026-01-11", "is not a banking day"),
        ("opened_on = 2026-01-12", 'opened_on = "2026-01-12"', "must be a date like"),
        ('routing = "211370600"', 'routing = "211370601"', "check digit"),
        ('by = "attorney"', 'by = "nobody"', "is not in the file"),
        ('refund_to = "parent"', 'refund_to = "parent2"', "has no account"),
        ('key = "geneticist"', 'key = "parent"', "is used twice"),
        ('answer = "refused"\nreason = "The', 'answer = "refused"\nreasons = "The', "is not known"),
        ('trigger = "medication_started"\n', "", "needs the milestone that triggers it"),
        ('amount = "412.36" }]', 'amount = "412.35" }]', "do not add up"),
        ('funding_required = "28500.00"\n', "", "“funding_required” is missing"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, good: str, bad: str, reason: str) -> None:
    assert good in TEXT
    text = TEXT.replace(good, bad, 1)
    faults = _refusal(tmp_path, text)
    assert any(reason in fault for fault in faults), faults
    assert all(fault.startswith("line ") for fault in faults)


def test_the_line_is_the_one_of_the_value(tmp_path: Path) -> None:
    text = TEXT.replace('amount = "400.00"', 'amount = "four hundred"', 1)
    [fault] = _refusal(tmp_path, text)
    assert fault.startswith(f"line {_line_of(text, 'four hundred')}: “amount”")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = TEXT.replace('rail = "nacha"', 'rail = "pigeon"').replace('"8500.00"', '"x"')
    assert len(_refusal(tmp_path, text)) >= 3


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"format = ", "is not valid TOML"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"", "the table [case] is missing"),
    ],
)
def test_a_file_that_is_no_journey_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "journey.toml"
    path.write_bytes(content)
    with pytest.raises(JourneyRefused, match=reason.replace("[", r"\[")):
        read_journey(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JourneyRefused, match="cannot be read"):
        read_journey(tmp_path / "journey.toml")


CASE_A = next(folder for folder in journey_folders() if folder.name == "case-a")
TEXT_A = (CASE_A / "journey.toml").read_text(encoding="utf-8")


def test_the_shipped_surrogacy_is_read_whole() -> None:
    journey = read_journey(CASE_A / "journey.toml")
    base = next(term for term in journey.terms if term.category == "base_compensation")
    assert (base.spread.schedule, base.spread.times) == ("instalments", 9)
    assert (base.spread.last_trigger, base.spread.last_pay_after_days) == ("delivered", 14)
    childcare = next(term for term in journey.terms if term.category == "childcare")
    assert [(cap.period, cap.amount_cents) for cap in childcare.caps] == [("day", 10_000)]
    wages = next(term for term in journey.terms if term.category == "lost_wages")
    assert (wages.caps[0].quantity_hundredths, wages.caps[0].unit) == (4_000, "hours")
    asked = next(spec for spec in journey.requests if spec.category == "c_section")
    assert asked.question is not None
    assert asked.question.reply_on.isoformat() == "2025-12-05"
    assert asked.question.on in journey.days
    assert asked.question.reply_on in journey.days


@pytest.mark.parametrize(
    "good, bad, reason",
    [
        ("times = 9", "times = 0", "must be at least 1"),
        ("times = 9\n", "", "“times” is missing"),
        ("times = 9", "times = 9\nweek = 14", "has no “week”"),
        ("week = 14\n", "", "“week” is missing"),
        ("week = 14", "week = 14\ntimes = 2", "has no “times”"),
        ('schedule = "instalments"', 'schedule = "sometimes"', "must be one of once"),
        ('last_trigger = "delivered"', 'last_trigger = "birthday"', "must be one of"),
        ("last_pay_after = 14", "last_pay_after = -1", "must not be negative"),
        ('caps = [{ amount = "100.00", per = "day" }]', "caps = [100]", "each cap is written"),
        ('{ amount = "100.00", per = "day" }', '{ amount = "100.00" }', "each cap is written"),
        ('amount = "100.00", per = "day"', 'amount = "1e2", per = "day"', "Enter an amount"),
        ('amount = "100.00", per = "day"', 'amount = "100.00", per = "moon"', "per must be"),
        ('quantity = "40", unit', 'quantity = "forty", unit', "not a number of units"),
        ('quantity = "40", unit', 'quantity = "1.234", unit', "more than two decimals"),
        ('quantity = "40", unit', 'quantity = "NaN", unit', "more than two decimals"),
        ('quantity = "40", unit', 'quantity = "0", unit', "none, or more"),
        ('unit = "hours", per', 'unit = " ", per', "unit must not be empty"),
        ("on = 2025-03-20 }", 'on = "2025-03-20" }', "without quotes"),
        ('quantity = "40" }', 'quantity = "1e9" }', "more than a contract counts"),
        ("on = 2025-03-20 }", "day = 2025-03-20 }", "each line is written"),
        ("embryo_days = 5", "embryo_days = 4", "day 3 or day 5"),
        ("embryo_days = 5", "embryo_days = 0", "day 3 or day 5"),
        ("question_on = 2025-12-03", "question_on = 2025-12-09", "must come in this order"),
        ("reply_on = 2025-12-05\n", "", "“reply_on” is missing"),
        ("reply_on = 2025-12-05", "reply_on = 2025-12-06", "is not a banking day"),
        ("pay_on = 2025-12-10", "pay_on = 2025-12-08", "on the banking day after"),
        ("submitted_on = 2025-08-06", "submitted_on = 2025-08-08", "after the account is approved"),
    ],
)
def test_a_fault_of_the_surrogacy_is_named_with_its_line(
    tmp_path: Path, good: str, bad: str, reason: str
) -> None:
    assert good in TEXT_A
    faults = _refusal(tmp_path, TEXT_A.replace(good, bad, 1))
    assert any(reason in fault and fault.startswith("line ") for fault in faults), faults


def test_a_wire_that_nobody_has_matched_has_no_day_of_matching(tmp_path: Path) -> None:
    path = tmp_path / "journey.toml"
    unnamed = "[[deposits]]\nnames_the_case = false\nmatched = false\n"
    path.write_text(TEXT.replace("[[deposits]]\n", unnamed, 1), encoding="utf-8")
    assert read_journey(path).deposits[0].matched_on is None
    with_a_day = TEXT.replace("[[deposits]]\n", unnamed + "matched_on = 2026-06-01\n", 1)
    assert any("leave out its day" in fault for fault in _refusal(tmp_path, with_a_day))
    named = TEXT.replace("[[deposits]]\n", "[[deposits]]\nmatched = false\n", 1)
    assert any("is matched as it comes in" in fault for fault in _refusal(tmp_path, named))


def test_only_a_journey_that_has_not_begun_is_called_off(tmp_path: Path) -> None:
    called_off = TEXT.replace("opened_on =", "cancelled_on = 2026-06-01\nopened_on =", 1)
    faults = _refusal(tmp_path, called_off)
    assert any("without money and agreement is called off" in fault for fault in faults)
    [begun] = [journey for journey in generate(5, 20) if journey.name.endswith("cancelled")]
    day = re.search(r"cancelled_on = (\S+)", begun.journey)
    signed = re.search(r"escrow_agreement_on = (\S+)", begun.journey)
    assert day is not None
    assert signed is not None
    early = begun.journey.replace(f"cancelled_on = {day[1]}", f"cancelled_on = {signed[1]}")
    early = early.replace(
        "[[parties]]", f'[[milestones]]\ncode = "psych_clearance"\non = {day[1]}\n\n[[parties]]', 1
    )
    assert any("acts after" in fault for fault in _refusal(tmp_path, early))
