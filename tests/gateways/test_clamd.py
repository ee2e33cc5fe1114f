"""The virus scanner is asked over a real socket; without a clear answer no file is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedtrust.core.errors import Unavailable
from seedtrust.gateways.clamd import Clamd
from tests.fakes.clamd import EICAR, MOST_BYTES, daemon


def test_a_clean_and_an_infected_file_are_told_apart() -> None:
    with daemon() as url:
        scanner = Clamd.from_url(url)
        assert scanner.scan(b"A receipt") is None
        assert scanner.scan(b"") is None
        assert scanner.scan(bytes(200_000)) is None
        assert scanner.scan(b"before " + EICAR) == "Eicar-Test-Signature"
        assert scanner.name == "clamd"


def test_a_socket_in_the_file_system_works_as_well(tmp_path: Path) -> None:
    with daemon(path=tmp_path / "clamd.ctl") as url:
        assert Clamd.from_url(url).scan(EICAR) == "Eicar-Test-Signature"


@pytest.mark.parametrize("mood", ["silent", "strange", "hangs up"])
def test_without_a_clear_answer_the_file_is_not_kept(mood: str) -> None:
    with daemon(mood) as url, pytest.raises(Unavailable) as refusal:
        Clamd.from_url(url, seconds=0.3).scan(b"A receipt")
    assert "Try again in a few minutes" in refusal.value.detail


def test_a_file_beyond_the_scanners_own_limit_is_not_kept() -> None:
    with daemon() as url, pytest.raises(Unavailable):
        Clamd.from_url(url).scan(bytes(MOST_BYTES * 40))


def test_nobody_listening_is_no_yes(tmp_path: Path) -> None:
    with daemon() as url:
        pass
    for gone in (url, f"unix://{tmp_path}/nobody"):
        with pytest.raises(Unavailable):
            Clamd.from_url(gone).scan(b"A receipt")


@pytest.mark.parametrize("url", ["", "clamd", "http://scanner:3310", "tcp://", "unix://host/x"])
def test_an_address_that_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="tcp://host:port"):
        Clamd.from_url(url)
