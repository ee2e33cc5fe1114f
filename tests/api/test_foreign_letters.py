"""Letters that no reference and no code has: a clear refusal on both databases, never a fault."""

from __future__ import annotations

import pytest

from tests.factories.api_world import ApiWorld
from tests.support.databases import on_both_databases

LETTERS = "crème-日本-ü"


@on_both_databases
@pytest.mark.parametrize(
    "path, status, field",
    [
        ("/disbursement-requests?category={letters}", 422, "category"),
        ("/cases/{case}/disbursement-requests?category={letters}", 422, "category"),
        ("/disbursement-requests?state={letters}", 422, "state.0"),
        ("/disbursement-requests?cursor={letters}", 422, "cursor"),
        ("/cases/{case}/ledger?order={letters}", 422, "order"),
        ("/cases/{case}/ledger?cursor={letters}", 422, "cursor"),
        ("/cases?stage={letters}", 422, "stage.0"),
        ("/cases?kind={letters}", 422, "kind"),
        ("/cases?search={letters}", 200, ""),
        ("/cases?cursor={letters}", 422, "cursor"),
        ("/cases/{letters}", 404, ""),
        ("/cases/{letters}/ledger", 404, ""),
        ("/disbursement-requests/{letters}", 404, ""),
        ("/documents/{letters}", 404, ""),
    ],
)
def test_foreign_letters_are_refused_by_name(
    world: ApiWorld, path: str, status: int, field: str
) -> None:
    address = path.format(letters=LETTERS, case=world.case)
    answer = world.program("parent").get(address)
    assert answer.status_code == status, answer.text
    if field:
        assert field in answer.get_json()["errors"]
