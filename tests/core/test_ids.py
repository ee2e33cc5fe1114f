"""Row ids rise and never meet, across threads and forks; references notice a slip of the pen."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.core.ids import ALPHABET, IdMaker, is_reference, new_id, new_reference

SIXTY_THREE_BITS = 1 << 63
POSITIONS = st.integers(0, 14)


def test_ids_rise_and_fit_sixty_three_bits() -> None:
    maker = IdMaker(1023)
    ids = [maker.next() for _ in range(20_000)]
    assert ids == sorted(set(ids))
    assert ids[0] > 0
    assert ids[-1] < SIXTY_THREE_BITS


def test_a_clock_that_goes_back_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = IdMaker(0)
    first = maker.next()
    earlier = time.time_ns() - 3_600 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: earlier)
    later = [maker.next() for _ in range(10_000)]
    assert [first, *later] == sorted({first, *later})


def test_makers_of_two_nodes_never_meet() -> None:
    one, other = IdMaker(1), IdMaker(2)
    ids = [maker.next() for _ in range(5_000) for maker in (one, other)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("node", [-1, 1024])
def test_a_node_has_ten_bits(node: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 1023"):
        IdMaker(node)


def test_threads_share_a_maker_without_meeting() -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = [
            one
            for part in pool.map(lambda _: [new_id() for _ in range(500)], range(16))
            for one in part
        ]
    assert len(set(ids)) == len(ids)


def test_a_forked_worker_counts_under_a_number_of_its_own() -> None:
    mine = new_id()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(new_id()).encode())
        os._exit(0)
    os.close(writing)
    theirs = int(os.read(reading, 64))
    os.close(reading)
    assert os.waitpid(child, 0)[1] == 0
    node = 0x3FF << 12
    assert theirs & node != mine & node


def test_references_are_readable_and_check_themselves() -> None:
    for _ in range(500):
        reference = new_reference()
        assert len(reference) == 15
        assert set(reference) <= set(ALPHABET)
        assert is_reference(reference)


@given(POSITIONS, st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(position: int, character: str) -> None:
    reference = new_reference()
    wrong = reference[:position] + character + reference[position + 1 :]
    assert is_reference(wrong) == (wrong == reference)


@pytest.mark.parametrize("text", ["", "A" * 14, "A" * 16, "a" * 15, "0" * 15, "AAAAAAAAAAAAAA-"])
def test_other_texts_are_no_references(text: str) -> None:
    assert not is_reference(text)
