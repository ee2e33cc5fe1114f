"""The command line: exit codes, one line per fault, tables, generated files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seedtrust.formats.cli_nacha import nacha
from tests.formats.nacha.making import (
    a_batch,
    a_change,
    a_return,
    an_entry,
    balanced,
    bytes_of,
    faults_in,
    put,
    records_of,
    rendered,
    with_remittance,
)

TABLE = """\
name,routing_number,account_number,amount,account_type,direction,identification,addenda
Zoë Doe,091000019,0123456789,"1,234.50",savings,credit,REF1,
Clinic,044000024,99887766,0.07,,,REF2,INV 1
"""
PAGE = """\
[file]
immediate_destination = "044000024"
immediate_origin = "1234567890"
destination_name = "HUNTINGTON"
origin_name = "SEEDTRUST LLC"
created_at = 2026-11-23T09:30:00
[company]
name = "SEEDTRUST LLC"
identification = "1234567890"
[batch]
sec_code = "PPD"
entry_description = "REIMBURSE"
odfi_identification = "04400002"
"""
OFFSET = """
[offset]
routing_number = "044000024"
account_number = "555000111"
"""


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(nacha, [str(argument) for argument in arguments], input=stdin)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a good file, a bad one and a warned-of one."""
    good = rendered(a_batch(an_entry(1), with_remittance(2)))
    (tmp_path / "good.ach").write_bytes(good)
    (tmp_path / "bad.ach").write_bytes(bytes_of(put(3, 30, "0" * 10)(records_of(good))))
    (tmp_path / "odd.ach").write_bytes(bytes_of(put(2, 70, "261128")(records_of(good))))
    (tmp_path / "slip.ach").write_bytes(good.replace(b"9" * 94 + b"\n", b"") + b"\n")
    return tmp_path


def generate(
    folder: Path, table: str = TABLE, page: str = PAGE, extra: Sequence[str] = ()
) -> Result:
    (folder / "entries.csv").write_text(table, encoding="utf-8")
    (folder / "company.toml").write_text(page, encoding="utf-8")
    return run(
        "generate",
        *("--input", folder / "entries.csv"),
        *("--company", folder / "company.toml"),
        *("--output", folder / "out.ach"),
        *extra,
    )


def test_valid_files_exit_with_0(folder: Path) -> None:
    result = run("validate", folder / "good.ach", folder / "good.ach")
    assert result.exit_code == 0
    assert result.output.splitlines() == [f"{folder / 'good.ach'}: valid"] * 2


def test_faults_exit_with_1_and_a_line_each(folder: Path) -> None:
    result = run("validate", folder / "good.ach", folder / "bad.ach")
    assert result.exit_code == 1
    bad = [line for line in result.output.splitlines() if "bad.ach" in line]
    assert len(bad) == 3
    assert bad[0].startswith(f"{folder / 'bad.ach'}:3:30: fault amount (amount_cents): The amount")


def test_warnings_are_printed_and_do_not_count(folder: Path) -> None:
    result = run("validate", folder / "odd.ach")
    assert result.exit_code == 0
    assert "2:70: warning closed-day" in result.output
    assert "valid" in result.output


def test_a_file_that_cannot_be_opened_exits_with_2(folder: Path) -> None:
    result = run("validate", folder / "bad.ach", folder / "missing.ach", folder)
    assert result.exit_code == 2
    assert f"{folder / 'missing.ach'}: No such file or directory" in result.output
    assert "Is a directory" in result.output
    assert "bad.ach:3:30" in result.output


def test_an_empty_or_foreign_file_is_a_fault(folder: Path) -> None:
    (folder / "empty").write_bytes(b"")
    (folder / "foreign").write_bytes(b"%PDF-1.7")
    result = run("validate", folder / "empty", folder / "foreign")
    assert result.exit_code == 1
    assert "empty-file" in result.output
    assert "foreign-file" in result.output


