"""The local folder keeps whole files or none, under hashes and nowhere else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from seedtrust.core.errors import NotFound, Unavailable
from seedtrust.domain.documents.ports import Storage
from seedtrust.gateways.storage import LocalStorage

CONTENT = b"content"
KEY = hashlib.sha256(CONTENT).hexdigest()


def test_what_is_put_is_got_back_from_another_instance(tmp_path: Path) -> None:
    storage: Storage = LocalStorage.from_url(f"file://{tmp_path}/files%20here")
    storage.put(KEY, CONTENT)
    storage.put(KEY, CONTENT)
    assert LocalStorage(tmp_path / "files here").get(KEY) == CONTENT
    kept = [path for path in (tmp_path / "files here").rglob("*") if path.is_file()]
    assert [path.name for path in kept] == [KEY]
    assert kept[0].stat().st_mode & 0o077 == 0


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        LocalStorage(tmp_path).get(KEY)


@pytest.mark.parametrize("key", ["../secret", "", "A" * 64, KEY[:-1], f"{KEY}/x"])
def test_only_hashes_are_keys(tmp_path: Path, key: str) -> None:
    storage = LocalStorage(tmp_path)
    with pytest.raises(ValueError, match="SHA-256"):
        storage.put(key, CONTENT)
    with pytest.raises(ValueError, match="SHA-256"):
        storage.get(key)


@pytest.mark.parametrize("url", ["s3://bucket/x", "file://elsewhere/x", "file:", "/var/files"])
def test_only_local_addresses_name_a_local_storage(url: str) -> None:
    with pytest.raises(ValueError, match="file:///path"):
        LocalStorage.from_url(url)


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / KEY[:2]
    folder.write_bytes(b"a file where the folder should be")
    storage = LocalStorage(tmp_path)
    with pytest.raises(Unavailable):
        storage.put(KEY, CONTENT)
    with pytest.raises(Unavailable):
        storage.get(KEY)
    assert [path.name for path in tmp_path.iterdir()] == [KEY[:2]]
