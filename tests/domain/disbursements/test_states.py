"""The state table of requests, walked by chance."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from seedtrust.domain.disbursements.states import (
    CLIENT_LABELS,
    OPEN_STATES,
    STATE_LABELS,
    STATE_TONES,
    STEPS,
    RequestEvent,
    RequestState,
)

S, E = RequestState, RequestEvent
FINAL = {S.DENIED, S.CANCELLED}


def _reachable(*, without: set[RequestState]) -> set[RequestState]:
    seen, queue = {S.DRAFT}, deque([S.DRAFT])
    while queue:
        here = queue.popleft()
        for (start, _), end in STEPS.items():
            if start is here and end not in seen | without:
                seen.add(end)
                queue.append(end)
    return seen


def test_every_state_can_be_reached() -> None:
    assert _reachable(without=set()) == set(S)


def test_no_path_reaches_paid_without_approval() -> None:
    assert S.PAID not in _reachable(without={S.APPROVED})


def test_no_path_reaches_paid_without_a_reservation() -> None:
    assert S.PAID not in _reachable(without={S.READY})


def test_nothing_leaves_a_final_state() -> None:
    assert not [start for start, _ in STEPS if start in FINAL]


def test_nothing_is_stuck() -> None:
    for state in OPEN_STATES:
        assert any(start is state for start, _ in STEPS), state


def test_every_state_has_words_and_a_tone_for_both_kinds_of_reader() -> None:
    assert set(STATE_LABELS) == set(CLIENT_LABELS) == set(STATE_TONES) == set(S)
    assert "insufficient" not in " ".join(CLIENT_LABELS.values()).lower()


@given(st.lists(st.sampled_from(list(E)), max_size=40))
def test_any_walk_ends_in_a_known_state_and_paid_comes_after_ready(
    events: list[RequestEvent],
) -> None:
    state, was_ready = S.DRAFT, False
    for event in events:
        state = STEPS.get((state, event), state)
        was_ready = was_ready or state is S.READY
    assert state in S
    assert was_ready or state not in {S.IN_PAYMENT, S.PAID, S.RETURNED}