def test_faults_as_json_are_a_line_each(folder: Path) -> None:
    result = run("validate", "--json", folder / "good.ach", folder / "bad.ach")
    assert result.exit_code == 1
    rows = [json.loads(line) for line in result.output.splitlines()]
    assert len(rows) == 3
    assert rows[0] == {
        "file": str(folder / "bad.ach"),
        "line": 3,
        "column": 30,
        "field": "amount_cents",
        "code": "amount",
        "message": "The amount must not be zero with the transaction code 22.",
        "is_warning": False,
    }


def test_lenient_validation_forgives_slips(folder: Path) -> None:
    assert run("validate", folder / "slip.ach").exit_code == 1
    result = run("validate", "--lenient", folder / "slip.ach")
    assert result.exit_code == 0
    assert "warning filler" in result.output


def test_a_dash_reads_standard_input(folder: Path) -> None:
    result = run("validate", "-", stdin=(folder / "good.ach").read_bytes())
    assert (result.exit_code, result.output) == (0, "-: valid\n")


def test_a_file_is_shown_as_a_table(tmp_path: Path) -> None:
    path = tmp_path / "file.ach"
    returned = a_return(batch_number=2)
    changed = a_change("C03", "121000248   1918171614", batch_number=3)
    path.write_bytes(rendered(a_batch(with_remittance(1)), returned, changed))
    result = run("show", path)
    assert result.exit_code == 0
    assert "File A of 2026-11-23 09:30, from SEEDTRUST LLC" in result.output
    assert "Batch 1  PPD 220  SEEDTRUST LLC (1234567890)  REIMBURSE  effective 2026-11-24" in (
        result.output
    )
    assert "settled on day 329" in result.output
    assert "1,234.50  ...6789    091000019  Jane Doe" in result.output
    assert "RMR*IV*INV-2026-001" in result.output
    assert "R03 The bank finds no such account" in result.output
    assert "NAME DOES NOT FIT" in result.output
    assert "routing_number 121000248  account_number ******1614" in result.output
    assert "File total: batches 3" in result.output
    assert "0123456789" not in result.output


def test_a_damaged_file_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "file.ach"
    records = records_of(rendered(a_return(), a_change("C02", "121000248", batch_number=2)))
    records = put(4, 4, "R98")(put(8, 36, "12100024X")(put(1, 24, "      ")(records)))
    records[2:2] = ["hello"]
    records[5] = records[5][:32] + "X" * 12 + records[5][44:]
    path.write_bytes(bytes_of([*records[:1], *records[2:]]))
    result = run("show", path)
    assert result.exit_code == 1
    assert "of an unknown date" in result.output
    assert "Batch without a header" in result.output
    assert "R98 unknown code" in result.output
    assert "must be read by a person" in result.output
    assert "Line 2 cannot be read" in result.output
    assert "credits ?" in result.output


def test_a_file_is_shown_as_json(tmp_path: Path) -> None:
    path = tmp_path / "file.ach"
    data = rendered(
        a_batch(with_remittance(1)), a_change("C06", f"{'4242':<17}   32", batch_number=2)
    )
    path.write_bytes(data)
    result = run("show", "--json", path)
    assert result.exit_code == 0
    shown = json.loads(result.output)
    payment = shown["batches"][0]["entries"][0]
    assert payment["amount_cents"] == 123_450
    assert payment["account_number"] == "******6789"
    assert payment["addenda"][0]["payment_information"] == "RMR*IV*INV-2026-001\\"
    change = shown["batches"][1]["entries"][0]
    assert change["change_code"] == "C06"
    assert change["correction"] == {"account_number": "****", "transaction_code": "32"}
    assert shown["control"]["batch_count"] == "000002"
    assert shown["faults"] == []
    assert "0123456789" not in result.output


def test_json_of_a_bare_entry_has_no_header(tmp_path: Path) -> None:
    path = tmp_path / "file.ach"
    path.write_text(records_of(rendered())[2] + "\nhello\n", encoding="ascii")
    result = run("show", "--json", path)
    shown = json.loads(result.output)
    assert result.exit_code == 1
    assert shown["header"] is None
    assert shown["batches"][0]["header"] is None
    assert shown["batches"][0]["control"] is None
    assert shown["unreadable_lines"] == [2]


