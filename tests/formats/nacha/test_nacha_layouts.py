"""The table of layouts: widths, positions, and one meaning for matching and explaining."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.formats.nacha import layouts
from seedtrust.formats.nacha.fields import Kind, Layout
from seedtrust.formats.nacha.findings import Findings
from tests.formats.nacha import making

LAYOUTS = [value for value in vars(layouts).values() if isinstance(value, Layout)]
SAMPLES = [
    record
    for data in (
        making.rendered(making.a_batch(making.with_remittance())),
        making.rendered(making.a_return()),
        making.rendered(making.a_change()),
        making.rendered(*making.disputes()),
    )
    for record in making.records_of(data)
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_fields_of_a_record_fill_it(layout: Layout) -> None:
    ends = [field.start + field.length for field in layout.fields]
    assert [field.start for field in layout.fields] == [0, *ends[:-1]]
    assert ends[-1] == 94


@pytest.mark.parametrize(
    "layout, name, first, last",
    [
        (layouts.FILE_HEADER, "immediate_destination", 4, 13),
        (layouts.FILE_HEADER, "reference_code", 87, 94),
        (layouts.BATCH_HEADER, "entry_description", 54, 63),
        (layouts.BATCH_HEADER, "settlement_day", 76, 78),
        (layouts.BATCH_HEADER, "odfi_identification", 80, 87),
        (layouts.ENTRY, "account_number", 13, 29),
        (layouts.ENTRY, "amount_cents", 30, 39),
        (layouts.ENTRY, "identification", 40, 54),
        (layouts.ENTRY, "name", 55, 76),
        (layouts.ENTRY, "trace_number", 80, 94),
        (layouts.CTX_ENTRY, "addenda_count", 55, 58),
        (layouts.CTX_ENTRY, "name", 59, 74),
        (layouts.CIE_ENTRY, "identification", 55, 76),
        (layouts.IAT_ENTRY, "account_number", 40, 74),
        (layouts.ADDENDA_05, "payment_information", 4, 83),
        (layouts.ADDENDA_99, "original_trace", 7, 21),
        (layouts.ADDENDA_99, "original_routing", 28, 35),
        (layouts.ADDENDA_99, "information", 36, 79),
        (layouts.ADDENDA_98, "corrected_data", 36, 64),
        (layouts.REFUSED_CHANGE, "refused_change_code", 65, 67),
        (layouts.REFUSED_CHANGE, "change_trace_sequence", 68, 74),
        (layouts.DISHONOURED_RETURN, "return_trace", 39, 53),
        (layouts.DISHONOURED_RETURN, "information", 59, 79),
        (layouts.CONTESTED_RETURN, "dishonoured_trace", 59, 73),
        (layouts.CONTESTED_RETURN, "dishonoured_reason", 77, 78),
        (layouts.BATCH_CONTROL, "entry_hash", 11, 20),
        (layouts.BATCH_CONTROL, "authentication_code", 55, 73),
        (layouts.FILE_CONTROL, "credit_cents", 44, 55),
    ],
    ids=lambda value: value.name if isinstance(value, Layout) else value,
)
def test_fields_stand_where_the_rules_put_them(
    layout: Layout, name: str, first: int, last: int
) -> None:
    field = layout.field(name)
    assert (field.start + 1, field.start + field.length) == (first, last)


def test_a_layout_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="93 characters"):
        Layout("short", ("text", 93, Kind.TEXT))


def test_an_unknown_field_is_an_error() -> None:
    with pytest.raises(KeyError, match="colour"):
        layouts.ENTRY.field("colour")


@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 93), st.characters(max_codepoint=255)), max_size=4),
    st.sampled_from(LAYOUTS),
)
def test_a_record_matches_exactly_if_no_field_objects(
    sample: str, changes: list[tuple[int, str]], layout: Layout
) -> None:
    record = sample
    for place, character in changes:
        record = record[:place] + character + record[place + 1 :]
    assert bool(layout.match.match(record)) is not any(layout.misfits(record))


@given(st.sampled_from(LAYOUTS), st.text(max_size=100).filter(lambda text: len(text) != 94))
def test_a_record_of_another_length_never_matches(layout: Layout, record: str) -> None:
    findings = Findings(lenient=False, wants_records=False)
    assert not layout.match.match(record)
    assert not findings.misfits(layout, record, 7)
    assert [event.line for event in findings.events] == [7]


@pytest.mark.parametrize(
    "day", ["260229", "261301", "260431", "260100", "991332", "26 101", "٢٦٠١٠١"]
)
def test_dates_that_do_not_exist_do_not_fit(day: str) -> None:
    assert not layouts.BATCH_HEADER.field("effective_on").pattern.fullmatch(day)


@pytest.mark.parametrize("day", ["240229", "000229", "261231", "260430", "990101"])
def test_dates_that_exist_fit(day: str) -> None:
    assert layouts.BATCH_HEADER.field("effective_on").pattern.fullmatch(day)
