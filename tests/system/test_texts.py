"""What pages and documents may point at."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tests.support.source import ROOT, data_files, name_of

ADDRESS: Final = re.compile(
    r"(?:https?:)?//([a-z0-9.-]+\.[a-z]{2,}|\d+(?:\.\d+){3})", re.IGNORECASE
)
# Names of vocabularies, never fetched.
VOCABULARIES: Final = frozenset({"www.w3.org", "schemas.android.com"})
LINK: Final = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
# A folder that only one machine has.
MACHINE_PATH: Final = re.compile(r"(?<![\w.~}-])/(?:home|root|tmp|work|opt|Users)/\w")
PAGES: Final = frozenset({".html", ".css", ".js", ".mjs", ".svg", ".webmanifest", ".txt", ".xml"})


def documents() -> list[Path]:
    return [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]


def test_no_page_names_another_host() -> None:
    named = {
        f"{name_of(path)}: {host}"
        for path in data_files("templates", "seedtrust")
        if path.suffix in PAGES and path.name != "OFL.txt"
        for host in ADDRESS.findall(path.read_text(encoding="utf-8"))
        if host not in VOCABULARIES
    }
    assert named == set()


def test_links_between_documents_lead_somewhere() -> None:
    lost = [
        f"{name_of(path)}: {target}"
        for path in documents()
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert documents()
    assert lost == []


def test_documents_name_no_folder_of_one_machine() -> None:
    named = [
        f"{name_of(path)}: {line.strip()}"
        for path in documents()
        for line in path.read_text(encoding="utf-8").splitlines()
        if MACHINE_PATH.search(line)
    ]
    assert named == []


def test_documents_use_no_exclamation_mark() -> None:
    prose = [
        f"{name_of(path)}: {line.strip()}"
        for path in documents()
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"[a-z]!(?:\s|$)", line)
    ]
    assert prose == []