def test_what_cannot_be_opened_is_not_shown(tmp_path: Path) -> None:
    result = run("show", tmp_path / "missing")
    assert result.exit_code == 2
    assert "No such file" in result.output


def test_a_file_is_generated(tmp_path: Path) -> None:
    result = generate(tmp_path)
    assert result.exit_code == 0, result.output
    assert "entries and addenda 3, blocks 1, debits 0.00, credits 1,234.57" in result.output
    data = (tmp_path / "out.ach").read_bytes()
    assert faults_in(data) == []
    records = records_of(data)
    assert records[2].startswith("632091000019")
    assert "Zoe Doe" in records[2]
    assert records[3].endswith("044000020000002")
    assert records[1][69:75] == "261124"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "company.toml",
        "entries.csv",
        "out.ach",
    ]


def test_a_balanced_file_with_crlf_is_generated(tmp_path: Path) -> None:
    result = generate(tmp_path, page=PAGE + OFFSET, extra=["--crlf"])
    assert result.exit_code == 0, result.output
    data = (tmp_path / "out.ach").read_bytes()
    assert data.count(b"\r\n") == 10
    assert b"627044000024555000111" in data


def test_debits_are_balanced_by_a_credit(tmp_path: Path) -> None:
    table = "name,routing_number,account_number,amount,direction\nA,091000019,1,5,debit\n"
    page = PAGE.replace("REIMBURSE", "ESCROWDEP") + OFFSET + 'account_type = "savings"\n'
    assert generate(tmp_path, table, page).exit_code == 0
    assert b"632044000024555000111" in (tmp_path / "out.ach").read_bytes()


def test_prenotes_and_mixed_directions_are_generated(tmp_path: Path) -> None:
    table = (
        "name,routing_number,account_number,amount,transaction_code\n"
        "A,091000019,1,0.00,23\nB,091000019,2,7.00,27\n"
    )
    page = PAGE + "first_sequence = 40\nbatch_number = 7\neffective_on = 2026-12-01\n"
    assert generate(tmp_path, table, page).exit_code == 0
    records = records_of((tmp_path / "out.ach").read_bytes())
    assert records[1].startswith("5200")
    assert records[1].endswith("0000007")
    assert records[1][69:75] == "261201"
    assert records[2].endswith("0000040")


def test_without_a_date_the_present_is_taken(tmp_path: Path) -> None:
    page = PAGE.replace("created_at = 2026-11-23T09:30:00\n", "")
    assert generate(tmp_path, page=page).exit_code == 0
    assert faults_in((tmp_path / "out.ach").read_bytes()) == []


