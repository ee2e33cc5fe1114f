"""Files are kept under their hash and shown to the side that may see them."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from seedtrust.core.errors import Forbidden, Invalid, NotFound, Unavailable
from seedtrust.core.permissions import Actor
from seedtrust.domain.cases import service as cases
from seedtrust.domain.cases.errors import CaseClosed
from seedtrust.domain.cases.states import CaseKind
from seedtrust.domain.documents.errors import (
    FileDamaged,
    FileNamesSomebody,
    VisibilityRefused,
)
from seedtrust.domain.documents.intake import looked_at
from seedtrust.domain.documents.models import Document
from seedtrust.domain.documents.queries import (
    document_for,
    file_name,
    file_of,
    visible_documents,
)
from seedtrust.domain.documents.service import store
from seedtrust.gateways.storage import LocalStorage
from tests.factories import case_world as world_of

Sessions = sessionmaker[Session]
MOMENT = world_of.moment_on(date(2026, 1, 8))
TEXT = b"Receipt: post-retrieval check, 62.15"


def _store(
    session: Session, world: world_of.World, actor: Actor, folder: Path, **changes: object
) -> Document:
    content = changes.pop("content", TEXT)
    assert isinstance(content, bytes)
    wanted: dict[str, object] = {
        "case_ref": world.case.reference,
        "kind": "evidence",
        "title": "Receipt.txt",
        "visibility": "staff",
        **changes,
    }
    paper = looked_at(content, "text/plain")
    LocalStorage(folder).put(paper.sha256, paper.content)
    return store(session, actor, paper=paper, moment=MOMENT, **wanted)  # type: ignore[arg-type]


def test_a_file_lies_in_the_storage_under_the_hash_of_its_bytes(
    session_factory: Sessions, tmp_path: Path
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        document = _store(session, world, world.specialist, tmp_path)
        assert document.sha256 == hashlib.sha256(TEXT).hexdigest()
        assert (document.size_bytes, document.content_type) == (len(TEXT), "text/plain")
        kept = file_of(session, world.auditor, document.reference)
        assert kept.read(LocalStorage(tmp_path)) == TEXT
        assert kept.view.file_name == "receipt.txt"
        again = _store(session, world, world.specialist, tmp_path, title="Copy")
        assert again.sha256 == document.sha256
        assert again.reference != document.reference


SIDES = ("parent", "carrier", "attorney", "agency_admin")


@pytest.mark.parametrize(
    "visibility, seen_by",
    [
        ("staff", set()),
        ("agency", {"agency_admin"}),
        ("recipient", {"parent"}),
        ("carrier", {"carrier", "attorney"}),
        ("all_parties", set(SIDES)),
    ],
)
def test_a_file_of_the_company_is_seen_by_the_side_it_is_shown_to(
    session_factory: Sessions, tmp_path: Path, visibility: str, seen_by: set[str]
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        document = _store(session, world, world.specialist, tmp_path, visibility=visibility)
        for key in SIDES:
            actor: Actor = getattr(world, key)
            listed = [
                one.reference for one in visible_documents(session, actor, world.case.reference)
            ]
            if key in seen_by:
                assert document_for(session, actor, document.reference) is document
                assert listed == [document.reference]
            else:
                assert listed == []
                with pytest.raises(NotFound):
                    document_for(session, actor, document.reference)
                with pytest.raises(NotFound):
                    file_of(session, actor, document.reference)


def test_neither_side_of_an_anonymous_case_receives_the_others_file_or_its_name(
    session_factory: Sessions, tmp_path: Path
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        own = {
            "parent": _store(
                session, world, world.parent, tmp_path, visibility="recipient", title="Mine.txt"
            ),
            "carrier": _store(
                session, world, world.carrier, tmp_path, visibility="carrier", title="Hers.txt"
            ),
        }
        for mine, other in (("parent", "carrier"), ("carrier", "parent")):
            actor: Actor = getattr(world, mine)
            titles = {one.title for one in visible_documents(session, actor, world.case.reference)}
            assert titles == {own[mine].title}
            with pytest.raises(NotFound):
                document_for(session, actor, own[other].reference)


@pytest.mark.parametrize("key", ["parent", "carrier"])
def test_a_client_of_an_anonymous_case_shows_files_to_the_own_side_only(
    session_factory: Sessions, tmp_path: Path, key: str
) -> None:
    other = {"parent": "carrier", "carrier": "recipient"}[key]
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        for visibility in ("all_parties", "agency", other):
            with pytest.raises(VisibilityRefused) as refusal:
                _store(session, world, getattr(world, key), tmp_path, visibility=visibility)
            assert "visibility" in refusal.value.errors
        open_case = world_of.build(session, kind=CaseKind.SURROGACY, anonymous=False)
        shared = _store(
            session, open_case, getattr(open_case, key), tmp_path, visibility="all_parties"
        )
        assert shared.visibility == "all_parties"


@pytest.mark.parametrize(
    "visibility, title, content",
    [
        ("all_parties", "Letter for Quarles.txt", TEXT),
        ("all_parties", "Letter.txt", b"Dear Rosalind Ashgrove"),
        ("recipient", "scan_delphine_quarles.txt", TEXT),
        ("recipient", "Tickets.txt", b"Passenger: DELPHINE QUARLES"),
        ("recipient", "Tickets.txt", b"to delphine.quarles@mail.example"),
        ("carrier", "Letter.txt", b"from Rosalind Ashgrove"),
    ],
)
def test_a_file_that_tells_one_side_who_the_other_is_cannot_be_shown_to_it(
    session_factory: Sessions, tmp_path: Path, visibility: str, title: str, content: bytes
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        for actor in (world.specialist, world.agency_admin):
            if actor is world.agency_admin and visibility == "all_parties":
                continue
            with pytest.raises(FileNamesSomebody):
                _store(
                    session,
                    world,
                    actor,
                    tmp_path,
                    visibility=visibility,
                    title=title,
                    content=content,
                )
        kept = _store(session, world, world.specialist, tmp_path, title=title, content=content)
        assert kept.visibility == "staff"


def test_a_client_learns_nothing_from_guessing_a_name_in_a_title(
    session_factory: Sessions, tmp_path: Path
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        for guess in ("Delphine Quarles", "Paula Nobody"):
            _store(
                session,
                world,
                world.parent,
                tmp_path,
                visibility="recipient",
                title=f"{guess}.txt",
                content=f"for {guess}".encode(),
            )
        titles = [
            one.title for one in visible_documents(session, world.parent, world.case.reference)
        ]
        assert titles == ["Paula Nobody.txt", "Delphine Quarles.txt"]


@pytest.mark.parametrize(
    "title, kept",
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\rosalind\\receipt.txt", "receipt.txt"),
        ("re\u202etxt.exe", "re txt.exe"),
        ("two\r\nlines\x00.txt", "two lines .txt"),
        ("  plain   words ", "plain words"),
    ],
)
def test_a_file_name_is_cleaned(
    session_factory: Sessions, tmp_path: Path, title: str, kept: str
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        assert _store(session, world, world.specialist, tmp_path, title=title).title == kept


@pytest.mark.parametrize(
    "title, content_type, name",
    [
        ("Clinic letter", "application/pdf", "clinic-letter.pdf"),
        ("receipt.pdf.exe", "application/pdf", "receipt-pdf-exe.pdf"),
        ("Foto.JPEG", "image/jpeg", "foto.jpg"),
        ("Reçu № 12 ✓.png", "image/png", "recu-no-12.png"),
        ("../..", "text/csv", "document.csv"),
        ("x" * 300, "text/plain", "x" * 80 + ".txt"),
    ],
)
def test_a_download_has_a_plain_name_with_the_ending_of_its_type(
    title: str, content_type: str, name: str
) -> None:
    assert file_name(title, content_type) == name


def test_wrong_words_closed_cases_and_strangers_are_refused(
    session_factory: Sessions, tmp_path: Path
) -> None:
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        other = world_of.build(session)
        for changes, field in (
            ({"kind": "secret"}, "kind"),
            ({"visibility": "world"}, "visibility"),
            ({"title": " / "}, "title"),
        ):
            with pytest.raises(Invalid) as refusal:
                _store(session, world, world.specialist, tmp_path, **changes)
            assert list(refusal.value.errors) == [field]
        with pytest.raises(NotFound):
            _store(session, world, other.parent, tmp_path, visibility="recipient")
        with pytest.raises(Forbidden):
            _store(session, world, world.legal, tmp_path)
        cases.cancel_case(
            session,
            world.specialist,
            case_ref=world.case.reference,
            reason="Moved",
            moment=MOMENT,
        )
        with pytest.raises(CaseClosed):
            _store(session, world, world.specialist, tmp_path)


def test_nothing_is_written_when_the_storage_fails(
    session_factory: Sessions, tmp_path: Path
) -> None:
    blocked = tmp_path / "a file, no folder"
    blocked.write_bytes(b"")
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        with pytest.raises(Unavailable):
            _store(session, world, world.specialist, blocked)
        assert session.execute(select(func.count()).select_from(Document)).scalar_one() == 0


def test_a_damaged_or_missing_copy_is_told_and_never_handed_out(
    session_factory: Sessions, tmp_path: Path
) -> None:
    storage = LocalStorage(tmp_path)
    with session_factory() as session, session.begin():
        world = world_of.build(session)
        document = _store(session, world, world.specialist, tmp_path)
        place = tmp_path / document.sha256[:2] / document.sha256
        place.write_bytes(TEXT + b" and more")
        with pytest.raises(FileDamaged):
            file_of(session, world.specialist, document.reference).read(storage)
        place.unlink()
        with pytest.raises(NotFound):
            file_of(session, world.specialist, document.reference).read(storage)
