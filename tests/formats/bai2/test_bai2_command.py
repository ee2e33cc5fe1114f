"""The ``bai2 show`` command: a table, JSON, and clear refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from seedtrust.formats.cli_bai2 import bai2

STATEMENT = b"""01,044000024,SEEDTRUST,260123,0600,1,,,2/
02,SEEDTRUST,044000024,1,260122,2400,USD,2/
03,01234567890,,015,-2850000,,Z,400,2850000,1,Z/
16,495,2850000,Z,WT-1,REF,WIRE OUT/
16,890,,,,,NOTICE/
49,2850000,4/
98,2850000,1,6/
99,2850000,1,8/
"""


@pytest.fixture
def statement(tmp_path: Path) -> Path:
    path = tmp_path / "day.bai2"
    path.write_bytes(STATEMENT)
    return path


def test_a_statement_is_shown_as_a_table(statement: Path) -> None:
    result = CliRunner().invoke(bai2, ["show", str(statement)])
    assert result.exit_code == 0
    assert "as of 2026-01-22 (previous day, final)" in result.stdout
    assert "(28,500.00)" in result.stdout
    assert "Outgoing money transfer" in result.stdout
    assert "WIRE OUT" in result.stdout


def test_a_statement_is_shown_as_json(statement: Path) -> None:
    result = CliRunner().invoke(bai2, ["show", "--json", str(statement)])
    account = json.loads(result.stdout)["groups"][0]["accounts"][0]
    assert account["balances"][0]["amount_cents"] == -2_850_000
    assert account["transactions"][0]["direction"] == "debit"
    assert account["transactions"][0]["line"] == 4


def test_warnings_do_not_change_the_exit_code(statement: Path) -> None:
    statement.write_bytes(STATEMENT.replace(b"WIRE", b"W\xeeRE"))
    result = CliRunner().invoke(bai2, ["show", str(statement)])
    assert result.exit_code == 0
    assert "not_ascii" in result.stderr


def test_a_broken_statement_exits_with_1_and_a_line_per_fault(statement: Path) -> None:
    statement.write_bytes(STATEMENT.replace(b",1,8/", b",2,9/"))
    result = CliRunner().invoke(bai2, ["show", str(statement)])
    assert result.exit_code == 1
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == ["line 8", "line 8"]


def test_a_missing_file_exits_with_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(bai2, ["show", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "does not exist" in result.stderr