ROW = "A,091000019,1,5.00\n"
HEADING = "name,routing_number,account_number,amount\n"
WITH_DIRECTION = "name,routing_number,account_number,amount,direction\n"
WITH_CODE = "name,routing_number,account_number,amount,transaction_code\n"
GOOD = HEADING + ROW
WITHOUT_CLASS = PAGE.replace('sec_code = "PPD"\n', "")
ODD_OFFSET = PAGE + OFFSET + 'account_type = "loan"\n'
REFUSED = [
    ("no rows", HEADING, PAGE, "at least one entry"),
    ("no heading", "", PAGE, "Line 1: The column name is missing"),
    ("odd column", "colour\nred\n", PAGE, "Line 1: There is no column 'colour'"),
    ("column missing", "name,amount\n", PAGE, "Line 1: The column routing_number is missing"),
    ("cell missing", HEADING + "A,091000019,1\n", PAGE, "Line 2: The row has not as many cells"),
    ("cell too many", HEADING + "A,091000019,1,5,6\n", PAGE, "Line 2: The row has not as many"),
    ("open quote", HEADING + '"A,091000019,1,5\n', PAGE, "This is not a table"),
    ("amount", GOOD + "A,091000019,1,-5\n", PAGE, "Line 3: Enter an amount"),
    ("no amount", HEADING + "A,091000019,1,\n", PAGE, "Line 2: Enter an amount"),
    ("direction", WITH_DIRECTION + "A,091000019,1,5,in\n", PAGE, "Line 2: The account type"),
    ("code", WITH_CODE + "A,091000019,1,5,x\n", PAGE, "Line 2: The transaction code must"),
    ("unknown code", WITH_CODE + "A,091000019,1,5,99\n", PAGE, "no transaction code 99"),
    ("routing", HEADING + "A,091000018,1,5\n", PAGE, "The routing number 091000018 is not"),
    ("broken page", GOOD, "[file", "company.toml: "),
    ("no table", GOOD, "", "The table [file] is missing"),
    ("odd table", GOOD, "[bank]\n", "There is no table [bank]"),
    ("odd key", GOOD, PAGE + "colour = 1\n", "[batch] has an unknown key colour"),
    ("key missing", GOOD, WITHOUT_CLASS, "[batch] lacks the key sec_code"),
    ("kind", GOOD, PAGE.replace('"PPD"', "1"), "[batch] sec_code must be a text"),
    ("offset", GOOD, ODD_OFFSET, "[offset] account_type must be"),
]


@pytest.mark.parametrize(
    "table, page, part", [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_bad_input_is_refused_and_nothing_written(
    tmp_path: Path, table: str, page: str, part: str
) -> None:
    result = generate(tmp_path, table, page)
    assert result.exit_code == 1
    assert part in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["company.toml", "entries.csv"]


def test_a_refused_file_leaves_the_old_one_alone(tmp_path: Path) -> None:
    (tmp_path / "out.ach").write_bytes(b"old")
    assert generate(tmp_path, HEADING + "A,091000018,1,5.00\n").exit_code == 1
    assert (tmp_path / "out.ach").read_bytes() == b"old"


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "entries.csv").write_bytes(HEADING.encode() + b"Jos\xe9,091000019,1,5.00\n")
    (tmp_path / "company.toml").write_text(PAGE, encoding="utf-8")
    paths = {name: tmp_path / name for name in ("entries.csv", "company.toml", "out.ach")}
    arguments = ("--company", paths["company.toml"], "--output", paths["out.ach"])
    result = run("generate", "--input", paths["entries.csv"], *arguments)
    assert result.exit_code == 1
    assert "entries.csv: The text is not UTF-8" in result.output


@pytest.mark.parametrize("missing", ["entries.csv", "company.toml"])
def test_input_that_cannot_be_opened_exits_with_2(tmp_path: Path, missing: str) -> None:
    (tmp_path / "entries.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "company.toml").write_text(PAGE, encoding="utf-8")
    (tmp_path / missing).unlink()
    arguments = ("--input", tmp_path / "entries.csv", "--company", tmp_path / "company.toml")
    result = run("generate", *arguments, "--output", tmp_path / "out.ach")
    assert result.exit_code == 2
    assert f"{missing}: No such file" in result.output


def test_output_that_cannot_be_opened_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "entries.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "company.toml").write_text(PAGE, encoding="utf-8")
    arguments = ("--input", tmp_path / "entries.csv", "--company", tmp_path / "company.toml")
    result = run("generate", *arguments, "--output", tmp_path / "nowhere" / "out.ach")
    assert result.exit_code == 2
    assert "No such file" in result.output


def test_help_says_what_the_table_and_the_page_hold() -> None:
    result = run("generate", "--help")
    for word in ("routing_number", "account_type", "[offset]", "immediate_origin", "effective_on"):
        assert word in result.output


def test_the_balanced_sample_is_shown_with_its_offset(tmp_path: Path) -> None:
    path = tmp_path / "file.ach"
    path.write_bytes(rendered(balanced()))
    assert "OFFSET" in run("show", path).output
