"""Who may import whom: the contracts in setup.cfg hold, and they would notice."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source import ROOT

LINT: str = (
    "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
)


def contracts(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a copy or of the checkout, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the source that a test may spoil."""
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    ignored = shutil.ignore_patterns("__pycache__", "static", "data")
    shutil.copytree(ROOT / "seedtrust", tmp_path / "seedtrust", ignore=ignored)
    return tmp_path


def test_every_import_contract_holds() -> None:
    done = contracts(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "module, line, contract",
    [
        ("domain/cases/planted.py", "import flask", "no web, queue or network"),
        ("web/planted.py", "import requests", "Doors never reach out"),
        ("web/planted.py", "import seedtrust.domain.cases.models", "Only the domain sees tables"),
        ("domain/cases/planted.py", "import seedtrust.domain.ledger.models", "Only the books"),
        ("core/planted.py", "import seedtrust.domain.cases", "imports only from the layers below"),
        ("leftovers.py", "", "imports only from the layers below"),
    ],
)
def test_a_planted_import_is_noticed(copy: Path, module: str, line: str, contract: str) -> None:
    (copy / "seedtrust" / module).write_text(f"{line}\n")
    done = contracts(copy)
    assert done.returncode == 1, done.stdout
    broken = [entry for entry in done.stdout.splitlines() if entry.endswith("BROKEN")]
    assert any(contract in entry for entry in broken), done.stdout


def test_a_circle_of_features_is_noticed(copy: Path) -> None:
    for here, there in (("cases", "terms"), ("terms", "cases")):
        planted = copy / "seedtrust" / "domain" / here / "planted.py"
        planted.write_text(f"import seedtrust.domain.{there}.planted\n")
    done = contracts(copy)
    assert done.returncode == 1
    assert "one-way graph BROKEN" in done.stdout
